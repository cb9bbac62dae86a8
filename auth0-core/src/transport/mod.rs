//! The transport that fetches documents of issuers, and the addresses to which it may connect.
mod address_rule;
mod default_clients;
#[cfg(feature = "__reqwest")]
mod reqwest;
pub(crate) mod retry_after;

pub use address_rule::AddressRule;
pub(crate) use address_rule::{NotPublic, PermittedAddresses, PrivateHosts};
pub(crate) use default_clients::DefaultClients;
pub use default_clients::default_client;

use crate::runtime::BoxFuture;
use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

/// The limit of one fetch, from the first packet to the last byte of the body. A request may be waiting
/// for it.
pub(crate) const TOTAL_TIMEOUT: Duration = Duration::from_secs(5);

/// Several times the size of a hundred keys with certificate chains.
pub(crate) const MAX_BODY_BYTES: usize = 512 * 1024;

/// An error of a transport can quote a page of the issuer.
const MAX_MESSAGE_CHARS: usize = 400;

/// Sends requests to an issuer.
///
/// The default is reqwest (feature `reqwest`): connect within 3 s, no redirects, bodies of at most
/// 512 KiB. Replace it with [`Builder::http_client`](crate::Builder::http_client), for example for a proxy
/// with special rules, another TLS stack or a test.
///
/// An implementation must not follow redirects, must not connect to an address that
/// [`HttpRequest::addresses`] does not permit, and should stop reading a body at
/// [`HttpRequest::max_body_bytes`]; a longer body is refused in any case. It runs on the thread
/// `auth0-fetch`, which serves all issuers and has a tokio runtime: it must not block. A fetch that takes
/// longer than [`HttpRequest::timeout`] is cancelled.
///
/// ```
/// use auth0_core::{
///     Auth0, BoxFuture,
///     transport::{HttpClient, HttpError, HttpRequest, HttpResponse},
/// };
///
/// /// An issuer in the process.
/// #[derive(Debug)]
/// struct Local;
///
/// impl HttpClient for Local {
///     fn send<'a>(
///         &'a self,
///         request: HttpRequest<'a>,
///     ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
///         Box::pin(async move {
///             match (request.method, request.url) {
///                 ("GET", "https://local.test/.well-known/openid-configuration") => {
///                     Ok(HttpResponse::json(
///                         r#"{"issuer":"https://local.test/","jwks_uri":"https://local.test/keys"}"#,
///                     ))
///                 }
///                 _ => Ok(HttpResponse::new(404, "")),
///             }
///         })
///     }
/// }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let builder = Auth0::builder().issuer("https://local.test/").audience("https://api.acme.com");
/// let auth = builder.http_client(Local).build()?;
/// assert!(auth.warm_up().await.is_err()); // this issuer has no key set
/// # Ok::<(), auth0_core::ConfigError>(())
/// # }).unwrap()
/// ```
pub trait HttpClient: Send + Sync + fmt::Debug + 'static {
    /// Sends one request and reads the answer. Dropping the future cancels the request.
    ///
    /// # Errors
    /// There is no answer. The text of the error goes to the log, never to a client.
    fn send<'a>(
        &'a self,
        request: HttpRequest<'a>,
    ) -> BoxFuture<'a, Result<HttpResponse, HttpError>>;
}

impl<T: HttpClient + ?Sized> HttpClient for Arc<T> {
    fn send<'a>(
        &'a self,
        request: HttpRequest<'a>,
    ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
        (**self).send(request)
    }
}

/// A request for an [`HttpClient`] to send.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct HttpRequest<'a> {
    /// The method: `GET` for documents of an issuer, `POST` for tokens.
    pub method: &'a str,
    /// The absolute URL. It comes from the configuration, the resolver or the issuer's metadata, never from a
    /// client.
    pub url: &'a str,
    /// The headers to add to those of the transport. They may contain secrets.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body. It is empty for `GET`, and may contain secrets.
    pub body: &'a [u8],
    /// The limit for the body of the answer, in bytes.
    pub max_body_bytes: usize,
    /// The limit for the whole fetch.
    pub timeout: Duration,
    /// The addresses that the host may have. With [`AddressRule::Public`], a host that is an address is
    /// public; a host that is a name may resolve to any address, so the transport must check that address
    /// before it connects.
    pub addresses: AddressRule,
}

