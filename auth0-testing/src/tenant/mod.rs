//! A tenant in the process.
mod proof;
mod settle;
mod signed;
mod token;
mod transport;
mod verified;

pub use proof::ProofBuilder;
pub use token::{Profile, TokenBuilder};
pub use transport::{Document, Failure, Fetches};
pub use verified::{check, organization};

use crate::{clock::ManualClock, key::SigningKey};
use auth0_core::{Algorithm, Auth0, Builder, ConfigError, Domain, Issuer, TrustedIssuer};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;
use transport::InProcess;
use url::{Host, Url};

/// The time at which tests begin: 2026-01-01T00:00:00Z.
const START: Duration = Duration::from_secs(1_767_225_600);

/// A tenant in the process. Clones share one tenant.
///
/// ```
/// use auth0_testing::Tenant;
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let tenant = Tenant::new();
/// let token = tenant.token().subject("auth0|ann").mint();
/// assert_eq!(tenant.auth0().verify(&token).await?.subject(), "auth0|ann");
/// # Ok::<(), auth0_core::Error>(())
/// # }).unwrap()
/// ```
#[derive(Clone, Debug)]
pub struct Tenant(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    issuer: Box<str>,
    audience: String,
    clock: ManualClock,
    state: Mutex<State>,
    /// Whether answers are held back.
    is_held: watch::Sender<bool>,
}

#[derive(Debug)]
struct State {
    /// The keys of the key set. The first one signs.
    keys: Vec<SigningKey>,
    rotations: usize,
    failures: Vec<(Document, Failure)>,
    fetches: Fetches,
    /// The path of the key set below the issuer.
    key_set_path: String,
}

impl Tenant {
    /// Creates a tenant at `https://tenant.test/`, with the API `https://api.tenant.test`.
    #[must_use]
    pub fn new() -> Self {
        Self::named("tenant")
    }

