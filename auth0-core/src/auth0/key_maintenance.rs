//! Maintenance of the keys of all issuers: fetches in advance, refreshes, and their state.
use super::{Auth0, pending::unavailable, revocation_check};
use crate::{
    error::Error,
    keys::{Health, KeyCache, Unavailable, abandoned},
    runtime::fetch_thread,
};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::task::JoinSet;
use tracing::instrument::WithSubscriber;

/// From how many issuers keys are fetched at once.
const ASKED_AT_ONCE: usize = 16;

/// How long a start waits for the store of revocations: as long as for keys.
const WARM_UP: Duration = Duration::from_secs(5);

impl Auth0 {
    /// Fetches the keys of all configured issuers that have none in memory, so that the first request does
    /// not wait for them. With keys in memory it does nothing, so it is also a readiness probe. A fetch
    /// takes up to five seconds. While a failing issuer is in back-off, the call returns at once. Sixteen
    /// issuers are fetched at a time. For as long, it waits until the store of
    /// [revocations](crate::Builder::revocations) was read completely for the first time.
    ///
    /// # Errors
    /// `keys_unavailable`, for the first issuer that fails. The verifier works for the other issuers, and for
    /// this one as soon as it answers: log the error and continue. `revocations_unavailable`, also if an issuer fails, if
    /// the store of revocations fails or has so many that reading takes longer, unless old state is accepted: requests
    /// wait for it, too.
    pub async fn warm_up(&self) -> Result<(), Error> {
        let all = self.configured().collect();
        let keys = self.ask_all(all, |keys| async move { keys.keys().await.map(drop) });
        let revocations = async {
            match &self.0.revocations {
                Some(revocations) => revocations.read_within(WARM_UP).await,
                None => true,
            }
        };
        let (keys, has_revocations) = tokio::join!(keys, revocations);
        if !has_revocations {
            // First, because it affects the tokens of all issuers.
            let error = self.0.complete(revocation_check::unavailable(), None);
            return Err(error.with_options(&self.0.challenge));
        }
        keys
    }

    /// Fetches all keys again that were fetched before, at any age: a key that an issuer has withdrawn is
    /// refused from then on. Without this call it is refused within ten minutes, while the issuer answers.
    /// The call also clears the token cache and the answers of a
    /// [resolver](crate::resolver::IssuerResolver).
    ///
    /// # Errors
    /// `keys_unavailable`, for the first issuer that fails. The keys in memory are still served.
    pub async fn refresh(&self) -> Result<(), Error> {
        self.forget_resolved_issuers();
        let is_only = self.0.issuers.only().is_some();
        let mut all: Vec<_> =
            self.configured().filter(|keys| is_only || keys.was_asked_for()).collect();
        self.0.tokens.clear();
        if let Some(found) = &self.0.issuers.resolver {
            all.extend(found.keys().to_be_refreshed());
        }
        let outcome = self.ask_all(all, |keys| async move { keys.refresh().await.map(drop) }).await;
        self.0.tokens.clear();
        outcome
    }

    /// Clears the answers of the [resolver](crate::resolver::IssuerResolver), so that it is called again: an
    /// issuer that it does not return any more is not trusted any more. Without this call, that takes until
    /// [`ResolvedIssuers::ttl`](crate::resolver::ResolvedIssuers::ttl) has passed.
    ///
    /// ```
    /// # use auth0_testing::Tenant;
    /// # use auth0_core::{TrustedIssuer, resolver::{IssuerResolver, ResolverContext}};
    /// # use std::{error::Error, sync::{Arc, Mutex}};
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// struct Customers(Arc<Mutex<Vec<String>>>);
    ///
    /// impl IssuerResolver for Customers {
    ///     type Key = ();
    ///
    ///     fn key(&self, _: &ResolverContext<'_>) -> Option<()> {
    ///         Some(())
    ///     }
    ///
    ///     async fn resolve(&self, (): ()) -> Result<Vec<TrustedIssuer>, Box<dyn Error + Send + Sync>> {
    ///         let issuers = self.0.lock().map_err(|_| "a thread has panicked")?;
    ///         Ok(issuers.iter().map(TrustedIssuer::new).collect())
    ///     }
    /// }
    ///
    /// let tenant = Tenant::new();
    /// let customers = Arc::new(Mutex::new(vec![tenant.issuer().to_owned()]));
    /// let auth = tenant.builder_with([]).issuer_resolver(Customers(customers.clone())).build().unwrap();
    /// assert!(auth.verify(&tenant.token().mint()).await.is_ok());
    ///
    /// customers.lock().unwrap().clear(); // the customer has left
    /// auth.forget_resolved_issuers();
    /// assert!(auth.verify(&tenant.token().mint()).await.is_err());
    /// # })
    /// ```
    pub fn forget_resolved_issuers(&self) {
        if let Some(resolver) = &self.0.issuers.resolver {
            resolver.forget();
        }
    }

