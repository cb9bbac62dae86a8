//! The configuration of a client.
use super::{Client, Shared};
use crate::{
    authentication::{Authentication, MAX_ASSERTION_BYTES, assertion},
    cache::TokenCache,
    key::{ProofKey, SigningKey},
    proof::Prover,
    secret::Secret,
    server::{Server, ServerParts},
};
use auth0_core::{
    ConfigError, Domain, Issuer,
    support::{PlainHttp, SystemClock, default_client, issuer},
    time::Clock,
    transport::HttpClient,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use std::{fmt, sync::Arc, time::Duration};

/// The limit of a call, unless another one is set.
const DEADLINE: Duration = Duration::from_secs(10);

/// The limit for all tokens in memory, unless another one is set: about 16,000 small ones.
const CACHE_BYTES: usize = 32 * 1024 * 1024;

/// Auth0 accepts ids of up to 64 characters in assertions.
const MAX_ID_CHARS: usize = 64;

/// The configuration of a [`Client`]. Mistakes fail in [`build`](Self::build), with a text that says what to write
/// instead.
///
/// ```
/// use auth0_client::Client;
///
/// let builder = Client::builder().domain("acme.eu.auth0.com").client_id("reporting");
/// let error = builder.client_secret("YOUR_CLIENT_SECRET").build().unwrap_err().to_string();
/// assert!(error.contains("placeholder"), "{error}");
/// ```
#[derive(Clone, Default)]
#[must_use = "`build` creates the client"]
pub struct ClientBuilder {
    domain: Option<String>,
    issuer: Option<String>,
    client_id: Option<String>,
    secret: Option<Secret>,
    is_basic: bool,
    signing_key: Option<SigningKey>,
    request_key: Option<SigningKey>,
    certificate: Option<Certificate>,
    is_public: bool,
    proof_key: Option<ProofKey>,
    needs_dpop: bool,
    http_hosts: Vec<String>,
    http: Option<Arc<dyn HttpClient>>,
    clock: Option<Arc<dyn Clock>>,
    deadline: Option<Duration>,
    cache_bytes: Option<usize>,
    has_no_telemetry: bool,
}

#[derive(Clone)]
enum Certificate {
    Pem(Secret),
    /// The application's own transport presents it.
    OfTransport,
}

impl ClientBuilder {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Sets the domain of the tenant, for example `acme.eu.auth0.com`: the canonical or a custom domain.
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// Sets the issuer as a URL instead of a domain: for another provider, or a tenant on your own machine.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    pub(crate) fn with_tenant(mut self, tenant: &str) -> Self {
        let is_issuer = tenant.contains("://");
        self.domain = (!is_issuer).then(|| tenant.to_owned());
        self.issuer = is_issuer.then(|| tenant.to_owned());
        self
    }

    /// Sets the client id: Dashboard > Applications > Settings.
    pub fn client_id(mut self, id: impl Into<String>) -> Self {
        self.client_id = Some(id.into());
        self
    }

    /// Authenticates with a secret in the body (`client_secret_post`).
    pub fn client_secret(mut self, secret: impl Into<String>) -> Self {
        self.secret = Some(Secret::new(secret));
        self
    }

    /// Sends the secret in the header `Authorization` instead (`client_secret_basic`).
    pub const fn basic_authentication(mut self) -> Self {
        self.is_basic = true;
        self
    }

    /// Authenticates with an assertion that this key signs (`private_key_jwt`).
    pub fn signing_key(mut self, key: SigningKey) -> Self {
        self.signing_key = Some(key);
        self
    }

    /// Sets the key that signs authorization requests (JAR) and requests of a privileged worker, if the client
    /// authenticates with a secret or a certificate. A [`signing_key`](Self::signing_key) signs them, too.
    pub fn request_key(mut self, key: SigningKey) -> Self {
        self.request_key = Some(key);
        self
    }

    /// Authenticates with a certificate (mTLS, RFC 8705): PEM with the certificate, those between it and the root, and
    /// the private key. The endpoints of `mtls_endpoint_aliases` are used where the metadata names them.
    pub fn certificate(mut self, pem: impl Into<String>) -> Self {
        self.certificate = Some(Certificate::Pem(Secret::new(pem)));
        self
    }

    /// Authenticates with a certificate that the client of [`http_client`](Self::http_client) presents.
    pub fn certificate_of_http_client(mut self) -> Self {
        self.certificate = Some(Certificate::OfTransport);
        self
    }

    /// Does not authenticate: a public client, which has no tokens of its own.
    pub const fn public(mut self) -> Self {
        self.is_public = true;
        self
    }

    /// Binds all tokens to this DPoP key (RFC 9449). An answer with a token that is not bound is refused. Tokens of
    /// Token Vault are those of another provider, and not bound.
    pub fn dpop(mut self, key: ProofKey) -> Self {
        self.proof_key = Some(key);
        self
    }

    /// Binds all tokens to a DPoP key that the client generates: for a service of one instance, or without refresh
    /// tokens.
    pub const fn dpop_with_own_key(mut self) -> Self {
        self.needs_dpop = true;
        self
    }

    /// Allows these hosts over http, for development: see
    /// [`Builder::allow_http_hosts`](auth0_core::Builder::allow_http_hosts).
    pub fn allow_http_hosts<T: Into<String>>(mut self, hosts: impl IntoIterator<Item = T>) -> Self {
        self.http_hosts.extend(hosts.into_iter().map(Into::into));
        self
    }

    /// Replaces the transport.
    pub fn http_client(mut self, http: impl HttpClient) -> Self {
        self.http = Some(Arc::new(http));
        self
    }

    /// Replaces the clock, for tests.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Sets the limit of each call: 10 seconds by default. A wait that would pass it, such as that for a rate limit,
    /// fails at once.
    pub const fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = Some(limit);
        self
    }

    /// Sets the limit for the tokens in memory, in bytes: 32 MiB by default. With 0, no token is kept there, but those
    /// that a [`TokenSource`](crate::TokenSource) holds.
    pub const fn cache_bytes(mut self, limit: usize) -> Self {
        self.cache_bytes = Some(limit);
        self
    }

    /// Does not send the name and version of this library to Auth0 (`Auth0-Client`).
    pub const fn without_telemetry(mut self) -> Self {
        self.has_no_telemetry = true;
        self
    }

    /// Creates the client. Nothing is sent.
    ///
    /// # Errors
    /// A setting is missing, is a placeholder, or contradicts another.
    pub fn build(self) -> Result<Client, ConfigError> {
        let plain_http = PlainHttp::parse(&self.http_hosts)?;
        let issuer = self.parsed_issuer(&plain_http)?;
        if plain_http.names().next().is_some() {
            let hosts: Vec<&str> = plain_http.names().collect();
            tracing::warn!(
                target: "auth0", hosts = hosts.join(","),
                "secrets and tokens may be sent to these hosts over plain http, so that an attacker in the network \
                 can read them. In production, remove AUTH0_ALLOW_HTTP_HOSTS (ClientBuilder::allow_http_hosts)"
            );
        }
        let client_id = self.parsed_client_id()?;
        let authentication = self.authentication()?;
        check_assertion(&authentication, &client_id, &issuer)?;
        let deadline = self.deadline.unwrap_or(DEADLINE);
        if deadline.is_zero() {
            return Err(ConfigError::new(
                "the deadline of calls is zero, so that none could succeed. Write a time such as \
                 Duration::from_secs(10)",
            ));
        }
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock::new()));
        let proof_key = match self.proof_key {
            None if self.needs_dpop => Some(ProofKey::generate()?),
            key => key,
        };
        let http = match (self.http, &self.certificate) {
            (Some(http), _) => http,
            (None, Some(Certificate::Pem(pem))) => {
                default_client(issuer.as_str(), Some(pem.as_bytes()))?
            }
            (None, Some(Certificate::OfTransport)) => {
                return Err(ConfigError::new(
                    "certificate_of_http_client needs .http_client(…) with a client that presents the \
                     certificate. For a certificate in PEM, call .certificate(…)",
                ));
            }
            (None, None) => default_client(issuer.as_str(), None)?,
        };
        let cache = TokenCache::new(self.cache_bytes.unwrap_or(CACHE_BYTES), Arc::clone(&clock));
        let server = Server::new(ServerParts {
            is_auth0: self.domain.is_some() || issuer.as_str().ends_with(".auth0.com/"),
            issuer,
            plain_http,
            http,
            prover: proof_key.map(|key| Arc::new(Prover::new(key, Arc::clone(&clock)))),
            clock,
            client_id: client_id.into(),
            authentication,
            telemetry: (!self.has_no_telemetry).then(telemetry),
            request_key: self.request_key,
        });
        Ok(Client(Arc::new(Shared { server, cache: Arc::new(cache), deadline })))
    }

    fn parsed_issuer(&self, plain_http: &PlainHttp) -> Result<Issuer, ConfigError> {
        let of_domain = match &self.domain {
            Some(domain) => Some(domain.parse::<Domain>()?.issuer()),
            None => None,
        };
        let of_issuer = match &self.issuer {
            Some(text) => Some(issuer(text, plain_http)?),
            None => None,
        };
        match (of_domain, of_issuer) {
            (Some(domain), Some(issuer)) if domain != issuer => Err(ConfigError::new(format!(
                "the domain means the issuer {domain}, and the issuer is {issuer}. Set only one of them"
            ))),
            (Some(issuer), _) | (None, Some(issuer)) => Ok(issuer),
            (None, None) => Err(ConfigError::new(
                "the client has no domain. Add .domain(\"acme.eu.auth0.com\") or set AUTH0_DOMAIN",
            )),
        }
    }

    fn parsed_client_id(&self) -> Result<String, ConfigError> {
        let id = self.client_id.as_deref().unwrap_or_default().trim();
        let why = match id {
            "" => "is missing",
            id if is_placeholder(id) => "is still a placeholder",
            id if !id.bytes().all(|byte| byte.is_ascii_graphic()) => {
                "has a space or an invisible character in it"
            }
            id => return Ok(id.to_owned()),
        };
        Err(ConfigError::new(format!(
            "the client id {why}. Set AUTH0_CLIENT_ID, or .client_id(…), to the client id of Dashboard > \
             Applications > Settings"
        )))
    }

    /// Returns whether there is a key that signs authorization requests.
    pub(crate) const fn signs_requests(&self) -> bool {
        self.signing_key.is_some() || self.request_key.is_some()
    }

    fn authentication(&self) -> Result<Authentication, ConfigError> {
        let methods = [
            ("a secret", self.secret.is_some()),
            ("a signing key", self.signing_key.is_some()),
            ("a certificate", self.certificate.is_some()),
            ("no authentication (public)", self.is_public),
        ];
        let set: Vec<&str> =
            methods.iter().filter(|(_, is_set)| *is_set).map(|(name, _)| *name).collect();
        if set.len() > 1 {
            return Err(ConfigError::new(format!(
                "the client has {}. Set one of them: Auth0 accepts one method in a request",
                set.join(" and ")
            )));
        }
        if self.is_basic && self.secret.is_none() {
            return Err(ConfigError::new(
                "basic_authentication needs a secret. Add .client_secret(…), or leave it out",
            ));
        }
        if let Some(secret) = &self.secret {
            check_secret(secret)?;
        }
        Ok(match (&self.secret, &self.signing_key, &self.certificate) {
            (Some(secret), ..) if self.is_basic => Authentication::SecretInHeader(secret.clone()),
            (Some(secret), ..) => Authentication::SecretInBody(secret.clone()),
            (_, Some(key), _) => Authentication::Assertion(key.clone()),
            (.., Some(_)) => Authentication::Certificate,
            _ if self.is_public => Authentication::None,
            _ => {
                return Err(ConfigError::new(
                    "the client has no way to authenticate. Set AUTH0_CLIENT_SECRET or \
                     AUTH0_CLIENT_ASSERTION_SIGNING_KEY, call .client_secret(…), .signing_key(…) or \
                     .certificate(…), or .public() for a client that has no secret",
                ));
            }
        })
    }
}

