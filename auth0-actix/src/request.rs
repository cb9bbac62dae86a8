//! What the core asks of a request of actix-web's.
use actix_web::{
    HttpRequest,
    dev::RequestHead,
    http::{
        header::{AUTHORIZATION, HeaderName, HeaderValue},
        uri::Authority,
    },
};
use auth0_core::{Connection, FieldLines, HttpParts, RequestView};

static DPOP: HeaderName = HeaderName::from_static("dpop");

/// The request, as the client sent it.
pub(crate) struct Sent<'a> {
    head: &'a RequestHead,
    connection: Connection,
    /// Whether the server itself ends TLS.
    is_secure: bool,
}

impl<'a> Sent<'a> {
    pub(crate) fn of(request: &'a HttpRequest) -> Self {
        let is_secure = request.app_config().secure();
        Self { head: request.head(), connection: connection(request), is_secure }
    }

    pub(crate) fn view(&'a self) -> RequestView<'a> {
        let lines = |name: &HeaderName| self.head.headers.get_all(name).map(HeaderValue::as_bytes);
        RequestView::new().authorization(lines(&AUTHORIZATION)).proof(lines(&DPOP)).parts(self)
    }
}

/// What `HttpServer::on_connect` has kept of the connection, and the peer, which actix-web itself knows.
fn connection(request: &HttpRequest) -> Connection {
    let known = request.conn_data::<Connection>().copied().unwrap_or_default();
    match request.peer_addr() {
        Some(peer) if !known.has_peer() => known.peer(peer.ip()),
        _ => known,
    }
}

impl HttpParts for Sent<'_> {
    fn method(&self) -> &str {
        self.head.method.as_str()
    }

    fn path(&self) -> &str {
        self.head.uri.path()
    }

    /// Asked where `on_connect` has not told whether the connection is one of TLS.
    fn scheme(&self) -> Option<&str> {
        if self.is_secure { Some("https") } else { self.head.uri.scheme_str() }
    }

    fn authority(&self) -> Option<&str> {
        self.head.uri.authority().map(Authority::as_str)
    }

    fn field(&self, name: &str) -> FieldLines<'_> {
        FieldLines::of(self.head.headers.get_all(name).map(HeaderValue::as_bytes))
    }

    fn connection(&self) -> Connection {
        self.connection
    }
}
