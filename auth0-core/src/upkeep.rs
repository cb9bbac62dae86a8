//! The keys of all issuers: fetched ahead, fetched anew, and how it stands with them.
use crate::{
    auth0::Auth0,
    error::Error,
    halt::unavailable,
    health::Health,
    jwks::cache::{KeyCache, Unavailable, abandoned},
};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::{runtime::Handle, task::JoinSet};

/// How many issuers are asked for their keys at once, when all are to be.
const ASKED_AT_ONCE: usize = 16;

impl Auth0 {
    /// Fetches the issuer's keys if there are none, so that the first request does not wait for
    /// them. With keys at hand it does nothing, so it also serves as a readiness probe; without, it
    /// takes up to five seconds, and is answered at once while a failing issuer is being spared. Of
    /// several issuers, it asks all, sixteen at a time.
    ///
    /// # Errors
    /// `keys_unavailable`, of several issuers for the first that fails. The verifier works all the same
    /// as soon as the issuer answers, and for the others: log it and go on.
    pub async fn warm_up(&self) -> Result<(), Error> {
        self.ask_all(|_| true, |keys| async move { keys.keys().await.map(drop) }).await
    }

    /// Fetches the keys of every issuer that were fetched before, whatever their age: a key that an issuer
    /// has withdrawn is refused from then on. Without this it is refused within ten minutes, while the
    /// issuer answers. Tokens that were verified before are forgotten.
    ///
    /// # Errors
    /// `keys_unavailable`, of several issuers for the first that fails: the keys at hand go on serving.
    pub async fn refresh(&self) -> Result<(), Error> {
        let is_only = self.0.issuers.only().is_some();
        let outcome = self
            .ask_all(
                |keys| is_only || keys.was_asked_for(),
                |keys| async move { keys.refresh().await.map(drop) },
            )
            .await;
        self.0.tokens.clear();
        outcome
    }

    async fn ask_all<F>(
        &self,
        is_asked: impl Fn(&KeyCache) -> bool,
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
        let caches = self.0.issuers.iter().map(|trusted| &trusted.keys);
        let mut caches = caches.filter(|keys| is_asked(keys)).map(Arc::clone);
        // One needs no task of its own; without tokio there are none, and no keys either.
        if self.0.issuers.only().is_some() || Handle::try_current().is_err() {
            for keys in caches {
                note(ask(keys).await);
            }
            return first;
        }
        let mut asked = JoinSet::new();
        loop {
            while asked.len() < ASKED_AT_ONCE
                && let Some(keys) = caches.next()
            {
                asked.spawn(ask(keys));
            }
            match asked.join_next().await {
                None => return first,
                Some(outcome) => note(outcome.unwrap_or_else(|_| Err(abandoned()))),
            }
        }
    }

    /// How it stands with the issuer's keys, without asking the issuer. For a readiness probe use
    /// [`warm_up`](Self::warm_up), which asks if there are no keys yet; an instance that waits for
    /// its first request to have keys would never be sent one.
    ///
    /// Of several issuers, it is the worst of those that were asked for keys; see
    /// [`health_of`](Self::health_of) for one.
    #[must_use]
    pub fn health(&self) -> Health {
        if let Some(only) = self.0.issuers.only() {
            return only.keys.health();
        }
        let caches = self.0.issuers.iter().map(|trusted| &trusted.keys);
        let known = caches.filter(|keys| keys.was_asked_for()).map(|keys| keys.health());
        known.max_by_key(Health::gravity).unwrap_or(Health::Ready { age: Duration::ZERO })
    }

    /// The same of one issuer, by its name in `iss`; `None` if it is not one that is trusted.
    #[must_use]
    pub fn health_of(&self, issuer: &str) -> Option<Health> {
        Some(self.0.issuers.named(issuer)?.keys.health())
    }

    /// The issuers that are trusted, as they stand in `iss`, in the order in which they were configured.
    pub fn issuers(&self) -> impl Iterator<Item = &str> {
        self.0.issuers.iter().map(|trusted| trusted.rules.issuer.as_str())
    }
}
