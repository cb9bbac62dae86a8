//! Waking open connections after a revocation.
use crate::runtime::{
    Clock,
    fetch_thread::{self, passed},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;

/// A revocation ends open connections after this time at the latest.
const ANNOUNCED_WITHIN: Duration = Duration::from_millis(100);

/// Apart from the revocations, so that the thread that announces a change does not keep them.
#[derive(Default)]
pub(super) struct Announcement {
    /// Wakes those who wait for a change of the table.
    changed: Arc<Notify>,
    /// Whether they will be woken.
    is_pending: AtomicBool,
}

impl Announcement {
    /// Wakes those who wait for a change, in a moment: many changes wake them once.
    pub(super) fn announce(self: &Arc<Self>, clock: &dyn Clock) {
        if self.is_pending.swap(true, Ordering::AcqRel) {
            return;
        }
        let (announcement, moment) = (Arc::clone(self), passed(clock, ANNOUNCED_WITHIN));
        let later = async move {
            moment.await;
            announcement.wake();
        };
        if fetch_thread::spawn(later).is_err() {
            self.wake();
        }
    }

    fn wake(&self) {
        self.is_pending.store(false, Ordering::Release);
        self.changed.notify_waiters();
    }

    /// Returns what is woken by a change.
    pub(super) fn changed(&self) -> Arc<Notify> {
        Arc::clone(&self.changed)
    }
}
