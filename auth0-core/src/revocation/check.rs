//! The check of one token.
use super::{
    key::{IssuerHash, Kind, Kinds, RevocationKey},
    local::Revocations,
};
use std::time::Duration;

/// How many keys a token can have.
const KEYS: usize = 6;

/// What the keys are about.
const NAMES: [&str; KEYS] = [
    "subject",
    "client",
    "membership of the organization",
    "organization",
    "token itself",
    "session",
];

/// The keys under which a token may be revoked.
#[derive(Debug)]
pub(crate) struct TokenKeys {
    keys: [Option<RevocationKey>; KEYS],
    /// The kinds of the keys that it has, as far as the token names them.
    kinds: Kinds,
    /// `iat`, in seconds since 1970.
    issued_at: Option<u32>,
}

/// The names in a token that a revocation may be about.
pub(crate) struct RevocationCheck<'a> {
    pub(crate) issuer: IssuerHash,
    pub(crate) subject: &'a str,
    pub(crate) organization: Option<&'a str>,
    pub(crate) client: Option<&'a str>,
    pub(crate) token: Option<&'a str>,
    /// The session, if the tokens of the issuer name it.
    pub(crate) session: Option<&'a str>,
    /// Whether tokens of the issuer name their session.
    pub(crate) has_sessions: bool,
    pub(crate) issued_at: Option<Duration>,
}

impl RevocationCheck<'_> {
    /// Returns the keys of these kinds.
    pub(crate) fn keys(&self, kinds: Kinds) -> TokenKeys {
        let Self { issuer, subject, .. } = *self;
        let key = |kind, name: Option<&str>| {
            let name = name.filter(|_| kinds.has(kind))?;
            Some(issuer.name(name).key(kind))
        };
        let organization = self
            .organization
            .filter(|_| kinds.has(Kind::Organization) || kinds.has(Kind::Member))
            .map(|organization| issuer.name(organization));
        let session = match (self.has_sessions, self.session) {
            (false, _) => None,
            (true, Some(session)) => key(Kind::Session, Some(session)),
            (true, None) => key(Kind::SubjectOutsideSessions, Some(subject)),
        };
        let keys = [
            key(Kind::Subject, Some(subject)),
            key(Kind::Client, self.client),
            organization.filter(|_| kinds.has(Kind::Member)).map(|hash| hash.member(subject)),
            organization
                .filter(|_| kinds.has(Kind::Organization))
                .map(|hash| hash.key(Kind::Organization)),
            key(Kind::Token, self.token),
            session,
        ];
        let issued_at = self.issued_at.map(seconds);
        TokenKeys { keys, kinds, issued_at }
    }
}

impl TokenKeys {
    /// Returns whether it has the keys of these kinds.
    pub(crate) const fn covers(&self, kinds: Kinds) -> bool {
        self.kinds.covers(kinds)
    }
}

impl Revocations {
    /// Returns the kinds of which there are revocations.
    pub(crate) fn kinds(&self) -> Kinds {
        self.table().kinds()
    }

    /// Returns what a token was revoked for, if it was.
    pub(crate) fn find(&self, token: &TokenKeys) -> Option<&'static str> {
        let is_revoked = |at| token.issued_at.is_none_or(|issued_at| issued_at <= at);
        NAMES.get(self.table().position(&token.keys, is_revoked)?).copied()
    }
}

pub(super) fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}
