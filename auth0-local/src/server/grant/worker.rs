//! The JWT of a privileged worker, which names a user who is not present.
use super::{Call, Refusal, subject::refused};
use crate::{
    directory::{Client, User},
    jws::ClientJwt,
    server::assertion::{MAX_AHEAD, too_many},
    store::JwtUse,
};
use axum::http::StatusCode;
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// The `typ` of the header.
const TYPE: &str = "token-vault-req+jwt";

/// The greatest age, in seconds.
const MAX_AGE: f64 = 60.0;

const MAX_BYTES: usize = 2048;
const MAX_CONTEXT: usize = 256;
const MAX_ID: usize = 64;

/// Returns the user that the JWT of a client names. Each JWT is accepted once.
pub(super) fn user(call: &Call<'_>, client: &Client, token: &str) -> Result<Arc<User>, Refusal> {
    if client.keys().is_empty() || client.has_a_secret() {
        return Err(Refusal::new(
            StatusCode::FORBIDDEN,
            "unauthorized_client",
            "a privileged worker authenticates with private_key_jwt or mTLS, and has a key that signs its JWT. \
             Register it without a secret, and with public_keys",
        ));
    }
    if token.len() > MAX_BYTES {
        return Err(refused("it has more than 2048 bytes"));
    }
    let running = call.running;
    let jwt = ClientJwt::parse(token).ok_or_else(|| refused("it is not a JWT"))?;
    if jwt.header("typ") != Some(TYPE) {
        return Err(refused("its typ is not token-vault-req+jwt"));
    }
    jwt.check_signature(client.keys()).map_err(|why| refused(&why))?;
    if jwt.text("iss") != Some(client.id()) {
        return Err(refused("its iss is not the client_id"));
    }
    if !jwt.is_for(running.tenant().issuer()) {
        return Err(refused("its aud is not the issuer, with the slash"));
    }
    let now = running.now();
    let issued = check_times(&jwt, now.as_secs_f64()).map_err(|why| refused(&why))?;
    let length = |name: &str| jwt.text(name).map_or(0, |text| text.chars().count());
    if !(1..=MAX_CONTEXT).contains(&length("audit_context")) {
        return Err(refused("its audit_context has not 1 to 256 characters"));
    }
    if !(1..=MAX_ID).contains(&length("jti")) {
        return Err(refused("its jti has not 1 to 64 characters"));
    }
    let user = jwt.text("sub").and_then(|sub| running.user(sub));
    let user = user.ok_or_else(|| refused("its sub is no user of the tenant"))?;
    let is_member = |id: &Value| id.as_str().and_then(|id| user.membership(id)).is_some();
    if !jwt.claims().get("org_id").is_none_or(is_member) {
        return Err(refused("its user is not a member of its org_id"));
    }
    call.proof()?;
    let (jti, until) = (jwt.text("jti").unwrap_or_default(), issued + Duration::from_secs(61));
    match running.store().used_jwts.use_once("vault", client.id(), jti, until, now) {
        JwtUse::First => Ok(user),
        JwtUse::Again => Err(refused("its jti was used before. Sign a new one for each request")),
        JwtUse::TooMany => Err(too_many()),
    }
}

/// Returns when the JWT was issued.
fn check_times(jwt: &ClientJwt<'_>, now: f64) -> Result<Duration, String> {
    let issued = jwt.time("iat")?.ok_or("its iat is missing")?;
    if issued < now - MAX_AGE {
        return Err("it is older than 60 seconds (iat)".into());
    }
    for name in ["iat", "nbf"] {
        if jwt.time(name)?.is_some_and(|time| time > now + MAX_AHEAD) {
            return Err(format!("its {name} is more than {MAX_AHEAD} seconds ahead"));
        }
    }
    if jwt.time("exp")?.is_some_and(|expires| expires <= now) {
        return Err("it has expired (exp)".into());
    }
    Duration::try_from_secs_f64(issued).map_err(|_| "its iat is no time".into())
}
