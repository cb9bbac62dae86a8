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
}

impl<'a> Sent<'a> {
    pub(crate) fn of(request: &'a HttpRequest) -> Self {
        Self { head: request.head(), connection: connection(request) }
    }

    pub(crate) fn view(&'a self) -> RequestView<'a> {
        let lines = |name: &HeaderName| self.head.headers.get_all(name).map(HeaderValue::as_bytes);
        RequestView::new().authorization(lines(&AUTHORIZATION)).proof(lines(&DPOP)).parts(self)
    }
}

/// What `HttpServer::on_connect` has kept of the connection, and what actix-web itself knows.
fn connection(request: &HttpRequest) -> Connection {
    let known = request.conn_data::<Connection>().copied();
    let known = known.unwrap_or_else(|| Connection::new().tls(request.app_config().secure()));
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

    fn scheme(&self) -> Option<&str> {
        self.head.uri.scheme_str()
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
