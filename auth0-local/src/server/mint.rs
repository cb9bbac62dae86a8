//! `POST /__local/token`: any token at all, for `auth0-local token`.
use super::{
    body::object,
    refusal::{Refusal, uncached},
};
use crate::{description::Description, drill::Drill};
use auth0_core::testing::Tenant;
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

pub(super) fn routes() -> Router<Drill> {
    Router::new().route(PATH, post(mint))
}

async fn mint(
    State(tenant): State<Tenant>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Refusal> {
    let description: Description = object(&body?).map_err(|error| {
        Refusal::invalid_request(format!("the description of the token cannot be read: {error}"))
    })?;
    let token = description.token(&tenant).map_err(Refusal::invalid_request)?;
    let answer = json!({ "access_token": token.mint(), "token_type": description.token_type() });
    Ok(uncached(StatusCode::OK, &answer))
}
