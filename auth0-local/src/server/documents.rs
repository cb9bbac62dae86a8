//! What a verifier fetches.
use auth0_core::testing::Tenant;
use axum::{
    Router,
    extract::State,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::get,
};

pub(super) fn routes() -> Router<Tenant> {
    Router::new()
        .route("/.well-known/openid-configuration", get(metadata))
        .route("/.well-known/jwks.json", get(key_set))
}

async fn metadata(State(tenant): State<Tenant>) -> Response {
    document(tenant.metadata_json())
}

async fn key_set(State(tenant): State<Tenant>) -> Response {
    document(tenant.key_set_json())
}

/// With the short life that Auth0 gives its key set.
fn document(json: String) -> Response {
    let fields = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "public, max-age=15")];
    (fields, json).into_response()
}
