//! The keys of one issuer over time: when they are fetched, and what is said while they cannot be.
//!
//! The hot path reads one atomic pointer. Everything that decides about a fetch stands behind a
//! mutex that is taken only when a fetch may be due, and is never held across an await.
use super::KeySet;
use crate::{
    clock::Clock,
    crypto::AlgorithmSet,
    discovery::{self, FetchError, Metadata},
    domain::Issuer,
    http::{HttpClient, TOTAL_TIMEOUT},
};
use arc_swap::{ArcSwapOption, Guard};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;

/// A withdrawn key is refused at the latest after this. Auth0's own answers carry a max-age of
/// about 15 s, which would mean a fetch every 15 s for keys that change a few times a year.
const FRESH: Duration = Duration::from_secs(600);

/// From this age on a request sets off a refresh in the background, so that none waits for one.
const REFRESH_AHEAD: Duration = Duration::from_secs(300);

/// While the issuer fails, keys go on serving this long after its last good answer: an outage of
/// a night must not log everybody out.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// The first retry comes soon, because most failures are short; the delay doubles up to the
/// maximum, which bounds both the load on a failing issuer and the time to notice that it is back.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// What the issuer asks for with `Retry-After` is honoured up to here.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// Refetches for unknown key ids: two at once, because the first may have been spent on a token
/// with a made-up id just before a rotation; then one every five seconds, so that a flood of
/// made-up ids delays a rotation by no more than that.
const UNKNOWN_KEY_BURST: u32 = 2;
const UNKNOWN_KEY_REFILL: Duration = Duration::from_secs(5);

/// The keys of one issuer.
#[derive(Debug)]
pub(crate) struct KeyCache {
    issuer: Issuer,
    algorithms: AlgorithmSet,
    http: Arc<dyn HttpClient>,
    clock: Arc<dyn Clock>,
    current: ArcSwapOption<Snapshot>,
    /// When a request should next look whether a refresh is due, in monotonic milliseconds. Keeps
    /// requests off the mutex while a refresh runs or backs off.
    look_again: AtomicU64,
    refresh: Mutex<Refresh>,
}

/// One good answer of the issuer.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) keys: KeySet,
    metadata: Arc<Metadata>,
    metadata_at: Duration,
    fetched_at: Duration,
}

/// Why there are no keys to judge a token with.
#[derive(Clone, Debug)]
pub(crate) struct Unavailable {
    pub(crate) retry_in: Duration,
    pub(crate) cause: Arc<FetchError>,
}

type Outcome = Result<Arc<Snapshot>, Unavailable>;

#[derive(Debug)]
struct Refresh {
    in_flight: Option<watch::Receiver<Option<Outcome>>>,
    failure: Option<Failure>,
    failures: u32,
    unknown_key_credit: u32,
    credited_at: Duration,
}

/// The last fetch failed, and the next one waits.
#[derive(Debug)]
struct Failure {
    cause: Arc<FetchError>,
    retry_at: Duration,
}

impl KeyCache {
    pub(crate) fn new(
        issuer: Issuer,
        algorithms: AlgorithmSet,
        http: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        Arc::new(Self {
            issuer,
            algorithms,
            http,
            current: ArcSwapOption::empty(),
            look_again: AtomicU64::new(0),
            refresh: Mutex::new(Refresh {
                in_flight: None,
                failure: None,
                failures: 0,
                unknown_key_credit: UNKNOWN_KEY_BURST,
                credited_at: clock.monotonic(),
            }),
            clock,
        })
    }

    /// The keys, if they are there and may be used without asking the issuer first. Old ones set
    /// off a refresh in the background.
    pub(crate) fn ready(self: &Arc<Self>) -> Option<Guard<Option<Arc<Snapshot>>>> {
        let now = self.clock.monotonic();
        let current = self.current.load();
        let age = now.saturating_sub(current.as_ref()?.fetched_at);
        if age >= REFRESH_AHEAD && millis(now) >= self.look_again.load(Ordering::Relaxed) {
            self.start_if_due(now);
        }
        (age < FRESH).then_some(current)
    }

