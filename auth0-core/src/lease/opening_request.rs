//! The request that opened a connection.
use crate::{
    policy::RequestContext,
    request::{Connection, HeaderLines, HttpParts, WITH_CREDENTIALS, only},
};
use std::{borrow::Cow, fmt, sync::Arc};

/// The request that opened a connection, which a token on this connection depends on as one in a header does: with an
/// [`IssuerResolver`](crate::resolver::IssuerResolver) that reads the host, or a requirement that reads the path. See
/// [`Lease::opened_by`](crate::Lease::opened_by).
///
/// It has no header `Authorization`, `Proxy-Authorization` or `DPoP`. Clones share their values.
///
/// ```
/// use auth0_core::adapter::{HeaderLines, HttpParts, OpeningRequest, RequestParts};
///
/// let host = |name: &str| match name {
///     "host" => HeaderLines::One(b"acme.api.example"),
///     _ => HeaderLines::Absent,
/// };
/// let headers: [(&str, &[u8]); 2] =
///     [("host", b"acme.api.example"), ("authorization", b"Bearer abc")];
/// let request = RequestParts::new("GET", "/events", &host);
/// let opening = OpeningRequest::new(&request, headers, Some([("room", "7")]));
/// assert_eq!(opening.path(), "/events");
/// assert!(matches!(opening.header("host"), HeaderLines::One(b"acme.api.example")));
/// assert!(matches!(opening.header("authorization"), HeaderLines::Absent));
/// ```
#[derive(Clone)]
pub struct OpeningRequest(Arc<Values>);

struct Values {
    method: Box<str>,
    path: Box<str>,
    scheme: Option<Box<str>>,
    authority: Option<Box<str>>,
    /// The names are in lower case.
    headers: Box<[HeaderLine]>,
    /// None if one of them is not text.
    parameters: Option<Box<[Parameter]>>,
    connection: Connection,
}

/// The name of a header, and one of its values.
type HeaderLine = (Box<str>, Box<[u8]>);

/// The name and the value of a parameter of the route.
type Parameter = (Box<str>, Box<str>);

impl OpeningRequest {
    /// Copies a request: its parts, the lines of all its headers with their names in lower case, and the parameters of
    /// its route, decoded as the handler sees them. Without them, because one is not text, no requirement that reads one
    /// is met.
    pub fn new<'a>(
        parts: &dyn HttpParts,
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        parameters: Option<impl IntoIterator<Item = (&'a str, &'a str)>>,
    ) -> Self {
        let headers = headers.into_iter().filter(|(name, _)| !WITH_CREDENTIALS.contains(name));
        Self(Arc::new(Values {
            method: parts.method().into(),
            path: parts.path().into(),
            scheme: parts.scheme().map(Into::into),
            authority: parts.authority().map(Into::into),
            headers: headers.map(|(name, value)| (name.into(), value.into())).collect(),
            parameters: parameters.map(|all| {
                all.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
            }),
            connection: parts.connection(),
        }))
    }

    /// Returns the request without its headers, which are most of it.
    pub(crate) fn without_headers(self) -> Self {
        let Values { method, path, scheme, authority, parameters, connection, .. } = &*self.0;
        Self(Arc::new(Values {
            method: method.clone(),
            path: path.clone(),
            scheme: scheme.clone(),
            authority: authority.clone(),
            headers: Box::default(),
            parameters: parameters.clone(),
            connection: *connection,
        }))
    }

    fn lines<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let lines =
            self.0.headers.iter().filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        lines.map(|(_, value)| &**value)
    }
}

impl HttpParts for OpeningRequest {
    fn method(&self) -> &str {
        &self.0.method
    }

    fn path(&self) -> &str {
        &self.0.path
    }

    fn scheme(&self) -> Option<&str> {
        self.0.scheme.as_deref()
    }

    fn authority(&self) -> Option<&str> {
        self.0.authority.as_deref()
    }

    fn header(&self, name: &str) -> HeaderLines<'_> {
        HeaderLines::of(self.lines(name))
    }

    fn connection(&self) -> Connection {
        self.0.connection
    }
}

impl RequestContext for OpeningRequest {
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let Some(all) = &self.0.parameters else {
            return Some(Cow::Borrowed("")); // no organization has this name
        };
        let values = all.iter().filter(|(known, _)| **known == *name);
        only(values).map(|(_, value)| Cow::Borrowed(&**value))
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        only(self.lines(name))
    }

    fn request_line(&self) -> Option<(&str, &str)> {
        Some((&self.0.method, &self.0.path))
    }
}

/// Prints the method and the path.
impl fmt::Debug for OpeningRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpeningRequest")
            .field("method", &self.0.method)
            .field("path", &self.0.path)
            .finish_non_exhaustive()
    }
}
