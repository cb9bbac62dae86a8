//! The keys of one issuer over time: which keys are served, when they are fetched, and what is reported while
//! fetches fail.
//!
//! The hot path reads one atomic pointer, and neither locks nor allocates. One lock covers everything that
//! decides about a fetch. It is taken only when a fetch may be due, and nothing is logged under it: a
//! subscriber may call `health`, which takes the lock, too.
use super::{
    attempt::Attempt,
    fetch_error::FetchError,
    fetcher::{Fetcher, Purpose, WantedKey},
    health::Health,
    quiet::Quiet,
    report::{Condition, Report},
    residency::{Evicted, Residency, Usage},
    schedule::{FIRST_BACKOFF, FRESH, IDLE_RETRY},
    snapshot::Snapshot,
    source::KeySource,
    state::{Newer, NoFetch, Outcome, State, Unavailable, abandoned},
};
use crate::{
    identifier::Issuer,
    runtime::{
        Clock, fetch_thread, millis,
        single_flight::{Joined, Leader, SingleFlight},
    },
    telemetry::metrics,
};
use arc_swap::ArcSwapOption;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, watch};

/// How long a request waits for a fetch while old keys may be served instead: enough for an issuer that
/// answers.
const PATIENCE: Duration = Duration::from_secs(1);

/// The keys of one issuer.
pub(crate) struct KeyCache {
    fetcher: Arc<Fetcher>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stale: Duration,
    /// The bound for the number of caches with keys, if there is one.
    pub(super) residency: Option<Arc<dyn Residency>>,
    pub(super) usage: Usage,
    pub(super) current: ArcSwapOption<Snapshot>,
    /// Not set where keys may be dropped.
    pub(super) quiet: Quiet,
    /// Wakes those who wait for the withdrawal of a key.
    pub(super) changed: Arc<Notify>,
    /// Whether the last fetch failed, so that keys that are no longer fresh are still served.
    pub(super) failing: AtomicBool,
    /// The time at which a request next checks whether a refresh is due, in monotonic milliseconds. Until
    /// then requests do not take the lock, while a refresh runs or backs off.
    pub(super) look_again: AtomicU64,
    flight: Arc<SingleFlight<(), State, Outcome>>,
    /// The number of the last fetch that does not use documents that were read before.
    rereads: AtomicU64,
    /// Ends the wait for the next refresh when a fetch starts, or when the cache is dropped.
    started: watch::Sender<()>,
}

impl KeyCache {
    pub(crate) fn new(
        fetcher: Arc<Fetcher>,
        stale: Duration,
        residency: Option<Arc<dyn Residency>>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Arc::new(Self {
            fetcher,
            stale,
            residency,
            usage: Usage::default(),
            current: ArcSwapOption::empty(),
            quiet: Quiet::new(),
            changed: Arc::default(),
            failing: AtomicBool::new(false),
            look_again: AtomicU64::new(0),
            flight: SingleFlight::new(State::new(clock.monotonic())),
            rereads: AtomicU64::new(0),
            started: watch::Sender::new(()),
            clock,
        })
    }

    /// Records that a token was verified with the keys.
    pub(crate) fn prove(&self) {
        if self.residency.is_some() {
            self.usage.prove();
        }
    }

