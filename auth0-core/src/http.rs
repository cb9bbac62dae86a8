//! How documents of the issuer are fetched.
use crate::reach::AddressRule;
use std::{fmt, future::Future, pin::Pin, time::Duration};

/// A future that a trait object can return.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Establishing a connection takes longer than this only when the issuer is out of reach.
#[cfg(feature = "reqwest")]
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// One fetch, from the first packet to the last byte of the body. A request may be waiting for it.
pub(crate) const TOTAL_TIMEOUT: Duration = Duration::from_secs(5);

/// A hundred keys with certificate chains fit several times over.
pub(crate) const MAX_BODY_BYTES: usize = 512 * 1024;

/// A transport that fetches the issuer's documents.
///
/// The default is reqwest (feature `reqwest`): connect within 3 s, done within 5 s, no redirects,
/// bodies of at most 512 KiB. Bring your own for a proxy with rules of its own, another TLS stack
/// or a test, with [`Builder::http_client`](crate::Builder::http_client).
///
/// An implementation must not follow redirects, must not connect to an address that
/// [`HttpRequest::addresses`] does not permit, and should stop reading a body at
/// [`HttpRequest::max_body_bytes`]; a longer one is refused in any case.
pub trait HttpClient: Send + Sync + fmt::Debug + 'static {
    /// Fetches one document with `GET`. Dropping the future cancels the fetch.
    fn get<'a>(
        &'a self,
        request: HttpRequest<'a>,
    ) -> BoxFuture<'a, Result<HttpResponse, HttpError>>;
}

/// What an [`HttpClient`] is asked for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct HttpRequest<'a> {
    /// The absolute URL. Always of an issuer that was configured or resolved, or out of its metadata; never
    /// a client's.
    pub url: &'a str,
    /// The limit for the body, in bytes.
    pub max_body_bytes: usize,
    /// The limit for the whole fetch.
    pub timeout: Duration,
    /// Which addresses the host may have. Where it is [`AddressRule::Public`], the host is not an address
    /// that is not, but it may be a name of one: whoever opens the connection has to see to it.
    pub addresses: AddressRule,
}

impl<'a> HttpRequest<'a> {
    pub(crate) const fn new(url: &'a str, addresses: AddressRule) -> Self {
        Self { url, max_body_bytes: MAX_BODY_BYTES, timeout: TOTAL_TIMEOUT, addresses }
    }
}

/// What an [`HttpClient`] answers with.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// The `Content-Type` field, if it is there and is text.
    pub content_type: Option<String>,
    /// The `Retry-After` field, if it is there and counts seconds (RFC 9110 §10.2.3).
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// An answer without header fields.
    #[must_use]
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, content_type: None, retry_after: None, body: body.into() }
    }

    /// An answer with JSON in it.
    #[must_use]
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self { content_type: Some("application/json".into()), ..Self::new(200, body) }
    }
}

/// Why an [`HttpClient`] has no answer. The text goes to the log, never to a client.
#[derive(Clone, Debug)]
pub struct HttpError(Box<str>);

impl HttpError {
    /// An error in the words of the transport.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into().into())
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for HttpError {}

#[cfg(feature = "reqwest")]
pub(crate) use with_reqwest::Reqwest;

#[cfg(feature = "reqwest")]
mod with_reqwest {
    use super::{BoxFuture, CONNECT_TIMEOUT, HttpClient, HttpError, HttpRequest, HttpResponse};
    use crate::{
        builder::ConfigError,
        reach::{AddressRule, PrivateHosts},
    };
    use reqwest::{
        ClientBuilder, Response,
        dns::{Addrs, Name, Resolve, Resolving},
        header::{ACCEPT, CONTENT_TYPE, HeaderName, RETRY_AFTER},
    };
    use std::{io, net::ToSocketAddrs, time::Duration};

    #[derive(Debug)]
    pub(crate) struct Reqwest(reqwest::Client);

    impl Reqwest {
        /// For issuers elsewhere. The system's proxy settings are honoured.
        pub(crate) fn new() -> Result<Self, ConfigError> {
            Self::build(|builder| builder)
        }

        /// For issuers on this machine: no proxy elsewhere can reach them.
        pub(crate) fn on_loopback() -> Result<Self, ConfigError> {
            Self::build(ClientBuilder::no_proxy)
        }