    /// Creates a tenant at `https://{name}.test/`, with the API `https://api.{name}.test`.
    ///
    /// # Panics
    /// The name is not a host label of letters, digits and hyphens.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let issuer = format!("https://{name}.test/");
        let issuer: Issuer = issuer.parse().expect("the name is a host label");
        let audience = format!("https://api.{name}.test");
        let key = SigningKey::fixed(Algorithm::RS256, 0);
        Self::with(issuer.as_str().into(), audience, key, ManualClock::at(START))
    }

    /// Creates a tenant on this machine, whose clock follows the system's, for a server that serves its
    /// documents on a loopback address.
    ///
    /// # Errors
    /// The issuer is not a loopback URL that ends in `/`: a test tenant must not look like a real one.
    pub fn on_loopback(
        issuer: &str,
        audience: impl Into<String>,
        key: SigningKey,
    ) -> Result<Self, ConfigError> {
        let issuer: Issuer = issuer.parse()?;
        if !is_loopback(issuer.as_str()) || !issuer.as_str().ends_with('/') {
            return Err(ConfigError::new(format!(
                "a test tenant cannot be {issuer}. Write a loopback URL, for example \
                 http://127.0.0.1:4400/"
            )));
        }
        let clock = ManualClock::following_the_system();
        Ok(Self::with(issuer.as_str().into(), audience.into(), key, clock))
    }

    /// Creates a tenant whose clock follows the system's, for a server that serves its documents over plain
    /// http under the name of a host, as in a network of containers. A verifier trusts it only if
    /// [`Builder::allow_http_hosts`] names the host, which [`builder`](Self::builder) does.
    ///
    /// ```
    /// use auth0_core::Algorithm;
    /// use auth0_testing::{SigningKey, Tenant};
    ///
    /// let key = SigningKey::generate(Algorithm::RS256)?;
    /// let tenant = Tenant::over_http("http://auth0:4400/", "https://api.acme.com", key)?;
    /// tenant.builder().build()?;
    /// # Ok::<(), auth0_core::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// The issuer is not an http URL that consists of a host and a port and ends in `/`, or the host is not a
    /// plain name: a test tenant must not look like a real one.
    pub fn over_http(
        issuer: &str,
        audience: impl Into<String>,
        key: SigningKey,
    ) -> Result<Self, ConfigError> {
        if http_host(issuer).is_none() {
            return Err(ConfigError::new(format!(
                "the issuer of a test tenant cannot be {issuer:?}. Write http, the name of a host and a \
                 port, for example http://auth0:4400/"
            )));
        }
        Ok(Self::with(issuer.into(), audience.into(), key, ManualClock::following_the_system()))
    }

    fn with(issuer: Box<str>, audience: String, key: SigningKey, clock: ManualClock) -> Self {
        let state = State {
            keys: vec![key],
            rotations: 0,
            failures: Vec::new(),
            fetches: Fetches::default(),
            key_set_path: ".well-known/jwks.json".to_owned(),
        };
        Self(Arc::new(Inner {
            issuer,
            audience,
            clock,
            state: Mutex::new(state),
            is_held: watch::Sender::new(false),
        }))
    }

    /// Returns the issuer, as `iss` has it.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Returns the identifier of the tenant's API.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.0.audience
    }

    /// Returns the clock of this tenant's tokens and verifiers.
    #[must_use]
    pub fn clock(&self) -> &ManualClock {
        &self.0.clock
    }

    /// Returns a verifier for this tenant's API.
    #[must_use]
    pub fn auth0(&self) -> Auth0 {
        self.builder().build().expect("a test tenant can be trusted")
    }

    /// Returns the configuration of [`auth0`](Self::auth0), to change it: issuer, audience, transport and
    /// clock are set.
    pub fn builder(&self) -> Builder {
        Auth0::builder()
            .allow_http_hosts(http_host(self.issuer()))
            .issuer(trusted(self.issuer()))
            .audience(self.audience())
            .http_client(InProcess(vec![self.clone()]))
            .clock(self.0.clock.clone())
    }

    /// Returns the configuration of a verifier that can reach this tenant and others, with this tenant's
    /// audience and clock. It trusts no issuer yet: add them as
    /// [`TrustedIssuer`](auth0_core::TrustedIssuer)s.
    ///
    /// ```
    /// use auth0_core::TrustedIssuer;
    /// use auth0_testing::Tenant;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let (one, two) = (Tenant::named("one"), Tenant::named("two"));
    /// let auth = one
    ///     .builder_with([&two])
    ///     .issuer(TrustedIssuer::new(one.issuer()))
    ///     .issuer(TrustedIssuer::new(two.issuer()).audience(two.audience()))
    ///     .build()
    ///     .unwrap();
    /// assert_eq!(auth.verify(&two.token().mint()).await?.issuer(), "https://two.test/");
    /// # Ok::<(), auth0_core::Error>(())
    /// # }).unwrap()
    /// ```
    pub fn builder_with<'a>(&self, others: impl IntoIterator<Item = &'a Self>) -> Builder {
        let mut reached = vec![self.clone()];
        reached.extend(others.into_iter().cloned());
        Auth0::builder()
            .audience(self.audience())
            .http_client(InProcess(reached))
            .clock(self.0.clock.clone())
    }

    /// Starts a token of a user, which is valid for this tenant's API for a day.
    pub fn token(&self) -> TokenBuilder {
        TokenBuilder::new(self)
    }

    /// Returns the key that signs.
    #[must_use]
    pub fn signing_key(&self) -> SigningKey {
        self.state().keys.first().cloned().expect("a tenant has a key")
    }

    /// Returns the ids of the published keys. The first one is that of the key that signs.
    #[must_use]
    pub fn key_ids(&self) -> Vec<String> {
        self.state().keys.iter().map(|key| key.id().to_owned()).collect()
    }

    /// Signs with this key from now on, and publishes it before the others. A key that is published already
    /// moves to the front.
    pub fn add_key(&self, key: SigningKey) {
        let mut state = self.state();
        state.keys.retain(|published| !published.is_clone_of(&key));
        state.keys.insert(0, key);
    }

    /// Rotates: a new key signs from now on, and the old ones stay published.
    pub fn rotate_keys(&self) {
        let mut state = self.state();
        state.rotations += 1;
        let key = SigningKey::fixed(Algorithm::RS256, state.rotations);
        state.keys.insert(0, key);
    }

    /// Withdraws every key except the one that signs.
    pub fn withdraw_old_keys(&self) {
        self.state().keys.truncate(1);
    }

    /// Withdraws one key. If it is the key that signs, the previous one signs again.
    ///
    /// # Errors
    /// No such key is published, or it is the only one.
    pub fn withdraw_key(&self, id: &str) -> Result<(), ConfigError> {
        let mut state = self.state();
        if state.keys.iter().all(|key| key.id() != id) {
            return Err(ConfigError::new(format!(
                "no key with the id {id:?} is published. Take an id out of the key set"
            )));
        }
        if state.keys.iter().all(|key| key.id() == id) {
            return Err(ConfigError::new(format!(
                "{id:?} is the only key, and tokens could not be signed without it. Rotate first"
            )));
        }
        state.keys.retain(|key| key.id() != id);
        Ok(())
    }

    /// Makes every fetch fail from now on.
    pub fn fail(&self, failure: Failure) {
        self.fail_at(Document::Metadata, failure.clone());
        self.fail_at(Document::KeySet, failure);
    }

    /// Makes every fetch of one document fail from now on.
    pub fn fail_at(&self, document: Document, failure: Failure) {
        let mut state = self.state();
        state.failures.retain(|(failing, _)| *failing != document);
        state.failures.push((document, failure));
    }

    /// Makes all fetches succeed again.
    pub fn recover(&self) {
        self.state().failures.clear();
    }

    /// Publishes the key set at another path below the issuer from now on, and no longer at the old one.
    pub fn move_key_set(&self, path: &str) {
        self.state().key_set_path = path.to_owned();
    }

    pub(crate) fn key_set_path(&self) -> String {
        self.state().key_set_path.clone()
    }

    /// Returns how often each document was requested, including requests that failed.
    #[must_use]
    pub fn fetches(&self) -> Fetches {
        self.state().fetches
    }

    /// Returns the metadata, as a server would send it.
    #[must_use]
    pub fn metadata_json(&self) -> String {
        let issuer = self.issuer();
        let algorithms = Algorithm::ALL.map(Algorithm::as_str);
        json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}{}", self.key_set_path()),
            "token_endpoint": format!("{issuer}oauth/token"),
            "grant_types_supported": ["client_credentials"],
            "response_types_supported": [],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "dpop_signing_alg_values_supported": algorithms,
        })
        .to_string()
    }

    /// Returns the key set, as a server would send it.
    #[must_use]
    pub fn key_set_json(&self) -> String {
        let keys: Vec<Value> = self.state().keys.iter().map(SigningKey::jwk).collect();
        json!({ "keys": keys }).to_string()
    }

    /// Holds back the answers to all fetches until [`release`](Self::release).
    ///
    /// ```
    /// use auth0_testing::Tenant;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let tenant = Tenant::new();
    /// let auth = tenant.auth0();
    /// tenant.hold();
    /// let request = tokio::spawn(async move { auth.warm_up().await.is_ok() });
    /// tenant.settle().await;
    /// assert_eq!((tenant.fetches().metadata, request.is_finished()), (1, false));
    /// tenant.release();
    /// assert!(request.await.unwrap());
    /// # })
    /// ```
    pub fn hold(&self) {
        self.0.is_held.send_replace(true);
    }

    /// Sends the answers that [`hold`](Self::hold) has held back, and later ones at once.
    pub fn release(&self) {
        self.0.is_held.send_replace(false);
    }

    /// Waits until answers are not held back.
    async fn released(&self) {
        // The sender lives as long as the tenant.
        let _ = self.0.is_held.subscribe().wait_for(|is_held| !is_held).await;
    }

    fn asked_for(&self, document: Document) -> Option<Failure> {
        let mut state = self.state();
        match document {
            Document::Metadata => state.fetches.metadata += 1,
            Document::KeySet => state.fetches.key_set += 1,
        }
        state.failures.iter().find(|(failing, _)| *failing == document).map(|(_, f)| f.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the host of an issuer over http, if it is a plain name other than `localhost`.
fn http_host(issuer: &str) -> Option<String> {
    let url = Url::parse(issuer).ok().filter(|url| url.scheme() == "http" && url.path() == "/")?;
    let Some(Host::Domain(host)) = url.host() else { return None };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_name = host.chars().all(is_plain) && !host.ends_with('.') && host != "localhost";
    // Nothing else is in it: no user information, query or fragment.
    let bare =
        url.port().map_or(format!("http://{host}/"), |port| format!("http://{host}:{port}/"));
    (is_name && issuer == bare).then(|| host.to_owned())
}

fn is_loopback(url: &str) -> bool {
    match Url::parse(url).ok().as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl Default for Tenant {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns the configuration of an issuer that stands for a tenant of Auth0: by its domain, if it has one.
fn trusted(issuer: &str) -> TrustedIssuer {
    let domain = issuer.strip_prefix("https://").and_then(|rest| rest.strip_suffix('/'));
    match domain.and_then(|domain| domain.parse::<Domain>().ok()) {
        Some(domain) => TrustedIssuer::domain(domain.as_str()),
        None => TrustedIssuer::new(issuer),
    }
}
