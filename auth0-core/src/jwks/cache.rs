//! The keys of one issuer over time: which are served, when they are fetched, and what is said
//! while they cannot be.
//!
//! The hot path reads one atomic pointer, and neither locks nor allocates. Everything that decides
//! about a fetch stands behind a lock that is taken only when a fetch may be due.
use super::{
    KeySet,
    flight::{Boarding, Passenger, Pilot, SingleFlight},
    schedule::{Credit, FIRST_BACKOFF, FRESH, Failure, IDLE_RETRY, Schedule, refresh_age},
};
use crate::{
    clock::Clock,
    crypto::AlgorithmSet,
    discovery::{self, FetchError, Metadata},
    domain::Issuer,
    health::Health,
    http::{HttpClient, TOTAL_TIMEOUT},
    measure,
};
use arc_swap::{ArcSwapOption, Guard};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{runtime, sync::watch};

/// The keys of one issuer.
pub(crate) struct KeyCache {
    source: Source,
    clock: Arc<dyn Clock>,
    stale: Duration,
    current: ArcSwapOption<Snapshot>,
    /// The last fetch failed: keys that are no longer fresh are served all the same.
    failing: AtomicBool,
    /// When a request should next look whether a refresh is due, in monotonic milliseconds. Keeps
    /// requests off the lock while a refresh runs or backs off.
    look_again: AtomicU64,
    flights: Arc<SingleFlight<State, Outcome>>,
    /// Says to the one who waits for the next refresh that a fetch has started, or that the cache is
    /// dropped.
    departed: watch::Sender<()>,
}

/// Where the keys come from, and what is asked of them.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) issuer: Issuer,
    pub(crate) algorithms: AlgorithmSet,
    pub(crate) http: Arc<dyn HttpClient>,
}

/// One good answer of the issuer.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) keys: KeySet,
    metadata: Arc<Metadata>,
    metadata_at: Duration,
    fetched_at: Duration,
    refresh_at: Duration,
}

/// Why there are no keys to judge a token with.
#[derive(Clone, Debug)]
pub(crate) struct Unavailable {
    pub(crate) retry_in: Duration,
    pub(crate) cause: Arc<FetchError>,
}

type Outcome = Result<Arc<Snapshot>, Unavailable>;

#[derive(Debug)]
struct State {
    schedule: Schedule,
    /// The key that the fetch under way was started for, out of a full budget for unknown keys.
    sought: Option<Box<str>>,
    condition: Condition,
}

/// How it stands with the issuer, as far as the log was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    Answering,
    /// It fails, and its keys are fresh.
    Failing,
    /// It fails, and old keys are served.
    Stale,
    /// It fails, and there are no keys that may be served.
    Unavailable,
}

/// A place on a fetch, which this request has started or has joined.
struct Ticket {
    passenger: Passenger<Outcome>,
    is_own: bool,
}

/// Why a fetch does not start.
enum NoFetch {
    Needless(Arc<Snapshot>),
    OverBudget,
    BackingOff(Unavailable),
}

impl KeyCache {
    pub(crate) fn new(source: Source, stale: Duration, clock: Arc<dyn Clock>) -> Arc<Self> {
        let now = clock.monotonic();
        Arc::new(Self {
            source,
            stale,
            current: ArcSwapOption::empty(),
            failing: AtomicBool::new(false),
            look_again: AtomicU64::new(0),
            flights: SingleFlight::new(State {
                schedule: Schedule::new(now),
                sought: None,
                condition: Condition::Answering,
            }),
            departed: watch::Sender::new(()),
            clock,
        })
    }

    /// The keys, if they are there and may be used without asking the issuer first: while they are
    /// fresh, and while the issuer fails. Sets off a refresh in the background when it is time.
    pub(crate) fn ready(self: &Arc<Self>) -> Option<Guard<Option<Arc<Snapshot>>>> {
        let now = self.clock.monotonic();
        let current = self.current.load();
        let snapshot = current.as_ref()?;
        if now >= snapshot.refresh_at && millis(now) >= self.look_again.load(Ordering::Relaxed) {
            self.refresh_in_background(now);
        }
        let usable = snapshot.is_fresh(now)
            || self.failing.load(Ordering::Relaxed) && snapshot.age(now) < self.stale;
        usable.then_some(current)
    }

