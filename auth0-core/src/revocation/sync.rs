//! Reading the store of revocations, without end, on the thread `auth0-fetch`.
use super::{
    entry::RevocationEntry,
    local::{RevocationError, Revocations, Shared},
    store::{Changes, RevocationStore, RevocationStoreError, UsedId},
    table::Inserted,
};
use crate::{
    runtime::{
        Clock,
        fetch_thread::{self, How, RESTARTS, passed},
    },
    telemetry::{EscapedMessage, metrics},
};
use std::{
    collections::HashMap,
    future::Future,
    pin::pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::Notify;

/// The limit for adding a revocation: its caller waits.
const WRITE_LIMIT: Duration = Duration::from_secs(2);

/// The pause after a failure.
const PAUSE: Duration = Duration::from_millis(200);

/// The longest wait for changes: a store that hangs, and a handle that was dropped, are noticed after it.
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// How many revocations are written back at once to a store that has lost them.
const WRITTEN_BACK_AT_ONCE: usize = 1000;

/// The connection of an instance to the store.
pub(super) struct Sync {
    store: Arc<dyn RevocationStore>,
    max_delay: Duration,
    /// Until when the last answer is not too old, in milliseconds on the monotonic clock; zero before the first.
    current_until: AtomicU64,
    /// Whether the last attempt to read the store has failed.
    has_failed: AtomicBool,
    /// Wakes those who wait for the next attempt to end.
    attempted: Notify,
    /// What is not in the store yet. As bounded as the table, which has the same.
    unsent: Mutex<HashMap<[u8; 16], Unsent>>,
}

/// A revocation that is being added to the store, or could not be added.
struct Unsent {
    entry: RevocationEntry,
    /// How many callers are adding it now.
    attempts: usize,
}

impl Unsent {
    fn add(all: &mut HashMap<[u8; 16], Self>, entry: RevocationEntry) -> &mut Self {
        let known = all.entry(*entry.key.as_bytes()).or_insert(Self { entry, attempts: 0 });
        // The newest counts.
        if entry.revoked_at >= known.entry.revoked_at {
            known.entry = entry;
        }
        known
    }
}

/// One attempt to add a revocation. Its caller may drop it.
struct SendAttempt<'a> {
    sync: &'a Sync,
    entry: RevocationEntry,
}

impl Drop for SendAttempt<'_> {
    fn drop(&mut self) {
        if let Some(unsent) = self.sync.lock_unsent().get_mut(self.entry.key.as_bytes()) {
            unsent.attempts = unsent.attempts.saturating_sub(1);
        }
    }
}

impl Sync {
    pub(super) fn new(store: Arc<dyn RevocationStore>, max_delay: Duration) -> Self {
        Self {
            store,
            max_delay,
            current_until: AtomicU64::new(0),
            has_failed: AtomicBool::new(false),
            attempted: Notify::new(),
            unsent: Mutex::default(),
        }
    }

    pub(super) fn store(&self) -> Arc<dyn RevocationStore> {
        Arc::clone(&self.store)
    }