    /// The keys: the ones at hand while they are fresh, else those of a fetch that this request
    /// waits for, else old ones while the issuer fails.
    pub(crate) async fn keys(self: &Arc<Self>) -> Outcome {
        if let Some(current) = self.ready()
            && let Some(snapshot) = &*current
        {
            return Ok(Arc::clone(snapshot));
        }
        self.fetched().await.or_else(|unavailable| {
            let now = self.clock.monotonic();
            self.current
                .load_full()
                .filter(|snapshot| now.saturating_sub(snapshot.fetched_at) < STALE)
                .ok_or(unavailable)
        })
    }

    /// The keys after a token named one that `seen` does not hold: newer ones if there are, or if
    /// the budget allows to ask for them. `Ok(None)`: the key is unknown, and it stays at that.
    pub(crate) async fn newer_than(
        self: &Arc<Self>,
        seen: &Arc<Snapshot>,
    ) -> Result<Option<Arc<Snapshot>>, Unavailable> {
        let now = self.clock.monotonic();
        let flight = {
            let mut refresh = self.lock();
            if let Some(current) = self.current.load_full()
                && !Arc::ptr_eq(&current, seen)
            {
                return Ok(Some(current));
            }
            if let Some(flight) = &refresh.in_flight {
                flight.clone()
            } else if let Some(unavailable) = refresh.backing_off(now) {
                return Err(unavailable);
            } else if refresh.spend_unknown_key_credit(now) {
                self.start(&mut refresh)?
            } else {
                return Ok(None);
            }
        };
        landed(flight).await.map(Some)
    }

    async fn fetched(self: &Arc<Self>) -> Outcome {
        let now = self.clock.monotonic();
        let flight = {
            let mut refresh = self.lock();
            // Somebody else's fetch may have landed between the look at the keys and the lock.
            if let Some(current) = self.current.load_full()
                && now.saturating_sub(current.fetched_at) < FRESH
            {
                return Ok(current);
            }
            if let Some(flight) = &refresh.in_flight {
                flight.clone()
            } else if let Some(unavailable) = refresh.backing_off(now) {
                return Err(unavailable);
            } else {
                self.start(&mut refresh)?
            }
        };
        landed(flight).await
    }

    fn start_if_due(self: &Arc<Self>, now: Duration) {
        let mut refresh = self.lock();
        let look_again = if refresh.in_flight.is_some() {
            now + Duration::from_secs(1)
        } else if let Some(failure) =
            refresh.failure.as_ref().filter(|failure| now < failure.retry_at)
        {
            failure.retry_at
        } else {
            // Without a runtime there is nobody to fetch; the keys at hand go on serving.
            let _ = self.start(&mut refresh);
            now + Duration::from_secs(1)
        };
        self.look_again.store(millis(look_again), Ordering::Relaxed);
    }

