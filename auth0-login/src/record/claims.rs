//! The claims of a user: what an ID token says of a person, without what it says of itself.
use super::session_record::{EXPIRY_MARGIN, Record};
use serde_json::{Map, Value, value::RawValue};
use std::time::Duration;

/// The claims that concern the token or the login, and not the user.
const OF_TOKEN: [&str; 16] = [
    "iss",
    "aud",
    "azp",
    "exp",
    "iat",
    "nbf",
    "jti",
    "nonce",
    "at_hash",
    "c_hash",
    "s_hash",
    "typ",
    "token_use",
    "events",
    "cnf",
    "session_expiry",
];

/// A time further ahead is not one in seconds.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// Returns the claims of the user. `None` if they cannot be written, which JSON always can be.
pub(crate) fn of_user(mut claims: Map<String, Value>) -> Option<Box<RawValue>> {
    for name in OF_TOKEN {
        claims.remove(name);
    }
    serde_json::value::to_raw_value(&claims).ok()
}

/// Returns the end of the session that the identity provider sets (IPSIE), since 1970. Values that are no time in seconds
/// are ignored.
pub(crate) fn session_expiry(claims: &Map<String, Value>, now: Duration) -> Option<Duration> {
    let seconds = claims.get("session_expiry")?.as_f64()?;
    let expiry = Duration::try_from_secs_f64(seconds).ok()?;
    (expiry <= now.saturating_add(LONGEST)).then(|| expiry.saturating_sub(EXPIRY_MARGIN))
}

/// Returns the claims as the payload of a token that ends with the session, so that requirements and revocations apply to it.
pub(crate) fn payload(
    record: &Record,
    client_id: &str,
    issued_at: u64,
    ends_at: u64,
) -> Option<String> {
    let inside = record.claims.get().trim().strip_prefix('{')?.trim_start();
    let separator = if inside.starts_with('}') { "" } else { "," };
    let (issuer, client_id) = (Value::from(&*record.issuer), Value::from(client_id));
    let id = Value::from(&*record.id);
    Some(format!(
        "{{\"iss\":{issuer},\"aud\":{client_id},\"jti\":{id},\"iat\":{issued_at},\"exp\":{ends_at}{separator}{inside}"
    ))
}
