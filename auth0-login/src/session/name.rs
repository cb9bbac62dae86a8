//! The name of a session in a store, which is all that its cookie has.
use crate::store::SessionKey;
use aws_lc_rs::{digest, rand};
use std::time::Duration;

/// What a cookie has before the name of a session in a store, and what JSON never begins with.
const MARK: u8 = b'#';

const ID_BYTES: usize = 32;

/// The name of a session in a store.
pub(super) struct StoredName {
    /// Random: the store has its hash only.
    id: [u8; ID_BYTES],
    /// Since 1970.
    pub(super) began_at: Duration,
}

impl StoredName {
    /// Creates the name of a session that begins now. `None` if the system has no randomness.
    pub(super) fn new(now: Duration) -> Option<Self> {
        let mut id = [0; ID_BYTES];
        rand::fill(&mut id).ok()?;
        Some(Self { id, began_at: now })
    }

    /// Returns whether the content of a cookie is a name, and not the session itself.
    pub(super) fn is_one(content: &[u8]) -> bool {
        content.first() == Some(&MARK)
    }

    /// Reads the content of a cookie.
    pub(super) fn read(content: &[u8]) -> Option<Self> {
        let (id, began_at) = content.strip_prefix(&[MARK])?.split_first_chunk()?;
        let began_at = u64::from_be_bytes(began_at.try_into().ok()?);
        Some(Self { id: *id, began_at: Duration::from_secs(began_at) })
    }

    /// Returns the content of a cookie.
    pub(super) fn content(&self) -> Vec<u8> {
        [&[MARK], &self.id[..], &self.began_at.as_secs().to_be_bytes()].concat()
    }

    /// Returns the key in the store.
    pub(super) fn key(&self) -> SessionKey {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, &self.id).as_ref());
        SessionKey::new(hash)
    }
}
