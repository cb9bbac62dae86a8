//! Cross-origin requests of single-page applications (CORS), without credentials.
use super::{
    host::{all_origins, is_own_origin},
    refusal::Refusal,
};
use crate::running::RunningTenant;
use axum::{
    extract::{Request, State},
    http::{
        HeaderValue, Method, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
            ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
            ORIGIN, VARY,
        },
    },
    middleware::Next,
    response::{IntoResponse, Response},
};

/// `auth0-client` is sent by the SDKs for browsers, and `x-requested-with` by Swagger UI.
const ALLOWED_HEADERS: &str = "authorization, content-type, dpop, auth0-client, x-requested-with";

/// Lets pages of any origin read public documents.
pub(super) async fn public(request: Request, next: Next) -> Response {
    respond(Some(HeaderValue::from_static("*")), request, next).await
}

/// Lets pages of an application send requests and read the responses: those of loopback names, of the
/// issuer's host, and of the origins that configured clients redirect to. The request of another page has no
/// effect, because such a page must neither read a token of this tenant nor use or revoke one. A client that
/// registered itself adds no origin, because any page could register.
pub(super) async fn applications(
    State(running): State<RunningTenant>,
    request: Request,
    next: Next,
) -> Response {
    let is_trusted =
        |origin: &str| is_own_origin(&running, origin) || running.directory().has_origin(origin);
    let mut response = if all_origins(request.headers(), is_trusted) {
        let origin = request.headers().get(ORIGIN).cloned();
        respond(origin, request, next).await
    } else if request.method() == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        Refusal::new(
            StatusCode::FORBIDDEN,
            "access_denied",
            "a page of this origin may not request tokens. Configure a client with a callback URL of \
             this origin, or serve the page on loopback",
        )
        .into_response()
    };
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
            (ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE"),
            (ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS),
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
