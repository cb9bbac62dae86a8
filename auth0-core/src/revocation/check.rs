//! The check of one token.
use super::{
    key::{IssuerHash, Kind, RevocationKey},
    local::Revocations,
    mark::{FoldedHash, Mark},
};
use std::time::Duration;

/// How many revocations can concern a token.
const KINDS: usize = 6;

/// What is found if a token was revoked by its own id.
pub(crate) const ITSELF: &str = "token itself";

/// What they are about.
const NAMES: [&str; KINDS] =
    ["subject", "client", "membership of the organization", "organization", ITSELF, "session"];

/// The marks of the revocations that can concern a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TokenMarks([Option<Mark>; KINDS]);

/// The names in a token that a revocation may be about.
pub(crate) struct RevocationCheck<'a> {
    pub(crate) issuer: IssuerHash,
    pub(crate) subject: &'a str,
    pub(crate) organization: Option<&'a str>,
    pub(crate) client: Option<&'a str>,
    pub(crate) token: Option<&'a str>,
    /// The session, if the token names it. What is revoked outside of sessions concerns it otherwise: another verifier, to
    /// which tokens name their session, may have written it.
    pub(crate) session: Option<&'a str>,
    pub(crate) issued_at: Option<Duration>,
}

impl RevocationCheck<'_> {
    pub(crate) fn marks(&self) -> TokenMarks {
        let folded = |name: &str| self.issuer.folded(name);
        let mark = |kind: Kind, hash: FoldedHash| Some(hash.mark(kind.number()));
        let subject = folded(self.subject);
        let organization = self.organization.map(folded);
        TokenMarks([
            mark(Kind::Subject, subject),
            self.client.and_then(|client| mark(Kind::Client, folded(client))),
            organization.and_then(|organization| mark(Kind::Member, organization.with(subject))),
            organization.and_then(|organization| mark(Kind::Organization, organization)),
            self.token.and_then(|token| mark(Kind::Token, folded(token))),
            match self.session {
                Some(session) => mark(Kind::Session, folded(session)),
                None => mark(Kind::SubjectOutsideSessions, subject),
            },
        ])
    }

    /// Returns the key of the revocation in this place.
    fn key(&self, place: usize) -> Option<RevocationKey> {
        let Self { issuer, subject, .. } = *self;
        let key = |kind, name: &str| issuer.key(kind, name);
        Some(match place {
            0 => key(Kind::Subject, subject),
            1 => key(Kind::Client, self.client?),
            2 => issuer.member_key(self.organization?, subject),
            3 => key(Kind::Organization, self.organization?),
            4 => key(Kind::Token, self.token?),
            _ => match self.session {
                Some(session) => key(Kind::Session, session),
                None => key(Kind::SubjectOutsideSessions, subject),
            },
        })
    }
}

impl Revocations {
    /// Returns whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.table().is_empty()
    }

    /// Returns whether one of them may concern a token with these marks. Otherwise none does.
    pub(crate) fn may_concern(&self, token: &TokenMarks) -> bool {
        self.table().may_have_any(&token.0)
    }

    /// Returns what a token was revoked for, if it was.
    pub(crate) fn find(
        &self,
        marks: &TokenMarks,
        check: &RevocationCheck<'_>,
    ) -> Option<&'static str> {
        let issued_at = check.issued_at.map(seconds);
        let is_revoked = |place, mark: &Option<Mark>| {
            self.table().may_have_any(&[*mark])
                && check.key(place).and_then(|key| self.table().get(key)).is_some_and(|found| {
                    issued_at.is_none_or(|issued_at| issued_at <= found.revoked_at)
                })
        };
        let mut places = marks.0.iter().zip(NAMES).enumerate();
        places.find(|(place, (mark, _))| is_revoked(*place, mark)).map(|(_, (_, name))| name)
    }
}

pub(super) fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}