    pub(super) fn is_current(&self, monotonic: Duration) -> bool {
        millis(monotonic) < self.current_until.load(Ordering::Acquire)
    }

    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.load(Ordering::Acquire)
    }

    /// Waits until the state is current. Returns `false` if the store fails.
    pub(super) async fn current(&self, clock: &Arc<dyn Clock>) -> bool {
        let mut is_late = pin!(passed(&**clock, self.max_delay));
        loop {
            let mut attempted = pin!(self.attempted.notified());
            attempted.as_mut().enable();
            if self.is_current(clock.monotonic()) {
                return true;
            }
            if self.has_failed() {
                return false;
            }
            tokio::select! {
                () = attempted => {}
                () = &mut is_late => return self.is_current(clock.monotonic()),
            }
        }
    }

    /// Adds a revocation to the store. One that cannot be added now is added later.
    pub(super) async fn append(
        &self,
        entry: RevocationEntry,
        clock: &dyn Clock,
    ) -> Result<(), RevocationError> {
        let attempt = self.attempt(entry);
        limited(clock, self.store.append(vec![entry])).await?;
        self.forget_unsent(&[entry]);
        drop(attempt);
        Ok(())
    }

    fn attempt(&self, entry: RevocationEntry) -> SendAttempt<'_> {
        Unsent::add(&mut self.lock_unsent(), entry).attempts += 1;
        SendAttempt { sync: self, entry }
    }

    /// Adds to the store later what it has lost.
    fn add_again(&self, missing: Vec<RevocationEntry>) {
        let mut unsent = self.lock_unsent();
        for entry in missing {
            Unsent::add(&mut unsent, entry);
        }
    }

    /// Returns whether a revocation is not in the store yet.
    pub(super) fn is_unsent(&self, entry: &RevocationEntry) -> bool {
        self.lock_unsent().contains_key(entry.key.as_bytes())
    }

    /// Returns what no caller is adding any more.
    fn unsent(&self) -> Vec<RevocationEntry> {
        let unsent = self.lock_unsent();
        let given_up = unsent.values().filter(|unsent| unsent.attempts == 0);
        given_up.map(|unsent| unsent.entry).take(WRITTEN_BACK_AT_ONCE).collect()
    }

    fn forget_unsent(&self, sent: &[RevocationEntry]) {
        let mut unsent = self.lock_unsent();
        for entry in sent {
            // A later revocation of the same may have been added meanwhile.
            if unsent.get(entry.key.as_bytes()).is_some_and(|unsent| unsent.entry == *entry) {
                unsent.remove(entry.key.as_bytes());
            }
        }
    }

    fn lock_unsent(&self) -> MutexGuard<'_, HashMap<[u8; 16], Unsent>> {
        self.unsent.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn wait(&self) -> Duration {
        (self.max_delay / 4).min(LONGEST_WAIT)
    }

    fn note(&self, is_read: bool, current_until: Option<Duration>) {
        if let Some(until) = current_until {
            self.current_until.store(millis(until), Ordering::Release);
        }
        self.has_failed.store(!is_read, Ordering::Release);
        self.attempted.notify_waiters();
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

/// What is known of the store's log.
#[derive(Default)]
struct Reader {
    position: Option<String>,
    /// What the store has lost, and was not read from it since.
    lost: Option<HashMap<[u8; 16], RevocationEntry>>,
    /// How many attempts have failed one after the other while the process was stopped.
    frozen: usize,
}

async fn read(shared: Weak<Shared>) {
    let mut reader = Reader::default();
    while let Some(shared) = shared.upgrade() {
        let revocations = Revocations(shared);
        let Some(sync) = &revocations.0.sync else { return };
        let began = Instant::now();
        let pause = match reader.attempt(&revocations, sync).await {
            Ok(true) => Duration::ZERO,
            Ok(false) => sync.wait().saturating_sub(began.elapsed()),
            Err(()) => PAUSE,
        };
        if !pause.is_zero() {
            passed(&**revocations.clock(), pause).await;
        }
    }
}

impl Reader {
    /// Reads the next part of the log. Returns whether to go on at once.
    async fn attempt(&mut self, revocations: &Revocations, sync: &Sync) -> Result<bool, ()> {
        let clock = revocations.clock();
        let began = clock.monotonic();
        let (store, position, wait) = (sync.store(), self.position.clone(), sync.wait());
        let work = async move { store.changes(position.as_deref(), wait).await };
        let limit = sync.max_delay.saturating_add(wait);
        let failed = |cause: &str| {
            if !sync.has_failed() {
                report(revocations, cause);
            }
            metrics::revocation_read("failure");
            sync.note(false, None);
            Err(())
        };
        let ended = fetch_thread::within(&**clock, limit, work).await;
        if ended.was_frozen && !matches!(ended.how, How::Done(Ok(_))) && self.frozen < RESTARTS {
            self.frozen += 1;
            return Ok(true); // a failure of a process that was stopped is not the store's
        }
        self.frozen = 0;
        let changes = match ended.how {
            How::Done(Ok(changes)) => changes,
            How::Done(Err(error)) => return failed(&error.to_string()),
            How::Panicked => return failed("the store panicked"),
            How::Late => return failed("it has not answered in time"),
        };
        let Changes { entries, position, has_more, has_lost, missing } = changes;
        sync.add_again(missing);
        if has_lost {
            let known = revocations.entries();
            self.lost =
                Some(known.into_iter().map(|entry| (*entry.key.as_bytes(), entry)).collect());
        }
        if let Some(lost) = &mut self.lost {
            for found in &entries {
                let is_same = |lost: &RevocationEntry| {
                    found.revoked_at >= lost.revoked_at && found.expires_at >= lost.expires_at
                };
                if lost.get(found.key.as_bytes()).is_some_and(is_same) {
                    lost.remove(found.key.as_bytes());
                }
            }
        }
        let is_idle = entries.is_empty() && !has_more;
        for entry in entries {
            if revocations.insert(entry) == Inserted::Full {
                // At once: what is known is not all.
                sync.current_until.store(0, Ordering::Release);
                return failed("this instance has no room for all revocations");
            }
        }
        self.position = Some(position);
        if has_more {
            return Ok(true);
        }
        if sync.has_failed() {
            tracing::info!(target: "auth0", "the store of revocations can be read again");
        }
        metrics::revocation_read("success");
        sync.note(true, Some(began.saturating_add(sync.max_delay)));
        self.write_back(&**clock, sync).await;
        Ok(!is_idle)
    }

    /// Adds to the store what it has lost, and what could not be added before. What fails is tried again after the next
    /// part of the log.
    async fn write_back(&mut self, clock: &dyn Clock, sync: &Sync) {
        let mut missing = sync.unsent();
        missing.extend(self.lost.iter().flat_map(HashMap::values));
        missing.truncate(WRITTEN_BACK_AT_ONCE);
        if !missing.is_empty() {
            if limited(clock, sync.store.append(missing.clone())).await.is_err() {
                return;
            }
            sync.forget_unsent(&missing);
            tracing::warn!(
                target: "auth0", count = missing.len(),
                "the store of revocations lacked some: this instance has added what it knows"
            );
        }
        if let Some(lost) = &mut self.lost {
            for entry in &missing {
                lost.remove(entry.key.as_bytes());
            }
            if lost.is_empty() {
                self.lost = None;
            }
        }
    }
}

fn report(revocations: &Revocations, cause: &str) {
    let cause = EscapedMessage(cause);
    match revocations.accepts_old() {
        false => tracing::error!(
            target: "auth0", %cause,
            "the store of revocations cannot be read: requests get 503 until it can"
        ),
        true => tracing::warn!(
            target: "auth0", %cause,
            "the store of revocations cannot be read: tokens that are revoked at other instances are accepted"
        ),
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
