//! `POST /oauth/par`: a client pushes a request before it sends the browser (RFC 9126).
use super::{
    reply::Reply,
    request::{Refused, Request},
    request_object,
    resolved::URN,
};
use crate::{
    directory::AUTHORIZATION_CODE,
    endpoint::Endpoint,
    running::RunningTenant,
    secret::random_text,
    server::{
        client_parameters::{ClientParameters, check_confidential},
        faulty::observed,
        form::{self, Query},
        proof,
        refusal::{Refusal, uncached},
    },
    store::PUSHED_LIFETIME,
};
use axum::{
    Router,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::post,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

/// The path, relative to the issuer.
const PATH: &str = "oauth/par";

/// Auth0's limits.
const MAX_BYTES: usize = 10 * 1024;
const MAX_EXTENSIONS: usize = 10;

/// The parameters that authenticate the client, and are not kept.
const OF_CLIENT: [&str; 3] = ["client_secret", "client_assertion", "client_assertion_type"];

/// The errors of a request, as JSON has them.
const ERRORS: [&str; 8] = [
    "invalid_request",
    "invalid_request_object",
    "invalid_scope",
    "invalid_target",
    "invalid_authorization_details",
    "unauthorized_client",
    "unsupported_response_type",
    "access_denied",
];

pub(in crate::server) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    let push = observed(post(push), running, Endpoint::PushedRequest);
    Router::new().route(&format!("/{PATH}"), push)
}

async fn push(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let body = body?;
    if body.len() > MAX_BYTES {
        return Err(Refusal::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "invalid_request",
            "the request is too large. Send at most 10 KiB",
        ));
    }
    let sent: Map<String, Value> =
        form::read(&headers, &body, "client_id and the parameters of /authorize")?;
    let client = ClientParameters::deserialize(Value::Object(sent.clone()))
        .map_err(|error| Refusal::invalid_request(format!("the body cannot be read: {error}")))?;
    let client = client.authenticated(&running, &headers, AUTHORIZATION_CODE)?;
    check_confidential(&client)?;
    let mut query = parameters(sent)?;
    query.set("client_id", client.id());
    if query.value("request_uri").is_some() {
        return Err(Refusal::invalid_request("request_uri cannot be pushed. Push what it names"));
    }
    let mut query = request_object::resolved(&running, query).map_err(refusal)?;
    if query.names().filter(|name| name.starts_with("ext-")).count() > MAX_EXTENSIONS {
        return Err(Refusal::invalid_request(format!(
            "there are more than {MAX_EXTENSIONS} parameters that begin with ext-. Send fewer"
        )));
    }
    let reply = Reply::read(&running, &query).map_err(refusal)?;
    let request = Request::read(&running, &query, &reply).map_err(refusal)?;
    // Last, so that a corrected request can be sent with the same proof.
    bind(&running, &headers, &request, &mut query)?;
    let uri = format!("{URN}{}", random_text()?);
    let expires = running.now() + PUSHED_LIFETIME;
    running.store().pushed.keep(&uri, client.id(), query.encoded(), expires);
    let answer = json!({ "request_uri": uri, "expires_in": PUSHED_LIFETIME.as_secs() });
    Ok(uncached(StatusCode::CREATED, &answer))
}

/// Returns the parameters of the request without those that authenticate the client.
fn parameters(sent: Map<String, Value>) -> Result<Query, Refusal> {
    let mut pairs = Vec::new();
    for (name, value) in sent {
        match value {
            _ if OF_CLIENT.contains(&name.as_str()) => {}
            Value::String(text) => pairs.push((name, text)),
            _ => {
                return Err(Refusal::invalid_request(format!(
                    "{name} is no text. Send it as text"
                )));
            }
        }
    }
    Ok(Query::of(pairs))
}

/// Binds the code to the key of a proof (RFC 9449 §10.1).
fn bind(
    running: &RunningTenant,
    headers: &HeaderMap,
    request: &Request,
    query: &mut Query,
) -> Result<(), Refusal> {
    let Some(key) = proof::verified_thumbprint(running, "POST", PATH, headers)? else {
        return Ok(());
    };
    if request.dpop_jkt.as_ref().is_some_and(|thumbprint| *thumbprint != key) {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "invalid_dpop_proof",
            "dpop_jkt is not the key of the DPoP proof. Send one of the two, or the same key",
        ));
    }
    query.set("dpop_jkt", key);
    Ok(())
}

fn refusal(refused: Refused) -> Refusal {
    let error = ERRORS.into_iter().find(|error| *error == refused.code);
    Refusal::new(StatusCode::BAD_REQUEST, error.unwrap_or("invalid_request"), refused.description)
}