    /// The keys; if there are none to be used at once, those of a fetch that this request waits
    /// for, or old ones if that fails.
    pub(crate) async fn keys(self: &Arc<Self>) -> Outcome {
        if let Some(current) = self.ready()
            && let Some(snapshot) = &*current
        {
            return Ok(Arc::clone(snapshot));
        }
        let now = self.clock.monotonic();
        let boarded = self.board(|state| {
            // Somebody else's fetch may have landed between the look and the lock.
            match self.current.load_full() {
                Some(current) if current.is_fresh(now) => Err(NoFetch::Needless(current)),
                _ => state.may_retry(now),
            }
        });
        let outcome = match boarded {
            Ok(ticket) => landed(ticket.passenger).await,
            Err(NoFetch::Needless(current)) => Ok(current),
            Err(NoFetch::BackingOff(unavailable)) => Err(unavailable),
            Err(NoFetch::OverBudget) => Err(abandoned()),
        };
        outcome.or_else(|unavailable| {
            let now = self.clock.monotonic();
            let current = self.current.load_full();
            current.filter(|snapshot| snapshot.age(now) < self.stale).ok_or(unavailable)
        })
    }

    /// The keys after a token named one, `key_id`, that `seen` does not hold: newer ones that do, if
    /// the issuer has them and the budget allows to ask. `Ok(None)`: the key is unknown, and it
    /// stays at that.
    pub(crate) async fn newer_with(
        self: &Arc<Self>,
        key_id: &str,
        seen: &Arc<Snapshot>,
    ) -> Result<Option<Arc<Snapshot>>, Unavailable> {
        let mut seen = Arc::clone(seen);
        loop {
            let now = self.clock.monotonic();
            let boarded = self.board(|state| match self.current.load_full() {
                Some(current) if !Arc::ptr_eq(&current, &seen) => Err(NoFetch::Needless(current)),
                _ => state.may_ask_for(key_id, now),
            });
            let (newer, is_last) = match boarded {
                Ok(ticket) => {
                    let is_own = ticket.is_own;
                    (landed(ticket.passenger).await?, is_own)
                }
                Err(NoFetch::Needless(newer)) => (newer, false),
                Err(NoFetch::BackingOff(unavailable)) => return Err(unavailable),
                Err(NoFetch::OverBudget) => {
                    tracing::debug!(
                        target: "auth0", issuer = %self.source.issuer,
                        "a token names an unknown key, and the budget for refetches is used up"
                    );
                    return Ok(None);
                }
            };
            if newer.keys.contains(key_id) {
                return Ok(Some(newer));
            }
            if is_last {
                return Ok(None);
            }
            // These were asked for before this token came: the key may have been published since.
            seen = newer;
        }
    }

    /// Fetches now, whatever the age of the keys. A fetch that was under way already does not
    /// count: it may have missed what has just changed.
    pub(crate) async fn refresh(self: &Arc<Self>) -> Outcome {
        let before = self.flights.departures();
        loop {
            match self.board(|_| Ok(())) {
                Ok(ticket) => {
                    let is_new = ticket.passenger.number() > before;
                    let outcome = landed(ticket.passenger).await;
                    if is_new {
                        return outcome;
                    }
                }
                Err(NoFetch::BackingOff(unavailable)) => return Err(unavailable),
                Err(_) => return Err(abandoned()),
            }
        }
    }

    pub(crate) fn health(&self) -> Health {
        let now = self.clock.monotonic();
        let failure = self.flights.inspect(|state| state.schedule.failure().cloned());
        let age = self.current.load().as_ref().map(|snapshot| snapshot.age(now));
        match (age, failure) {
            (Some(age), None) => Health::Ready { age },
            (Some(age), Some(_)) if age < FRESH => Health::Ready { age },
            (Some(age), Some(failure)) if age < self.stale => {
                Health::Stale { age, error: failure.cause.to_string() }
            }
            (_, Some(failure)) => Health::Unavailable {
                error: failure.cause.to_string(),
                retry_in: failure.retry_at.saturating_sub(now),
            },
            (None, None) => Health::Unavailable {
                error: "the keys have not been asked for yet".to_owned(),
                retry_in: Duration::ZERO,
            },
        }
    }

