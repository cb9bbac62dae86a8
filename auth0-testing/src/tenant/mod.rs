//! A tenant in the process.
mod proof;
mod settle;
mod token;
mod transport;
mod verified;

pub use proof::ProofBuilder;
pub use token::{Profile, TokenBuilder};
pub use transport::{Document, Failure, Fetches};
pub use verified::{check, organization};

use crate::{clock::ManualClock, key::SigningKey};
use auth0_core::{Algorithm, Auth0, Builder, ConfigError, Issuer};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;
use transport::InProcess;
use url::{Host, Url};

/// 2026-01-01T00:00:00Z: a round moment for tests to begin at.
const START: Duration = Duration::from_secs(1_767_225_600);

/// A tenant in the process. Clones are the same tenant.
#[derive(Clone, Debug)]
pub struct Tenant(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    issuer: Issuer,
    audience: String,
    clock: ManualClock,
    state: Mutex<State>,
    /// Whether answers are held back.
    is_held: watch::Sender<bool>,
}

#[derive(Debug)]
struct State {
    /// What the key set lists. The first one signs.
    keys: Vec<SigningKey>,
    rotations: usize,
    failures: Vec<(Document, Failure)>,
    fetches: Fetches,
    /// Where the key set is, below the issuer.
    key_set_path: String,
}

impl Tenant {
    /// A tenant at `https://tenant.test/`, with the API `https://api.tenant.test`.
    #[must_use]
    pub fn new() -> Self {
        Self::named("tenant")
    }

    /// A tenant at `https://{name}.test/`, with the API `https://api.{name}.test`.
    ///
    /// # Panics
    /// The name is not a host label: letters, digits, hyphens.
    #[must_use]
    pub fn named(name: &str) -> Self {
        let issuer = format!("https://{name}.test/").parse().expect("the name is a host label");
        let audience = format!("https://api.{name}.test");
        let key = SigningKey::fixed(Algorithm::RS256, 0);
        Self::with(issuer, audience, key, ManualClock::at(START))
    }

    /// A tenant on this machine, whose clock goes with the system's: for a server that speaks for
    /// it, on a loopback address.
    ///
    /// # Errors
    /// The issuer is not a loopback URL that ends in `/`: a test tenant must not pass for a real
    /// one.
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
        Ok(Self::with(issuer, audience.into(), key, ManualClock::following_the_system()))
    }

    fn with(issuer: Issuer, audience: String, key: SigningKey, clock: ManualClock) -> Self {
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

    /// The issuer, as it stands in `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.0.issuer.as_str()
    }

    /// The identifier of the tenant's API.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.0.audience
    }

    /// The clock that tokens and verifiers of this tenant go by.
    #[must_use]
    pub fn clock(&self) -> &ManualClock {
        &self.0.clock
    }

    /// A verifier for this tenant's API.
    #[must_use]
    pub fn auth0(&self) -> Auth0 {
        self.builder().build().expect("a test tenant can be trusted")
    }

    /// The same, to be configured further: issuer, audience, transport and clock are set.
    pub fn builder(&self) -> Builder {
        Auth0::builder()
            .issuer(self.issuer())
            .audience(self.audience())
            .http_client(InProcess(vec![self.clone()]))
            .clock(self.0.clock.clone())
    }

    /// A verifier that can reach this tenant and others, and has yet to be told which issuers to trust, as
    /// [`TrustedIssuer`](auth0_core::TrustedIssuer)s. Its audience is this tenant's unless they say otherwise, and
    /// so is its clock.
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

    /// Begins a token: that of a user, good for this tenant's API for a day.
    pub fn token(&self) -> TokenBuilder {
        TokenBuilder::new(self)
    }

    /// The key that signs.
    #[must_use]
    pub fn signing_key(&self) -> SigningKey {
        self.state().keys.first().cloned().expect("a tenant has a key")
    }

    /// The ids of the published keys. The first one is that of the key that signs.
    #[must_use]
    pub fn key_ids(&self) -> Vec<String> {
        self.state().keys.iter().map(|key| key.id().to_owned()).collect()
    }

    /// Signs with this key from now on, and publishes it before the others. A key that is published
    /// already moves there.
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

    /// Withdraws every key but the one that signs.
    pub fn withdraw_old_keys(&self) {
        self.state().keys.truncate(1);
    }

    /// Withdraws one key. If it is the one that signs, the one before it signs again.
    ///
    /// # Errors
    /// No such key is published, or no other one.
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

    /// Lets every fetch go wrong from now on.
    pub fn fail(&self, failure: Failure) {
        self.fail_at(Document::Metadata, failure.clone());
        self.fail_at(Document::KeySet, failure);
    }

    /// Lets the fetches of one document go wrong from now on.
    pub fn fail_at(&self, document: Document, failure: Failure) {
        let mut state = self.state();
        state.failures.retain(|(failing, _)| *failing != document);
        state.failures.push((document, failure));
    }

    /// Answers again.
    pub fn recover(&self) {
        self.state().failures.clear();
    }

    /// Publishes the key set at another path below the issuer from now on. The old one is gone.
    pub fn move_key_set(&self, path: &str) {
        self.state().key_set_path = path.to_owned();
    }

    pub(crate) fn key_set_path(&self) -> String {
        self.state().key_set_path.clone()
    }

    /// How often each document was asked for, whether it was had or not.
    #[must_use]
    pub fn fetches(&self) -> Fetches {
        self.state().fetches
    }

    /// The metadata, as a server would answer with it.
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

    /// The key set, as a server would answer with it.
    #[must_use]
    pub fn key_set_json(&self) -> String {
        let keys: Vec<Value> = self.state().keys.iter().map(SigningKey::jwk).collect();
        json!({ "keys": keys }).to_string()
    }

    /// Holds the answers to fetches back until [`release`](Self::release), for tests of what happens
    /// meanwhile.
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

    /// Lets the answers go that were held back, and answers at once again.
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
