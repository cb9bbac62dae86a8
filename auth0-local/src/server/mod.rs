//! What the tenant answers over HTTP.
mod admin;
mod body;
mod connection;
mod documents;
mod endless;
mod faulty;
mod host;
mod mint;
mod oauth;
mod proof;
mod refusal;

use crate::drill::Drill;
use auth0_core::testing::Tenant;
use axum::{
    Router,
    extract::{DefaultBodyLimit, FromRef, connect_info::IntoMakeServiceWithConnectInfo},
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
};
use connection::Connection;
use refusal::Refusal;

/// No request for a token needs more.
const MAX_BODY_BYTES: usize = 64 * 1024;

pub(crate) use connection::Listener;
#[cfg(feature = "cli")]
pub(crate) use {
    admin::{FAULTS_PATH, REVOKE_PATH, ROTATE_PATH, STATS_PATH},
    mint::PATH as MINT_PATH,
};

pub(crate) fn service(drill: Drill) -> IntoMakeServiceWithConnectInfo<Router, Connection> {
    Router::new()
        .merge(documents::routes())
        .merge(oauth::routes())
        .merge(mint::routes())
        .merge(admin::routes())
        .fallback(nothing_here)
        .with_state(drill)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(middleware::from_fn(host::loopback_only))
        .into_make_service_with_connect_info()
}

impl FromRef<Drill> for Tenant {
    fn from_ref(drill: &Drill) -> Self {
        drill.tenant().clone()
    }
}

async fn nothing_here() -> Response {
    Refusal::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "a local tenant has /.well-known/openid-configuration, /.well-known/jwks.json, \
         POST /oauth/token and, for drills, what stands in its README",
    )
    .into_response()
}