    /// Returns the keys. If none may be used at once, it waits for a fetch, and returns old keys if the fetch
    /// fails or takes too long.
    pub(crate) async fn keys(self: &Arc<Self>) -> Outcome {
        let now = self.clock.monotonic();
        if let Some(snapshot) = &*self.current.load() {
            self.refresh_if_due(snapshot, now);
        }
        if let Some(current) = self.usable(now)
            && let Some(snapshot) = &*current
        {
            return Ok(Arc::clone(snapshot));
        }
        let joined = self.join(Purpose::Renewal, |state| {
            // A fetch may have ended between the lookup and the lock.
            match self.current.load_full() {
                Some(current) if current.is_fresh(now) => Err(NoFetch::Needless(current)),
                _ => state.may_retry(now),
            }
        });
        let old = || {
            let now = self.clock.monotonic();
            self.current.load_full().filter(|snapshot| snapshot.age(now) < self.stale)
        };
        match joined {
            Ok(attempt) if old().is_some() => {
                let patience = fetch_thread::passed(&*self.clock, PATIENCE);
                let waiter = attempt.waiter.clone();
                let outcome = tokio::select! {
                    biased;
                    outcome = attempt.outcome() => Some(outcome),
                    () = patience => None,
                };
                match (outcome, old()) {
                    (Some(Ok(fetched)), _) => Ok(fetched),
                    (Some(Err(_)) | None, Some(old)) => Ok(old),
                    (Some(Err(unavailable)), None) => Err(unavailable),
                    // The old keys were dropped meanwhile.
                    (None, None) => Attempt { waiter, is_own: false }.outcome().await,
                }
            }
            Ok(attempt) => attempt.outcome().await,
            Err(NoFetch::Needless(current)) => Ok(current),
            Err(NoFetch::BackingOff(unavailable)) => old().ok_or(unavailable),
            Err(NoFetch::OverBudget { .. }) => old().ok_or_else(abandoned),
        }
    }

    /// Returns newer keys than `seen`, if they have the key that a token needs and the budget allows a fetch.
    pub(crate) async fn newer_with(
        self: &Arc<Self>,
        wanted: &WantedKey,
        seen: &Arc<Snapshot>,
    ) -> Result<Newer, Unavailable> {
        let mut seen = Arc::clone(seen);
        // A fetch that is pending now may have begun before the key was published. The next one is the
        // last, also if another request starts it.
        let before = self.flight.started();
        loop {
            let now = self.clock.monotonic();
            let purpose = Purpose::Key(wanted.clone());
            let joined = self.join(purpose, |state| match self.current.load_full() {
                Some(current) if !Arc::ptr_eq(&current, &seen) => Err(NoFetch::Needless(current)),
                _ => state.may_ask_for_key(now),
            });
            let (newer, is_last) = match joined {
                Ok(attempt) => {
                    let is_new = attempt.waiter.number() > before;
                    (attempt.outcome().await?, is_new)
                }
                Err(NoFetch::Needless(newer)) => (newer, false),
                Err(NoFetch::BackingOff(unavailable)) => return Err(unavailable),
                Err(NoFetch::OverBudget { is_new }) => {
                    if is_new {
                        tracing::warn!(
                            target: "auth0", issuer = %self.issuer(),
                            "tokens name unknown keys, or their signatures do not verify: keys are fetched \
                             from the issuer only every few seconds, and a new key may take some seconds to \
                             be accepted"
                        );
                    }
                    return Ok(Newer::OverBudget);
                }
            };
            if wanted.is_in(&newer.keys) {
                return Ok(Newer::Found(newer));
            }
            if is_last {
                return Ok(Newer::Absent);
            }
            seen = newer;
        }
    }

    /// Fetches now, at any age of the keys and the metadata. A fetch that was pending already does not count:
    /// it may have missed what has just changed.
    pub(crate) async fn refresh(self: &Arc<Self>) -> Outcome {
        let before = self.flight.started();
        loop {
            match self.join(Purpose::Refresh, |_| Ok(())) {
                Ok(attempt) => {
                    let number = attempt.waiter.number();
                    // A fetch that is for one key may use documents that were read before.
                    let rereads = attempt.is_own || number == self.rereads.load(Ordering::Relaxed);
                    let is_new = number > before && rereads;
                    let outcome = attempt.outcome().await;
                    if is_new {
                        return outcome;
                    }
                }
                Err(NoFetch::BackingOff(unavailable)) => return Err(unavailable),
                Err(_) => return Err(abandoned()),
            }
        }
    }

    pub(crate) fn source(&self) -> &KeySource {
        self.fetcher.source()
    }