impl<'a> HttpRequest<'a> {
    /// Creates a request that accepts JSON, for tests of an [`HttpClient`]. Its fields can be changed.
    ///
    /// ```
    /// use auth0_core::transport::HttpRequest;
    ///
    /// let mut request = HttpRequest::new("POST", "https://acme.eu.auth0.com/oauth/token");
    /// request.body = b"grant_type=client_credentials";
    /// assert_eq!(request.headers, [("accept", "application/json")]);
    /// ```
    #[must_use]
    pub const fn new(method: &'a str, url: &'a str) -> Self {
        Self {
            method,
            url,
            headers: &[("accept", "application/json")],
            body: &[],
            max_body_bytes: MAX_BODY_BYTES,
            timeout: TOTAL_TIMEOUT,
            addresses: AddressRule::Any,
        }
    }

    pub(crate) const fn get(url: &'a str, addresses: AddressRule) -> Self {
        let mut request = Self::new("GET", url);
        request.addresses = addresses;
        request
    }
}

/// Omits headers and body, which may contain secrets.
impl fmt::Debug for HttpRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("addresses", &self.addresses)
            .finish_non_exhaustive()
    }
}

/// The answer of an [`HttpClient`].
///
/// ```
/// use auth0_core::transport::HttpResponse;
///
/// let answer = HttpResponse::new(429, "").with_header("Retry-After", "30");
/// assert_eq!((answer.status(), answer.header("retry-after")), (429, Some("30")));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct HttpResponse {
    status: u16,
    headers: Vec<(Cow<'static, str>, String)>,
    body: Vec<u8>,
}

impl HttpResponse {
    /// Creates an answer without headers.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// Creates an answer with status 200 and a JSON body.
    #[must_use]
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, body).with_header("content-type", "application/json")
    }

    /// Adds a header. The case of the name does not matter.
    #[must_use]
    pub fn with_header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<String>,
    ) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Returns the status code.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Returns the value of the first header of this name. The case of the name does not matter.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns the body.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    pub(crate) fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// Returns the time of `Retry-After`. A date is compared with that of the answer, which is the clock of the server.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let sent_at = self.header("date").and_then(retry_after::date);
        let wait = retry_after::retry_after(self.header("retry-after")?, sent_at);
        // A number that is too large for one of seconds is a fault, and not a wish.
        wait.filter(|wait| *wait != Duration::MAX)
    }
}

/// Omits headers and body, which may contain secrets.
impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse").field("status", &self.status).finish_non_exhaustive()
    }
}

/// The reason why an [`HttpClient`] has no answer. The text goes to the log, never to a client.
///
/// ```
/// use auth0_core::transport::HttpError;
///
/// assert_eq!(HttpError::new("connection refused").to_string(), "connection refused");
/// ```
#[derive(Clone, Debug)]
pub struct HttpError {
    message: Box<str>,
    is_unsent: bool,
}

impl HttpError {
    /// Creates an error from a message of the transport, of which the first 400 characters are kept. It must not
    /// quote headers or body of the request.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        let mut message = message.into();
        if let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE_CHARS) {
            message.truncate(end);
            message.push('…');
        }
        Self { message: message.into(), is_unsent: false }
    }

    /// Creates an error of a request of which nothing was sent: the name did not resolve, or the connection was
    /// refused. Such a request can be made again even if it must not take effect twice.
    ///
    /// ```
    /// use auth0_core::transport::HttpError;
    ///
    /// assert!(HttpError::unsent("connection refused").is_unsent());
    /// assert!(!HttpError::new("the connection was reset").is_unsent());
    /// ```
    #[must_use]
    pub fn unsent(message: impl Into<String>) -> Self {
        Self { is_unsent: true, ..Self::new(message) }
    }

    /// Returns whether it is certain that nothing of the request was sent.
    #[must_use]
    pub const fn is_unsent(&self) -> bool {
        self.is_unsent
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for HttpError {}

/// A client, and the addresses to which it may connect.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    pub(crate) http: Arc<dyn HttpClient>,
    pub(crate) addresses: PermittedAddresses,
}
