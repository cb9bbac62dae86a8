//! The responses of endpoints that have a fault.
use super::{connection::Connection, documents, endless::Endless, refusal::Refusal, throttled};
use crate::{endpoint::Endpoint, fault::FaultKind, running::RunningTenant};
use axum::{
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER},
    },
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::MethodRouter,
};
use tokio::time::timeout;

const JSON: &str = "application/json";

const PAGE: &str = "<!doctype html><title>Maintenance</title><p>We will be back soon.";

/// The members of a document or of tokens, with wrong types.
const WRONG: &str = r#"{"issuer":1,"jwks_uri":[],"keys":{},"access_token":42,"token_type":["Bearer"],"expires_in":"soon","scope":7}"#;

/// Counts the requests of a route and applies the fault of its endpoint.
pub(super) fn observed(
    route: MethodRouter<RunningTenant>,
    running: &RunningTenant,
    endpoint: Endpoint,
) -> MethodRouter<RunningTenant> {
    route.route_layer(middleware::from_fn_with_state((running.clone(), endpoint), observe))
}

async fn observe(
    State((running, endpoint)): State<(RunningTenant, Endpoint)>,
    ConnectInfo(connection): ConnectInfo<Connection>,
    request: Request,
    next: Next,
) -> Response {
    let Some(fault) = running.count_request(endpoint) else { return next.run(request).await };
    match fault {
        FaultKind::Status { code, retry_after } => status(endpoint, code, retry_after),
        FaultKind::Slow(delay) => match timeout(delay, running.stopped()).await {
            Ok(()) => connection.reset(),
            Err(_) => next.run(request).await,
        },
        FaultKind::Hang => {
            running.stopped().await;
            connection.reset()
        }
        FaultKind::Reset => connection.reset(),
        FaultKind::Lost => {
            drop(next.run(request).await);
            connection.reset()
        }
        FaultKind::Garbage => ok(JSON, "{\"keys\": this is not JSON"),
        FaultKind::Wrong => ok(JSON, WRONG),
        FaultKind::Throttled { limit, seconds } => throttled::response(&running, limit, seconds),
        FaultKind::Html { code } => {
            (known(code), ok("text/html; charset=utf-8", PAGE)).into_response()
        }
        FaultKind::Blank { code } => known(code).into_response(),
        FaultKind::Huge => ok(JSON, Body::new(Endless::new(running))),
        FaultKind::Redirect => {
            let target =
                format!("{}{}", running.tenant().issuer(), documents::redirect_target(endpoint));
            (StatusCode::FOUND, [(LOCATION, target), (CACHE_CONTROL, "no-store".into())])
                .into_response()
        }
        FaultKind::Empty => match endpoint {
            Endpoint::KeySet => ok(JSON, "{\"keys\":[]}"),
            _ => ok(JSON, "{}"),
        },
    }
}

/// Returns an error response that names the drill and how to end it.
fn status(endpoint: Endpoint, code: u16, retry_after: Option<u64>) -> Response {
    let name = endpoint.name();
    let status = known(code);
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

/// Returns the status of a fault, which is one of HTTP.
fn known(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn ok(content_type: &'static str, body: impl Into<Body>) -> Response {
    ([(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-store")], body.into()).into_response()
}
