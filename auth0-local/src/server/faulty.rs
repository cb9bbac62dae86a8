//! The responses of documents that have a fault.
use super::{connection::Connection, documents, endless::Endless, refusal::Refusal};
use crate::{
    fault::{FaultKind, name_of},
    running::RunningTenant,
};
use auth0_testing::Document;
use axum::{
    body::Body,
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER},
    },
    response::{IntoResponse, Response},
};
use tokio::time::timeout;

const JSON: &str = "application/json";

pub(super) async fn answer(
    running: &RunningTenant,
    connection: &Connection,
    document: Document,
    fault: FaultKind,
) -> Response {
    match fault {
        FaultKind::Status { code, retry_after } => status(document, code, retry_after),
        FaultKind::Slow(delay) => match timeout(delay, running.stopped()).await {
            Ok(()) => connection.reset(),
            Err(_) => documents::genuine(running.tenant(), document),
        },
        FaultKind::Hang => {
            running.stopped().await;
            connection.reset()
        }
        FaultKind::Reset => connection.reset(),
        FaultKind::Garbage => ok(JSON, "{\"keys\": this is not JSON"),
        FaultKind::Html => ok(
            "text/html; charset=utf-8",
            "<!doctype html><title>Maintenance</title><p>We will be back soon.",
        ),
        FaultKind::Huge => ok(JSON, Body::new(Endless::new(running.clone()))),
        FaultKind::Redirect => {
            let target =
                format!("{}{}", running.tenant().issuer(), documents::redirect_target(document));
            (StatusCode::FOUND, [(LOCATION, target), (CACHE_CONTROL, "no-store".into())])
                .into_response()
        }
        FaultKind::Empty => match document {
            Document::Metadata => ok(JSON, "{}"),
            _ => ok(JSON, "{\"keys\":[]}"),
        },
    }
}

/// Returns an error response that names the drill and how to end it.
fn status(document: Document, code: u16, retry_after: Option<u64>) -> Response {
    let name = name_of(document);
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Refusal::new(
        status,
        "local_fault",
        format!("this is a drill. End it with auth0-local fault {name}=none"),
    )
    .into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn ok(content_type: &'static str, body: impl Into<Body>) -> Response {
    ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store")], body.into()).into_response()
}
