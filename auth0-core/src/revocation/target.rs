//! Who or what is revoked.
use super::key::{IssuerHash, Kind, RevocationKey};
use crate::config_error::ConfigError;
use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The tokens that are refused from now on: those of a subject, of a member of an organization, of an organization, of
/// a client, of a login session, or one token. `Debug` shows no name.
///
/// The issuer is written as in the `iss` claim, or as the domain of a tenant; a slash at the end makes no difference. What
/// is neither is an error of [`Revocations::revoke`](super::Revocations::revoke), and an issuer that no verifier trusts is
/// a warning in the log.
///
/// ```
/// use auth0_core::revocation::Revocation;
///
/// let revocation = Revocation::subject("acme.eu.auth0.com", "auth0|ann");
/// assert_eq!(format!("{revocation:?}"), "Revocation { kind: \"subject\", .. }");
/// ```
#[derive(Clone)]
#[must_use = "it has an effect when it is given to `Revocations::revoke`"]
pub struct Revocation {
    pub(super) kind: Kind,
    issuer: String,
    first: String,
    second: String,
    pub(super) at: When,
    /// Since 1970.
    pub(super) ends_at: Option<Duration>,
}

/// The time up to which tokens are refused.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Now,
    /// Since 1970.
    At(Duration),
    /// Tokens of any age.
    Always,
}

impl Revocation {
    fn new(kind: Kind, issuer: impl Into<String>, first: impl Into<String>) -> Self {
        Self {
            kind,
            issuer: issuer.into(),
            first: first.into(),
            second: String::new(),
            at: When::Now,
            ends_at: None,
        }
    }

    /// Revokes the tokens of a user or machine: the `sub` claim. Tokens that are issued later are accepted.
    pub fn subject(issuer: impl Into<String>, subject: impl Into<String>) -> Self {
        Self::new(Kind::Subject, issuer, subject)
    }

    /// Revokes the tokens that a user has got through an organization: `sub` and `org_id`.
    pub fn organization_member(
        issuer: impl Into<String>,
        organization_id: impl Into<String>,
        subject: impl Into<String>,
    ) -> Self {
        let second = subject.into();
        Self { second, ..Self::new(Kind::Member, issuer, organization_id) }
    }

    /// Revokes the tokens of all members of an organization: `org_id`.
    pub fn organization(issuer: impl Into<String>, organization_id: impl Into<String>) -> Self {
        Self::new(Kind::Organization, issuer, organization_id)
    }

    /// Revokes the tokens that a client has got, for users and for itself: `client_id` or `azp`.
    pub fn client(issuer: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self::new(Kind::Client, issuer, client_id)
    }

    /// Revokes one token by its `jti`. Auth0's own token profile has none: that of RFC 9068 has.
    pub fn token(issuer: impl Into<String>, token_id: impl Into<String>) -> Self {
        Self { at: When::Always, ..Self::new(Kind::Token, issuer, token_id) }
    }

    /// Revokes the tokens of a login session, of any age. It needs
    /// [`Builder::session_claim`](crate::Builder::session_claim), because Auth0's access tokens do not name their
    /// session.
    pub fn session(issuer: impl Into<String>, session_id: impl Into<String>) -> Self {
        Self { at: When::Always, ..Self::new(Kind::Session, issuer, session_id) }
    }

    /// Revokes the tokens of a subject that do not name their session.
    pub(crate) fn subject_outside_sessions(
        issuer: impl Into<String>,
        subject: impl Into<String>,
    ) -> Self {
        Self::new(Kind::SubjectOutsideSessions, issuer, subject)
    }

    /// Sets the time of the revocation, instead of now: tokens that were issued at or before it are refused, to the
    /// second. An earlier time than one that is known changes nothing.
    pub fn at(mut self, time: SystemTime) -> Self {
        if self.at != When::Always {
            self.at = When::At(time.duration_since(UNIX_EPOCH).unwrap_or_default());
        }
        self
    }

    /// Sets when the last token that it concerns ends, such as the `exp` of a token. By default it is kept for as long
    /// as any token can live: [`Revocations::max_token_lifetime`](super::Revocations::max_token_lifetime).
    pub fn until(mut self, time: SystemTime) -> Self {
        self.ends_at = Some(time.duration_since(UNIX_EPOCH).unwrap_or_default());
        self
    }

    pub(super) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the key, with the issuer that `parse` returns for its text.
    pub(super) fn key(
        &self,
        parse: impl FnOnce(&str) -> Result<IssuerHash, ConfigError>,
    ) -> Result<(RevocationKey, IssuerHash), ConfigError> {
        let is_missing = |text: &str| text.trim().is_empty();
        let second = if self.kind == Kind::Member { &*self.second } else { "x" };
        if is_missing(&self.issuer) || is_missing(&self.first) || is_missing(second) {
            return Err(ConfigError::new(format!(
                "the issuer or a name of the revocation ({}) is empty. Write them as in the claims of a token",
                self.kind.as_str()
            )));
        }
        let issuer = parse(&self.issuer)?;
        let key = match self.kind {
            Kind::Member => issuer.member_key(&self.first, &self.second),
            kind => issuer.key(kind, &self.first),
        };
        Ok((key, issuer))
    }
}

impl fmt::Debug for Revocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocation").field("kind", &self.kind.as_str()).finish_non_exhaustive()
    }
}
