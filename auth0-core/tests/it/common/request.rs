//! A request as a server hands it to the verifier.
use auth0_core::{
    Auth0, Error, VerifiedToken,
    adapter::HeaderLines,
    adapter::{Connection, HttpParts, RequestView},
};

/// A `GET` with its headers.
#[derive(Clone)]
pub(crate) struct Request {
    path: &'static str,
    target: Option<(&'static str, &'static str)>,
    connection: Connection,
    headers: Vec<(&'static str, Vec<u8>)>,
}

impl Request {
    /// Returns a request for `/me`, as of HTTP/1.1: only its `Host` header says for which host.
    pub(crate) fn to(host: &str) -> Self {
        Self { path: "/me", target: None, connection: Connection::new(), headers: Vec::new() }
            .with("host", host)
    }

    /// Returns a request for `/me`, as of HTTP/2: scheme and authority stand beside the path.
    pub(crate) fn http2(scheme: &'static str, authority: &'static str) -> Self {
        Self {
            path: "/me",
            target: Some((scheme, authority)),
            connection: Connection::new(),
            headers: Vec::new(),
        }
    }

    pub(crate) fn path(mut self, path: &'static str) -> Self {
        self.path = path;
        self
    }

    pub(crate) fn connection(mut self, connection: Connection) -> Self {
        self.connection = connection;
        self
    }

    /// Shows this certificate on the connection.
    pub(crate) fn certificate(mut self, der: &[u8]) -> Self {
        self.connection = self.connection.client_certificate(der);
        self
    }

    /// Sets the address of the peer.
    pub(crate) fn from(mut self, peer: &str) -> Self {
        self.connection = self.connection.peer(peer.parse().unwrap());
        self
    }

    /// Adds a header.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Replaces the credentials.
    pub(crate) fn authorized(mut self, scheme: &str, token: &str) -> Self {
        self.headers.retain(|(name, _)| *name != "authorization");
        self.with("authorization", format!("{scheme} {token}"))
    }

    /// Returns the request as the verifier sees it.
    pub(crate) fn view(&self) -> RequestView<'_> {
        RequestView::new()
            .authorization(self.lines("authorization"))
            .proof(self.lines("dpop"))
            .parts(self)
    }

    pub(crate) async fn authenticate(&self, auth: &Auth0) -> Result<VerifiedToken, Error> {
        auth.authenticate(&self.view()).await
    }

    fn lines(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.headers.iter().filter(move |(known, _)| *known == name).map(|(_, value)| &**value)
    }
}

impl HttpParts for Request {
    fn method(&self) -> &str {
        "GET"
    }

    fn path(&self) -> &str {
        self.path
    }

    fn scheme(&self) -> Option<&str> {
        self.target.map(|(scheme, _)| scheme)
    }

    fn authority(&self) -> Option<&str> {
        self.target.map(|(_, authority)| authority)
    }

    fn header(&self, name: &str) -> HeaderLines<'_> {
        HeaderLines::of(self.lines(name))
    }

    fn connection(&self) -> Connection {
        self.connection
    }
}
