//! Reading the store of revocations, without end, on the thread `auth0-fetch`.
use super::{
    expiry::JUMP,
    local::{Revocations, Shared},
    store::Changes,
    sync::{Sync, WRITE_LIMIT},
    table::Inserted,
};
use crate::{
    runtime::{
        Clock, Moment,
        fetch_thread::{self, How, RESTARTS, passed},
    },
    telemetry::metrics,
};
use std::{
    future::{Future, poll_fn},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::{Arc, Weak, atomic::Ordering},
    task::Poll,
    time::{Duration, Instant},
};

/// The pause after a failure.
const PAUSE: Duration = Duration::from_millis(200);

/// What is known of the store's log.
#[derive(Default)]
struct Reader {
    position: Option<String>,
    /// When the last attempt began.
    last: Option<Moment>,
    /// How many attempts have failed one after the other while the process was stopped.
    frozen: usize,
}

/// Reads until the last handle is dropped.
pub(super) async fn read(shared: Weak<Shared>) {
    let mut reader = Reader::default();
    while let Some(shared) = shared.upgrade() {
        let revocations = Revocations(shared);
        let Some(sync) = &revocations.0.sync else { return };
        // The clock, the log and the metrics are the application's, as the store is.
        if guarded(reader.step(&revocations, sync)).await.is_none() {
            sync.note(false, None);
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Returns the result of work, or none if it panics.
async fn guarded<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
        Ok(poll) => poll.map(Some),
        Err(_) => Poll::Ready(None),
    })
    .await
}

impl Reader {
    /// Reads the next part of the log, and makes a pause if there is no more.
    async fn step(&mut self, revocations: &Revocations, sync: &Sync) {
        let began = Instant::now();
        let pause = match self.attempt(revocations, sync).await {
            Ok(true) => Duration::ZERO,
            Ok(false) => sync.wait().saturating_sub(began.elapsed()),
            Err(()) => PAUSE,
        };
        if !pause.is_zero() {
            passed(&**revocations.clock(), pause).await;
        }
    }

    /// Reads the next part of the log. Returns whether to go on at once.
    async fn attempt(&mut self, revocations: &Revocations, sync: &Sync) -> Result<bool, ()> {
        let clock = revocations.clock();
        let began = clock.moment();
        if self.last.replace(began).is_some_and(|last| was_ahead(last, began)) {
            // What seemed to have expired was not kept, and may not have expired.
            self.position = None;
            sync.forget_state();
        }
        let (store, position, wait) = (sync.store(), self.position.clone(), sync.wait());
        let work = async move { store.changes(position.as_deref(), wait).await };
        let limit = sync.max_delay.saturating_add(wait);
        let failed = |cause: &str| {
            if !sync.note(false, None) {
                revocations.report_unreadable(cause);
            }
            metrics::revocation_read("failure");
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
        {
            let mut lacks = sync.lock_missing();
            if has_lost {
                lacks.lose(revocations.keys());
            }
            lacks.found(&entries, revocations.table());
            lacks.add(missing);
        }
        let is_idle = entries.is_empty() && !has_more;
        for entry in entries {
            if revocations.insert(entry) == Inserted::Full {
                // At once: what is known is not all.
                sync.forget_state();
                return failed("this instance has no room for all revocations");
            }
        }
        self.position = Some(position);
        if has_more {
            return Ok(true);
        }
        if sync.note(true, Some(began)) {
            tracing::info!(target: "auth0", "the store of revocations can be read again");
        }
        metrics::revocation_read("success");
        start_to_write_back(revocations, sync);
        Ok(!is_idle)
    }
}

/// Returns whether the wall clock was set back between two moments.
fn was_ahead(last: Moment, now: Moment) -> bool {
    let elapsed = now.monotonic.saturating_sub(last.monotonic);
    now.unix_time.saturating_add(JUMP) < last.unix_time.saturating_add(elapsed)
}

/// Adds to the store what it lacks, in a task apart: reading goes on although the store cannot be written. What fails is
/// tried again after the next part of the log.
fn start_to_write_back(revocations: &Revocations, sync: &Sync) {
    let batch = sync.lock_missing().batch(revocations.table());
    if batch.is_empty() || sync.is_writing.swap(true, Ordering::AcqRel) {
        return;
    }
    let (shared, store) = (Arc::clone(&revocations.0), sync.store());
    let clock = Arc::clone(revocations.clock());
    let task = async move {
        let Some(sync) = &shared.sync else { return };
        let _end = EndOfWriting(sync);
        let adding = batch.clone();
        let work = async move { store.append(adding).await };
        let ended = fetch_thread::within(&*clock, WRITE_LIMIT, work).await;
        if !matches!(ended.how, How::Done(Ok(()))) {
            return;
        }
        sync.lock_missing().sent(&batch);
        tracing::warn!(
            target: "auth0", count = batch.len(),
            "the store of revocations lacked some: this instance has added what it knows"
        );
    };
    if fetch_thread::spawn(task).is_err() {
        sync.is_writing.store(false, Ordering::Release);
    }
}

/// Lets the next part be written, also after a panic.
struct EndOfWriting<'a>(&'a Sync);

impl Drop for EndOfWriting<'_> {
    fn drop(&mut self) {
        self.0.is_writing.store(false, Ordering::Release);
    }
}
