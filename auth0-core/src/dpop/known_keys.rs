//! Keys of proofs that were good, so that the next proof of a client need not have its key parsed: a
//! client keeps its key for longer than any token.
//!
//! A table of fixed size, in which a key has one place, and the last that came is there. A look takes
//! no lock. Nobody gets in without a token that is bound to the key, and a proof of it.
use crate::{jwks::VerifyingKey, thumbprint::Thumbprint};
use arc_swap::ArcSwapOption;
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// 12 MiB at the most, if all are RSA keys of 2048 bits.
const PLACES: usize = 4096;

/// Twice what an RSA key of 2048 bits takes as JSON.
const MAX_JWK_BYTES: usize = 1024;

#[derive(Default)]
pub(crate) struct KnownKeys(OnceLock<Box<[Place]>>);

type Place = ArcSwapOption<KnownKey>;

#[derive(Debug)]
pub(super) struct KnownKey {
    /// As it was sent. The thumbprint would not do: members that it does not cover say what the key may
    /// be used for.
    jwk: Box<str>,
    pub(super) key: VerifyingKey,
}

impl KnownKeys {
    pub(super) fn get(&self, thumbprint: &Thumbprint, jwk: &str) -> Option<Arc<KnownKey>> {
        let known = place(self.0.get()?, thumbprint)?.load();
        known.as_ref().filter(|known| *known.jwk == *jwk).map(Arc::clone)
    }

    pub(super) fn learn(&self, thumbprint: &Thumbprint, jwk: &str, key: VerifyingKey) {
        if jwk.len() > MAX_JWK_BYTES {
            return;
        }
        let places = self.0.get_or_init(|| (0..PLACES).map(|_| Place::empty()).collect());
        if let Some(place) = place(places, thumbprint) {
            place.store(Some(Arc::new(KnownKey { jwk: jwk.into(), key })));
        }
    }
}

fn place<'a>(places: &'a [Place], thumbprint: &Thumbprint) -> Option<&'a Place> {
    let (start, _) = thumbprint.as_bytes().split_first_chunk()?;
    places.get(u64::from_le_bytes(*start) as usize % places.len())
}

impl fmt::Debug for KnownKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownKeys").finish_non_exhaustive()
    }
}
