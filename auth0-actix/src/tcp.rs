//! The TCP connection of a request, for responses that end with their token.
use actix_web::{HttpRequest, dev::Extensions, rt::net::TcpStream};
use auth0_core::adapter::TcpHandle;
use std::any::Any;

/// Stores a handle of each connection, so that a response or a WebSocket also ends with its token for a client that
/// does not read. Each connection takes one more file descriptor. On HTTP/2, all requests of such a client end; a
/// connection of a [trusted proxy](auth0_core::Builder::trusted_proxies), which may carry those of several clients, stays
/// open.
///
/// ```no_run
/// use actix_web::{App, HttpServer, web};
/// use auth0_actix::{Auth0, RequireAuth, keep_tcp_handle};
///
/// # async fn events() -> &'static str { "" }
/// # async fn start(auth: Auth0) -> std::io::Result<()> {
/// let app = move || {
///     let events = web::get().to(events).wrap(RequireAuth::new().end_responses_with_token());
///     App::new().app_data(auth.clone()).route("/events", events)
/// };
/// HttpServer::new(app).on_connect(keep_tcp_handle).bind("0.0.0.0:3000")?.run().await
/// # }
/// ```
///
/// For TLS, store a [`TcpHandle`] of the stream inside.
pub fn keep_tcp_handle(connection: &dyn Any, extensions: &mut Extensions) {
    let connection = connection.downcast_ref::<TcpStream>();
    if let Some(handle) = connection.and_then(|connection| TcpHandle::of(connection).ok()) {
        extensions.insert(handle);
    }
}

pub(crate) fn tcp_handle(request: &HttpRequest) -> Option<TcpHandle> {
    request.conn_data::<TcpHandle>().cloned()
}
