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
    /// The connection that `HttpServer::on_connect` has stored.
    stored: Option<&'a Connection>,
    /// Whether the server itself ends TLS.
    is_secure: bool,
}

impl<'a> RequestAdapter<'a> {
    pub(crate) fn new(request: &'a HttpRequest) -> Self {
        let is_secure = request.app_config().secure();
        Self { head: request.head(), stored: request.conn_data(), is_secure }
    }

    /// Returns the view of the request, given its only `Authorization` header: `None` for none or several.
    pub(crate) fn view(&'a self, only: Option<&'a HeaderValue>) -> RequestView<'a> {
        let lines = |name: &HeaderName| self.head.headers.get_all(name).map(HeaderValue::as_bytes);
        let view = match only {
            Some(header) => RequestView::new().authorization([header.as_bytes()]),
            None => RequestView::new().authorization(lines(&AUTHORIZATION)),
        };
        // Nearly no request has one, and this lookup is shorter.
        let view =
            if self.head.headers.contains_key(&DPOP) { view.proof(lines(&DPOP)) } else { view };
        view.parts(self)
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

    /// Returns the stored connection, and the peer, which actix-web reports.
    fn connection(&self) -> Connection {
        let stored = self.stored.copied().unwrap_or_default();
        match self.head.peer_addr {
            Some(peer) if !stored.has_peer() => stored.peer(peer.ip()),
            _ => stored,
        }
    }
}
