//! A request with its headers, as an adapter would hand it over.
use auth0_core::{
    Auth0, Error,
    adapter::{Connection, HeaderLines, HttpParts, RequestView},
};

/// A `POST` for `/me`.
#[derive(Clone, Default)]
pub(crate) struct Exchange<'a> {
    pub(crate) headers: Vec<(&'static str, &'a [u8])>,
    pub(crate) connection: Connection,
}

impl<'a> Exchange<'a> {
    /// Adds a header, unless it is empty.
    pub(crate) fn with(mut self, name: &'static str, value: &'a [u8]) -> Self {
        if !value.is_empty() {
            self.headers.push((name, value));
        }
        self
    }

    pub(crate) fn from(mut self, connection: Connection) -> Self {
        self.connection = connection;
        self
    }

    /// Returns the verdict about the request. All that it needs is in memory.
    pub(crate) fn authenticate(&self, auth: &Auth0) -> Result<(), Error> {
        let view = RequestView::new()
            .authorization(self.lines("authorization"))
            .proof(self.lines("dpop"))
            .parts(self);
        auth.authenticate_now(&view).expect("nothing is fetched").map(drop)
    }

    fn lines(&self, name: &str) -> impl Iterator<Item = &[u8]> {
        self.headers.iter().filter(move |(known, _)| *known == name).map(|(_, value)| *value)
    }
}

impl HttpParts for Exchange<'_> {
    fn method(&self) -> &str {
        "POST"
    }

    fn path(&self) -> &str {
        "/me"
    }

    fn scheme(&self) -> Option<&str> {
        None
    }

    fn authority(&self) -> Option<&str> {
        None
    }

    fn header(&self, name: &str) -> HeaderLines<'_> {
        HeaderLines::of(self.lines(name))
    }

    fn connection(&self) -> Connection {
        self.connection
    }
}