    /// Joins the fetch under way, or starts one if `decide` allows, in a task that belongs to
    /// nobody.
    fn board(
        self: &Arc<Self>,
        decide: impl FnOnce(&mut State) -> Result<(), NoFetch>,
    ) -> Result<Ticket, NoFetch> {
        let Ok(runtime) = runtime::Handle::try_current() else {
            let cause = Arc::new(FetchError::NoRuntime);
            return Err(NoFetch::BackingOff(Unavailable { retry_in: FIRST_BACKOFF, cause }));
        };
        match self.flights.board(State::abandoned, decide)? {
            Boarding::Joined(passenger) => Ok(Ticket { passenger, is_own: false }),
            Boarding::Started(passenger, pilot) => {
                self.departed.send_replace(());
                runtime.spawn(fly(Arc::clone(self), pilot));
                Ok(Ticket { passenger, is_own: true })
            }
        }
    }

    fn refresh_in_background(self: &Arc<Self>, now: Duration) {
        let look_again = match self.board(|state| state.may_retry(now)) {
            Err(NoFetch::BackingOff(unavailable)) => now.saturating_add(unavailable.retry_in),
            _ => now.saturating_add(Duration::from_secs(1)), // a fetch is under way
        };
        self.look_again.store(millis(look_again), Ordering::Relaxed);
    }

    async fn ask(&self) -> Result<Snapshot, FetchError> {
        let Source { issuer, algorithms, http } = &self.source;
        let now = self.clock.monotonic();
        let known =
            self.current.load_full().filter(|s| now.saturating_sub(s.metadata_at) < FRESH / 2);
        if let Some(known) = known {
            match discovery::key_set(http, &known.metadata, *algorithms).await {
                Ok(keys) => {
                    return Ok(self.snapshot(keys, Arc::clone(&known.metadata), known.metadata_at));
                }
                Err(error) if error.suggests_move() => {}
                Err(error) => return Err(error),
            }
        }
        let metadata = Arc::new(discovery::metadata(http, issuer).await?);
        let keys = discovery::key_set(http, &metadata, *algorithms).await?;
        Ok(self.snapshot(keys, metadata, self.clock.monotonic()))
    }

    fn snapshot(&self, keys: KeySet, metadata: Arc<Metadata>, metadata_at: Duration) -> Snapshot {
        let fetched_at = self.clock.monotonic();
        let refresh_at = fetched_at.saturating_add(refresh_age());
        Snapshot { keys, metadata, metadata_at, fetched_at, refresh_at }
    }

    /// What a fetch's result means. Called under the lock of the flights.
    fn settle(&self, state: &mut State, result: Result<Snapshot, FetchError>) -> Outcome {
        // Only a key that the issuer does not have costs budget: not one that it has indeed
        // published since, nor the issuer's own failure, which has a delay of its own.
        if let Some(key_id) = state.sought.take()
            && result.as_ref().map_or(true, |snapshot| snapshot.keys.contains(&key_id))
        {
            state.schedule.refund_unknown_key_credit();
        }
        match result {
            Ok(snapshot) => {
                measure::fetch(&self.source.issuer, None, Some(Duration::ZERO));
                state.schedule.succeeded();
                self.tell(state, Condition::Answering, None);
                let snapshot = Arc::new(snapshot);
                let previous = self.current.swap(Some(Arc::clone(&snapshot)));
                self.failing.store(false, Ordering::Relaxed);
                self.look_again.store(0, Ordering::Relaxed);
                self.tell_of_rotation(previous.as_deref(), &snapshot);
                Ok(snapshot)
            }
            Err(error) => {
                let now = self.clock.monotonic();
                let Failure { cause, retry_at } = state.schedule.failed(error, now);
                self.failing.store(true, Ordering::Relaxed);
                let current = self.current.load();
                let age = current.as_ref().map(|snapshot| snapshot.age(now));
                measure::fetch(&self.source.issuer, Some(&cause), age);
                let condition = match current.as_ref() {
                    Some(snapshot) if snapshot.is_fresh(now) => Condition::Failing,
                    Some(snapshot) if snapshot.age(now) < self.stale => Condition::Stale,
                    _ => Condition::Unavailable,
                };
                tracing::debug!(target: "auth0", issuer = %self.source.issuer, %cause, "a fetch failed");
                self.tell(state, condition, Some(&cause));
                Err(Unavailable { retry_in: retry_at.saturating_sub(now), cause })
            }
        }
    }

