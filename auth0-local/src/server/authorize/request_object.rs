//! A request that its client signed: the parameter `request` (JAR, RFC 9101).
use super::request::Refused;
use crate::{directory::Client, jws::ClientJwt, running::RunningTenant, server::form::Query};
use serde_json::Value;

/// The claims that say something about the JWT, and are no parameters.
const OF_JWT: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// How far the clock of a client may be ahead, in seconds.
const MAX_AHEAD: f64 = 10.0;

/// Returns the parameters of `request`, and no others; without `request`, those of the query.
pub(super) fn resolved(running: &RunningTenant, query: Query) -> Result<Query, Refused> {
    let Some(jwt) = query.value("request") else { return Ok(query) };
    let Some(client_id) = query.value("client_id") else {
        return Err(Refused::invalid("Missing required parameter: client_id"));
    };
    let client = running.directory().client(client_id);
    let client = client.ok_or_else(|| Refused::invalid(format!("Unknown client: {client_id}")))?;
    signed(running, &client, jwt).map_err(|why| {
        Refused::new("invalid_request_object", format!("the JWT in request is refused: {why}"))
    })
}

fn signed(running: &RunningTenant, client: &Client, jwt: &str) -> Result<Query, String> {
    let jwt = ClientJwt::parse(jwt).ok_or("it is not a JWT")?;
    if let Some(other) = jwt.header("typ").filter(|it| !["oauth-authz-req+jwt", "JWT"].contains(it))
    {
        return Err(format!("its typ is {other:?}. Write oauth-authz-req+jwt"));
    }
    jwt.check_signature(client.keys())?;
    let issuer = running.tenant().issuer();
    if !jwt.is_for(issuer) {
        return Err(format!("its aud is not the issuer {issuer}, with the slash"));
    }
    // Auth0 requires both. RFC 9101 §5 requires client_id only, the same as in the request.
    for name in ["iss", "client_id"] {
        if !jwt.claims().contains_key(name) {
            return Err(format!("it has no {name}. Write the client_id of the request"));
        }
        if jwt.text(name) != Some(client.id()) {
            return Err(format!("its {name} is not the client_id of the request"));
        }
    }
    // It could be used to authenticate the client (RFC 9101 §10.8).
    if jwt.claims().contains_key("sub") {
        return Err("it has a sub. Leave it out".into());
    }
    check_times(&jwt, running.now().as_secs_f64())?;
    let mut pairs = vec![("client_id".to_owned(), client.id().to_owned())];
    for (name, value) in jwt.claims() {
        match name.as_str() {
            "client_id" => {}
            "request" | "request_uri" => return Err(format!("it has the claim {name}")),
            name if OF_JWT.contains(&name) => {}
            name => pairs.extend(as_text(value).map(|text| (name.to_owned(), text))),
        }
    }
    Ok(Query::of(pairs))
}

fn check_times(jwt: &ClientJwt<'_>, now: f64) -> Result<(), String> {
    if jwt.time("exp")?.is_some_and(|time| time <= now) {
        return Err("it has expired (exp)".into());
    }
    for name in ["iat", "nbf"] {
        if jwt.time(name)?.is_some_and(|time| time > now + MAX_AHEAD) {
            return Err(format!("its {name} is more than {MAX_AHEAD} seconds ahead"));
        }
    }
    Ok(())
}

/// Returns the value as a query has it: `max_age` is a number in a JWT, and `authorization_details` an array.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}
