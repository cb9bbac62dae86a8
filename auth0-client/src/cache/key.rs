//! The key of a token: a hash of everything that it depends on.
use crate::parameters::Parameters;
use auth0_core::support::Address;
use aws_lc_rs::digest::{Context, SHA256};
use std::fmt;

/// A SHA-256 hash: two requests with the same key get the same token.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct CacheKey([u8; 32]);

impl CacheKey {
    /// Returns the place in the cache.
    pub(crate) fn address(&self) -> Address {
        let bits = self.0.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
        Address::new(bits)
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CacheKey(…)")
    }
}

/// Collects what a token depends on.
#[derive(Clone)]
pub(crate) struct KeyBuilder(Context);

impl KeyBuilder {
    /// Starts with all parameters of a request.
    pub(crate) fn of(parameters: &Parameters) -> Self {
        let mut key = Self(Context::new(&SHA256));
        for (name, value) in parameters.iter() {
            key.part(name, value.as_bytes());
        }
        key
    }

    /// Adds a named part. The lengths are hashed, too, so that no two lists of parts are the same text. A part that
    /// is absent is another key than one that is empty.
    pub(crate) fn part(&mut self, name: &str, value: &[u8]) {
        for text in [name.as_bytes(), value] {
            self.0.update(&(text.len() as u64).to_le_bytes());
            self.0.update(text);
        }
    }

    pub(crate) fn finish(self) -> CacheKey {
        let mut key = [0; 32];
        key.copy_from_slice(self.0.finish().as_ref());
        CacheKey(key)
    }
}

impl fmt::Debug for KeyBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyBuilder(…)")
    }
}
