//! The token that a browser offers as a subprotocol.
use auth0_core::adapter::offered_token;
use axum_core::extract::Request;
use http::{
    HeaderMap, HeaderValue,
    header::{AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL, UPGRADE},
};

/// Moves the token that a browser offers with a WebSocket to the header `Authorization`:
/// `new WebSocket(url, ["bearer", token])`. A browser cannot set the header, and a token in the query ends up in logs.
///
/// Put it outside the [`AuthLayer`](crate::AuthLayer), and let the upgrade select the protocol `bearer`, so that the
/// answer does not have the token. Other subprotocols may stand before or after the two, and stay. A request that is no
/// upgrade, or has the header, is not changed. A log outside of it must leave out `Sec-WebSocket-Protocol`.
///
/// ```
/// use auth0_axum::{Auth0, AuthLayer, take_offered_token};
/// use axum::{Router, extract::ws::WebSocketUpgrade, middleware::map_request, response::Response, routing::get};
///
/// async fn socket(upgrade: WebSocketUpgrade) -> Response {
///     upgrade.protocols(["bearer"]).on_upgrade(async |_socket| {})
/// }
/// # fn app(auth: Auth0) -> Router {
/// Router::new()
///     .route("/socket", get(socket))
///     .layer(AuthLayer::new(auth))
///     .layer(map_request(take_offered_token))
/// # }
/// ```
pub async fn take_offered_token(mut request: Request) -> Request {
    if let Some((authorization, protocols)) = offered(request.headers()) {
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(SEC_WEBSOCKET_PROTOCOL, protocols);
    }
    request
}

/// Returns the value of `Authorization`, and that of `Sec-WebSocket-Protocol` without the token.
fn offered(headers: &HeaderMap) -> Option<(HeaderValue, HeaderValue)> {
    let upgrade = headers.get(UPGRADE)?.as_bytes();
    if !upgrade.eq_ignore_ascii_case(b"websocket") || headers.contains_key(AUTHORIZATION) {
        return None;
    }
    let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().map(HeaderValue::as_bytes);
    let offered = offered_token(lines)?;
    let mut authorization = HeaderValue::try_from(format!("Bearer {}", offered.token)).ok()?;
    authorization.set_sensitive(true); // `Debug` does not show it
    Some((authorization, HeaderValue::try_from(offered.protocols).ok()?))
}
