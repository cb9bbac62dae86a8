//! The adapter of a request of actix-web for the core.
use actix_web::{
    HttpRequest,
    dev::RequestHead,
    http::{
        header::{AUTHORIZATION, HeaderName, HeaderValue},
        uri::Authority,
    },
};
use auth0_core::adapter::{Connection, HeaderLines, HttpParts, RequestView};

static DPOP: HeaderName = HeaderName::from_static("dpop");

/// The request, as the client sent it.
pub(crate) struct RequestAdapter<'a> {
    head: &'a RequestHead,
    connection: Connection,
    /// Whether the server itself ends TLS.
    is_secure: bool,
}

impl<'a> RequestAdapter<'a> {
    pub(crate) fn new(request: &'a HttpRequest) -> Self {
        let is_secure = request.app_config().secure();
        Self { head: request.head(), connection: connection(request), is_secure }
    }

    /// Returns the view of the request, given its only `Authorization` header: `None` for none or several.
    pub(crate) fn view(&'a self, only: Option<&'a HeaderValue>) -> RequestView<'a> {
        let lines = |name: &HeaderName| self.head.headers.get_all(name).map(HeaderValue::as_bytes);
        let view = match only {
            Some(header) => RequestView::new().authorization([header.as_bytes()]),
            None => RequestView::new().authorization(lines(&AUTHORIZATION)),
        };
        view.proof(lines(&DPOP)).parts(self)
    }
}

/// Returns the connection that `HttpServer::on_connect` has stored, and the peer, which actix-web reports.
fn connection(request: &HttpRequest) -> Connection {
    let known = request.conn_data::<Connection>().copied().unwrap_or_default();
    match request.peer_addr() {
        Some(peer) if !known.has_peer() => known.peer(peer.ip()),
        _ => known,
    }
}

impl HttpParts for RequestAdapter<'_> {
    fn method(&self) -> &str {
        self.head.method.as_str()
    }

    fn path(&self) -> &str {
        self.head.uri.path()
    }

    /// Called if `on_connect` has not set whether TLS protects the connection.
    fn scheme(&self) -> Option<&str> {
        if self.is_secure { Some("https") } else { self.head.uri.scheme_str() }
    }

    fn authority(&self) -> Option<&str> {
        self.head.uri.authority().map(Authority::as_str)
    }

    fn header(&self, name: &str) -> HeaderLines<'_> {
        HeaderLines::of(self.head.headers.get_all(name).map(HeaderValue::as_bytes))
    }

    fn connection(&self) -> Connection {
        self.connection
    }
}
