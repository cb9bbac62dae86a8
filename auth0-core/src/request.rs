//! What the verifier sees of a request.

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
}

/// How often a header field that must occur once does occur.
#[derive(Clone, Copy, Default)]
pub(crate) enum FieldLines<'a> {
    #[default]
    Absent,
    One(&'a [u8]),
    Several,
}

impl<'a> RequestView<'a> {
    /// A request without credentials.
    pub const fn new() -> Self {
        Self { authorization: FieldLines::Absent }
    }

    /// The value of every `Authorization` field line, in order. More than one is refused as
    /// malformed (RFC 9110 §11.6.2 allows one), never silently reduced to the first.
    pub fn authorization(mut self, lines: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut lines = lines.into_iter();
        self.authorization = match (lines.next(), lines.next()) {
            (None, _) => FieldLines::Absent,
            (Some(line), None) => FieldLines::One(line),
            (Some(_), Some(_)) => FieldLines::Several,
        };
        self
    }

    /// Whether there is an `Authorization` field at all, whatever stands in it.
    #[must_use]
    pub const fn has_credentials(&self) -> bool {
        !matches!(self.authorization, FieldLines::Absent)
    }
}

impl std::fmt::Debug for RequestView<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RequestView")
            .field("has_credentials", &self.has_credentials())
            .finish_non_exhaustive()
    }
}
