//! What the tenant answers over HTTP.
mod body;
mod documents;
mod host;
mod mint;
mod oauth;
mod refusal;

use auth0_core::testing::Tenant;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
};
use refusal::Refusal;

/// No request for a token needs more.
const MAX_BODY_BYTES: usize = 64 * 1024;

#[cfg(feature = "cli")]
pub(crate) use mint::PATH as MINT_PATH;

pub(crate) fn router(tenant: Tenant) -> Router {
    Router::new()
        .merge(documents::routes())
        .merge(oauth::routes())
        .merge(mint::routes())
        .fallback(nothing_here)
        .with_state(tenant)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(host::loopback_only))
}

async fn nothing_here() -> Response {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "a local tenant has /.well-known/openid-configuration, /.well-known/jwks.json and \
         POST /oauth/token",
    )
    .into_response()
}
