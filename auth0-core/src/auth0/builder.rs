//! The configuration of a verifier. Mistakes are errors of `build()`, not of the first request.
use super::{Auth0, limits, refusal_log::RefusalLog, token_cache::TokenCache, verifier::Verifier};
use crate::{
    config_error::ConfigError,
    error::{ChallengeOptions, DpopMode, RefusalBody},
    identifier::{PlainHttp, Resource},
    issuer::{
        IssuerConfig, IssuerDefaults, IssuerRegistry, IssuerSettings, Trusted, TrustedIssuer,
        resolver::ResolvedIssuers,
    },
    jose::Algorithm,
    keys::STALE,
    possession::dpop::Dpop,
    request::Origin,
    revocation::Revocations,
    runtime::{Clock, SystemClock},
    token::{ClockCheck, claim_mapping::ClaimPath},
    transport::{DefaultClients, HttpClient},
};
use std::{fmt, sync::Arc, time::Duration};

/// Auth0 signs with RS256 or PS256.
const DEFAULT_ALGORITHMS: [Algorithm; 2] = [Algorithm::RS256, Algorithm::PS256];

/// Clocks that use NTP differ by less.
const DEFAULT_LEEWAY: Duration = Duration::from_secs(5);

/// The configuration of a verifier: [`Auth0::builder`] starts it, [`build`](Self::build) ends it.
///
/// ```
/// use auth0_core::{Algorithm, Auth0};
/// use std::time::Duration;
///
/// let auth = Auth0::builder()
///     .domain("acme.eu.auth0.com")
///     .audiences(["https://api.acme.com", "https://admin.acme.com"])
///     .algorithms([Algorithm::RS256])
///     .leeway(Duration::from_secs(30))
///     .build()?;
/// # let _ = auth;
///
/// let error = Auth0::builder().domain("YOUR_DOMAIN").audience("x").build().unwrap_err();
/// assert!(error.to_string().contains("placeholder"));
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct Builder {
    issuers: Vec<TrustedIssuer>,
    resolver: Option<ResolvedIssuers>,
    audiences: Vec<String>,
    algorithms: Vec<Algorithm>,
    leeway: Duration,
    rfc9068_only: bool,
    max_token_bytes: usize,
    stale_keys: Duration,
    token_cache: usize,
    dpop: Dpop,
    public_url: Option<String>,
    resource: Option<String>,
    revocations: Option<Revocations>,
    ends_with_keys: bool,
    session_claim: ClaimPath,
    trusted_proxies: Vec<String>,
    http_hosts: Vec<String>,
    realm: Option<String>,
    body: Option<RefusalBody>,
    logs_all_refusals: bool,
    http: Option<Arc<dyn HttpClient>>,
    clock: Option<Arc<dyn Clock>>,
    pub(super) introduces: bool,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            issuers: Vec::new(),
            resolver: None,
            audiences: Vec::new(),
            algorithms: DEFAULT_ALGORITHMS.into(),
            leeway: DEFAULT_LEEWAY,
            rfc9068_only: false,
            max_token_bytes: limits::DEFAULT_MAX_TOKEN_BYTES,
            stale_keys: STALE,
            token_cache: limits::DEFAULT_TOKEN_CACHE,
            dpop: Dpop::allowed(),
            public_url: None,
            resource: None,
            revocations: None,
            ends_with_keys: false,
            session_claim: ClaimPath::default(),
            trusted_proxies: Vec::new(),
            http_hosts: Vec::new(),
            realm: None,
            body: None,
            logs_all_refusals: false,
            http: None,
            clock: None,
            introduces: true,
        }
    }

    /// Adds the domain of a tenant, as the dashboard shows it: see [`Domain`](crate::Domain). Each call
    /// adds a domain, for example a custom domain or another tenant. Tokens of all of them are accepted.
    pub fn domain(self, domain: impl Into<String>) -> Self {
        self.issuer(TrustedIssuer::domain(domain))
    }

    /// Adds domains of tenants and custom domains. Tokens of all of them are accepted.
    pub fn domains<D: Into<String>>(self, domains: impl IntoIterator<Item = D>) -> Self {
        domains.into_iter().fold(self, Self::domain)
    }

    /// Adds an issuer by its full URL (or a domain, if there is no scheme), or with its own settings: see
    /// [`TrustedIssuer`]. Each call adds an issuer. Tokens of all of them are accepted.
    pub fn issuer(mut self, issuer: impl Into<TrustedIssuer>) -> Self {
        self.issuers.push(issuer.into());
        self
    }

    /// Adds issuers by their full URLs, or with their own settings. Tokens of all of them are accepted.
    ///
    /// ```
    /// use auth0_core::Auth0;
    ///
    /// let auth = Auth0::builder()
    ///     .issuers(["https://acme.eu.auth0.com/", "https://id.partner.com/"])
    ///     .audience("https://api.acme.com")
    ///     .build()?;
    /// assert_eq!(auth.issuers().count(), 2);
    /// # Ok::<(), auth0_core::ConfigError>(())
    /// ```
    pub fn issuers<I: Into<TrustedIssuer>>(self, issuers: impl IntoIterator<Item = I>) -> Self {
        issuers.into_iter().fold(self, Self::issuer)
    }

    /// Sets the resolver of issuers that are not known now: an
    /// [`IssuerResolver`](crate::resolver::IssuerResolver), or [`ResolvedIssuers`] for its settings. No
    /// domain and no issuer is needed then. A second call replaces the resolver.
    pub fn issuer_resolver(mut self, resolver: impl Into<ResolvedIssuers>) -> Self {
        self.resolver = Some(resolver.into());
        self
    }

    /// Adds the identifier of this API. Each call adds an identifier. Tokens for all of them are accepted.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Adds identifiers of this API. Tokens for all of them are accepted.
    pub fn audiences<A: Into<String>>(mut self, audiences: impl IntoIterator<Item = A>) -> Self {
        self.audiences.extend(audiences.into_iter().map(Into::into));
        self
    }

    /// Sets the signature algorithms that are accepted, instead of RS256 and PS256.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// Sets how far clocks may differ, for `exp`, `nbf` and `iat`: 5 s by default, at most 60 s.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Accepts only tokens of the profile of RFC 9068: `typ` is `at+jwt`, and `sub`, `client_id`, `jti` and
    /// `iat` are required. Off by default, because an API of Auth0 has Auth0's profile by default.
    pub fn rfc9068_only(mut self, only: bool) -> Self {
        self.rfc9068_only = only;
        self
    }

    /// Limits the size of a token in bytes: 16 KiB by default, at most 1 MiB.
    pub fn max_token_bytes(mut self, bytes: usize) -> Self {
        self.max_token_bytes = bytes;
        self
    }

    /// Sets how long an issuer's keys are served while the issuer fails, counted from the last successful
    /// fetch: 24 h by default. With zero, requests get `503` as soon as the keys are ten minutes old and
    /// cannot be fetched.
    pub fn serve_stale_keys_for(mut self, time: Duration) -> Self {
        self.stale_keys = time;
        self
    }

    /// Limits how many verified tokens are cached, so that a repeated token costs no signature check:
    /// 10,000 by default, at most 1,000,000; zero disables the cache.
    ///
    /// The cache takes at most 2 KiB for each of these tokens (16 KiB in all for fewer than eight), and
    /// about the size of the payload for each token in it. It contains the content of tokens, never the
    /// tokens. A token that would take more than 16 KiB is not cached, nor is a token without a `kid`. A
    /// cached token is refused as soon as it has expired, or its key has left the issuer's key set; see
    /// [`Auth0::refresh`].
    pub fn token_cache(mut self, tokens: usize) -> Self {
        self.token_cache = tokens;
        self
    }

    /// Sets how tokens that are bound to a client's key are handled: see [`Dpop`]. By default, they are
    /// accepted with a proof, and others as bearer tokens.
    pub fn dpop(mut self, dpop: Dpop) -> Self {
        self.dpop = dpop;
        self
    }

    /// Sets the URL that clients use for this API, in front of any proxy: `https://api.acme.com`, or
    /// `https://acme.com/api` if a proxy strips `/api`. DPoP proofs name it (`htu`, RFC 9449 §4.2).
    ///
    /// Without it, the URL is taken from the connection and the `Host` header of each request. Behind a
    /// proxy that ends TLS or changes the host, every proof is then refused.
    pub fn public_url(mut self, url: impl Into<String>) -> Self {
        self.public_url = Some(url.into());
        self
    }

    /// Sets the identifier of this API as a protected resource (RFC 9728): the URL that clients use, such as
    /// `https://api.acme.com/mcp`, which is also an accepted audience (the only one if no other is set).
    /// Challenges then name the URL of its metadata, so that a client that knows only this URL finds the
    /// issuer, and a `401` behind a requirement names the scopes: what MCP clients need. Publish the
    /// metadata: see [`Auth0::resource_metadata`](crate::Auth0::resource_metadata).
    ///
    /// Write it as clients write it, with a path: some clients add a slash to a bare origin, so that both
    /// spellings of one are accepted as the audience. It never comes from a request.
    pub fn resource(mut self, url: impl Into<String>) -> Self {
        self.resource = Some(url.into());
        self
    }

    /// Refuses tokens that are revoked: see [`revocation`](crate::revocation). Several verifiers can have the same
    /// revocations.
    pub fn revocations(mut self, revocations: &Revocations) -> Self {
        self.revocations = Some(revocations.clone());
        self
    }

    /// Ends open streams and connections also when the issuer withdraws the key of their token
    /// ([`VerifiedToken::ended`](crate::VerifiedToken::ended)). Off by default: where an issuer rotates its keys and
    /// withdraws the old one at once, all clients connect again at the same time.
    ///
    /// New requests with such a token are refused in any case. The withdrawal is known when the keys are fetched next:
    /// after ten minutes, or with [`Auth0::refresh`]. An issuer that cannot be reached has withdrawn nothing. Of an
    /// issuer that a resolver has found, it is known while its keys are in memory.
    pub fn end_on_key_withdrawal(mut self) -> Self {
        self.ends_with_keys = true;
        self
    }

    /// Sets the path of the claim that names the login session, for all issuers that do not say it themselves:
    /// [`TrustedIssuer::session_claim`].
    pub fn session_claim<N: Into<String>>(mut self, path: impl IntoIterator<Item = N>) -> Self {
        self.session_claim = ClaimPath::new(path);
        self
    }

    /// Adds trusted proxies, as addresses (`10.0.0.7`) or networks (`10.0.0.0/8`). Their headers
    /// `Forwarded` (RFC 7239), `X-Forwarded-Proto` and `X-Forwarded-Host` contain the URL that the client
    /// used, and `Client-Cert` (RFC 9440) and `X-Forwarded-Client-Cert` its certificate. From other peers
    /// these headers are ignored.
    ///
    /// A proxy must overwrite or remove *each* of these headers; otherwise clients can write them.
    pub fn trusted_proxies<P: Into<String>>(
        mut self,
        proxies: impl IntoIterator<Item = P>,
    ) -> Self {
        self.trusted_proxies.extend(proxies.into_iter().map(Into::into));
        self
    }

    /// Adds hosts whose issuers, and whose key sets, may be reached over plain http, as in a network of
    /// containers: `auth0` allows the issuer `http://auth0:4400/`. **For development only:** an attacker in
    /// the network can replace the keys, and then sign tokens. Without this, http is accepted on loopback
    /// only.
    ///
    /// These are plain names of hosts: no address, port or wildcard. A name holds for every port. Each start
    /// logs a warning with the names. A proxy of the environment is not used for these hosts. They do not
    /// hold for issuers that a [resolver](crate::resolver::IssuerResolver) finds.
    ///
    /// ```
    /// use auth0_core::Auth0;
    ///
    /// let builder = || Auth0::builder().issuer("http://auth0:4400/").audience("https://api.acme.com");
    /// builder().allow_http_hosts(["auth0"]).build()?;
    ///
    /// let error = builder().build().unwrap_err().to_string();
    /// assert!(error.contains("AUTH0_ALLOW_HTTP_HOSTS=auth0"));
    /// # Ok::<(), auth0_core::ConfigError>(())
    /// ```
    pub fn allow_http_hosts<H: Into<String>>(mut self, hosts: impl IntoIterator<Item = H>) -> Self {
        self.http_hosts.extend(hosts.into_iter().map(Into::into));
        self
    }

    /// Sets the `realm` parameter of challenges (RFC 9110 §11.5). There is none by default.
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// Sets the body of every refusal of this verifier, in extractors, layers and middleware: see
    /// [`RefusalBody`]. Status and challenge do not change.
    pub fn refusal_body(mut self, body: RefusalBody) -> Self {
        self.body = Some(body);
        self
    }

    /// Logs every refusal. By default, twenty refusals with the same `error_code` and issuer are logged in a
    /// minute, and the others are counted: the next refusal after that minute is preceded by a line such as
    /// "1,234 more refusals with this code were not logged in the last 60 s". Metrics count each refusal
    /// in both cases.
    pub fn log_every_refusal(mut self) -> Self {
        self.logs_all_refusals = true;
        self
    }

    /// Sets the client that fetches the issuer's documents, instead of reqwest.
    pub fn http_client(mut self, client: impl HttpClient) -> Self {
        self.http = Some(Arc::new(client));
        self
    }

    /// Sets the clock, instead of the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Checks the configuration and creates the verifier. Fetches nothing.
    ///
    /// # Errors
    /// A setting is missing or not valid. The text says what to write instead.
    pub fn build(self) -> Result<Auth0, ConfigError> {
        let resource: Option<Resource> =
            self.resource.map(|resource| resource.parse()).transpose()?;
        let defaults = IssuerDefaults {
            audiences: self.audiences,
            resource: resource.as_ref().map(Resource::audiences).unwrap_or_default(),
            algorithms: self.algorithms.iter().copied().collect(),
            leeway: self.leeway,
            rfc9068_only: self.rfc9068_only,
            dpop: self.dpop.mode,
            session_claim: self.session_claim,
        };
        let plain_http = PlainHttp::parse(&self.http_hosts)?;
        let configs = IssuerConfig::all_checked(self.issuers, &defaults, &plain_http)?;
        if configs.is_empty() && self.resolver.is_none() {
            return Err(ConfigError::new(
                "no domain is set. Add .domain(\"acme.eu.auth0.com\"), with the domain of your \
                 tenant (Dashboard > Applications > Settings > Domain)",
            ));
        }
        limits::check(self.max_token_bytes, self.token_cache)?;
        if self.realm.as_ref().is_some_and(|realm| !realm.bytes().all(|b| matches!(b, b' '..=b'~')))
        {
            return Err(ConfigError::new(
                "the realm has characters that a header cannot carry. Write printable ASCII",
            ));
        }
        if let Some(body) = &self.body {
            body.check()?;
        }
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock::new()));
        let origin = Origin::new(self.public_url.as_deref(), &self.trusted_proxies)?;
        let mode = self.dpop.mode;
        let dpop = self.dpop.rules()?;
        let challenge_of = |dpop_mode| {
            Arc::new(ChallengeOptions {
                realm: self.realm.clone(),
                dpop: dpop_mode,
                proof_algorithms: dpop.algorithm_names.clone(),
                resource_metadata: resource.as_ref().map(Resource::metadata_url),
                body: self.body.clone(),
            })
        };
        let settings = IssuerSettings {
            defaults,
            stale_keys: self.stale_keys,
            clock: Arc::clone(&clock),
            challenges: [DpopMode::Allowed, DpopMode::Required, DpopMode::Disabled]
                .map(challenge_of),
            revocations: self.revocations.clone(),
            ends_with_keys: self.ends_with_keys,
        };
        let mut clients = DefaultClients::new(self.http);
        let configured = configs.iter().map(|config| config.dpop);
        let modes = match self.resolver {
            Some(_) => configured.fold(mode, DpopMode::or),
            None => configured.reduce(DpopMode::or).unwrap_or(mode),
        };
        let mut trusted = Vec::with_capacity(configs.len());
        for (position, config) in configs.into_iter().enumerate() {
            let first_url = config.key_source.first_url();
            let transport = first_url.map(|url| clients.of(&url)).transpose()?;
            trusted.push(settings.configured(position, config, transport));
        }
        let challenge = settings.challenge(modes);
        // Issuers that a resolver finds may have any mode.
        let schemes = if self.resolver.is_some() { DpopMode::Allowed } else { modes };
        let resolver = match self.resolver {
            Some(resolver) => {
                let transport = clients.guarded(resolver.private()?)?;
                Some(resolver.start(settings, transport)?)
            }
            None => None,
        };
        plain_http.warn();
        if let Some(revocations) = &self.revocations {
            let issuers =
                trusted.iter().map(|trusted| (trusted.name(), trusted.validation.has_sessions()));
            revocations.start(&clock, issuers, resolver.is_some());
        }
        let labels = trusted.iter().map(Trusted::metrics_label);
        let refusals = RefusalLog::new(labels, self.logs_all_refusals, Arc::clone(&clock));
        let verifier = Verifier {
            issuers: IssuerRegistry::new(trusted, resolver),
            refusals,
            resource,
            max_token_bytes: self.max_token_bytes,
            tokens: TokenCache::new(self.token_cache)?,
            revocations: self.revocations,
            clock,
            clock_check: ClockCheck::default(),
            challenge,
            schemes,
            dpop,
            origin,
        };
        if self.introduces {
            verifier.introduce(modes);
        }
        Ok(Auth0::from(verifier))
    }
}

impl fmt::Debug for Builder {
    /// Omits text that was not parsed yet, which may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("audiences", &self.audiences)
            .field("algorithms", &self.algorithms)
            .field("leeway", &self.leeway)
            .finish_non_exhaustive()
    }
}
