//! Verification of logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.6).
use super::{
    Auth0,
    issued_signature::{NotVerified, NotVerifiedKind, check_signature},
    verifier::Verifier,
};
use crate::{
    jose::{
        Message,
        jws::{Compact, Header, JwsError},
    },
    revocation::UsedId,
    telemetry::{Escaped, EscapedMessage},
    token::LogoutClaims,
};
use aws_lc_rs::digest;
use std::{
    borrow::Cow,
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Longer than any logout token: Auth0's have about 700 bytes.
pub(super) const MAX_TOKEN_BYTES: usize = 16 * 1024;

/// For how long an id is remembered at most. A token that lives longer, and is used again after it, changes nothing.
const LONGEST_USE: Duration = Duration::from_secs(24 * 60 * 60);

/// A verified logout token: the issuer says that a user has logged out, or was logged out. `Debug` shows the issuer only.
///
/// See [`Auth0::verify_logout_token`].
#[derive(Clone)]
pub struct LogoutToken {
    issuer: String,
    client_id: String,
    subject: Option<String>,
    session_id: Option<String>,
    issued_at: Duration,
    pub(super) used: UsedId,
}

impl LogoutToken {
    /// Returns the `iss` claim: an issuer of the verifier.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Returns the client id of `aud` for which the token was accepted.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Returns the `sub` claim: the user. It is there if [`session_id`](Self::session_id) is not.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// Returns the `sid` claim: the session that has ended.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.session_id.as_deref()
    }

    /// Returns the `iat` claim.
    #[must_use]
    pub fn issued_at(&self) -> SystemTime {
        UNIX_EPOCH + self.issued_at
    }
}

impl fmt::Debug for LogoutToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogoutToken").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

/// The reason why a logout token has no effect. The text is for the log, never for a client.
#[derive(Clone, Debug)]
pub struct LogoutTokenError {
    cause: Cow<'static, str>,
    kind: NotVerifiedKind,
}

impl LogoutTokenError {
    pub(super) fn invalid(cause: impl Into<Cow<'static, str>>) -> Self {
        Self { cause: cause.into(), kind: NotVerifiedKind::Invalid }
    }

    pub(super) fn unavailable(cause: impl Into<Cow<'static, str>>) -> Self {
        Self { cause: cause.into(), kind: NotVerifiedKind::Unavailable }
    }

    /// Returns whether the token may be good: the keys of its issuer are not available now.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        self.kind.is_temporary()
    }

    /// Returns whether its key is unknown, and no keys may be fetched for it now.
    pub(super) fn is_key_unknown(&self) -> bool {
        self.kind == NotVerifiedKind::KeyUnknown
    }
}

impl fmt::Display for LogoutTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        EscapedMessage(&self.cause).fmt(f)
    }
}

impl std::error::Error for LogoutTokenError {}

impl From<JwsError> for LogoutTokenError {
    fn from(error: JwsError) -> Self {
        Self::invalid(error.into_cause())
    }
}

impl From<NotVerified> for LogoutTokenError {
    fn from(NotVerified { cause, kind }: NotVerified) -> Self {
        Self { cause, kind }
    }
}

impl Auth0 {
    /// Verifies a logout token, which a configured issuer has sent for one of these client ids (OpenID Connect
    /// Back-Channel Logout 1.0 §2.6). Whether it was used before is not checked: [`BackchannelLogout`](super::BackchannelLogout)
    /// does that.
    ///
    /// # Errors
    /// It is not a logout token of an issuer of this verifier for one of the clients, or the keys of its issuer are not
    /// available.
    pub async fn verify_logout_token<C: AsRef<str>>(
        &self,
        token: &str,
        client_ids: &[C],
    ) -> Result<LogoutToken, LogoutTokenError> {
        let is_ours = |name: &str| client_ids.iter().any(|client| client.as_ref() == name);
        self.0.verify_logout_token(token, is_ours).await
    }
}

impl Verifier {
    async fn verify_logout_token(
        &self,
        token: &str,
        is_ours: impl Fn(&str) -> bool,
    ) -> Result<LogoutToken, LogoutTokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(LogoutTokenError::invalid("it is too long"));
        }
        let compact = Compact::split(token.as_bytes())?;
        let header = Header::parse(compact.header, self.issuers.algorithms)?;
        check_type(header.token_type.as_deref().unwrap_or_default())?;
        let payload = compact.payload()?;
        let mut buffer = [0; _];
        let signature = compact.signature(&mut buffer)?;
        // All that needs no key comes first: what an attacker writes causes no fetch.
        let claims = LogoutClaims::read(&payload, is_ours).map_err(LogoutTokenError::invalid)?;
        let trusted = self.issuers.named(&claims.issuer).ok_or_else(|| {
            LogoutTokenError::invalid(format!(
                "iss is {}, which is not configured",
                Escaped(&claims.issuer)
            ))
        })?;
        let now = self.clock.unix_time();
        claims.check_times(now, trusted.validation.leeway).map_err(LogoutTokenError::invalid)?;
        let header = Header::parse(compact.header, trusted.validation.algorithms)?;
        let algorithm = header.accepted()?;
        let message = Message::new(compact.signed, algorithm, false);
        check_signature(trusted, &claims.issuer, &header, |keys, key_id| {
            keys.keys.verify(key_id, algorithm, &message, &signature)
        })
        .await?;
        Ok(LogoutToken {
            used: used(&claims, now),
            issuer: claims.issuer.into_owned(),
            client_id: claims.client_id,
            subject: claims.subject.map(Cow::into_owned),
            session_id: claims.session.map(Cow::into_owned),
            issued_at: claims.issued_at,
        })
    }
}

/// Checks `typ`, which a logout token should have and Auth0's has in the form of a JWT.
fn check_type(stated: &str) -> Result<(), LogoutTokenError> {
    let prefix = "application/";
    let name = match stated.split_at_checked(prefix.len()) {
        Some((start, name)) if start.eq_ignore_ascii_case(prefix) => name,
        _ => stated,
    };
    match name.is_empty()
        || ["JWT", "logout+jwt"].iter().any(|known| name.eq_ignore_ascii_case(known))
    {
        true => Ok(()),
        false => Err(LogoutTokenError::invalid(format!("its typ is {}", Escaped(stated)))),
    }
}

/// Returns the id under which a use of the token is recorded.
fn used(claims: &LogoutClaims<'_>, now: Duration) -> UsedId {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [&*claims.issuer, &*claims.id] {
        context.update(&part.len().to_le_bytes());
        context.update(part.as_bytes());
    }
    let mut id = [0; 32];
    id.copy_from_slice(context.finish().as_ref());
    let lifetime = claims.expires_at.saturating_sub(now).saturating_add(Duration::from_secs(120));
    UsedId::new(id, lifetime.min(LONGEST_USE))
}
