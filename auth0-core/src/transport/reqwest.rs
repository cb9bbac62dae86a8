//! The default transport.
use super::{AddressRule, HttpClient, HttpError, HttpRequest, HttpResponse, PrivateHosts};
use crate::{config_error::ConfigError, runtime::BoxFuture};
use reqwest::{
    ClientBuilder, Method, Response,
    dns::{Addrs, Name, Resolve, Resolving},
};
use std::{io, net::ToSocketAddrs, time::Duration};

/// A connection takes longer than this only when the issuer cannot be reached.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A client of reqwest. The caller applies the time limit of a fetch, because it knows whether the process
/// was stopped meanwhile.
#[derive(Debug)]
pub(crate) struct Reqwest(reqwest::Client);

impl Reqwest {
    /// Creates a client for issuers on other machines. It uses the system's proxy settings.
    pub(crate) fn new() -> Result<Self, ConfigError> {
        Self::build(|builder| builder)
    }

    /// Creates a client for issuers on this machine or in its own network. It uses no proxy, because a proxy
    /// elsewhere cannot reach them, and could replace what is fetched over http.
    pub(crate) fn without_proxy() -> Result<Self, ConfigError> {
        Self::build(ClientBuilder::no_proxy)
    }

    /// Creates a client for the same issuers if they are reached over http.
    pub(crate) fn without_certificates() -> Result<Self, ConfigError> {
        Self::build(|builder| builder.no_proxy().tls_certs_only([]))
    }

    /// Creates a client that authenticates with a certificate (RFC 8705 §2): PEM with the certificate, those
    /// between it and the root, and the private key.
    pub(crate) fn with_identity(pem: &[u8], uses_proxy: bool) -> Result<Self, ConfigError> {
        let identity = reqwest::Identity::from_pem(pem).map_err(|_| {
            ConfigError::new(
                "the client certificate cannot be read. Write PEM with the certificate (and those between it \
                 and the root, if any) and its private key, one after the other",
            )
        })?;
        Self::build(|builder| {
            let builder = builder.identity(identity);
            if uses_proxy { builder } else { builder.no_proxy() }
        })
    }

    /// Creates a client for issuers that must not lead into private networks. It uses no proxy, because a
    /// proxy would resolve names itself.
    pub(crate) fn guarded(allowed: PrivateHosts) -> Result<Self, ConfigError> {
        Self::build(|builder| builder.no_proxy().dns_resolver(PublicOnly(allowed)))
    }

    fn build(set_up: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<Self, ConfigError> {
        check_provider()?;
        let builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            // Fetches are minutes apart: a connection that waits for so long is often lost, silently.
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("auth0-rust/", env!("CARGO_PKG_VERSION")));
        set_up(builder).build().map(Self).map_err(|error| {
            ConfigError::new(format!(
                "the HTTP client cannot be set up: {}. Install the system's certificates (package \
                 ca-certificates) or name a file with SSL_CERT_FILE, check the proxy settings, or set a \
                 client with Builder::http_client",
                chain(error)
            ))
        })
    }
}

/// Checks that the process has a crypto provider, without which reqwest would panic.
#[cfg(not(feature = "reqwest"))]
fn check_provider() -> Result<(), ConfigError> {
    if rustls::crypto::CryptoProvider::get_default().is_some() {
        return Ok(());
    }
    Err(ConfigError::new(
        "rustls has no crypto provider in this process. Write, at the start of main and with the provider \
         that the application uses, rustls::crypto::ring::default_provider().install_default(), or turn \
         on the feature \"reqwest\" instead of \"reqwest-rustls-no-provider\"",
    ))
}

/// Succeeds: reqwest uses the process's provider if there is one, and aws-lc-rs otherwise.
#[cfg(feature = "reqwest")]
#[expect(clippy::unnecessary_wraps, reason = "the other feature can fail")]
const fn check_provider() -> Result<(), ConfigError> {
    Ok(())
}

impl HttpClient for Reqwest {
    fn send<'a>(
        &'a self,
        request: HttpRequest<'a>,
    ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
        Box::pin(async move {
            let method = Method::from_bytes(request.method.as_bytes())
                .map_err(|_| HttpError::new("the method is not one of HTTP"))?;
            let may_repeat = method.is_safe();
            let outcome = match self.attempt(method.clone(), &request).await {
                // The server has closed a connection that was kept open, or it was reset.
                Err(failed) if may_repeat && failed.is_lost_connection => {
                    self.attempt(method, &request).await
                }
                outcome => outcome,
            };
            outcome.map_err(|failed| failed.error)
        })
    }
}

impl Reqwest {
    async fn attempt(
        &self,
        method: Method,
        request: &HttpRequest<'_>,
    ) -> Result<HttpResponse, Failed> {
        let mut sent = self.0.request(method, request.url);
        for (name, value) in request.headers {
            sent = sent.header(*name, *value);
        }
        if !request.body.is_empty() {
            sent = sent.body(request.body.to_vec());
        }
        read(sent.send().await?, request.max_body_bytes).await
    }
}

/// An attempt without an answer.
struct Failed {
    error: HttpError,
    /// Whether a connection was established and broke before the answer was complete.
    is_lost_connection: bool,
}

impl From<reqwest::Error> for Failed {
    fn from(error: reqwest::Error) -> Self {
        let is_broken = error.is_request() || error.is_body() || error.is_decode();
        let is_lost_connection = is_broken && !error.is_timeout() && !error.is_connect();
        let create = if error.is_connect() { HttpError::unsent } else { HttpError::new };
        Self { error: create(chain(error)), is_lost_connection }
    }
}

async fn read(mut response: Response, limit: usize) -> Result<HttpResponse, Failed> {
    let mut answer = HttpResponse::new(response.status().as_u16(), []);
    for (name, value) in response.headers() {
        if let Ok(value) = value.to_str() {
            answer = answer.with_header(name.as_str().to_owned(), value);
        }
    }
    while let Some(chunk) = response.chunk().await? {
        answer.body.extend_from_slice(&chunk);
        if answer.body.len() > limit {
            break; // the caller refuses it
        }
    }
    Ok(answer)
}

/// Resolves names, and drops addresses that are not public. The connection is made to the addresses that it
/// returns, so a name that resolves to another address later has no effect.
struct PublicOnly(PrivateHosts);

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        let rule = if self.0.contains(&name) { AddressRule::Any } else { AddressRule::Public };
        Box::pin(async move {
            // The standard library blocks here.
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

/// Returns the text of an error with its causes: reqwest's own text leaves out what went wrong. A query may
/// contain what only its host should know.
fn chain(mut error: reqwest::Error) -> String {
    if let Some(url) = error.url_mut().filter(|url| url.query().is_some()) {
        url.set_query(Some("..."));
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// `localhost` is the one name that every machine resolves without a name server.
    #[tokio::test]
    async fn a_name_of_a_private_address_is_not_connected_to() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://localhost:{}/", listener.local_addr().unwrap().port());
        let send = async |allowed: &[String]| {
            let client = Reqwest::guarded(PrivateHosts::new(allowed).unwrap()).unwrap();
            let request = HttpRequest::get(&url, AddressRule::Public);
            client.send(request).await
        };
        let error = send(&["elsewhere.internal".into()]).await.unwrap_err().to_string();
        assert!(error.contains("no public address"), "{error}");
        assert!(listener.accept().is_err(), "nothing was connected");
        let allowed = ["localhost".into()];
        let connected = async {
            while listener.accept().is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = connected => {}
            answer = send(&allowed) => panic!("an answer of none: {answer:?}"),
        }
    }
}
