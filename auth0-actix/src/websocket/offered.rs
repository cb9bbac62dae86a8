//! The token that a browser offers as a subprotocol.
use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{
        AUTHORIZATION, HeaderMap, HeaderValue, SEC_WEBSOCKET_PROTOCOL, TryIntoHeaderValue, UPGRADE,
    },
    middleware::Next,
};
use auth0_core::adapter::{BEARER_PROTOCOL, offered_token};

/// Moves the token that a browser offers with a WebSocket to the header `Authorization`:
/// `new WebSocket(url, ["bearer", token])`. A browser cannot set the header, and a token in the query ends up in logs.
///
/// Wrap it outside of [`RequireAuth`](crate::RequireAuth), and let the upgrade select the protocol `bearer`, so that the
/// answer does not have the token. A request that is no upgrade, or has the header, is not changed. A log outside of it
/// must leave out `Sec-WebSocket-Protocol`.
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
    if let Some(authorization) = offered(request.headers()) {
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, authorization);
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(BEARER_PROTOCOL));
    }
    next.call(request).await
}

fn offered(headers: &HeaderMap) -> Option<HeaderValue> {
    let upgrade = headers.get(UPGRADE)?.as_bytes();
    if !upgrade.eq_ignore_ascii_case(b"websocket") || headers.contains_key(AUTHORIZATION) {
        return None;
    }
    let token = offered_token(headers.get(SEC_WEBSOCKET_PROTOCOL)?.to_str().ok()?)?;
    let mut value = format!("Bearer {token}").try_into_value().ok()?;
    value.set_sensitive(true); // `Debug` does not show it
    Some(value)
}