    /// Starts a fetch that belongs to nobody: a request that is cancelled takes no other with it.
    fn start(
        self: &Arc<Self>,
        refresh: &mut Refresh,
    ) -> Result<watch::Receiver<Option<Outcome>>, Unavailable> {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return Err(Unavailable {
                retry_in: FIRST_BACKOFF,
                cause: Arc::new(FetchError::NoRuntime),
            });
        };
        let (sender, receiver) = watch::channel(None);
        refresh.in_flight = Some(receiver.clone());
        let flight = Flight { cache: Arc::clone(self), sender: Some(sender) };
        runtime.spawn(flight.fly());
        Ok(receiver)
    }

    async fn ask(&self) -> Result<Snapshot, FetchError> {
        let now = self.clock.monotonic();
        let known = self
            .current
            .load_full()
            .filter(|snapshot| now.saturating_sub(snapshot.metadata_at) < REFRESH_AHEAD)
            .map(|snapshot| (Arc::clone(&snapshot.metadata), snapshot.metadata_at));
        if let Some((metadata, metadata_at)) = known {
            match discovery::key_set(&self.http, &metadata, self.algorithms).await {
                Ok(keys) => return Ok(self.snapshot(keys, metadata, metadata_at)),
                Err(error) if error.suggests_move() => {}
                Err(error) => return Err(error),
            }
        }
        let metadata = Arc::new(discovery::metadata(&self.http, &self.issuer).await?);
        let keys = discovery::key_set(&self.http, &metadata, self.algorithms).await?;
        Ok(self.snapshot(keys, metadata, self.clock.monotonic()))
    }

    fn snapshot(&self, keys: KeySet, metadata: Arc<Metadata>, metadata_at: Duration) -> Snapshot {
        Snapshot { keys, metadata, metadata_at, fetched_at: self.clock.monotonic() }
    }

    fn land(&self, result: Result<Snapshot, FetchError>) -> Outcome {
        let mut refresh = self.lock();
        refresh.in_flight = None;
        match result {
            Ok(snapshot) => {
                if refresh.failures > 0 {
                    tracing::info!(target: "auth0", issuer = %self.issuer, "the issuer's keys can be fetched again");
                }
                refresh.failures = 0;
                refresh.failure = None;
                let snapshot = Arc::new(snapshot);
                let previous = self.current.swap(Some(Arc::clone(&snapshot)));
                if previous.is_none_or(|previous| previous.keys.ids() != snapshot.keys.ids()) {
                    tracing::info!(
                        target: "auth0", issuer = %self.issuer, keys = snapshot.keys.len(),
                        "the issuer's keys are new"
                    );
                }
                self.look_again.store(0, Ordering::Relaxed);
                Ok(snapshot)
            }
            Err(error) => {
                let delay = refresh.backoff(&error);
                let now = self.clock.monotonic();
                let cause = Arc::new(error);
                if refresh.failures == 1 {
                    tracing::warn!(
                        target: "auth0", issuer = %self.issuer, %cause,
                        "the issuer's keys cannot be fetched"
                    );
                }
                refresh.failure =
                    Some(Failure { cause: Arc::clone(&cause), retry_at: now + delay });
                Err(Unavailable { retry_in: delay, cause })
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Refresh> {
        self.refresh.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Refresh {
    fn backing_off(&self, now: Duration) -> Option<Unavailable> {
        let failure = self.failure.as_ref().filter(|failure| now < failure.retry_at)?;
        Some(Unavailable {
            retry_in: failure.retry_at.saturating_sub(now),
            cause: Arc::clone(&failure.cause),
        })
    }

    fn backoff(&mut self, error: &FetchError) -> Duration {
        let doubled = FIRST_BACKOFF * 2u32.saturating_pow(self.failures.min(8));
        self.failures = self.failures.saturating_add(1);
        match error {
            FetchError::Status { retry_after: Some(asked), .. } => {
                (*asked).clamp(FIRST_BACKOFF, MAX_RETRY_AFTER)
            }
            _ => doubled.min(MAX_BACKOFF),
        }
    }

    fn spend_unknown_key_credit(&mut self, now: Duration) -> bool {
        let periods = now.saturating_sub(self.credited_at).as_secs() / UNKNOWN_KEY_REFILL.as_secs();
        if periods > 0 {
            let earned = u32::try_from(periods).unwrap_or(u32::MAX);
            self.unknown_key_credit =
                self.unknown_key_credit.saturating_add(earned).min(UNKNOWN_KEY_BURST);
            self.credited_at = now;
        }
        if self.unknown_key_credit == 0 {
            return false;
        }
        if self.unknown_key_credit == UNKNOWN_KEY_BURST {
            self.credited_at = now;
        }
        self.unknown_key_credit -= 1;
        true
    }
}

/// A fetch under way. However it ends, whoever waits for it hears of it.
struct Flight {
    cache: Arc<KeyCache>,
    sender: Option<watch::Sender<Option<Outcome>>>,
}

impl Flight {
    async fn fly(mut self) {
        let result = tokio::time::timeout(TOTAL_TIMEOUT, self.cache.ask())
            .await
            .unwrap_or(Err(FetchError::Deadline));
        self.land(result);
    }

    fn land(&mut self, result: Result<Snapshot, FetchError>) {
        if let Some(sender) = self.sender.take() {
            let outcome = self.cache.land(result);
            sender.send_replace(Some(outcome));
        }
    }
}

impl Drop for Flight {
    /// The runtime of the task was shut down, or the transport panicked.
    fn drop(&mut self) {
        self.land(Err(FetchError::Abandoned));
    }
}

async fn landed(mut flight: watch::Receiver<Option<Outcome>>) -> Outcome {
    let abandoned =
        || Unavailable { retry_in: FIRST_BACKOFF, cause: Arc::new(FetchError::Abandoned) };
    match flight.wait_for(Option::is_some).await {
        Ok(outcome) => outcome.clone().unwrap_or_else(|| Err(abandoned())),
        Err(_) => Err(abandoned()),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
