//! `POST /__local/token`, which mints any token, for `auth0-local token`. With `accept: text/plain`, the
//! response is the token and nothing else, for a shell.
use super::{
    body::object,
    refusal::{Refusal, uncached},
};
use crate::{running::RunningTenant, token::TokenDescription};
use auth0_testing::Tenant;
use axum::{
    Router,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{
        HeaderMap, StatusCode,
        header::{ACCEPT, CACHE_CONTROL},
    },
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::json;

pub(crate) const PATH: &str = "/__local/token";

pub(super) fn routes() -> Router<RunningTenant> {
    Router::new().route(PATH, post(mint))
}

async fn mint(
    State(tenant): State<Tenant>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let description: TokenDescription = object(&body?).map_err(|error| {
        Refusal::invalid_request(format!("the description of the token cannot be read: {error}"))
    })?;
    let token = description.token(&tenant).map_err(Refusal::invalid_request)?;
    if headers.get(ACCEPT).is_some_and(|types| types == "text/plain") {
        return Ok(([(CACHE_CONTROL, "no-store")], token.mint()).into_response());
    }
    let answer = json!({ "access_token": token.mint(), "token_type": description.token_type() });
    Ok(uncached(StatusCode::OK, &answer))
}