    /// Once for each change, not for each request.
    fn tell(&self, state: &mut State, condition: Condition, cause: Option<&FetchError>) {
        if state.condition == condition {
            return;
        }
        state.condition = condition;
        let issuer = &self.source.issuer;
        let cause = cause.map(tracing::field::display);
        match condition {
            Condition::Answering => {
                tracing::info!(target: "auth0", %issuer, "the issuer's keys can be fetched again");
            }
            Condition::Failing => tracing::warn!(
                target: "auth0", %issuer, cause,
                "the issuer's keys cannot be fetched; those at hand are fresh"
            ),
            Condition::Stale => tracing::warn!(
                target: "auth0", %issuer, cause, serve_for = ?self.stale,
                "the issuer's keys cannot be fetched; old ones are served"
            ),
            Condition::Unavailable => tracing::error!(
                target: "auth0", %issuer, cause,
                "the issuer's keys cannot be fetched, and there are none to be served: requests \
                 with a token get 503"
            ),
        }
    }

    fn tell_of_rotation(&self, previous: Option<&Snapshot>, current: &Snapshot) {
        let issuer = &self.source.issuer;
        let keys = current.keys.len();
        match previous {
            None => tracing::info!(target: "auth0", %issuer, keys, "have the issuer's keys"),
            Some(previous) if previous.keys.ids() != current.keys.ids() => {
                tracing::info!(target: "auth0", %issuer, keys, "the issuer has rotated its keys");
            }
            Some(_) => {
                tracing::debug!(target: "auth0", %issuer, keys, "refreshed the issuer's keys");
            }
        }
    }
}

impl Snapshot {
    fn age(&self, now: Duration) -> Duration {
        now.saturating_sub(self.fetched_at)
    }

    fn is_fresh(&self, now: Duration) -> bool {
        self.age(now) < FRESH
    }
}

impl State {
    fn may_retry(&self, now: Duration) -> Result<(), NoFetch> {
        match self.schedule.backing_off(now) {
            None => Ok(()),
            Some(failure) => Err(NoFetch::BackingOff(Unavailable {
                retry_in: failure.retry_at.saturating_sub(now),
                cause: Arc::clone(&failure.cause),
            })),
        }
    }

    fn may_ask_for(&mut self, key_id: &str, now: Duration) -> Result<(), NoFetch> {
        self.may_retry(now)?;
        match self.schedule.spend_unknown_key_credit(now) {
            // The issuer may have rotated just before it began to fail: who knows.
            Credit::Exhausted => {
                return Err(self.schedule.failure().map_or(NoFetch::OverBudget, |failure| {
                    let cause = Arc::clone(&failure.cause);
                    NoFetch::BackingOff(Unavailable { retry_in: FIRST_BACKOFF, cause })
                }));
            }
            Credit::OfFull => self.sought = Some(key_id.into()),
            Credit::OfRest => {}
        }
        Ok(())
    }

    /// The runtime of a fetch was shut down, or its transport panicked. That says nothing about the
    /// issuer, so the next request may try at once.
    fn abandoned(&mut self) -> Outcome {
        if self.sought.take().is_some() {
            self.schedule.refund_unknown_key_credit();
        }
        Err(abandoned())
    }
}

/// One fetch, and then the wait for the next refresh: a task that ends when the cache is dropped.
async fn fly(cache: Arc<KeyCache>, pilot: Pilot<State, Outcome>) {
    let result =
        tokio::time::timeout(TOTAL_TIMEOUT, cache.ask()).await.unwrap_or(Err(FetchError::Deadline));
    let sleep = match &result {
        Ok(snapshot) => cache.clock.sleep(snapshot.refresh_at.saturating_sub(snapshot.fetched_at)),
        Err(_) => cache.clock.sleep(IDLE_RETRY),
    };
    let number = pilot.number();
    let mut superseded = cache.departed.subscribe();
    pilot.land(|state| cache.settle(state, result));
    // From here on the cache may be dropped, and the wait ends with it; it also ends with the next
    // fetch, which waits in turn.
    let cache = {
        let weak = Arc::downgrade(&cache);
        drop(cache);
        weak
    };
    tokio::select! {
        () = sleep => {}
        _ = superseded.changed() => return,
    }
    if let Some(cache) = cache.upgrade()
        && cache.flights.departures() == number
    {
        cache.refresh_in_background(cache.clock.monotonic());
    }
}

async fn landed(passenger: Passenger<Outcome>) -> Outcome {
    passenger.landed().await.unwrap_or_else(|| Err(abandoned()))
}

fn abandoned() -> Unavailable {
    Unavailable { retry_in: FIRST_BACKOFF, cause: Arc::new(FetchError::Abandoned) }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCache").field("source", &self.source).finish_non_exhaustive()
    }
}