/// Checks a secret, and never quotes it.
fn check_secret(secret: &str) -> Result<(), ConfigError> {
    let why = match secret {
        "" => "is empty",
        secret if secret.contains("-----BEGIN") => {
            "is a key in PEM. A private key goes into AUTH0_CLIENT_ASSERTION_SIGNING_KEY, or .signing_key(…)"
        }
        secret if !secret.starts_with('$') && is_placeholder(secret) => "is still a placeholder",
        secret if secret.trim() != secret || secret.chars().any(char::is_control) => {
            "has a space or an invisible character at one end, or inside"
        }
        secret
            if secret.starts_with(['"', '\''])
                && secret.len() > 1
                && secret.ends_with(['"', '\'']) =>
        {
            "has quotation marks around it"
        }
        _ => return Ok(()),
    };
    Err(ConfigError::new(format!(
        "the client secret {why}. Write the client secret of Dashboard > Applications > Settings"
    )))
}

/// Checks that assertions of this client are such as Auth0 accepts.
fn check_assertion(
    authentication: &Authentication,
    client_id: &str,
    issuer: &Issuer,
) -> Result<(), ConfigError> {
    let Some(key) = authentication.signing_key() else { return Ok(()) };
    if client_id.chars().count() > MAX_ID_CHARS {
        return Err(ConfigError::new(format!(
            "the client id has more than {MAX_ID_CHARS} characters, which client assertions cannot have"
        )));
    }
    let sample = assertion(key, client_id, issuer.as_str(), Duration::from_secs(10_000_000_000));
    match sample.is_some_and(|sample| sample.len() > MAX_ASSERTION_BYTES) {
        true => Err(ConfigError::new(format!(
            "client assertions with this signing key would be longer than {MAX_ASSERTION_BYTES} bytes, which \
             is Auth0's limit. Use an RSA key of 2048 to 4096 bits, and a short key id"
        ))),
        false => Ok(()),
    }
}

fn is_placeholder(text: &str) -> bool {
    let upper = text.to_ascii_uppercase();
    upper.starts_with("YOUR_")
        || upper.starts_with("YOUR-")
        || text.starts_with('{') && text.ends_with('}')
        || text.starts_with('<') && text.ends_with('>')
        || text.starts_with('$')
}

/// Returns the value of `Auth0-Client`.
fn telemetry() -> String {
    let version = env!("CARGO_PKG_VERSION");
    URL_SAFE_NO_PAD.encode(json!({ "name": "auth0-rust", "version": version }).to_string())
}

/// Omits all secrets.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("domain", &self.domain)
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
