//! `POST /__local/token`, which mints any token, for `auth0-local token`.
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
    http::StatusCode,
    response::Response,
    routing::post,
};
use serde_json::json;

pub(crate) const PATH: &str = "/__local/token";

pub(super) fn routes() -> Router<RunningTenant> {
    Router::new().route(PATH, post(mint))
}

async fn mint(
    State(tenant): State<Tenant>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let description: TokenDescription = object(&body?).map_err(|error| {
        Refusal::invalid_request(format!("the description of the token cannot be read: {error}"))
    })?;
    let token = description.token(&tenant).map_err(Refusal::invalid_request)?;
    let answer = json!({ "access_token": token.mint(), "token_type": description.token_type() });
    Ok(uncached(StatusCode::OK, &answer))
}
