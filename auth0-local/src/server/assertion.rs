//! `private_key_jwt`: the client signs a JWT with its key (RFC 7523).
use super::refusal::Refusal;
use crate::{directory::Client, jws::ClientJwt, running::RunningTenant, store::JwtUse};
use axum::http::StatusCode;
use std::{sync::Arc, time::Duration};

/// The `client_assertion_type`.
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Auth0's limits.
const MAX_BYTES: usize = 2048;
const MAX_CLAIM: usize = 64;
const MAX_LIFETIME: f64 = 300.0;

/// How far the clock of a client may be ahead, in seconds.
pub(super) const MAX_AHEAD: f64 = 10.0;

/// Authenticates the client that signed an assertion. Each assertion authenticates once.
pub(super) fn client_of(
    running: &RunningTenant,
    assertion: &str,
    client_id: Option<&str>,
) -> Result<Arc<Client>, Refusal> {
    if assertion.len() > MAX_BYTES {
        return Err(refused(format!("it has more than {MAX_BYTES} bytes")));
    }
    let jwt = ClientJwt::parse(assertion).ok_or_else(|| refused("it is not a JWT"))?;
    let [issuer, subject, jti] = ["iss", "sub", "jti"].map(|name| claim(&jwt, name));
    let (issuer, subject, jti) = (issuer?, subject?, jti?);
    if issuer != subject {
        return Err(refused("its iss and sub differ. Both are the client_id"));
    }
    if client_id.is_some_and(|id| id != issuer) {
        return Err(refused("its iss is not the client_id of the request"));
    }
    let client = running.directory().client(issuer).filter(|client| client.signs_assertions());
    let client = client.ok_or_else(|| {
        refused(format!("the client {issuer} has no public key. Register it with public_keys"))
    })?;
    jwt.check_signature(client.keys()).map_err(refused)?;
    if !jwt.is_for(running.tenant().issuer()) {
        let issuer = running.tenant().issuer();
        return Err(refused(format!("its aud is not the issuer {issuer}, with the slash")));
    }
    let now = running.now();
    let expires = check_times(&jwt, now.as_secs_f64()).map_err(refused)?;
    match running.store().used_jwts.use_once("assertion", client.id(), jti, expires, now) {
        JwtUse::First => Ok(client),
        JwtUse::Again => Err(refused("its jti was used before. Sign a new one for each request")),
        JwtUse::TooMany => Err(too_many()),
    }
}

/// Refuses a JWT that cannot be recognized later. Others of its kind stay recognized.
pub(super) fn too_many() -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "temporarily_unavailable",
        "too many signed requests are valid at the moment. Send it again in some minutes",
    )
}

/// Returns a required claim that is short text.
fn claim<'a>(jwt: &'a ClientJwt<'_>, name: &str) -> Result<&'a str, Refusal> {
    let text = jwt.text(name).filter(|text| !text.is_empty());
    let text = text.ok_or_else(|| refused(format!("its {name} is missing, or no text")))?;
    match text.chars().count() <= MAX_CLAIM {
        true => Ok(text),
        false => Err(refused(format!("its {name} has more than {MAX_CLAIM} characters"))),
    }
}

/// Returns when the assertion expires.
fn check_times(jwt: &ClientJwt<'_>, now: f64) -> Result<Duration, String> {
    let expires = jwt.time("exp")?.ok_or("its exp is missing")?;
    if expires <= now {
        return Err("it has expired (exp)".into());
    }
    if expires > now + MAX_LIFETIME {
        return Err(format!("its exp is more than {MAX_LIFETIME} seconds ahead"));
    }
    for name in ["iat", "nbf"] {
        if jwt.time(name)?.is_some_and(|time| time > now + MAX_AHEAD) {
            return Err(format!("its {name} is more than {MAX_AHEAD} seconds ahead"));
        }
    }
    Duration::try_from_secs_f64(expires).map_err(|_| "its exp is no time".into())
}

fn refused(why: impl std::fmt::Display) -> Refusal {
    let description = format!("the client_assertion is refused: {why}");
    Refusal::new(StatusCode::UNAUTHORIZED, "invalid_client", description)
}
