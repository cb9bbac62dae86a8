//! The answers of a resolver over time: which are served, when it is asked, and what is said while it fails.
//!
//! A look reads a table without a lock. An answer is asked for once, however many requests wait for it, in a
//! task that belongs to none of them.
use super::{
    IssuerResolver, ResolverContext, Settings,
    answer::{Answer, Looked, Outcome, Unresolved},
    pilot::{Flight, Flights, Pilot, TIMEOUT},
};
use crate::{
    issuers::Terms,
    jwks::{Transport, cache::millis},
    jws::Escaped,
    key_table::KeyTable,
    places::{Address, Places, WAYS},
    trusted_issuer::TrustedIssuer,
};
use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    fmt,
    hash::{BuildHasher, RandomState},
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, watch},
    time::Instant,
};

/// How long a request waits while there is an old answer that may be used instead.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long it waits without: the resolver has ended before that, if its runtime gets to run.
const LAST_PATIENCE: Duration = TIMEOUT.saturating_add(Duration::from_millis(500));

/// A customer who was just added does not wait longer.
const LONGEST_EMPTY_TTL: Duration = Duration::from_secs(10);

/// An answer in use is asked for again when so much of its time is left.
const REFRESH_AHEAD: u32 = 5; // a fifth

/// How many times the resolver is at work at once for keys that had no issuers before. Those that had are
/// bounded by their number, and must not wait for strangers.
const STRANGERS_AT_ONCE: usize = 32;

/// How many keys are asked for at once before one that had no issuers is put off.
const MAX_UNDER_WAY: usize = 1024;

/// A resolver of whatever type.
pub(crate) trait Resolve: Send + Sync {
    /// What is known of a request. Nothing is asked but what an answer depends on, and perhaps for an answer
    /// that is known, in the background.
    fn look(&self, context: &ResolverContext<'_>, now: Duration) -> Looked;

    /// Forgets all answers, and those that are on their way.
    fn forget(&self);

    fn keys(&self) -> &Arc<KeyTable>;
}

/// The answers of one resolver.
pub(super) struct Answers<R: IssuerResolver>(Arc<Inner<R>>);

pub(super) struct Inner<R: IssuerResolver> {
    pub(super) resolver: Arc<R>,
    settings: Settings,
    terms: Terms,
    transport: Transport,
    table: Arc<KeyTable>,
    /// Answers with issuers.
    known: Places<Remembered<R::Key>>,
    /// Those without any, and failures: they come from anybody, and push out none of the others.
    empty: Places<Remembered<R::Key>>,
    hasher: RandomState,
    flights: Mutex<Flights<R::Key>>,
    pub(super) for_strangers: Semaphore,
    /// When the log was told last that the resolver fails, in monotonic milliseconds.
    told_at: AtomicU64,
}

/// An answer and its time.
struct Remembered<K> {
    key: K,
    outcome: Outcome,
    refresh_at: Duration,
    good_until: Duration,
    is_refreshed: AtomicBool,
    /// It says nothing any more but that there were issuers.
    is_forgotten: AtomicBool,
}

impl<R: IssuerResolver> Answers<R> {
    pub(super) fn of(
        resolver: Arc<R>,
        settings: Settings,
        terms: Terms,
        transport: Transport,
        table: Arc<KeyTable>,
    ) -> Arc<dyn Resolve> {
        Arc::new(Self(Arc::new(Inner {
            resolver,
            settings,
            terms,
            transport,
            table,
            // An entry has eight places, which in a full table are often taken.
            known: Places::new(2 * settings.max_answers, WAYS),
            empty: Places::new((settings.max_answers / 10).max(WAYS), WAYS),
            hasher: RandomState::new(),
            flights: Mutex::new(Flights { under_way: HashMap::new(), departures: 0 }),
            for_strangers: Semaphore::new(STRANGERS_AT_ONCE),
            told_at: AtomicU64::new(0),
        })))
    }
}

impl<R: IssuerResolver> Resolve for Answers<R> {
    fn look(&self, context: &ResolverContext<'_>, now: Duration) -> Looked {
        let inner = &self.0;
        // Whoever waits in there holds up others, but a panic is one request's own.
        let key = match catch_unwind(AssertUnwindSafe(|| inner.resolver.key(context))) {
            Ok(Some(key)) => key,
            Ok(None) => {
                return Looked::Nobody(match context.host_trouble() {
                    Some(why) => format!("and no issuer is trusted for such a request: {why}"),
                    None => "and no issuer is trusted for such a request".to_owned(),
                });
            }
            Err(_) => return Looked::Failed(Unresolved::because("the resolver panicked")),
        };
        let known = inner.known.find(inner.address(&key), |known| known.key == key);
        if let Some(known) = known.filter(|known| known.is_good(now)) {
            if known.is_to_be_refreshed(now) {
                inner.refresh(&known);
            }
            return Looked::of(known.outcome.clone());
        }
        match inner.lookup(&key, now) {
            Some(outcome) => Looked::of(outcome),
            None => Looked::Ask(Box::pin(Arc::clone(inner).ask(key))),
        }
    }

