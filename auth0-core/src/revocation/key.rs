//! Keys of revocations: a hash of who or what is revoked, so that neither memory nor a store has names.
use super::mark::{FoldedHash, Mark};
use siphasher::sip128::SipHasher13;
use std::{borrow::Cow, fmt};

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

impl Kind {
    /// The last byte of a key, which never changes: the instances of a service may run different releases.
    pub(super) const fn number(self) -> u8 {
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

/// The key of a revocation: 96 bits of a hash of the issuer and the names, 24 bits that are only compared first, and the
/// kind. Two issuers that differ in a slash at the end are one.
///
/// It shows no name, but a name that is guessed can be compared with it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RevocationKey([u8; 16]);

/// The hash of an issuer, which is the key of the hashes of its names.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IssuerHash(Hash);

/// Both halves.
type Hash = (u64, u64);

/// Not made piece by piece, which takes several times as long.
fn hash((key0, key1): Hash, text: &str) -> Hash {
    SipHasher13::new_with_keys(key0, key1).hash(text.as_bytes()).as_u64()
}

/// Returns an issuer with its scheme and host in lower case: without a verifier, it is not known which spelling its
/// tokens have.
fn with_lower_host(issuer: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = issuer.split_once("://") else { return issuer.into() };
    let (host, path) =
        rest.find('/').and_then(|end| rest.split_at_checked(end)).unwrap_or((rest, ""));
    match scheme.chars().chain(host.chars()).any(|letter| letter.is_ascii_uppercase()) {
        true => {
            let (scheme, host) = (scheme.to_ascii_lowercase(), host.to_ascii_lowercase());
            format!("{scheme}://{host}{path}").into()
        }
        false => issuer.into(),
    }
}

impl IssuerHash {
    pub(crate) fn new(issuer: &str) -> Self {
        let bare = issuer.strip_suffix('/').unwrap_or(issuer);
        Self(hash((0, 0), &with_lower_host(bare)))
    }

    /// Returns the key of a subject, an organization or another name in the tokens of the issuer.
    pub(super) fn key(self, kind: Kind, name: &str) -> RevocationKey {
        RevocationKey::of(hash(self.0, name), self.folded(name).mark(kind.number()), kind)
    }

    /// Returns the key of a member of an organization.
    pub(super) fn member_key(self, organization: &str, subject: &str) -> RevocationKey {
        let mark = self.folded(organization).with(self.folded(subject)).mark(Kind::Member.number());
        let hash = hash(hash(self.0, organization), subject);
        RevocationKey::of(hash, mark, Kind::Member)
    }

    /// Returns the hash of a name that the marks of its keys are made of.
    pub(super) fn folded(self, name: &str) -> FoldedHash {
        FoldedHash::new(self.0.0, name)
    }

    pub(super) const fn halves(self) -> (u64, u64) {
        self.0
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

    const fn of((low, high): Hash, mark: Mark, kind: Kind) -> Self {
        let high = (high << 32 >> 32) | ((mark.bits() as u64) << 32);
        Self::from_halves(low, high | ((kind.number() as u64) << 56))
    }

    /// Returns its mark, which is the mark of the names that it was made of.
    pub(super) const fn mark(self) -> Mark {
        Mark::from_bits((self.halves().1 >> 32) as u32)
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
        let key = issuer.key(Kind::Subject, "auth0|ann");
        assert_eq!(key.to_string(), SUBJECT, "instances of different releases share a store");
        let (low, high) = key.halves();
        assert_eq!(RevocationKey::from_halves(low, high), key);
        assert_eq!(key.mark(), issuer.folded("auth0|ann").mark(1));
        let member = issuer.member_key("org_1", "auth0|ann");
        assert_eq!(member.to_string(), MEMBER);
        assert_eq!(member.mark(), issuer.folded("org_1").with(issuer.folded("auth0|ann")).mark(2));
    }

    // Computed by another implementation of SipHash-1-3 (128 bits), and of marks.
    const SUBJECT: &str = "aa142411f352e37d61b478eaea516701";
    const MEMBER: &str = "f0fb747382c7dd8dae9e168b599fd302";

    #[test]
    fn whatever_differs_has_another_key() {
        let acme = IssuerHash::new("https://acme.eu.auth0.com/");
        let other = IssuerHash::new("https://other.eu.auth0.com/");
        let all = [
            acme.key(Kind::Subject, "ab"),
            other.key(Kind::Subject, "ab"),
            acme.key(Kind::Client, "ab"),
            acme.key(Kind::Member, "ab"),
            acme.member_key("a", "b"),
            acme.member_key("b", "a"),
            acme.member_key("", "ab"),
            acme.member_key("ab", ""),
            other.member_key("a", "b"),
        ];
        for (at, key) in all.iter().enumerate() {
            assert!(!all[..at].contains(key), "{at}");
        }
        let without_slash = IssuerHash::new("https://acme.eu.auth0.com");
        assert_eq!(without_slash.key(Kind::Subject, "ab"), all[0]);
    }
}
