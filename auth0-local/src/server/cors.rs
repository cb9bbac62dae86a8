//! Cross-origin requests of single-page applications (CORS), without credentials.
use super::host::is_loopback;
use crate::running::RunningTenant;
use axum::{
    extract::{Request, State},
    http::{
        HeaderValue, Method, StatusCode, Uri,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
            ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
            ORIGIN, VARY,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

/// Lets pages of any origin read public documents.
pub(super) async fn public(request: Request, next: Next) -> Response {
    respond(Some(HeaderValue::from_static("*")), request, next).await
}

/// Lets pages of an application read the responses to clients: those of loopback names, and those of the
/// origins that registered clients redirect to. A page of the web must not read a token of this tenant.
pub(super) async fn applications(
    State(running): State<RunningTenant>,
    request: Request,
    next: Next,
) -> Response {
    let origin = request.headers().get(ORIGIN).cloned();
    let is_allowed = |origin: &HeaderValue| {
        let Ok(origin) = origin.to_str() else { return false };
        let uri: Option<Uri> = origin.parse().ok();
        uri.and_then(|uri| uri.authority().map(is_loopback)).unwrap_or_default()
            || running.directory().has_origin(origin)
    };
    let mut response = respond(origin.filter(is_allowed), request, next).await;
    response.headers_mut().insert(VARY, HeaderValue::from_static("origin"));
    response
}

async fn respond(origin: Option<HeaderValue>, request: Request, next: Next) -> Response {
    let is_preflight = request.method() == Method::OPTIONS;
    let mut response = match is_preflight {
        true => StatusCode::NO_CONTENT.into_response(),
        false => next.run(request).await,
    };
    let Some(origin) = origin else { return response };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    if is_preflight {
        for (name, value) in [
            (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
            (ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, dpop, auth0-client"),
            (ACCESS_CONTROL_MAX_AGE, "600"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
    } else {
        let exposed = HeaderValue::from_static("dpop-nonce, www-authenticate");
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    }
    response
}
