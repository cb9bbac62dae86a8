//! The documents that a verifier fetches: metadata and key set.
use super::{connection::Connection, faulty, refusal::Refusal};
use crate::{
    fault::{document_named, name_of},
    running::RunningTenant,
};
use auth0_testing::{Document, Tenant};
use axum::{
    Router,
    extract::{ConnectInfo, Path, State},
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
    routing::get,
};

pub(super) fn routes() -> Router<RunningTenant> {
    Router::new()
        .route("/.well-known/openid-configuration", get(metadata))
        .route("/.well-known/jwks.json", get(key_set))
        .route("/__local/redirected/{document}", get(redirected))
}

async fn metadata(running: State<RunningTenant>, connection: ConnectInfo<Connection>) -> Response {
    answer(running, connection, Document::Metadata).await
}

async fn key_set(running: State<RunningTenant>, connection: ConnectInfo<Connection>) -> Response {
    answer(running, connection, Document::KeySet).await
}

async fn answer(
    State(running): State<RunningTenant>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    document: Document,
) -> Response {
    match running.count_document_request(document) {
        None => genuine(running.tenant(), document),
        Some(fault) => faulty::answer(&running, &connection, document, fault).await,
    }
}

/// Returns the target of a redirect, which verifiers must not follow. It serves the document, so
/// that a verifier that follows it continues without an error.
pub(super) fn redirect_target(document: Document) -> String {
    format!("__local/redirected/{}", name_of(document))
}

async fn redirected(
    State(running): State<RunningTenant>,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let document = document_named(&name).ok_or_else(|| {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "no redirect leads here. Request the URL in the Location header",
        )
    })?;
    running.count_redirect();
    Ok(genuine(running.tenant(), document))
}

/// Returns the document without a fault, with the short `max-age` of Auth0's key set.
pub(super) fn genuine(tenant: &Tenant, document: Document) -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "public, max-age=15")];
    let json = match document {
        Document::Metadata => tenant.metadata_json(),
        _ => tenant.key_set_json(),
    };
    (headers, json).into_response()
}
