//! The keys of all issuers: fetched ahead, fetched again, and their state.
use super::{Auth0, pending::unavailable};
use crate::{
    error::Error,
    keys::{Health, KeyCache, Unavailable, abandoned},
    runtime::fetch_thread,
};
use std::{future::Future, sync::Arc};
use tokio::task::JoinSet;
use tracing::instrument::WithSubscriber;

/// How many issuers are asked for their keys at once.
const ASKED_AT_ONCE: usize = 16;

impl Auth0 {
    /// Fetches the issuer's keys if there are none, so that the first request does not wait for
    /// them. With keys in memory it does nothing, so that it also serves as a readiness probe; without, it
    /// takes up to five seconds, and returns at once while a failing issuer is not asked again. Of
    /// several issuers, it asks all that are configured, sixteen at a time.
    ///
    /// # Errors
    /// `keys_unavailable`, of several issuers for the first that fails. The verifier works all the same
    /// as soon as the issuer answers, and for the others: log the error and go on.
    pub async fn warm_up(&self) -> Result<(), Error> {
        let all = self.configured().collect();
        self.ask_all(all, |keys| async move { keys.keys().await.map(drop) }).await
    }

    /// Fetches the keys of every issuer that were fetched before, whatever their age: a key that an issuer
    /// has withdrawn is refused from then on. Without this it is refused within ten minutes, while the
    /// issuer answers. Tokens that were verified before are forgotten, and so are the answers of a
    /// [resolver](crate::resolver::IssuerResolver).
    ///
    /// # Errors
    /// `keys_unavailable`, of several issuers for the first that fails: the keys in memory go on serving.
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

    /// Asks the [resolver](crate::resolver::IssuerResolver) again for each request that needs an answer from now on,
    /// where one is configured: an issuer that it does not name any more is not trusted any more. Without this, that takes until [`ResolvedIssuers::ttl`](crate::resolver::ResolvedIssuers::ttl) is over.
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

    /// Asks several issuers at once, on the thread that fetches. Returns the first failure.
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
                first = Err(unavailable(&reason).with_options(&self.0.challenge));
            }
        };
        let mut caches = caches.into_iter();
        let runtime = match (self.0.issuers.only(), fetch_thread::runtime()) {
            (None, Ok(runtime)) => runtime,
            // One needs no task of its own.
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

    /// Returns the state of the issuer's keys, without asking the issuer. For a readiness probe use
    /// [`warm_up`](Self::warm_up), which asks if there are no keys yet; an instance that waits for
    /// its first request to have keys would never be sent one.
    ///
    /// Of several issuers, it is the worst of those that are configured and were asked for keys; see
    /// [`health_of`](Self::health_of) for one.
    #[must_use]
    pub fn health(&self) -> Health {
        if let Some(only) = self.0.issuers.only() {
            return only.keys.health();
        }
        let known = self.configured().filter(|keys| keys.was_asked_for()).map(|keys| keys.health());
        known.max_by_key(Health::severity).unwrap_or(Health::Idle)
    }

    /// Returns the state of one issuer's keys, by its name in `iss`; `None` if it is neither configured nor one that a
    /// [resolver](crate::resolver::IssuerResolver) has found and whose keys are in memory.
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

    /// Returns the issuers that are configured, as they stand in `iss`, in their order.
    pub fn issuers(&self) -> impl Iterator<Item = &str> {
        self.0.issuers.iter().map(|trusted| trusted.name())
    }
}
