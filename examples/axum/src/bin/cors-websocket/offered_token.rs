//! Takes the token from the subprotocols that a WebSocket offers.
//!
//! A browser cannot set `Authorization` on a WebSocket, but `new WebSocket(url, ["bearer", token])`
//! works. It is better than a query parameter, which ends up in logs and histories.
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, header::*},
    middleware::Next,
    response::Response,
};

/// The only subprotocol that the server ever selects, so that the answer never contains the token.
pub(crate) const BEARER: &str = "bearer";

/// Moves the token to `Authorization`. This middleware goes outside the one that verifies tokens.
/// A logger outside of it must leave out the header `Sec-WebSocket-Protocol`.
pub(crate) async fn take_offered_token(mut request: Request, next: Next) -> Response {
    if let Some(authorization) = offered_token(request.headers()) {
        request.headers_mut().insert(AUTHORIZATION, authorization);
        let bearer = HeaderValue::from_static(BEARER);
        request.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, bearer);
    }
    next.run(request).await
}

/// Reads `Sec-WebSocket-Protocol: bearer, <token>`, in an upgrade that has no `Authorization`.
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
