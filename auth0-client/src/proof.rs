//! DPoP proofs on outgoing requests, and the nonces that servers require (RFC 9449 §8, §9).
use crate::{
    error::{Error, ErrorKind},
    key::{ProofKey, ProofOf},
};
use auth0_core::time::Clock;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use url::Url;

/// The servers whose nonces are kept. A nonce that was dropped costs one more request.
const MAX_ORIGINS: usize = 256;

/// Longer nonces would not fit into a header together with the proof.
const MAX_NONCE_BYTES: usize = 1024;

/// Creates proofs with one key.
pub(crate) struct Prover {
    pub(crate) key: ProofKey,
    clock: Arc<dyn Clock>,
    /// The newest nonce of each origin.
    nonces: Mutex<HashMap<String, Arc<str>>>,
}

impl Prover {
    pub(crate) fn new(key: ProofKey, clock: Arc<dyn Clock>) -> Self {
        Self { key, clock, nonces: Mutex::default() }
    }

    /// Creates a proof for one request, with the newest nonce of the server.
    pub(crate) fn prove(
        &self,
        method: &str,
        url: &str,
        token: Option<&str>,
    ) -> Result<String, Error> {
        let mut url = Url::parse(url)
            .ok()
            .filter(|url| matches!(url.scheme(), "https" | "http"))
            .ok_or_else(|| {
            Error::new(
                ErrorKind::Misconfigured,
                "A DPoP proof needs the absolute URL of the request",
            )
        })?;
        let nonce = self.nonces().get(&origin(&url)).cloned();
        // Neither is in the proof (RFC 9449 §4.2).
        url.set_query(None);
        url.set_fragment(None);
        let nonce = nonce.as_deref();
        let request = ProofOf { method, url: url.as_str(), token, nonce };
        self.key.prove(&request, self.clock.unix_time()).ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, "The system has no randomness for a DPoP proof")
        })
    }

    /// Keeps the nonce that a server has sent for the next proof.
    pub(crate) fn keep_nonce(&self, url: &str, nonce: &str) {
        let Ok(url) = Url::parse(url) else { return };
        // The characters of a nonce (RFC 9449 §8.1).
        let is_char = |byte: u8| {
            byte == b'!' || (b'#'..=b'[').contains(&byte) || (b']'..=b'~').contains(&byte)
        };
        if nonce.is_empty() || nonce.len() > MAX_NONCE_BYTES || !nonce.bytes().all(is_char) {
            return;
        }
        let mut nonces = self.nonces();
        let origin = origin(&url);
        if nonces.get(&origin).is_some_and(|known| **known == *nonce) {
            return;
        }
        if nonces.len() >= MAX_ORIGINS && !nonces.contains_key(&origin) {
            nonces.clear();
        }
        nonces.insert(origin, nonce.into());
    }

    fn nonces(&self) -> MutexGuard<'_, HashMap<String, Arc<str>>> {
        self.nonces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

impl fmt::Debug for Prover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prover").field("key", &self.key).finish_non_exhaustive()
    }
}
