//! The keys of one issuer over time: which are served, when they are fetched, and what is said
//! while they cannot be.
//!
//! The hot path reads one atomic pointer, and neither locks nor allocates. Everything that decides
//! about a fetch stands behind a lock that is taken only when a fetch may be due, and under which
//! nothing is logged: whoever listens to the log may ask for the health, which takes it, too.
use super::{
    fetch::{Fetcher, Purpose, Snapshot},
    flight::{Boarding, Passenger, Pilot, SingleFlight},
    news::{Condition, News},
    schedule::{FIRST_BACKOFF, FRESH, IDLE_RETRY, Schedule, Spent},
};
use crate::{
    clock::Clock, discovery::FetchError, domain::Issuer, health::Health, http::TOTAL_TIMEOUT,
    key_table::Tenure, measure, trusted_issuer::Checked,
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

/// How long a request waits for a fetch while there are keys that may be served instead: enough for
/// an issuer that answers.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long it waits without any: a fetch ends before that, if its runtime gets to run.
const LAST_PATIENCE: Duration = TOTAL_TIMEOUT.saturating_add(Duration::from_millis(500));

/// The keys of one issuer.
pub(crate) struct KeyCache {
    fetcher: Arc<Fetcher>,
    clock: Arc<dyn Clock>,
    stale: Duration,
    /// What bounds their number, if something does.
    tenure: Option<Tenure>,
    current: ArcSwapOption<Snapshot>,
    /// The last fetch failed: keys that are no longer fresh are served all the same.
    failing: AtomicBool,
    /// When a request should next look whether a refresh is due, in monotonic milliseconds. Keeps
    /// requests off the lock while a refresh runs or backs off.
    look_again: AtomicU64,
    flights: Arc<SingleFlight<State, Outcome>>,
    /// The last fetch that relies on nothing that was read before.
    rereads: AtomicU64,
    /// Says to the one who waits for the next refresh that a fetch has started, or that the cache is
    /// dropped.
    departed: watch::Sender<()>,
}

/// Keys that nobody has used for so long are dropped where there is not room for all.
const IDLE: Duration = Duration::from_secs(900);

/// Why there are no keys to judge a token with.
#[derive(Clone, Debug)]
pub(crate) struct Unavailable {
    pub(crate) retry_in: Duration,
    pub(crate) cause: Arc<FetchError>,
}

type Outcome = Result<Arc<Snapshot>, Unavailable>;

struct State {
    schedule: Schedule,
    /// What the fetch under way has taken out of the budget for unknown keys.
    spent: Option<Spent>,
    /// Whether the log was told that the budget is used up.
    is_flood_told: bool,
    condition: Condition,
    /// Of the last keys, also if they were dropped: none that come after them have the same.
    generation: Option<u64>,
    clock: Arc<dyn Clock>,
}

/// A place on a fetch, which this request has started or has joined.
struct Ticket {
    passenger: Passenger<Outcome>,
    is_own: bool,
}

/// Why a fetch does not start.
enum NoFetch {
    Needless(Arc<Snapshot>),
    /// `is_news`: it was not so a moment ago.
    OverBudget {
        is_news: bool,
    },
    BackingOff(Unavailable),
}

impl KeyCache {
    pub(crate) fn new(
        fetcher: Arc<Fetcher>,
        stale: Duration,
        tenure: Option<Tenure>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        let now = clock.monotonic();
        Arc::new(Self {
            fetcher,
            stale,
            tenure,
            current: ArcSwapOption::empty(),
            failing: AtomicBool::new(false),
            look_again: AtomicU64::new(0),
            flights: SingleFlight::new(State {
                schedule: Schedule::new(now),
                spent: None,
                is_flood_told: false,
                condition: Condition::Answering,
                generation: None,
                clock: Arc::clone(&clock),
            }),
            rereads: AtomicU64::new(0),
            departed: watch::Sender::new(()),
            clock,
        })
    }

    /// The keys, if they are there and may be used without asking the issuer first: while they are
    /// fresh, and while the issuer fails.
    pub(crate) fn usable(&self, now: Duration) -> Option<Guard<Option<Arc<Snapshot>>>> {
        if let Some(tenure) = &self.tenure {
            tenure.mark_use(now);
        }
        let current = self.current.load();
        let snapshot = current.as_ref()?;
        let usable = snapshot.is_fresh(now)
            || self.failing.load(Ordering::Relaxed) && snapshot.age(now) < self.stale;
        usable.then_some(current)
    }

    /// Sets off a refresh in the background when it is time.
    pub(crate) fn refresh_if_due(self: &Arc<Self>, snapshot: &Snapshot, now: Duration) {
        if snapshot.is_to_be_refreshed(now)
            && millis(now) >= self.look_again.load(Ordering::Relaxed)
        {
            let _ = self.refresh_in_background(now);
        }
    }

    /// The keys; if there are none to be used at once, those of a fetch that this request waits
    /// for, or old ones if that fails or takes too long.
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
        let boarded = self.board(Purpose::Renewal, |state| {
            // Somebody else's fetch may have landed between the look and the lock.
            match self.current.load_full() {
                Some(current) if current.is_fresh(now) => Err(NoFetch::Needless(current)),
                _ => state.may_retry(now),
            }
        });
        let old = || {
            let now = self.clock.monotonic();
            self.current.load_full().filter(|snapshot| snapshot.age(now) < self.stale)
        };
        match boarded {
            Ok(ticket) if old().is_some() => {
                let passenger = ticket.passenger.clone();
                match (tokio::time::timeout(PATIENCE, passenger.landed()).await, old()) {
                    (Ok(Some(Ok(fetched))), _) => Ok(fetched),
                    (Err(_), Some(old)) => {
                        if ticket.passenger.age() >= LAST_PATIENCE {
                            self.give_up(ticket.passenger.number());
                        }
                        Ok(old)
                    }
                    (_, Some(old)) => Ok(old),
                    (Ok(Some(Err(unavailable))), None) => Err(unavailable),
                    (Ok(None), None) => Err(abandoned()),
                    // The old ones made room meanwhile.
                    (Err(_), None) => self.landed(ticket).await,
                }
            }
            Ok(ticket) => self.landed(ticket).await,
            Err(NoFetch::Needless(current)) => Ok(current),
            Err(NoFetch::BackingOff(unavailable)) => old().ok_or(unavailable),
            Err(NoFetch::OverBudget { .. }) => old().ok_or_else(abandoned),
        }
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
            let purpose = Purpose::Key(key_id.into());
            let boarded = self.board(purpose, |state| match self.current.load_full() {
                Some(current) if !Arc::ptr_eq(&current, &seen) => Err(NoFetch::Needless(current)),
                _ => state.may_ask_for_key(now),
            });
            let (newer, is_last) = match boarded {
                Ok(ticket) => {
                    let is_own = ticket.is_own;
                    (self.landed(ticket).await?, is_own)
                }
                Err(NoFetch::Needless(newer)) => (newer, false),
                Err(NoFetch::BackingOff(unavailable)) => return Err(unavailable),
                Err(NoFetch::OverBudget { is_news }) => {
                    if is_news {
                        tracing::warn!(
                            target: "auth0", issuer = %self.issuer(),
                            "tokens name unknown keys: the issuer is asked for them only now and \
                             then, and a new key may take some seconds to be accepted"
                        );
                    }
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

    /// Fetches now, whatever the age of the keys, and of what is known of where they are. A fetch that
    /// was under way already does not count: it may have missed what has just changed.
    pub(crate) async fn refresh(self: &Arc<Self>) -> Outcome {
        let before = self.flights.departures();
        loop {
            match self.board(Purpose::Refresh, |_| Ok(())) {
                Ok(ticket) => {
                    let number = ticket.passenger.number();
                    // One that is for a key only may rely on what was read before.
                    let rereads = ticket.is_own || number == self.rereads.load(Ordering::Relaxed);
                    let is_new = number > before && rereads;
                    let outcome = self.landed(ticket).await;
                    if is_new {
                        return outcome;
                    }
                }
                Err(NoFetch::BackingOff(unavailable)) => return Err(unavailable),
                Err(_) => return Err(abandoned()),
            }
        }
    }

    pub(crate) fn issuer(&self) -> &Issuer {
        self.fetcher.issuer()
    }

    pub(crate) const fn tenure(&self) -> Option<&Tenure> {
        self.tenure.as_ref()
    }

    /// Whether they come from where this says.
    pub(crate) fn are_of(&self, checked: &Checked) -> bool {
        self.fetcher.is_for(checked)
    }

    pub(crate) fn has_keys(&self) -> bool {
        self.current.load().is_some()
    }

    /// Whether a fetch is under way.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.flights.is_under_way()
    }

    /// The next fetch relies on nothing that was read before.
    pub(crate) fn forget_metadata(&self) {
        self.fetcher.forget_metadata();
    }

    /// Makes room. Tokens that these keys have verified are verified anew when there are others.
    pub(crate) fn drop_keys(&self) {
        self.current.store(None);
    }

    /// Where there is no room for the keys of all issuers, those that nobody uses go, unless their issuer
    /// fails: they may be needed then.
    fn is_idle(&self) -> bool {
        let now = self.clock.monotonic();
        let is_trusted = self.tenure.as_ref().is_some_and(|tenure| tenure.is_trusted(self));
        let is_needed = is_trusted
            && self.failing.load(Ordering::Relaxed)
            && self.current.load().as_ref().is_some_and(|current| current.age(now) < self.stale);
        self.tenure.as_ref().is_some_and(|tenure| tenure.unused_for(now) >= IDLE) && !is_needed
    }

    /// Whether anybody has needed these keys yet.
    pub(crate) fn was_asked_for(&self) -> bool {
        self.flights.departures() > 0
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
        purpose: Purpose,
        decide: impl FnOnce(&mut State) -> Result<(), NoFetch>,
    ) -> Result<Ticket, NoFetch> {
        let Ok(runtime) = runtime::Handle::try_current() else {
            let cause = Arc::new(FetchError::NoRuntime);
            return Err(NoFetch::BackingOff(Unavailable { retry_in: FIRST_BACKOFF, cause }));
        };
        match self.flights.board(State::abandoned, decide)? {
            Boarding::Joined(passenger) => Ok(Ticket { passenger, is_own: false }),
            Boarding::Started(passenger, pilot) => {
                if purpose.is_refresh() {
                    self.rereads.store(passenger.number(), Ordering::Relaxed);
                }
                self.departed.send_replace(());
                runtime.spawn(fly(Arc::clone(self), pilot, purpose));
                Ok(Ticket { passenger, is_own: true })
            }
        }
    }

    /// Waits for a fetch. One that does not land in time has a runtime that does not get to run: it is
    /// given up, so that it does not stand in the way of others.
    async fn landed(&self, ticket: Ticket) -> Outcome {
        let number = ticket.passenger.number();
        match tokio::time::timeout(LAST_PATIENCE, ticket.passenger.landed()).await {
            Ok(outcome) => outcome.unwrap_or_else(|| Err(abandoned())),
            Err(_) => {
                self.give_up(number);
                Err(abandoned())
            }
        }
    }

    fn give_up(&self, number: u64) {
        let mut news = News::default();
        self.flights.give_up(number, |state| {
            let _ = self.settle(state, Err(FetchError::Abandoned), &Purpose::Renewal, &mut news);
        });
        self.tell(news);
    }

    fn tell(&self, news: News) {
        let label = match self.tenure {
            Some(_) => measure::RESOLVED,
            None => self.issuer().as_str(),
        };
        news.tell(self.issuer(), label, self.stale);
    }

    /// Starts a refresh, or says how long it has to wait.
    fn refresh_in_background(self: &Arc<Self>, now: Duration) -> Result<(), Duration> {
        let wait = match self.board(Purpose::Renewal, |state| state.may_retry(now)) {
            Err(NoFetch::BackingOff(unavailable)) => Err(unavailable.retry_in),
            _ => Ok(()), // a fetch is under way
        };
        let look_again = now.saturating_add(wait.err().unwrap_or(Duration::from_secs(1)));
        self.look_again.store(millis(look_again), Ordering::Relaxed);
        wait
    }

    /// What a fetch's result means. Called under the lock of the flights.
    fn settle(
        &self,
        state: &mut State,
        result: Result<Snapshot, FetchError>,
        purpose: &Purpose,
        news: &mut News,
    ) -> Outcome {
        let now = self.clock.monotonic();
        if let Some(spent) = state.spent.take() {
            match (&result, purpose.key_id()) {
                (Ok(snapshot), Some(key_id)) if snapshot.keys.contains(key_id) => {
                    state.schedule.was_genuine(spent, now);
                }
                (Ok(_), _) => {}
                (Err(_), _) => state.schedule.was_in_vain(spent),
            }
        }
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
                self.failing.store(false, Ordering::Relaxed);
                self.look_again.store(0, Ordering::Relaxed);
                news.fetched(previous.as_ref().map(|previous| &previous.keys), &snapshot.keys);
                news.condition(&mut state.condition, Condition::Answering);
                Ok(snapshot)
            }
            Err(error) => {
                let failure = state.schedule.failed(error, now);
                self.failing.store(true, Ordering::Relaxed);
                let current = self.current.load();
                let age = current.as_ref().map(|snapshot| snapshot.age(now));
                news.failed(&failure.cause, age);
                news.condition(
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

    fn may_ask_for_key(&mut self, now: Duration) -> Result<(), NoFetch> {
        self.may_retry(now)?;
        self.spent = self.schedule.spend_unknown_key_credit(now);
        match (&self.spent, self.schedule.failure()) {
            (Some(spent), _) => {
                self.is_flood_told &= !spent.was_of_full();
                Ok(())
            }
            (None, None) => {
                let is_news = !std::mem::replace(&mut self.is_flood_told, true);
                Err(NoFetch::OverBudget { is_news })
            }
            // The issuer may have rotated just before it began to fail: who knows.
            (None, Some(failure)) => Err(NoFetch::BackingOff(Unavailable {
                retry_in: FIRST_BACKOFF,
                cause: Arc::clone(&failure.cause),
            })),
        }
    }

    /// The runtime of a fetch was shut down.
    fn abandoned(&mut self) -> Outcome {
        if let Some(spent) = self.spent.take() {
            self.schedule.was_in_vain(spent);
        }
        self.schedule.failed(FetchError::Abandoned, self.clock.monotonic());
        Err(abandoned())
    }
}

/// One fetch, and then the wait for the next refresh: a task that ends when the cache is dropped.
async fn fly(cache: Arc<KeyCache>, pilot: Pilot<State, Outcome>, purpose: Purpose) {
    let is_first_failure = cache.flights.inspect(|state| state.schedule.is_answering());
    let result = cache.fetcher.fetch(&purpose, is_first_failure).await;
    let wait = match &result {
        Ok(snapshot) => snapshot.refresh_age(),
        Err(_) => IDLE_RETRY,
    };
    let number = pilot.number();
    let clock = Arc::clone(&cache.clock);
    let mut sleep = clock.sleep(wait);
    let mut superseded = cache.departed.subscribe();
    let mut news = News::default();
    let has_keys = result.is_ok();
    pilot.land(|state| cache.settle(state, result, &purpose, &mut news));
    cache.tell(news);
    if let (true, Some(tenure)) = (has_keys, &cache.tenure) {
        tenure.admit(&cache);
    }
    // From here on the cache may be dropped, and the wait ends with it; it also ends with the next
    // fetch, which waits in turn.
    let weak = Arc::downgrade(&cache);
    drop(cache);
    loop {
        tokio::select! {
            () = sleep => {}
            _ = superseded.changed() => return,
        }
        let Some(cache) = weak.upgrade().filter(|cache| cache.flights.departures() == number)
        else {
            return;
        };
        if let Some(tenure) = &cache.tenure {
            if cache.is_idle() {
                tenure.leave(&cache);
            }
            if !cache.has_keys() {
                return; // whoever needs them asks
            }
        }
        match cache.refresh_in_background(clock.monotonic()) {
            Ok(()) => return,
            Err(wait) => sleep = clock.sleep(wait.max(FIRST_BACKOFF)),
        }
    }
}

pub(crate) fn abandoned() -> Unavailable {
    Unavailable { retry_in: FIRST_BACKOFF, cause: Arc::new(FetchError::Abandoned) }
}

pub(crate) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl fmt::Debug for KeyCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyCache").field("fetcher", &self.fetcher).finish_non_exhaustive()
    }
}
