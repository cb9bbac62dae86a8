//! Keys of revocations: a hash of who or what is revoked, so that neither memory nor a store has names.
use siphasher::sip128::{Hasher128, SipHasher13};
use std::{fmt, hash::Hasher};

/// What a revocation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Subject,
    /// The tokens of a subject that do not say to which session they belong.
    SubjectOutsideSessions,
    Member,
    Organization,
    Client,
    Token,
    Session,
}

/// A set of kinds: those of which there are revocations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Kinds(pub(super) u8);

impl Kinds {
    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind.number()) != 0
    }

    pub(crate) const fn covers(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

impl Kind {
    /// Part of what is hashed: the instances of a service may run different releases.
    const fn number(self) -> u8 {
        match self {
            Self::Subject => 1,
            Self::Member => 2,
            Self::Organization => 3,
            Self::Client => 4,
            Self::Token => 5,
            Self::Session => 6,
            Self::SubjectOutsideSessions => 7,
        }
    }

    /// Returns the name in logs and metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Subject | Self::SubjectOutsideSessions => "subject",
            Self::Member => "organization_member",
            Self::Organization => "organization",
            Self::Client => "client",
            Self::Token => "token",
            Self::Session => "session",
        }
    }
}

/// The key of a revocation: 120 bits of a hash of the kind, the issuer and the names, and the kind. Two issuers that
/// differ in a slash at the end are one.
///
/// It shows no name, but a name that is guessed can be compared with it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RevocationKey([u8; 16]);

/// The hash of an issuer, which begins the hash of each of its keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IssuerHash([u8; 16]);

impl IssuerHash {
    pub(crate) fn new(issuer: &str) -> Self {
        let mut hasher = SipHasher13::new();
        hasher.write(issuer.strip_suffix('/').unwrap_or(issuer).as_bytes());
        Self(hasher.finish128().as_bytes())
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl RevocationKey {
    /// Creates a key of the bytes that a store has kept.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, for a store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    pub(crate) fn of(kind: Kind, issuer: IssuerHash, first: &str, second: &str) -> Self {
        let mut hasher = SipHasher13::new();
        hasher.write(&[kind.number()]);
        hasher.write(&issuer.0);
        // The length of the first name separates the two.
        hasher.write(&u64::try_from(first.len()).unwrap_or(u64::MAX).to_le_bytes());
        hasher.write(first.as_bytes());
        hasher.write(second.as_bytes());
        let mut key = hasher.finish128().as_bytes();
        let [.., last] = &mut key;
        *last = kind.number();
        Self(key)
    }

    /// Returns its kind as a set. A kind of another release is none.
    pub(super) const fn kinds(self) -> Kinds {
        let [.., kind] = self.0;
        Kinds(if kind < 8 { 1 << kind } else { 0 })
    }

    pub(super) const fn halves(self) -> (u64, u64) {
        let all = u128::from_le_bytes(self.0);
        #[expect(clippy::cast_possible_truncation, reason = "these are the two halves")]
        let halves = (all as u64, (all >> 64) as u64);
        halves
    }

    pub(super) const fn from_halves(low: u64, high: u64) -> Self {
        Self((low as u128 | ((high as u128) << 64)).to_le_bytes())
    }
}

/// Writes the hash in hexadecimal.
impl fmt::Display for RevocationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RevocationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_the_same_in_every_release() {
        let issuer = IssuerHash::new("https://acme.eu.auth0.com/");
        let key = RevocationKey::of(Kind::Subject, issuer, "auth0|ann", "");
        assert_eq!(key.to_string(), KNOWN, "instances of different releases share a store");
        let (low, high) = key.halves();
        assert_eq!(RevocationKey::from_halves(low, high), key);
    }

    const KNOWN: &str = "91a20fddba7ebb14570a533ade865c01";

    #[test]
    fn whatever_differs_has_another_key() {
        let acme = IssuerHash::new("https://acme.eu.auth0.com/");
        let other = IssuerHash::new("https://other.eu.auth0.com/");
        let all = [
            RevocationKey::of(Kind::Subject, acme, "ab", ""),
            RevocationKey::of(Kind::Subject, other, "ab", ""),
            RevocationKey::of(Kind::Client, acme, "ab", ""),
            RevocationKey::of(Kind::Subject, acme, "a", "b"),
            RevocationKey::of(Kind::Member, acme, "a", "b"),
            RevocationKey::of(Kind::Member, acme, "b", "a"),
            RevocationKey::of(Kind::Member, acme, "", "ab"),
        ];
        for (at, key) in all.iter().enumerate() {
            assert!(!all[..at].contains(key), "{at}");
        }
        let without_slash = IssuerHash::new("https://acme.eu.auth0.com");
        assert_eq!(RevocationKey::of(Kind::Subject, without_slash, "ab", ""), all[0]);
    }
}
