//! The token that a browser offers as a subprotocol.
use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{AUTHORIZATION, HeaderMap, HeaderValue, SEC_WEBSOCKET_PROTOCOL, UPGRADE},
    middleware::Next,
};
use auth0_core::adapter::offered_token;

/// Moves the token that a browser offers with a WebSocket to the header `Authorization`:
/// `new WebSocket(url, ["bearer", token])`. A browser cannot set the header, and a token in the query ends up in logs.
///
/// Wrap it outside of [`RequireAuth`](crate::RequireAuth), and let the upgrade select the protocol `bearer`, so that the
/// answer does not have the token. Other subprotocols may stand before or after the two, and stay. A request that is no
/// upgrade, or has the header, is not changed. A log outside of it must leave out `Sec-WebSocket-Protocol`.
///
/// ```
/// use actix_web::{HttpResponse, middleware::from_fn, web};
/// use auth0_actix::{AccessToken, RequireAuth, take_offered_token};
///
/// # async fn socket(_: AccessToken) -> HttpResponse { HttpResponse::SwitchingProtocols().finish() }
/// # fn routes(config: &mut web::ServiceConfig) {
/// let sockets = web::scope("/sockets")
///     .route("", web::get().to(socket))
///     .wrap(RequireAuth::new())
///     .wrap(from_fn(take_offered_token));
/// config.service(sockets);
/// # }
/// ```
///
/// # Errors
/// Those of the wrapped service.
pub async fn take_offered_token(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if let Some((authorization, protocols)) = offered(request.headers()) {
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(SEC_WEBSOCKET_PROTOCOL, protocols);
    }
    next.call(request).await
}

/// Returns the value of `Authorization`, and that of `Sec-WebSocket-Protocol` without the token.
fn offered(headers: &HeaderMap) -> Option<(HeaderValue, HeaderValue)> {
    let upgrade = headers.get(UPGRADE)?.as_bytes();
    if !upgrade.eq_ignore_ascii_case(b"websocket") || headers.contains_key(AUTHORIZATION) {
        return None;
    }
    let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL).map(HeaderValue::as_bytes);
    let offered = offered_token(lines)?;
    let mut authorization = HeaderValue::try_from(format!("Bearer {}", offered.token)).ok()?;
    authorization.set_sensitive(true); // `Debug` does not show it
    Some((authorization, HeaderValue::try_from(offered.protocols).ok()?))
}