    pub(super) fn issuer(&self) -> &Issuer {
        self.source().issuer()
    }

    /// Returns the name of the issuer as its metadata has it or, while that was not read, as it is
    /// configured.
    pub(crate) fn issuer_name(&self) -> String {
        match &*self.current.load() {
            Some(snapshot) => snapshot.issuer.to_string(),
            None => self.issuer().to_string(),
        }
    }

    pub(super) fn is_pending(&self) -> bool {
        self.flight.is_pending(&())
    }

    pub(crate) fn fetcher(&self) -> &Fetcher {
        &self.fetcher
    }

    /// Returns whether a request has needed the keys so far.
    pub(crate) fn was_asked_for(&self) -> bool {
        self.flight.started() > 0
    }

    pub(crate) fn health(&self) -> Health {
        let now = self.clock.monotonic();
        let failure =
            self.flight.inspect(|state| state.schedule.failure().or(state.late.as_ref()).cloned());
        Health::of(self.age(now), failure, self.stale, now)
    }

    fn age(&self, now: Duration) -> Option<Duration> {
        self.current.load().as_ref().map(|snapshot| snapshot.age(now))
    }

    /// Joins the pending fetch, or starts one on the thread `auth0-fetch` if `decide` allows it.
    fn join(
        self: &Arc<Self>,
        purpose: Purpose,
        decide: impl FnOnce(&mut State) -> Result<(), NoFetch>,
    ) -> Result<Attempt, NoFetch> {
        match self.flight.join(&(), State::abandoned, |state, _| decide(state))? {
            Joined::Waiting(waiter) => Ok(Attempt { waiter, is_own: false }),
            Joined::Leading(waiter, leader) => {
                if purpose.is_refresh() {
                    self.rereads.store(waiter.number(), Ordering::Relaxed);
                }
                self.started.send_replace(());
                if let Err(why) =
                    fetch_thread::spawn(fetch_and_wait(Arc::clone(self), leader, purpose))
                {
                    tracing::error!(target: "auth0", issuer = %self.issuer(), "{why}");
                }
                Ok(Attempt { waiter, is_own: true })
            }
        }
    }

    fn publish(&self, report: Report) {
        let label = match self.residency {
            Some(_) => metrics::RESOLVED,
            None => self.issuer().as_str(),
        };
        if report.has_new_keys() {
            self.changed.notify_waiters(); // not under the lock, as for the log
        }
        report.publish(self.issuer(), label, self.stale);
    }

    /// Starts a refresh, or returns the time until it may start.
    pub(super) fn refresh_in_background(self: &Arc<Self>, now: Duration) -> Result<(), Duration> {
        let wait = match self.join(Purpose::Renewal, |state| state.may_retry(now)) {
            Err(NoFetch::BackingOff(unavailable)) => Err(unavailable.retry_in),
            _ => Ok(()), // a fetch is pending
        };
        let look_again = now.saturating_add(wait.err().unwrap_or(Duration::from_secs(1)));
        self.look_again.store(millis(look_again), Ordering::Relaxed);
        wait
    }

