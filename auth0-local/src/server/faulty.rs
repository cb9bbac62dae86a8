//! What a fault looks like on the wire.
use super::{connection::Connection, documents, endless::Endless, refusal::Refusal};
use crate::{drill::Drill, fault::Kind, faults::name_of};
use auth0_core::testing::Document;
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
    drill: &Drill,
    connection: &Connection,
    document: Document,
    fault: Kind,
) -> Response {
    match fault {
        Kind::Status { code, retry_after } => status(document, code, retry_after),
        Kind::Slow(delay) => match timeout(delay, drill.stopped()).await {
            Ok(()) => connection.reset(),
            Err(_) => documents::genuine(drill.tenant(), document),
        },
        Kind::Hang => {
            drill.stopped().await;
            connection.reset()
        }
        Kind::Reset => connection.reset(),
        Kind::Garbage => ok(JSON, "{\"keys\": this is not JSON"),
        Kind::Html => ok(
            "text/html; charset=utf-8",
            "<!doctype html><title>Maintenance</title><p>We will be back soon.",
        ),
        Kind::Huge => ok(JSON, Body::new(Endless::new(drill.clone()))),
        Kind::Redirect => {
            let place =
                format!("{}{}", drill.tenant().issuer(), documents::redirect_target(document));
            (StatusCode::FOUND, [(LOCATION, place), (CACHE_CONTROL, "no-store".into())])
                .into_response()
        }
        Kind::Empty => match document {
            Document::Metadata => ok(JSON, "{}"),
            _ => ok(JSON, "{\"keys\":[]}"),
        },
    }
}

/// It says what it is, for whoever has forgotten the drill.
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
