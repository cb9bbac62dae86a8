//! Access tokens of this tenant that clients present as subject tokens.
use super::Refusal;
use crate::running::RunningTenant;
use axum::http::StatusCode;
use serde_json::Value;

/// Longer than any access token of this tenant.
const MAX_BYTES: usize = 16 * 1024;

/// The claims of an access token of this tenant that is valid for an API.
#[derive(Debug)]
pub(super) struct Subject(Value);

impl Subject {
    /// Verifies a token that the API with this identifier received.
    pub(super) fn verified(
        running: &RunningTenant,
        token: &str,
        api: &str,
    ) -> Result<Self, Refusal> {
        if token.len() > MAX_BYTES {
            return Err(refused("it is too long"));
        }
        let claims = running.tenant().signed_claims(token);
        let subject = Self(claims.ok_or_else(|| refused("it is no access token of this tenant"))?);
        if subject.text("iss") != Some(running.tenant().issuer()) {
            return Err(refused("its iss is another issuer"));
        }
        // An ID token has neither.
        if subject.client_id().is_none() || subject.text("sub").is_none() {
            return Err(refused("it is not an access token"));
        }
        let now = running.now().as_secs_f64();
        let time = |name: &str| subject.0.get(name).and_then(Value::as_f64);
        if time("exp").is_none_or(|expires| expires <= now)
            || time("nbf").is_some_and(|nbf| nbf > now)
        {
            return Err(refused("it has expired, or is not valid yet"));
        }
        match subject.is_for(api) {
            true => Ok(subject),
            false => {
                Err(refused(&format!("its aud does not include {api}, the API of the client")))
            }
        }
    }

    /// Returns the user.
    pub(super) fn sub(&self) -> &str {
        self.text("sub").unwrap_or_default()
    }

    /// Returns the client that requested the token.
    pub(super) fn client_id(&self) -> Option<&str> {
        self.text("azp").or_else(|| self.text("client_id"))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Returns the chain of clients that acted for the user so far, the last one outermost.
    pub(super) fn actors(&self) -> Option<&Value> {
        self.0.get("act").filter(|act| act.is_object())
    }

    fn is_for(&self, api: &str) -> bool {
        match self.0.get("aud") {
            Some(Value::Array(values)) => values.iter().any(|value| value == api),
            Some(value) => value == api,
            None => false,
        }
    }
}

pub(super) fn refused(why: &str) -> Refusal {
    let description = format!("the subject_token is refused: {why}");
    Refusal::new(StatusCode::UNAUTHORIZED, "invalid_grant", description)
}
