//! What the verifier sees of a request.
use crate::connection::Connection;

/// The parts of a request that decide whether it is let through, borrowed from the framework.
///
/// Adapters build it from header *bytes*, because the frameworks are on different versions of
/// the `http` crate. To protect something that is not HTTP, use [`Auth0::verify`].
///
/// ```
/// # use auth0_core::RequestView;
/// let headers: [&[u8]; 1] = [b"Bearer abc"];
/// let request = RequestView::new().authorization(headers);
/// assert!(request.has_credentials());
/// ```
///
/// [`Auth0::verify`]: crate::Auth0::verify
#[derive(Clone, Copy, Default)]
#[must_use]
pub struct RequestView<'a> {
    pub(crate) authorization: FieldLines<'a>,
    pub(crate) proof: FieldLines<'a>,
    pub(crate) parts: Option<&'a dyn HttpParts>,
}

/// The lines of a header field that may occur only once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there are no other cases")]
pub enum FieldLines<'a> {
    /// There is no such field.
    #[default]
    Absent,
    /// Its value, as it was sent.
    One(&'a [u8]),
    /// There are several, which is never reduced to the first.
    Several,
}

impl<'a> FieldLines<'a> {
    /// From the value of every line, in order.
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

/// What a proof of possession (RFC 9449) and the certificate of a client (RFC 8705) are compared
/// with. An adapter implements it for its framework's request; it is asked only where a token is
/// bound to a key or a certificate, so that others pay nothing for it.
pub trait HttpParts: Sync {
    /// The method, in the case in which it was sent.
    fn method(&self) -> &str;

    /// The path of the request target as the client sent it, without the query: before a router
    /// took a prefix away, and still percent-encoded.
    fn path(&self) -> &str;

    /// The scheme in the request target: of HTTP/2 (`:scheme`), or of the absolute form.
    fn scheme(&self) -> Option<&str>;

    /// The authority in the request target: of HTTP/2 (`:authority`), or of the absolute form.
    fn authority(&self) -> Option<&str>;

    /// The lines of a header field. The name is in lower case.
    fn field(&self, name: &str) -> FieldLines<'_>;

    /// What the server knows of the connection.
    fn connection(&self) -> Connection;
}

impl<'a> RequestView<'a> {
    /// A request without credentials.
    pub const fn new() -> Self {
        Self { authorization: FieldLines::Absent, proof: FieldLines::Absent, parts: None }
    }

    /// The value of every `Authorization` field line, in order. More than one is refused as
    /// malformed (RFC 9110 §11.6.2 allows one), never silently reduced to the first.
    pub fn authorization(mut self, lines: impl IntoIterator<Item = &'a [u8]>) -> Self {
        self.authorization = FieldLines::of(lines);
        self
    }

    /// The value of every `DPoP` field line (RFC 9449 §4.1). Without this, a token that is bound to
    /// a key is refused.
    pub fn proof(mut self, lines: impl IntoIterator<Item = &'a [u8]>) -> Self {
        self.proof = FieldLines::of(lines);
        self
    }

    /// The rest of the request, as far as a proof or a certificate speaks of it. Without this, a
    /// token that is bound to a key or a certificate is refused.
    pub fn parts(mut self, parts: &'a dyn HttpParts) -> Self {
        self.parts = Some(parts);
        self
    }

    /// Whether there is an `Authorization` field at all, whatever stands in it.
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
