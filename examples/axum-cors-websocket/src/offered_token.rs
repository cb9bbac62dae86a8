//! A token out of the subprotocols that a WebSocket offers.
//!
//! A browser cannot set `Authorization` there: `new WebSocket(url, ["bearer", token])` is what a
//! page can do. Better than a query, which ends up in logs and histories.
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, header::*},
    middleware::Next,
    response::Response,
};

/// The only subprotocol that is ever answered, so that the token is not.
pub(crate) const BEARER: &str = "bearer";

/// A middleware that moves it to `Authorization`. It stands outside the one that judges tokens.
/// Whatever logs header fields outside of it must keep `Sec-WebSocket-Protocol` out.
pub(crate) async fn take_offered_token(mut request: Request, next: Next) -> Response {
    if let Some(authorization) = offered_token(request.headers()) {
        request.headers_mut().insert(AUTHORIZATION, authorization);
        let bearer = HeaderValue::from_static(BEARER);
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, bearer);
    }
    next.run(request).await
}

/// Out of `Sec-WebSocket-Protocol: bearer, <token>`, in an upgrade that has no `Authorization`.
fn offered_token(headers: &HeaderMap) -> Option<HeaderValue> {
    let upgrade = headers.get(UPGRADE)?.as_bytes();
    if !upgrade.eq_ignore_ascii_case(b"websocket") || headers.contains_key(AUTHORIZATION) {
        return None;
    }
    let (protocol, token) = headers.get(SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?.split_once(',')?;
    if protocol.trim() != BEARER {
        return None;
    }
    let mut value = HeaderValue::try_from(format!("Bearer {}", token.trim())).ok()?;
    value.set_sensitive(true); // `Debug` does not show it
    Some(value)
}
