//! Random values, and what is stored in the place of a secret.
use crate::error::LocalError;
use aws_lc_rs::{
    constant_time,
    digest::{SHA256, digest},
    rand,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};

/// Returns 256 random bits of the system as 43 characters.
pub(crate) fn random_text() -> Result<String, LocalError> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).map_err(|_| LocalError::new("the system has no randomness"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Returns the SHA-256 of a text or certificate in base64url, as `code_challenge` and `ath` have it.
pub(crate) fn sha256(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_ref()))
}

/// Returns this number of characters of an alphabet of at most 256, each equally likely.
pub(crate) fn random_of(alphabet: &[u8], count: usize) -> Result<String, LocalError> {
    let usable = 256 - 256 % alphabet.len().max(1);
    let mut text = String::with_capacity(count);
    while text.len() < count {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).map_err(|_| LocalError::new("the system has no randomness"))?;
        let fair = bytes.into_iter().map(usize::from).filter(|byte| *byte < usable);
        let characters = fair.filter_map(|byte| alphabet.get(byte % alphabet.len()));
        text.extend(characters.take(count - text.len()).map(|byte| char::from(*byte)));
    }
    Ok(text)
}

/// Compares two secrets in a time that depends on their lengths only.
pub(crate) fn equal(one: &str, other: &str) -> bool {
    constant_time::verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
}

/// A secret that does not print.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct Hidden(String);

impl Hidden {
    pub(crate) fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Returns whether it is this text, in a time that depends on the lengths only.
    pub(crate) fn is(&self, sent: &str) -> bool {
        equal(&self.0, sent)
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// Names that differ from each other, and that cannot be predicted: ids of tokens, sessions and events.
#[derive(Debug)]
pub(crate) struct Names {
    seed: Hidden,
    count: AtomicU64,
}

impl Names {
    pub(crate) fn new() -> Result<Self, LocalError> {
        Ok(Self { seed: Hidden::new(random_text()?), count: AtomicU64::new(0) })
    }

    /// Returns a name of 43 characters.
    pub(crate) fn next(&self) -> String {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        sha256(format!("{}.{number}", self.seed.reveal()))
    }
}

/// The SHA-256 of a code, a token or a cookie, under which it is stored. A lookup by it takes a time
/// that does not depend on the secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Fingerprint(String);

impl Fingerprint {
    pub(crate) fn of(secret: &str) -> Self {
        Self(sha256(secret))
    }
}