    fn forget(&self) {
        let mut flights = self.0.lock();
        // Whoever waits gets what it has asked for, but it is not remembered.
        let abandoned = mem::take(&mut flights.under_way);
        for known in self.0.known.iter() {
            known.is_forgotten.store(true, Ordering::Relaxed);
        }
        self.0.empty.clear();
        drop(flights);
        drop(abandoned);
    }

    fn keys(&self) -> &Arc<KeyTable> {
        &self.0.table
    }
}

impl<R: IssuerResolver> Inner<R> {
    fn address(&self, key: &R::Key) -> Address {
        Address::new(self.hasher.hash_one(key))
    }

    /// What may be served at this time without asking.
    fn lookup(&self, key: &R::Key, now: Duration) -> Option<Outcome> {
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

    /// An old answer, for while the resolver fails.
    fn stale(&self, key: &R::Key, now: Duration) -> Option<Outcome> {
        let known = self.known.find(self.address(key), |known| known.key == *key)?;
        let good_until = known.good_until.saturating_add(self.settings.stale);
        let is_good = now < good_until && !known.is_forgotten.load(Ordering::Relaxed);
        is_good.then(|| known.outcome.clone())
    }

    /// Whether there are some as far as anybody remembers.
    pub(super) fn had_issuers(&self, key: &R::Key) -> bool {
        self.known.find(self.address(key), |known| known.key == *key).is_some()
    }

    async fn ask(self: Arc<Self>, key: R::Key) -> Outcome {
        let Flight { mut outcome, number, since } = match self.board(&key) {
            Ok(flight) => flight,
            Err(outcome) => return outcome,
        };
        let old = || self.stale(&key, self.terms.clock.monotonic());
        let patience = if old().is_some() { PATIENCE } else { LAST_PATIENCE };
        let landed = tokio::time::timeout(patience, outcome.wait_for(Option::is_some)).await;
        let outcome = match landed {
            Ok(landed) => landed.ok().and_then(|outcome| outcome.clone()),
            Err(_) => {
                let old = old();
                // Its runtime does not get to run: it must not stand in the way of others.
                if old.is_none() || since.elapsed() >= LAST_PATIENCE {
                    self.lock().take(&key, number);
                }
                if let Some(old) = old {
                    return old;
                }
                None
            }
        };
        match outcome {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(why)) => old().unwrap_or(Err(why)),
            None => Err(Unresolved::because("the resolver was abandoned")),
        }
    }

    /// Asks again for an answer that is about to end.
    fn refresh(self: &Arc<Self>, known: &Remembered<R::Key>) {
        let now = self.terms.clock.monotonic();
        let address = self.address(&known.key);
        let failed = self.empty.find(address, |other| other.key == known.key);
        let is_spared = failed.is_some_and(|failed| failed.is_good(now));
        if !is_spared && !known.is_refreshed.swap(true, Ordering::Relaxed) {
            // Not the other way round: it may have landed by now, and want to be asked again.
            if self.depart(&known.key, |_| None).is_err() {
                known.is_refreshed.store(false, Ordering::Relaxed);
            }
        }
    }

    /// Joins those who wait for this answer, or asks for it.
    fn board(self: &Arc<Self>, key: &R::Key) -> Result<Flight, Outcome> {
        // Somebody else's may have landed between the look and the lock.
        self.depart(key, |now| self.lookup(key, now))
    }

