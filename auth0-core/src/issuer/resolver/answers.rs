//! The answers of a resolver over time: which are served, when the resolver is called, and what is reported
//! while it fails.
//!
//! A lookup reads a table without a lock. Requests that wait for the same answer share one call of the
//! resolver, which runs apart from all of them.
use super::{
    AnswerSettings, IssuerResolver, ResolverContext,
    answer::{Answer, Lookup, Outcome, Unresolved},
    fair_queue::{Client, FairQueue},
    known_issuers::KnownIssuers,
    question,
};
use crate::{
    identifier::PlainHttp,
    issuer::{IssuerSettings, TrustedIssuer},
    keys::KeyTable,
    runtime::{
        Clock, fetch_thread, millis,
        set_cache::{Address, SetCache, WAYS},
        single_flight::{Joined, SingleFlight, Waiter},
    },
    telemetry::Escaped,
};
use std::{
    collections::{HashSet, hash_map::Entry},
    fmt,
    hash::{BuildHasher, RandomState},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// How long a request waits while an old answer may be used instead.
const PATIENCE: Duration = Duration::from_secs(1);

/// A customer that was just added does not wait longer than this.
const LONGEST_EMPTY_TTL: Duration = Duration::from_secs(10);

/// An answer in use is refreshed when this part of its lifetime is left.
const REFRESH_AHEAD: u32 = 5; // a fifth

/// A resolver, whose type is erased.
pub(crate) trait Resolve: Send + Sync {
    /// Returns what is known for a request. Of the resolver, only `key` is called here; an answer in use may
    /// be refreshed in the background.
    fn look_up(&self, context: &ResolverContext<'_>, now: Duration) -> Lookup;

    /// Removes all answers, and ignores those that are pending.
    fn forget(&self);

    fn keys(&self) -> &Arc<KeyTable>;
}

/// The answers of one resolver.
pub(super) struct Answers<R: IssuerResolver> {
    pub(super) resolver: Arc<R>,
    settings: AnswerSettings,
    issuer_settings: IssuerSettings,
    issuers: KnownIssuers,
    /// Answers with issuers.
    known: SetCache<CachedAnswer<R::Key>>,
    /// Answers without issuers, and failures. Any client can cause them, so they must not evict others.
    empty: SetCache<CachedAnswer<R::Key>>,
    hasher: RandomState,
    flight: Arc<SingleFlight<R::Key, (), Outcome>>,
    /// The queue for keys that had no issuers before. Questions for other keys are bounded by their number, and
    /// must not wait for made-up ones.
    pub(super) for_unknown_keys: Arc<FairQueue>,
    /// The time at which a failure was last logged, in monotonic milliseconds.
    reported_at: AtomicU64,
}

/// An answer and its time.
struct CachedAnswer<K> {
    key: K,
    outcome: Outcome,
    refresh_at: Duration,
    good_until: Duration,
    is_refreshed: AtomicBool,
    /// Whether the answer was forgotten. It then only says that there were issuers.
    is_forgotten: AtomicBool,
}

impl<R: IssuerResolver> Answers<R> {
    pub(super) fn new(
        resolver: Arc<R>,
        settings: AnswerSettings,
        issuer_settings: IssuerSettings,
        keys: Arc<KeyTable>,
    ) -> Arc<Self> {
        Arc::new(Self {
            resolver,
            settings,
            issuer_settings,
            issuers: KnownIssuers::new(keys),
            // Twice the size, because the eight slots of an entry are often taken in a full table.
            known: SetCache::new(2 * settings.max_answers, WAYS),
            empty: SetCache::new((settings.max_answers / 10).max(WAYS), WAYS),
            hasher: RandomState::new(),
            flight: SingleFlight::new(()),
            for_unknown_keys: FairQueue::new(settings.max_calls),
            reported_at: AtomicU64::new(0),
        })
    }
}

impl<R: IssuerResolver> Resolve for Arc<Answers<R>> {
    fn look_up(&self, context: &ResolverContext<'_>, now: Duration) -> Lookup {
        // A panic affects only one request.
        let key = match catch_unwind(AssertUnwindSafe(|| self.resolver.key(context))) {
            Ok(Some(key)) => key,
            Ok(None) => {
                return Lookup::NoIssuers(match context.host_trouble() {
                    Some(why) => format!("and no issuer is trusted for such a request: {why}"),
                    None => "and no issuer is trusted for such a request".to_owned(),
                });
            }
            Err(_) => return Lookup::Failed(Unresolved::because("the resolver panicked")),
        };
        let known = self.known.find(self.address(&key), |known| known.key == key);
        if let Some(known) = known.filter(|known| known.is_good(now)) {
            if known.is_to_be_refreshed(now) {
                self.refresh(&known);
            }
            return known.outcome.clone().into();
        }
        if let Some(outcome) = self.cached(&key, now) {
            return outcome.into();
        }
        match catch_unwind(AssertUnwindSafe(|| self.resolver.may_exist(&key))) {
            Ok(true) => Lookup::Ask(Box::pin(Arc::clone(self).ask(key, context.client()))),
            Ok(false) => Lookup::NoIssuers(
                "and no issuer is trusted for such a request: may_exist is false for its key"
                    .to_owned(),
            ),
            Err(_) => Lookup::Failed(Unresolved::because("the resolver panicked")),
        }
    }

    fn forget(&self) {
        self.flight.forget_pending(|| {
            for known in self.known.iter() {
                known.is_forgotten.store(true, Ordering::Relaxed);
            }
            self.empty.clear();
        });
    }

    fn keys(&self) -> &Arc<KeyTable> {
        &self.issuers.keys
    }
}

impl<R: IssuerResolver> Answers<R> {
    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.issuer_settings.clock
    }

    fn address(&self, key: &R::Key) -> Address {
        Address::new(self.hasher.hash_one(key))
    }

    /// Returns the answer that may be served now without a call of the resolver.
    fn cached(&self, key: &R::Key, now: Duration) -> Option<Outcome> {
        let address = self.address(key);
        let known = self.known.find(address, |known| known.key == *key);
        if let Some(known) = known.filter(|known| known.is_good(now)) {
            return Some(known.outcome.clone());
        }
        let other = self.empty.find(address, |other| other.key == *key);
        let other = other.filter(|other| other.is_good(now))?;
        let stale = if other.outcome.is_err() { self.stale(key, now) } else { None };
        Some(stale.unwrap_or_else(|| other.outcome.clone()))
    }

    /// Returns an old answer that may be served while the resolver fails.
    fn stale(&self, key: &R::Key, now: Duration) -> Option<Outcome> {
        let known = self.known.find(self.address(key), |known| known.key == *key)?;
        let good_until = known.good_until.saturating_add(self.settings.stale);
        let is_good = now < good_until && !known.is_forgotten.load(Ordering::Relaxed);
        is_good.then(|| known.outcome.clone())
    }

    /// Returns whether the last known answer has issuers.
    pub(super) fn had_issuers(&self, key: &R::Key) -> bool {
        self.known.find(self.address(key), |known| known.key == *key).is_some()
    }

    async fn ask(self: Arc<Self>, key: R::Key, client: Client) -> Outcome {
        let waiter = match self.join(&key, client, |now| self.cached(&key, now)) {
            Ok(waiter) => waiter,
            Err(outcome) => return outcome,
        };
        let old = || self.stale(&key, self.clock().monotonic());
        let abandoned = |outcome: Option<Outcome>| outcome.unwrap_or_else(|| abandoned(None));
        let outcome = if old().is_some() {
            let patience = fetch_thread::passed(self.clock(), PATIENCE);
            let outcome = tokio::select! {
                biased;
                outcome = waiter.clone().outcome() => Some(abandoned(outcome)),
                () = patience => old(),
            };
            match outcome {
                Some(outcome) => outcome,
                None => abandoned(waiter.outcome().await),
            }
        } else {
            abandoned(waiter.outcome().await)
        };
        outcome.or_else(|why| old().unwrap_or(Err(why)))
    }

    /// Refreshes an answer that expires soon.
    fn refresh(self: &Arc<Self>, known: &CachedAnswer<R::Key>) {
        let now = self.clock().monotonic();
        let address = self.address(&known.key);
        let failed = self.empty.find(address, |other| other.key == known.key);
        let is_spared = failed.is_some_and(|failed| failed.is_good(now));
        if !is_spared && !known.is_refreshed.swap(true, Ordering::Relaxed) {
            // In this order: the question may have ended by now, and be due again.
            if self.join(&known.key, Client::default(), |_| None).is_err() {
                known.is_refreshed.store(false, Ordering::Relaxed);
            }
        }
    }

    /// Joins the pending question for a key, or starts it. `cached` returns an answer that came between the
    /// lookup and the lock.
    fn join(
        self: &Arc<Self>,
        key: &R::Key,
        client: Client,
        cached: impl FnOnce(Duration) -> Option<Outcome>,
    ) -> Result<Waiter<Outcome>, Outcome> {
        let joined = self
            .flight
            .join(key, abandoned, |(), _| cached(self.clock().monotonic()).map_or(Ok(()), Err))?;
        match joined {
            Joined::Waiting(waiter) => {
                self.for_unknown_keys.join(waiter.number(), client);
                Ok(waiter)
            }
            Joined::Leading(waiter, leader) => {
                let started_at = self.clock().monotonic();
                let question =
                    question::ask(Arc::clone(self), key.clone(), client, leader, started_at);
                if let Err(why) = fetch_thread::spawn(question) {
                    tracing::error!(target: "auth0", "{why}");
                }
                Ok(waiter)
            }
        }
    }

    /// Turns the result of a resolver into an answer.
    pub(super) async fn answer(&self, issuers: Vec<TrustedIssuer>) -> Answer {
        let mut answer = Answer::default();
        let mut conflicting = HashSet::new();
        for (number, issuer) in issuers.into_iter().enumerate() {
            if number % 64 == 63 {
                tokio::task::yield_now().await; // a list of thousands takes milliseconds
            }
            let config = match issuer.check(&self.issuer_settings.defaults, &PlainHttp::Loopback) {
                Ok(config) => answer.spelt(config.of_resolver()),
                Err(why) => {
                    answer.broken = Some(Escaped(&why.to_string()).to_string().into());
                    continue;
                }
            };
            let trusted = self.issuers.trusted(config, &self.issuer_settings);
            match answer.by_name.entry(trusted.name().into()) {
                Entry::Vacant(place) => {
                    place.insert(trusted);
                }
                Entry::Occupied(place) if Arc::ptr_eq(place.get(), &trusted) => {}
                Entry::Occupied(place) => {
                    conflicting.insert(place.key().clone());
                }
            }
        }
        for name in conflicting {
            answer.by_name.remove(&name);
            answer.broken = Some(format!("{name} is there twice, in different ways").into());
        }
        if let Some(why) = &answer.broken {
            tracing::error!(
                target: "auth0", why,
                "the resolver found an issuer that cannot be trusted: tokens of other issuers get 503"
            );
        }
        answer
    }

    /// Stores an answer. Its age counts from the start of the question, because it lacks later changes.
    pub(super) fn settle(&self, outcome: &Outcome, key: R::Key, started_at: Duration) {
        let address = self.address(&key);
        let before = self.known.find(address, |known| known.key == key);
        let (since, ttl) = match outcome {
            Ok(answer) if !answer.by_name.is_empty() => (started_at, self.settings.ttl),
            Ok(_) => (started_at, self.settings.ttl.min(LONGEST_EMPTY_TTL)),
            Err(why) => (self.clock().monotonic(), why.retry_in),
        };
        let good_until = since.saturating_add(ttl);
        let answer = Arc::new(CachedAnswer {
            key,
            outcome: outcome.clone(),
            refresh_at: good_until.saturating_sub(ttl / REFRESH_AHEAD),
            good_until,
            is_refreshed: AtomicBool::new(false),
            is_forgotten: AtomicBool::new(false),
        });
        match (outcome, before) {
            (Err(_), before) => {
                self.empty.insert(address, 1, &answer);
                if let Some(before) = before {
                    before.is_refreshed.store(false, Ordering::Relaxed);
                }
            }
            (Ok(found), None) if found.by_name.is_empty() => {
                self.empty.insert(address, 1, &answer);
            }
            // Also an answer without issuers, if there were some before, which it must replace.
            (Ok(_), _) => self.known.insert(address, 1, &answer),
        }
    }

    /// Logs a failure, once a minute.
    pub(super) fn report(&self, outcome: &Outcome) {
        let Err(Unresolved { cause, .. }) = outcome else { return };
        let now = millis(self.clock().monotonic()).max(1);
        let reported_at = self.reported_at.load(Ordering::Relaxed);
        if reported_at == 0 || now.abs_diff(reported_at) >= 60_000 {
            self.reported_at.store(now, Ordering::Relaxed);
            tracing::error!(
                target: "auth0", %cause,
                "the issuer resolver fails: requests whose issuers are not known get 503"
            );
        } else {
            tracing::debug!(target: "auth0", %cause, "the issuer resolver fails");
        }
    }
}

/// Returns the outcome of a question that was not completed.
fn abandoned(_: Option<&mut ()>) -> Outcome {
    Err(Unresolved::because("the resolver was abandoned"))
}

impl<K> CachedAnswer<K> {
    fn is_good(&self, now: Duration) -> bool {
        now < self.good_until && !self.is_forgotten.load(Ordering::Relaxed)
    }

    fn is_to_be_refreshed(&self, now: Duration) -> bool {
        now >= self.refresh_at && !self.is_refreshed.load(Ordering::Relaxed)
    }
}

impl<R: IssuerResolver> fmt::Debug for Answers<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").finish_non_exhaustive()
    }
}