        /// For issuers that must not lead into private networks. A proxy would look names up itself, so
        /// there is none.
        pub(crate) fn guarded(allowed: PrivateHosts) -> Result<Self, ConfigError> {
            Self::build(|builder| builder.no_proxy().dns_resolver(PublicOnly(allowed)))
        }

        fn build(set_up: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<Self, ConfigError> {
            let builder = reqwest::Client::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .redirect(reqwest::redirect::Policy::none())
                .user_agent(concat!("auth0-rust/", env!("CARGO_PKG_VERSION")));
            set_up(builder).build().map(Self).map_err(|error| {
                ConfigError::new(format!(
                    "the HTTP client cannot be set up: {}. Check the system's certificates and \
                         proxy settings, or bring a client with Builder::http_client",
                    chain(&error)
                ))
            })
        }
    }

    impl HttpClient for Reqwest {
        fn get<'a>(
            &'a self,
            request: HttpRequest<'a>,
        ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
            Box::pin(async move {
                let response = self
                    .0
                    .get(request.url)
                    .header(ACCEPT, "application/json")
                    .timeout(request.timeout)
                    .send()
                    .await
                    .map_err(|error| HttpError::new(chain(&error)))?;
                read(response, request.max_body_bytes).await
            })
        }
    }

    /// Looks names up, and keeps what is not public to itself. The connection is made to what it tells, so
    /// it does not help a name to mean something else when it is looked up again.
    struct PublicOnly(PrivateHosts);

    impl Resolve for PublicOnly {
        fn resolve(&self, name: Name) -> Resolving {
            let name = name.as_str().to_owned();
            let rule = if self.0.contains(&name) { AddressRule::Any } else { AddressRule::Public };
            Box::pin(async move {
                // What the standard library does here blocks.
                let found = tokio::task::spawn_blocking(move || (&*name, 0).to_socket_addrs());
                let found = found.await??.filter(move |address| rule.permits(address.ip()));
                let mut permitted = found.peekable();
                if permitted.peek().is_none() {
                    return Err(io::Error::other("the host has no public address").into());
                }
                Ok::<Addrs, _>(Box::new(permitted))
            })
        }
    }

    async fn read(mut response: Response, limit: usize) -> Result<HttpResponse, HttpError> {
        let field = |name: HeaderName| response.headers().get(name)?.to_str().ok();
        let mut answer = HttpResponse::new(response.status().as_u16(), []);
        answer.content_type = field(CONTENT_TYPE).map(str::to_owned);
        answer.retry_after =
            field(RETRY_AFTER).and_then(|text| text.parse().ok()).map(Duration::from_secs);
        if answer.status != 200 {
            return Ok(answer); // its body would not be read
        }
        while let Some(chunk) =
            response.chunk().await.map_err(|error| HttpError::new(chain(&error)))?
        {
            if answer.body.len() + chunk.len() > limit {
                return Err(HttpError::new(format!("the body is longer than {limit} bytes")));
            }
            answer.body.extend_from_slice(&chunk);
        }
        Ok(answer)
    }

    /// An error with its causes: reqwest's own text leaves out what went wrong.
    fn chain(error: &reqwest::Error) -> String {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        text
    }
}

#[cfg(all(test, feature = "reqwest"))]
mod tests {
    use super::*;
    use crate::reach::PrivateHosts;
    use std::net::TcpListener;

    /// `localhost` is the one name that every machine looks up without asking another.
    #[tokio::test]
    async fn a_name_of_a_private_address_is_not_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://localhost:{}/", listener.local_addr().unwrap().port());
        let ask = async |allowed: &[String]| {
            let client = Reqwest::guarded(PrivateHosts::new(allowed).unwrap()).unwrap();
            let mut request = HttpRequest::new(&url, AddressRule::Public);
            request.timeout = Duration::from_millis(100);
            client.get(request).await.unwrap_err().to_string()
        };
        let error = ask(&["elsewhere.internal".into()]).await;
        assert!(error.contains("no public address"), "{error}");
        assert!(listener.accept().is_err(), "nobody has knocked");
        ask(&["localhost".into()]).await;
        listener.accept().unwrap();
    }
}
