//! `POST /oauth/revoke` (RFC 7009).
use super::{
    client_auth::{Credentials, authenticate},
    faulty::observed,
    form::{self, non_empty},
    refusal::Refusal,
};
use crate::{endpoint::Endpoint, running::RunningTenant};
use axum::{
    Router,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header::CACHE_CONTROL},
    response::{IntoResponse, Response},
    routing::post,
};
use serde::Deserialize;

pub(super) fn routes(running: &RunningTenant) -> Router<RunningTenant> {
    Router::new().route("/oauth/revoke", observed(post(revoke), running, Endpoint::Revoke))
}

#[derive(Deserialize)]
struct Revocation {
    token: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_assertion: Option<String>,
    client_assertion_type: Option<String>,
}

async fn revoke(
    State(running): State<RunningTenant>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let sent: Revocation = form::read(&headers, &body?, "token, client_id and client_secret")?;
    let credentials = Credentials {
        client_id: non_empty(sent.client_id.as_ref()),
        client_secret: non_empty(sent.client_secret.as_ref()),
        client_assertion: non_empty(sent.client_assertion.as_ref()),
        client_assertion_type: non_empty(sent.client_assertion_type.as_ref()),
    };
    let client = authenticate(&running, &headers, &credentials, false)?;
    let Some(token) = non_empty(sent.token.as_ref()) else {
        return Err(Refusal::invalid_request("Missing required parameter: token"));
    };
    let now = running.now();
    if !running.store().revoke(token, client.id(), now) {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "invalid_grant",
            "the token was issued to another client. Authenticate as that client",
        ));
    }
    Ok((StatusCode::OK, [(CACHE_CONTROL, "no-store")]).into_response())
}
