//! The parts of a request that verification reads.
pub(crate) mod client_certificate;
mod connection;
pub(crate) mod credentials;
mod forwarded;
pub(crate) mod http_uri;
mod mistakes;
pub(crate) mod origin;

pub use connection::Connection;
pub(crate) use credentials::Credentials;
pub(crate) use http_uri::HttpUri;
pub(crate) use origin::Origin;

/// The parts of a request that decide whether it is admitted, borrowed from the framework.
///
/// Adapters build it from header *bytes*, because the frameworks use different versions of the `http` crate.
/// For protocols other than HTTP, use [`Auth0::verify`].
///
/// ```
/// # use auth0_core::adapter::RequestView;
/// let headers: [&[u8]; 1] = [b"Bearer abc"];
/// let request = RequestView::new().authorization(headers);
/// assert!(request.has_credentials());
/// ```
///
/// [`Auth0::verify`]: crate::Auth0::verify
#[derive(Clone, Copy, Default)]
#[must_use]
pub struct RequestView<'a> {
    pub(crate) authorization: HeaderLines<'a>,
    pub(crate) proof: HeaderLines<'a>,
    pub(crate) parts: Option<&'a dyn HttpParts>,
}

/// The lines of a header that may occur only once.
///
/// ```
/// use auth0_core::adapter::HeaderLines;
///
/// assert_eq!(HeaderLines::of([&b"a"[..]]), HeaderLines::One(b"a"));
/// assert_eq!(HeaderLines::of([&b"a"[..], b"b"]), HeaderLines::Several);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there are no other cases")]
pub enum HeaderLines<'a> {
    /// There is no such header.
    #[default]
    Absent,
    /// There is one, with this value as it was sent.
    One(&'a [u8]),
    /// There are several, which are never reduced to the first.
    Several,
}

impl<'a> HeaderLines<'a> {
    /// Collects the value of every line, in order.
    pub fn of(lines: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut lines = lines.into_iter();
        match (lines.next(), lines.next()) {
            (None, _) => Self::Absent,
            (Some(line), None) => Self::One(line),
            (Some(_), Some(_)) => Self::Several,
        }
    }

    pub(crate) const fn is_absent(self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// The rest of a request, with which a proof of possession (RFC 9449) and the certificate of a client
/// (RFC 8705) are compared. An adapter implements it for its framework's request. Its methods are called
/// only if a token is bound to a key or a certificate, if an issuer resolver reads the request, or if proxies
/// are trusted, so that other requests cost nothing more.
pub trait HttpParts: Sync {
    /// Returns the method, in the case in which it was sent.
    fn method(&self) -> &str;

    /// Returns the path of the request target as the client sent it, without the query: before a router
    /// removed a prefix, and still percent-encoded.
    fn path(&self) -> &str;

    /// Returns the scheme in the request target: of HTTP/2 (`:scheme`), or of the absolute form.
    fn scheme(&self) -> Option<&str>;

    /// Returns the authority in the request target: of HTTP/2 (`:authority`), or of the absolute form.
    fn authority(&self) -> Option<&str>;

    /// Returns the lines of a header. The name is in lower case.
    fn header(&self, name: &str) -> HeaderLines<'_>;

    /// Returns the connection of the request.
    fn connection(&self) -> Connection;
}

impl<'a> RequestView<'a> {
    /// Creates a request without credentials.
    pub const fn new() -> Self {
        Self { authorization: HeaderLines::Absent, proof: HeaderLines::Absent, parts: None }
    }

    /// Sets the value of every `Authorization` line, in order. Several lines are refused as malformed
    /// (RFC 9110 §11.6.2 allows one), never reduced to the first.
    pub fn authorization(mut self, lines: impl IntoIterator<Item = &'a [u8]>) -> Self {
        self.authorization = HeaderLines::of(lines);
        self
    }

    /// Sets the value of every `DPoP` line (RFC 9449 §4.1). Without this, a token that is bound to
    /// a key is refused.
    pub fn proof(mut self, lines: impl IntoIterator<Item = &'a [u8]>) -> Self {
        self.proof = HeaderLines::of(lines);
        self
    }

    /// Sets the rest of the request, with which a proof or a certificate is compared. Without this, a
    /// token that is bound to a key or a certificate is refused.
    pub fn parts(mut self, parts: &'a dyn HttpParts) -> Self {
        self.parts = Some(parts);
        self
    }

    /// Returns whether there is an `Authorization` header, with any content.
    #[must_use]
    pub const fn has_credentials(&self) -> bool {
        !self.authorization.is_absent()
    }
}

impl std::fmt::Debug for RequestView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestView")
            .field("has_credentials", &self.has_credentials())
            .finish_non_exhaustive()
    }
}

/// Headers with credentials: a resolver does not see them, and a connection does not keep them.
pub(crate) const WITH_CREDENTIALS: [&str; 3] = ["authorization", "proxy-authorization", "dpop"];

/// Returns the only element, and `None` if there are several: with two parameters or headers of one name, it
/// is not known which one the handler reads.
///
/// ```
/// use auth0_core::adapter::only;
///
/// assert_eq!(only(["a"]), Some("a"));
/// assert_eq!(only(["a", "b"]), None);
/// ```
pub fn only<T>(values: impl IntoIterator<Item = T>) -> Option<T> {
    let mut values = values.into_iter();
    match (values.next(), values.next()) {
        (Some(value), None) => Some(value),
        _ => None,
    }
}