    fn configured(&self) -> impl Iterator<Item = Arc<KeyCache>> {
        self.0.issuers.iter().map(|trusted| Arc::clone(&trusted.keys))
    }

    /// Runs a fetch for several issuers at once, on the thread `auth0-fetch`. Returns the first failure.
    async fn ask_all<F>(
        &self,
        caches: Vec<Arc<KeyCache>>,
        ask: impl Fn(Arc<KeyCache>) -> F,
    ) -> Result<(), Error>
    where
        F: Future<Output = Result<(), Unavailable>> + Send + 'static,
    {
        let mut first = Ok(());
        let mut note = |outcome: Result<(), Unavailable>| {
            if let (Err(reason), Ok(())) = (outcome, &first) {
                let error = self.0.complete(unavailable(&reason), None);
                first = Err(error.with_options(&self.0.challenge));
            }
        };
        let mut caches = caches.into_iter();
        let runtime = match (self.0.issuers.only(), fetch_thread::runtime()) {
            (None, Ok(runtime)) => runtime,
            // A single fetch needs no separate task.
            _ => {
                for keys in caches {
                    note(ask(keys).await);
                }
                return first;
            }
        };
        let mut asked = JoinSet::new();
        loop {
            while asked.len() < ASKED_AT_ONCE
                && let Some(keys) = caches.next()
            {
                asked.spawn_on(ask(keys).with_current_subscriber(), &runtime);
            }
            match asked.join_next().await {
                None => return first,
                Some(outcome) => note(outcome.unwrap_or_else(|_| Err(abandoned()))),
            }
        }
    }

    /// Returns the state of the issuer's keys, without a fetch. For a readiness probe use
    /// [`warm_up`](Self::warm_up), which fetches keys if there are none: an instance that becomes ready
    /// only with its first request would never receive one.
    ///
    /// With several issuers, this is the worst state of those that are configured and whose keys were
    /// needed. See [`health_of`](Self::health_of) for one issuer.
    #[must_use]
    pub fn health(&self) -> Health {
        if let Some(only) = self.0.issuers.only() {
            return only.keys.health();
        }
        let known = self.configured().filter(|keys| keys.was_asked_for()).map(|keys| keys.health());
        known.max_by_key(Health::severity).unwrap_or(Health::Idle)
    }

    /// Returns the state of one issuer's keys, by its name in `iss`. `None` if the issuer is neither
    /// configured, nor found by a [resolver](crate::resolver::IssuerResolver) with its keys in memory.
    #[must_use]
    pub fn health_of(&self, issuer: &str) -> Option<Health> {
        let keys = match self.0.issuers.named(issuer) {
            Some(trusted) => Some(Arc::clone(&trusted.keys)),
            None => {
                let resolver = self.0.issuers.resolver.as_ref();
                resolver.and_then(|resolver| resolver.keys().named(issuer))
            }
        };
        Some(keys?.health())
    }

    /// Returns the configured issuers, as `iss` has them, in the order of the configuration.
    pub fn issuers(&self) -> impl Iterator<Item = &str> {
        self.0.issuers.iter().map(|trusted| trusted.name())
    }
}
