//! What a verifier fetches.
use super::{connection::Connection, faulty, refusal::Refusal};
use crate::{
    drill::Drill,
    faults::{document_named, name_of},
};
use auth0_core::testing::{Document, Tenant};
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

pub(super) fn routes() -> Router<Drill> {
    Router::new()
        .route("/.well-known/openid-configuration", get(metadata))
        .route("/.well-known/jwks.json", get(key_set))
        .route("/__local/redirected/{document}", get(redirected))
}

async fn metadata(drill: State<Drill>, connection: ConnectInfo<Connection>) -> Response {
    answer(drill, connection, Document::Metadata).await
}

async fn key_set(drill: State<Drill>, connection: ConnectInfo<Connection>) -> Response {
    answer(drill, connection, Document::KeySet).await
}

async fn answer(
    State(drill): State<Drill>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    document: Document,
) -> Response {
    match drill.document_asked_for(document) {
        None => genuine(drill.tenant(), document),
        Some(fault) => faulty::answer(&drill, &connection, document, fault).await,
    }
}

/// Where a redirect leads to, which verifiers must not follow. The document is there, so that one
/// that does is seen to go on as if nothing had happened.
pub(super) fn redirect_target(document: Document) -> String {
    format!("__local/redirected/{}", name_of(document))
}

async fn redirected(
    State(drill): State<Drill>,
    Path(name): Path<String>,
) -> Result<Response, Refusal> {
    let document = document_named(&name).ok_or_else(|| {
        Refusal::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "nothing is redirected here. Ask for what the Location says",
        )
    })?;
    drill.redirect_followed();
    Ok(genuine(drill.tenant(), document))
}

/// With the short life that Auth0 gives its key set.
pub(super) fn genuine(tenant: &Tenant, document: Document) -> Response {
    let fields = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "public, max-age=15")];
    let json = match document {
        Document::Metadata => tenant.metadata_json(),
        _ => tenant.key_set_json(),
    };
    (fields, json).into_response()
}
