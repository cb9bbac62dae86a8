//! One revocation as memory and stores keep it.
use super::key::RevocationKey;

/// A revocation: tokens with this key are refused if they were issued at or before a time.
///
/// ```
/// use auth0_core::revocation::{RevocationEntry, RevocationKey};
///
/// let entry = RevocationEntry::new(RevocationKey::new([7; 16]), 1_767_225_600, 1_769_817_600);
/// assert!(entry.expires_at > entry.revoked_at);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationEntry {
    /// Who or what is revoked.
    pub key: RevocationKey,
    /// The time of the revocation, in seconds since 1970. [`u32::MAX`] means every token.
    pub revoked_at: u32,
    /// The time after which no token can be concerned any more, in seconds since 1970.
    pub expires_at: u32,
}

impl RevocationEntry {
    /// Creates an entry, of the values that a store has kept.
    #[must_use]
    pub const fn new(key: RevocationKey, revoked_at: u32, expires_at: u32) -> Self {
        Self { key, revoked_at, expires_at }
    }
}
