//! Keys of revocations: a hash of who or what is revoked, so that neither memory nor a store has names.
use siphasher::sip128::SipHasher13;
use std::fmt;

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
    /// The last byte of a key, which never changes: the instances of a service may run different releases.
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

/// The key of a revocation: 120 bits of a hash of the issuer and the names, and the kind. Two issuers that differ in a
/// slash at the end are one.
///
/// It shows no name, but a name that is guessed can be compared with it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RevocationKey([u8; 16]);

/// The hash of an issuer, which is the key of the hashes of its names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IssuerHash(Hash);

/// The hash of a subject, an organization or another name in the tokens of an issuer.
#[derive(Clone, Copy)]
pub(crate) struct NameHash(Hash);

/// Both halves.
type Hash = (u64, u64);

/// Not made piece by piece, which takes several times as long.
fn hash((key0, key1): Hash, text: &str) -> Hash {
    SipHasher13::new_with_keys(key0, key1).hash(text.as_bytes()).as_u64()
}

impl IssuerHash {
    pub(crate) fn new(issuer: &str) -> Self {
        Self(hash((0, 0), issuer.strip_suffix('/').unwrap_or(issuer)))
    }

    pub(crate) fn name(self, name: &str) -> NameHash {
        NameHash(hash(self.0, name))
    }

    pub(super) const fn halves(self) -> (u64, u64) {
        self.0
    }
}

impl NameHash {
    pub(crate) const fn key(self, kind: Kind) -> RevocationKey {
        let (low, high) = self.0;
        RevocationKey::from_halves(low, (high << 8 >> 8) | ((kind.number() as u64) << 56))
    }

    /// Returns the key of a member of this organization.
    pub(crate) fn member(self, subject: &str) -> RevocationKey {
        Self(hash(self.0, subject)).key(Kind::Member)
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
        let key = issuer.name("auth0|ann").key(Kind::Subject);
        assert_eq!(key.to_string(), SUBJECT, "instances of different releases share a store");
        let (low, high) = key.halves();
        assert_eq!(RevocationKey::from_halves(low, high), key);
        assert_eq!(key.kinds(), Kinds(1 << Kind::Subject.number()));
        assert_eq!(issuer.name("org_1").member("auth0|ann").to_string(), MEMBER);
    }

    // Computed by another implementation of SipHash-1-3 (128 bits).
    const SUBJECT: &str = "aa142411f352e37d61b478ea3f1b3301";
    const MEMBER: &str = "f0fb747382c7dd8dae9e168b0e638402";

    #[test]
    fn whatever_differs_has_another_key() {
        let acme = IssuerHash::new("https://acme.eu.auth0.com/");
        let other = IssuerHash::new("https://other.eu.auth0.com/");
        let all = [
            acme.name("ab").key(Kind::Subject),
            other.name("ab").key(Kind::Subject),
            acme.name("ab").key(Kind::Client),
            acme.name("ab").key(Kind::Member),
            acme.name("a").member("b"),
            acme.name("b").member("a"),
            acme.name("").member("ab"),
            acme.name("ab").member(""),
            other.name("a").member("b"),
        ];
        for (at, key) in all.iter().enumerate() {
            assert!(!all[..at].contains(key), "{at}");
        }
        let without_slash = IssuerHash::new("https://acme.eu.auth0.com");
        assert_eq!(without_slash.name("ab").key(Kind::Subject), all[0]);
    }
}
