//! The connection of an instance to the store of revocations.
use super::{
    entry::RevocationEntry,
    local::Revocations,
    missing::Missing,
    reader::read,
    revocation_error::RevocationError,
    store::{RevocationStore, RevocationStoreError, UsedId},
};
use crate::runtime::{
    Clock, Moment,
    fetch_thread::{self, passed},
};
use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// The limit for adding revocations: a caller waits.
pub(super) const WRITE_LIMIT: Duration = Duration::from_secs(2);

/// The longest wait for changes: a store that hangs, and a handle that was dropped, are noticed after it.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

pub(super) struct Sync {
    store: Arc<dyn RevocationStore>,
    pub(super) max_delay: Duration,
    /// Until when the last answer is not too old, in milliseconds on the monotonic clock; zero before the first.
    current_until: AtomicU64,
    /// The same on the wall clock: the monotonic one stands still while the machine is suspended.
    wall_until: AtomicU64,
    /// Whether the last attempt to read the store has failed.
    has_failed: AtomicBool,
    /// Whether a request has waited for as long as it may, and no attempt has ended since.
    is_late: AtomicBool,
    is_lateness_reported: AtomicBool,
    waiters: Arc<Waiters>,
    missing: Mutex<Missing>,
    /// Whether something is being written back.
    pub(super) is_writing: AtomicBool,
}

/// Those who wait for the next attempt to end.
#[derive(Default)]
struct Waiters {
    attempted: Notify,
    /// Whether a thread will wake them.
    are_watched: AtomicBool,
}

impl Waiters {
    /// Wakes them after this long. A thread of its own does it: a store may block the one that reads it, which has the
    /// timers as well.
    fn watch(self: &Arc<Self>, time: Duration) {
        if self.are_watched.swap(true, Ordering::AcqRel) {
            return;
        }
        let waiters = Arc::clone(self);
        let watch = move || {
            thread::sleep(time);
            waiters.are_watched.store(false, Ordering::Release);
            waiters.attempted.notify_waiters();
        };
        if thread::Builder::new().name("auth0-watch".into()).spawn(watch).is_err() {
            self.are_watched.store(false, Ordering::Release);
        }
    }
}

/// One attempt to add a revocation. Its caller may drop it.
struct SendAttempt<'a> {
    sync: &'a Sync,
    entry: RevocationEntry,
}

impl Drop for SendAttempt<'_> {
    fn drop(&mut self) {
        self.sync.lock_missing().end(self.entry.key);
    }
}

impl Sync {
    pub(super) fn new(store: Arc<dyn RevocationStore>, max_delay: Duration) -> Self {
        Self {
            store,
            max_delay,
            current_until: AtomicU64::new(0),
            wall_until: AtomicU64::new(0),
            has_failed: AtomicBool::new(false),
            is_late: AtomicBool::new(false),
            is_lateness_reported: AtomicBool::new(false),
            waiters: Arc::default(),
            missing: Mutex::default(),
            is_writing: AtomicBool::new(false),
        }
    }

    pub(super) fn store(&self) -> Arc<dyn RevocationStore> {
        Arc::clone(&self.store)
    }

    pub(super) fn is_current(&self, now: Moment) -> bool {
        millis(now.monotonic) < self.current_until.load(Ordering::Acquire)
            && millis(now.unix_time) < self.wall_until.load(Ordering::Acquire)
    }

    /// Returns whether there is no use in waiting for the store.
    pub(super) fn is_unreadable(&self) -> bool {
        self.has_failed.load(Ordering::Acquire) || self.is_late.load(Ordering::Acquire)
    }

    /// Returns whether a request has waited in vain since the last attempt. It is said once.
    pub(super) fn take_lateness(&self) -> bool {
        self.is_late.load(Ordering::Acquire)
            && !self.is_lateness_reported.swap(true, Ordering::AcqRel)
    }

    /// Waits until the state is current. Returns `false` if the store fails.
    pub(super) async fn current(&self, clock: &Arc<dyn Clock>) -> bool {
        self.current_within(self.max_delay, clock).await
    }

    pub(super) async fn current_within(&self, limit: Duration, clock: &Arc<dyn Clock>) -> bool {
        let began = Instant::now();
        let mut is_over = pin!(passed(&**clock, limit));
        loop {
            let mut attempted = pin!(self.waiters.attempted.notified());
            attempted.as_mut().enable();
            if self.is_current(clock.moment()) {
                return true;
            }
            if self.has_failed.load(Ordering::Acquire) {
                return false;
            }
            if began.elapsed() >= limit {
                break;
            }
            self.waiters.watch(limit);
            tokio::select! {
                () = attempted => {}
                () = &mut is_over => break,
            }
        }
        self.is_current(clock.moment()) || {
            self.is_late.store(true, Ordering::Release);
            false
        }
    }

    /// Adds a revocation to the store. One that cannot be added now is added later.
    pub(super) async fn append(
        &self,
        entry: RevocationEntry,
        clock: &dyn Clock,
    ) -> Result<(), RevocationError> {
        self.lock_missing().begin(entry);
        let attempt = SendAttempt { sync: self, entry };
        limited(clock, self.store.append(vec![entry])).await?;
        self.lock_missing().sent(&[entry]);
        drop(attempt);
        Ok(())
    }

    /// Returns whether a revocation is not in the store yet.
    pub(super) fn is_unsent(&self, entry: &RevocationEntry) -> bool {
        self.lock_missing().is_unsent(entry.key)
    }

    pub(super) fn lock_missing(&self) -> MutexGuard<'_, Missing> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) async fn use_once(
        &self,
        used: UsedId,
        clock: &dyn Clock,
    ) -> Result<bool, RevocationError> {
        limited(clock, self.store.use_once(used)).await
    }

    /// Starts to read the store, until the last handle is dropped.
    pub(super) fn start(&self, revocations: &Revocations) {
        let shared = Arc::downgrade(&revocations.0);
        if let Err(error) = fetch_thread::spawn(read(shared)) {
            self.has_failed.store(true, Ordering::Release);
            tracing::error!(target: "auth0", %error, "the store of revocations cannot be read");
        }
    }

    pub(super) fn wait(&self) -> Duration {
        (self.max_delay / 4).min(LONGEST_WAIT)
    }

    /// Notes the end of an attempt, with its beginning if the state is that of the store. Returns whether the one before
    /// has failed.
    pub(super) fn note(&self, is_read: bool, began: Option<Moment>) -> bool {
        if let Some(began) = began {
            let until = |time: Duration| millis(time.saturating_add(self.max_delay));
            self.wall_until.store(until(began.unix_time), Ordering::Release);
            self.current_until.store(until(began.monotonic), Ordering::Release);
        }
        let had_failed = self.has_failed.swap(!is_read, Ordering::AcqRel);
        self.is_late.store(false, Ordering::Release);
        self.is_lateness_reported.store(false, Ordering::Release);
        self.waiters.attempted.notify_waiters();
        had_failed
    }

    /// Makes the state old.
    pub(super) fn forget_state(&self) {
        self.current_until.store(0, Ordering::Release);
    }
}

async fn limited<T>(
    clock: &dyn Clock,
    work: impl Future<Output = Result<T, RevocationStoreError>>,
) -> Result<T, RevocationError> {
    tokio::select! {
        biased;
        outcome = work => outcome.map_err(|error| RevocationError::Unavailable(error.to_string())),
        () = passed(clock, WRITE_LIMIT) => {
            let cause = format!("it has not answered within {} s", WRITE_LIMIT.as_secs());
            Err(RevocationError::Unavailable(cause))
        }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