    /// Applies the result of a fetch. Called under the lock of the single flight.
    fn settle(
        &self,
        state: &mut State,
        result: Result<Snapshot, FetchError>,
        purpose: &Purpose,
        report: &mut Report,
    ) -> Outcome {
        let now = self.clock.monotonic();
        if let Some(spent) = state.spent.take() {
            match (&result, purpose.wanted()) {
                (Ok(snapshot), Some(wanted)) if wanted.is_in(&snapshot.keys) => {
                    state.schedule.was_genuine(spent, now);
                }
                (Ok(_), _) => {}
                (Err(_), _) => state.schedule.was_in_vain(spent),
            }
        }
        state.late = None;
        match result {
            Ok(mut snapshot) => {
                state.schedule.succeeded();
                snapshot.generation = match (&*self.current.load(), state.generation) {
                    (Some(previous), _) => {
                        let is_new =
                            purpose.is_refresh() || !snapshot.keys.has_all_of(&previous.keys);
                        previous.generation + u64::from(is_new)
                    }
                    (None, Some(dropped)) => dropped + 1,
                    (None, None) => 0,
                };
                state.generation = Some(snapshot.generation);
                let snapshot = Arc::new(snapshot);
                let previous = self.current.swap(Some(Arc::clone(&snapshot)));
                if self.residency.is_none() {
                    self.quiet.set(snapshot.generation, millis(snapshot.quiet_until()));
                }
                self.failing.store(false, Ordering::Relaxed);
                self.look_again.store(0, Ordering::Relaxed);
                report.fetched(previous.as_ref().map(|previous| &previous.keys), &snapshot.keys);
                report.condition(&mut state.condition, Condition::Answering);
                Ok(snapshot)
            }
            Err(error @ FetchError::Crowded) => {
                let cause = state.had_no_turn(error, now);
                self.failing.store(true, Ordering::Relaxed); // old keys do not wait for it
                report.failed(&cause, self.age(now));
                Err(Unavailable { retry_in: FIRST_BACKOFF, cause })
            }
            Err(error) => {
                let failure = state.schedule.failed(error, now);
                self.failing.store(true, Ordering::Relaxed);
                let age = self.age(now);
                report.failed(&failure.cause, age);
                report.condition(
                    &mut state.condition,
                    match age {
                        Some(age) if age < FRESH => Condition::Failing,
                        Some(age) if age < self.stale => Condition::Stale,
                        _ => Condition::Unavailable,
                    },
                );
                let retry_in = failure.retry_at.saturating_sub(now);
                Err(Unavailable { retry_in, cause: failure.cause })
            }
        }
    }
}

/// Fetches once, and then waits until the next refresh is due. Ends when the cache is dropped, or when
/// another fetch starts, which then waits for the next refresh.
async fn fetch_and_wait(
    cache: Arc<KeyCache>,
    leader: Leader<(), State, Outcome>,
    purpose: Purpose,
) {
    let queue = cache.flight.inspect(State::queue);
    let result = cache.fetcher.fetch(&purpose, queue).await;
    let wait = match &result {
        Ok(snapshot) => snapshot.refresh_age(),
        Err(_) => IDLE_RETRY,
    };
    let number = leader.number();
    let clock = Arc::clone(&cache.clock);
    let mut sleep = clock.sleep(wait);
    let mut superseded = cache.started.subscribe();
    let settle = |state: Option<&mut State>| {
        let (mut report, mut evicted) = (Report::default(), Evicted::new());
        let Some(state) = state else { return (Err(abandoned()), (report, evicted)) };
        let outcome = cache.settle(state, result, &purpose, &mut report);
        if let (Ok(_), Some(residency)) = (&outcome, &cache.residency) {
            evicted = residency.admit(&cache);
        }
        (outcome, (report, evicted))
    };
    leader.complete(settle, |(report, evicted)| {
        cache.publish(report);
        if let Some(residency) = &cache.residency {
            residency.report(evicted);
        }
    });
    let weak = Arc::downgrade(&cache);
    drop(cache);
    loop {
        tokio::select! {
            () = sleep => {}
            _ = superseded.changed() => return,
        }
        let Some(cache) = weak.upgrade().filter(|cache| cache.flight.started() == number) else {
            return;
        };
        if let Some(residency) = &cache.residency {
            if cache.is_idle(&**residency) {
                residency.leave(&cache);
            }
            if !cache.has_keys() {
                return; // a request that needs keys starts a fetch
            }
        }
        match cache.refresh_in_background(clock.monotonic()) {
            Ok(()) => return,
            Err(wait) => sleep = clock.sleep(wait.max(FIRST_BACKOFF)),
        }
    }
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCache").field("issuer", self.issuer()).finish_non_exhaustive()
    }
}
