//! Access tokens for the Management API.
use super::ManagementError;
use crate::running::RunningTenant;
use axum::http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use serde_json::Value;

const SCOPE: &str = "read:events";

/// Longer than any access token of this tenant.
const MAX_BYTES: usize = 16 * 1024;

/// Requires an access token of this tenant for the Management API, with the scope of the Events API.
pub(super) fn authorize(
    running: &RunningTenant,
    headers: &HeaderMap,
) -> Result<(), ManagementError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(unauthorized("Missing authentication"));
    };
    let (scheme, token) = value.to_str().ok().and_then(|it| it.split_once(' ')).unwrap_or_default();
    if !scheme.eq_ignore_ascii_case("bearer") || token.len() > MAX_BYTES {
        return Err(unauthorized("Bad HTTP authentication header format"));
    }
    let claims = running.tenant().signed_claims(token.trim());
    let claims = claims.ok_or_else(|| unauthorized("Invalid token"))?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(running.tenant().issuer()) {
        return Err(unauthorized("Invalid token"));
    }
    let now = running.now().as_secs_f64();
    let time = |name: &str| claims.get(name).and_then(Value::as_f64);
    if time("exp").is_none_or(|expires| expires <= now)
        || time("nbf").is_some_and(|begins| begins > now)
    {
        return Err(unauthorized("Expired token received for JSON Web Token validation"));
    }
    if !is_for(claims.get("aud"), &running.management_api()) {
        return Err(unauthorized(&format!("Bad audience: {}", running.management_api())));
    }
    if claims.get("cnf").is_some() {
        return Err(unauthorized("The token is bound to a key. Request one without a proof"));
    }
    if !text("scope").unwrap_or_default().split(' ').any(|scope| scope == SCOPE) {
        return Err(ManagementError::new(
            StatusCode::FORBIDDEN,
            "insufficient_scope",
            format!("Insufficient scope, expected any of: {SCOPE}"),
        ));
    }
    Ok(())
}

fn is_for(audience: Option<&Value>, api: &str) -> bool {
    match audience {
        Some(Value::Array(values)) => values.iter().any(|value| value == api),
        Some(value) => value == api,
        None => false,
    }
}

fn unauthorized(message: &str) -> ManagementError {
    ManagementError::new(StatusCode::UNAUTHORIZED, "invalid_token", message)
}
