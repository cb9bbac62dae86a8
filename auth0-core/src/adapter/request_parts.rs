//! A request as values.
use super::{Connection, HeaderLines, HttpParts, RequestContext, RequestView};
use std::{borrow::Cow, fmt};

/// A request as values, for the adapter of a framework that can borrow all parts of a request. It is the view of
/// the request for the verification, and its context for a requirement and for the log.
///
/// An adapter whose requests should cost nothing that is not needed implements [`HttpParts`] and
/// [`RequestContext`] instead.
///
/// ```
/// # use auth0_testing::Tenant;
/// use auth0_core::{adapter::{self, HeaderLines, RequestParts}, policy::{organization_in_path, scope}};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let tenant = Tenant::new();
/// # let auth = tenant.auth0();
/// # let token = tenant.token().organization("org_a1", "acme").mint();
/// let authorization = format!("Bearer {token}");
/// let header = |name: &str| match name {
///     "authorization" => HeaderLines::One(authorization.as_bytes()),
///     _ => HeaderLines::Absent,
/// };
/// let parameter = |name: &str| (name == "org").then(|| "org_a1".into());
/// let request = RequestParts::new("GET", "/orgs/org_a1", &header).path_parameters(&parameter);
///
/// let verdict = auth.authenticate(&request.view()).await;
/// let requirement = organization_in_path("org");
/// assert!(adapter::admit(&auth, verdict, &requirement, false, || &request).is_ok());
/// # })
/// ```
#[derive(Clone, Copy)]
#[must_use]
pub struct RequestParts<'a> {
    method: &'a str,
    path: &'a str,
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    headers: &'a HeaderLookup<'a>,
    parameters: Option<&'a ParameterLookup<'a>>,
    connection: Connection,
}

/// Finds the lines of a header by its name in lower case.
type HeaderLookup<'a> = dyn Fn(&str) -> HeaderLines<'a> + Sync + 'a;

/// Finds a path parameter by its name.
type ParameterLookup<'a> = dyn Fn(&str) -> Option<Cow<'a, str>> + Sync + 'a;

impl<'a> RequestParts<'a> {
    /// Creates a request from what [`HttpParts::method`], [`HttpParts::path`] and [`HttpParts::header`] return.
    pub fn new(
        method: &'a str,
        path: &'a str,
        headers: &'a (dyn Fn(&str) -> HeaderLines<'a> + Sync + 'a),
    ) -> Self {
        let (scheme, authority, parameters) = (None, None, None);
        Self { method, path, scheme, authority, headers, parameters, connection: Connection::new() }
    }

    /// Sets what [`HttpParts::scheme`] returns.
    pub fn scheme(self, scheme: Option<&'a str>) -> Self {
        Self { scheme, ..self }
    }

    /// Sets what [`HttpParts::authority`] returns.
    pub fn authority(self, authority: Option<&'a str>) -> Self {
        Self { authority, ..self }
    }

    /// Sets the connection. Without it, no proxy is trusted.
    pub fn connection(self, connection: Connection) -> Self {
        Self { connection, ..self }
    }

    /// Sets what [`RequestContext::path_parameter`] returns.
    pub fn path_parameters(
        self,
        parameters: &'a (dyn Fn(&str) -> Option<Cow<'a, str>> + Sync + 'a),
    ) -> Self {
        Self { parameters: Some(parameters), ..self }
    }

    /// Returns the request for [`Auth0::authenticate`](crate::Auth0::authenticate).
    pub fn view(&self) -> RequestView<'_> {
        let (authorization, proof) = ((self.headers)("authorization"), (self.headers)("dpop"));
        RequestView { authorization, proof, parts: Some(self) }
    }
}

impl HttpParts for RequestParts<'_> {
    fn method(&self) -> &str {
        self.method
    }

    fn path(&self) -> &str {
        self.path
    }

    fn scheme(&self) -> Option<&str> {
        self.scheme
    }

    fn authority(&self) -> Option<&str> {
        self.authority
    }

    fn header(&self, name: &str) -> HeaderLines<'_> {
        (self.headers)(name)
    }

    fn connection(&self) -> Connection {
        self.connection
    }
}

impl RequestContext for RequestParts<'_> {
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        self.parameters?(name)
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        match (self.headers)(&name.to_ascii_lowercase()) {
            HeaderLines::One(value) => Some(value),
            HeaderLines::Absent | HeaderLines::Several => None,
        }
    }

    fn request_line(&self) -> Option<(&str, &str)> {
        Some((self.method, self.path))
    }
}

/// Omits the headers, which contain tokens.
impl fmt::Debug for RequestParts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestParts")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
