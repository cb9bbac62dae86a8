//! Reads the answer of the token endpoint (RFC 6749 §5.1, RFC 8693 §2.2.1).
use super::{Held, Lifetime, held::Marks};
use crate::{
    error::{Error, ErrorKind},
    proof::Prover,
    secret::Secret,
};
use auth0_core::{support::base64url, time::Moment};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// A longer life is a mistake of the server: this is ten years.
const MAX_LIFE: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// What the request asked for.
pub(crate) struct Expected<'a> {
    /// The moment before the request was sent.
    pub(crate) requested_at: Moment,
    /// The scopes that were requested.
    pub(crate) scope: &'a str,
    /// The end of the subject token, since 1970.
    pub(crate) subject_ends_at: Option<Duration>,
    /// The key to which the token must be bound.
    pub(crate) prover: Option<&'a Arc<Prover>>,
    /// Whether the token must be bound to the certificate of the client.
    pub(crate) has_certificate: bool,
    /// The refresh token that was used, which stays valid if the answer has none.
    pub(crate) refresh_token: Option<&'a Secret>,
}

#[derive(Deserialize)]
struct Answer {
    access_token: Secret,
    token_type: String,
    #[serde(default)]
    expires_in: Option<Value>,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    refresh_token: Option<Secret>,
    #[serde(default)]
    id_token: Option<Secret>,
    #[serde(default)]
    recovery_code: Option<Secret>,
    #[serde(default)]
    issued_token_type: Option<String>,
    #[serde(default)]
    authorization_details: Option<Value>,
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Reads the tokens in an answer.
pub(crate) fn read(body: &[u8], expected: &Expected<'_>) -> Result<Held, Error> {
    let malformed = |cause: &str| Error::new(ErrorKind::Malformed, cause);
    // The text of the parser's error quotes values.
    let answer: Answer = serde_json::from_slice(body).map_err(|_| {
        malformed("The answer is not a token response: access_token or token_type is missing, or a member is not text")
    })?;
    if answer.access_token.is_empty()
        || !answer.access_token.bytes().all(|byte| byte.is_ascii_graphic())
    {
        return Err(malformed("The access token in the answer cannot be sent in a header"));
    }
    let is_dpop = answer.token_type.eq_ignore_ascii_case("dpop");
    let is_transfer = answer
        .issued_token_type
        .as_deref()
        .is_some_and(|name| name.ends_with(":session_transfer_token"));
    let is_known = is_dpop
        || answer.token_type.eq_ignore_ascii_case("bearer")
        || is_transfer && answer.token_type.eq_ignore_ascii_case("n_a");
    if !is_known {
        return Err(malformed("The token_type of the answer is neither Bearer nor DPoP"));
    }
    match (expected.prover, is_dpop) {
        // It is good for one login, and bound to nothing.
        (Some(_), false) if is_transfer => {}
        (Some(_), false) => {
            return Err(Error::new(
                ErrorKind::Misconfigured,
                "The token is not bound to the DPoP key of the client, which is required. Enable sender \
                 constraining with DPoP for this API (Dashboard > Applications > APIs) and application, or set \
                 AUTH0_CLIENT_DPOP=disabled",
            ));
        }
        // Auth0 calls the scheme of tokens that are bound to a certificate DPoP, too. They come without a proof.
        (None, true) if !expected.has_certificate => {
            return Err(malformed("The token is bound to a key that this client did not name"));
        }
        _ => {}
    }
    if expected.has_certificate && !is_bound_to_certificate(&answer.access_token) {
        tracing::warn!(
            target: "auth0",
            "the client authenticates with a certificate, and its access token is not bound to it \
             (cnf.x5t#S256): enable sender constraining with mTLS for this API and application"
        );
    }
    let life = answer.expires_in.as_ref().and_then(seconds).map(|life| {
        let now = expected.requested_at.unix_time;
        let of_subject = expected.subject_ends_at.map(|end| end.saturating_sub(now));
        Lifetime::new(expected.requested_at, of_subject.map_or(life, |rest| rest.min(life)))
    });
    let scope = answer.scope.map_or_else(|| expected.scope.into(), String::into_boxed_str);
    let usable = |token: Option<Secret>| token.filter(|token| !token.is_empty());
    Ok(Held {
        access_token: answer.access_token,
        is_dpop,
        scope,
        lifetime: life,
        refresh_token: usable(answer.refresh_token).or_else(|| expected.refresh_token.cloned()),
        id_token: usable(answer.id_token),
        recovery_code: usable(answer.recovery_code),
        issued_token_type: answer.issued_token_type.map(String::into_boxed_str),
        authorization_details: answer
            .authorization_details
            .filter(|details| !details.is_null())
            .map(|details| details.to_string().into()),
        prover: expected.prover.map(Arc::clone),
        marks: Marks::default(),
    })
}

/// Reads `expires_in`: a number, or digits. `None` if it is not a time.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok()?
        }
        _ => return None,
    };
    // Also false for what is not a number.
    if seconds > 0.0 {
        return Some(Duration::try_from_secs_f64(seconds).unwrap_or(MAX_LIFE).min(MAX_LIFE));
    }
    None
}

/// Returns whether a token names a certificate. That of an opaque token cannot be seen.
fn is_bound_to_certificate(token: &str) -> bool {
    let mut parts = token.split('.');
    let (Some(payload), Some(_), None) = (parts.nth(1), parts.next(), parts.next()) else {
        return true;
    };
    let claims = base64url(payload).and_then(|json| serde_json::from_slice::<Value>(&json).ok());
    claims.is_some_and(|claims| claims.pointer("/cnf/x5t#S256").is_some_and(Value::is_string))
}