    fn depart(
        self: &Arc<Self>,
        key: &R::Key,
        needless: impl FnOnce(Duration) -> Option<Outcome>,
    ) -> Result<Flight, Outcome> {
        let Ok(runtime) = Handle::try_current() else {
            let cause = "the resolver is asked on a tokio runtime, and there is none";
            return Err(Err(Unresolved::because(cause)));
        };
        let mut flights = self.lock();
        if let Some(flight) = flights.under_way.get(key) {
            return Ok(flight.clone());
        }
        if let Some(outcome) = needless(self.terms.clock.monotonic()) {
            return Err(outcome);
        }
        if flights.under_way.len() >= MAX_UNDER_WAY && !self.had_issuers(key) {
            return Err(Err(Unresolved::because("too many requests wait for the resolver")));
        }
        flights.departures += 1;
        let number = flights.departures;
        let (sender, outcome) = watch::channel(None);
        let flight = Flight { outcome, number, since: Instant::now() };
        flights.under_way.insert(key.clone(), flight.clone());
        drop(flights);
        let inner = Arc::clone(self);
        let departed_at = self.terms.clock.monotonic();
        let pilot = Pilot { inner, key: key.clone(), number, departed_at, sender: Some(sender) };
        runtime.spawn(pilot.fly());
        Ok(flight)
    }

    /// What a resolver says, made sense of.
    pub(super) async fn answer(&self, issuers: Vec<TrustedIssuer>) -> Answer {
        let mut answer = Answer::default();
        let mut conflicting = HashSet::new();
        for (number, issuer) in issuers.into_iter().enumerate() {
            if number % 64 == 63 {
                tokio::task::yield_now().await; // a list of thousands takes milliseconds
            }
            let checked = match issuer.check(&self.terms.defaults) {
                Ok(checked) => checked,
                Err(why) => {
                    answer.broken = Some(Escaped(&why.to_string()).to_string().into());
                    continue;
                }
            };
            let trusted = self.table.trusted(checked, &self.terms, &self.transport);
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
                "the resolver found an issuer that cannot be trusted: tokens of strangers get 503"
            );
        }
        answer
    }

    /// An answer is as old as the question: what has changed since is not in it.
    pub(super) fn settle(&self, outcome: &Outcome, key: R::Key, departed_at: Duration) {
        let address = self.address(&key);
        let before = self.known.find(address, |known| known.key == key);
        let (since, ttl) = match outcome {
            Ok(answer) if !answer.by_name.is_empty() => (departed_at, self.settings.ttl),
            Ok(_) => (departed_at, self.settings.ttl.min(LONGEST_EMPTY_TTL)),
            Err(why) => (self.terms.clock.monotonic(), why.retry_in),
        };
        let good_until = since.saturating_add(ttl);
        let remembered = Arc::new(Remembered {
            key,
            outcome: outcome.clone(),
            refresh_at: good_until.saturating_sub(ttl / REFRESH_AHEAD),
            good_until,
            is_refreshed: AtomicBool::new(false),
            is_forgotten: AtomicBool::new(false),
        });
        match (outcome, before) {
            (Err(_), before) => {
                self.empty.insert(address, 1, &remembered);
                if let Some(before) = before {
                    before.is_refreshed.store(false, Ordering::Relaxed);
                }
            }
            (Ok(answer), None) if answer.by_name.is_empty() => {
                self.empty.insert(address, 1, &remembered);
            }
            // Also one without issuers, if there were some before: they must not be found any more.
            (Ok(_), _) => self.known.insert(address, 1, &remembered),
        }
    }

    /// A failure is news once a minute.
    pub(super) fn tell(&self, outcome: &Outcome) {
        let Err(Unresolved { cause, .. }) = outcome else { return };
        let now = millis(self.terms.clock.monotonic()).max(1);
        let told_at = self.told_at.load(Ordering::Relaxed);
        if told_at == 0 || now.abs_diff(told_at) >= 60_000 {
            self.told_at.store(now, Ordering::Relaxed);
            tracing::error!(
                target: "auth0", %cause,
                "the issuer resolver fails: requests whose issuers are not known get 503"
            );
        } else {
            tracing::debug!(target: "auth0", %cause, "the issuer resolver fails");
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Flights<R::Key>> {
        self.flights.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K> Remembered<K> {
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
