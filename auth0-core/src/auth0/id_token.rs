//! Verification of ID tokens (OpenID Connect Core 1.0 §3.1.3.7), and users whose ID token was verified before.
use super::{
    Auth0, Builder,
    issued_signature::{NotVerified, check_signature},
    pending::Stop,
    revocation_check::revoked,
    verifier::Verifier,
};
use crate::{
    error::{AuthScheme, Error, ErrorCode},
    jose::{
        Algorithm, Message, json,
        jws::{Compact, Header},
    },
    telemetry::EscapedMessage,
    token::{Claims, IdClaims, IdTokenExpectations, VerifiedToken},
};
use serde_json::{Map, Value};
use std::{borrow::Cow, fmt, sync::Arc};

/// Longer than any ID token that fits a cookie; one with many claims may be longer than an access token.
const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// The reason why an ID token is not accepted. The text is for the log, never for a client.
#[derive(Clone, Debug)]
pub struct IdTokenError {
    cause: Cow<'static, str>,
    is_temporary: bool,
}

impl IdTokenError {
    fn invalid(cause: impl Into<Cow<'static, str>>) -> Self {
        Self { cause: cause.into(), is_temporary: false }
    }

    /// Returns whether the token may be good: the keys of its issuer are not available now.
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        self.is_temporary
    }
}

impl fmt::Display for IdTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        EscapedMessage(&self.cause).fmt(f)
    }
}

impl std::error::Error for IdTokenError {}

impl From<NotVerified> for IdTokenError {
    fn from(NotVerified { cause, kind }: NotVerified) -> Self {
        Self { cause, is_temporary: kind.is_temporary() }
    }
}

/// Builds a verifier without a line in the log: it verifies no access tokens.
pub fn without_introduction(mut builder: Builder) -> Builder {
    builder.introduces = false;
    builder
}

/// Verifies an ID token of a configured issuer, and returns its claims.
///
/// # Errors
/// It is not an ID token of this issuer for this login, or the keys of its issuer are not available.
pub async fn verify_id_token(
    auth: &Auth0,
    token: &str,
    expected: &IdTokenExpectations<'_>,
) -> Result<Map<String, Value>, IdTokenError> {
    auth.0.verify_id_token(token, expected).await
}

/// Returns the user of a session as a verified token, so that requirements apply to it. The claims are those of an ID token
/// that was verified when the session began: nothing is verified here but the times.
///
/// # Errors
/// The session has ended or was revoked, or the claims are not those of a user of a configured issuer. Or it is not known
/// whether it was revoked.
pub async fn user_of_session(auth: &Auth0, claims: String) -> Result<VerifiedToken, Error> {
    auth.0.user_of_session(claims).await
}

impl Verifier {
    async fn verify_id_token(
        &self,
        token: &str,
        expected: &IdTokenExpectations<'_>,
    ) -> Result<Map<String, Value>, IdTokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(IdTokenError::invalid("it is too long"));
        }
        let invalid = |error: crate::jose::jws::JwsError| IdTokenError::invalid(error.into_cause());
        let compact = Compact::split(token.as_bytes()).map_err(invalid)?;
        let payload = compact.payload().map_err(invalid)?;
        let mut buffer = [0; _];
        let signature = compact.signature(&mut buffer).map_err(invalid)?;
        let claims = IdClaims::read(&payload).map_err(IdTokenError::invalid)?;
        claims.check_issuer(expected.issuer).map_err(IdTokenError::invalid)?;
        let trusted = self.issuers.named(&claims.issuer);
        let trusted =
            trusted.ok_or_else(|| IdTokenError::invalid("iss is not a configured issuer"))?;
        let header =
            Header::parse(compact.header, trusted.validation.algorithms).map_err(invalid)?;
        let algorithm = header.accepted().map_err(invalid)?;
        if header.token_type.as_deref().is_some_and(|stated| !stated.eq_ignore_ascii_case("JWT")) {
            return Err(IdTokenError::invalid("its typ is that of another kind of token"));
        }
        let message = Message::new(compact.signed, algorithm, false);
        check_signature(trusted, &claims.issuer, &header, |keys, key_id| {
            keys.keys.verify(key_id, algorithm, &message, &signature)
        })
        .await?;
        claims
            .check(expected, algorithm, self.clock.unix_time(), trusted.validation.leeway)
            .map_err(IdTokenError::invalid)?;
        serde_json::from_str(&payload)
            .map_err(|_| IdTokenError::invalid("its payload is not a JSON object"))
    }

    async fn user_of_session(&self, payload: String) -> Result<VerifiedToken, Error> {
        let claims = Claims::parse(&payload)?;
        let mismatch = || Error::new(ErrorCode::IssuerMismatch);
        let issuer = claims.issuer.and_then(json::Value::as_str).ok_or_else(mismatch)?;
        let trusted = self.issuers.named(&issuer).ok_or_else(mismatch)?;
        let stated = crate::token::payload_text::optional("iss", claims.issuer, &payload)?;
        // The claims of an ID token are those of a session here, and not refused as an access token.
        let token_type = Some("at+jwt".into());
        let header = Header { algorithm: Ok(Algorithm::RS256), key_id: None, token_type };
        let mut verified = trusted.validation.check(
            stated.ok_or_else(mismatch)?,
            &header,
            &claims,
            &payload,
            &trusted.accepted_by,
            self.clock.unix_time(),
        )?;
        verified.payload = payload.into();
        let token = VerifiedToken::new(Arc::new(verified), AuthScheme::Bearer);
        match self.check_revocation(&token, trusted, self.clock.moment()) {
            Ok(()) => Ok(token),
            Err(Stop::Refused(refusal)) => Err(refusal.error),
            Err(Stop::Pending(_)) => {
                let client_id = token.client_id().map(Into::into);
                let awaited = self.await_revocations(Arc::clone(trusted), client_id, false).await;
                awaited.map_err(|refusal| refusal.error)?;
                // What was read meanwhile may name it.
                let revocations = self.revocations.as_ref();
                match revocations.and_then(|revocations| token.found_among(revocations)) {
                    Some(what) => Err(revoked(what)),
                    None => Ok(token),
                }
            }
        }
    }
}
