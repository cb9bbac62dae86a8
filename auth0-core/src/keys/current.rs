//! Which keys a request may use without waiting: the path of each request.
use super::{cache::KeyCache, snapshot::Snapshot};
use crate::runtime::millis;
use arc_swap::Guard;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// The generation of the current keys while they are fresh and no refresh is due. A cached token needs no more, and two
/// atomics are read faster than a snapshot.
#[derive(Debug, Default)]
pub(super) struct Quiet {
    generation: AtomicU64,
    /// In monotonic milliseconds.
    until: AtomicU64,
}

impl Quiet {
    /// Called by one thread at a time.
    pub(super) fn set(&self, snapshot: &Snapshot) {
        self.generation.store(snapshot.generation, Ordering::Release);
        // Stored last and read first: a thread that sees this time also sees the generation that belongs to it. One
        // that sees the time of the keys before may see either generation, as if it had come earlier or later.
        self.until.store(millis(snapshot.quiet_until()), Ordering::Release);
    }

    /// Returns the generation of the keys, unless they must be looked at.
    pub(super) fn generation(&self, now: Duration) -> Option<u64> {
        (millis(now) < self.until.load(Ordering::Acquire))
            .then(|| self.generation.load(Ordering::Acquire))
    }
}

impl KeyCache {
    /// Returns the keys if they may be used without a fetch: while they are fresh, and while the issuer
    /// fails.
    pub(crate) fn usable(&self, now: Duration) -> Option<Guard<Option<Arc<Snapshot>>>> {
        if self.residency.is_some() {
            self.usage.mark_use(now);
        }
        let current = self.current.load();
        let snapshot = current.as_ref()?;
        let usable = snapshot.is_fresh(now)
            || self.failing.load(Ordering::Relaxed) && snapshot.age(now) < self.stale;
        usable.then_some(current)
    }

    /// Returns whether the keys may be used without a fetch and are of this generation, and starts a refresh in
    /// the background when it is due.
    pub(crate) fn are_of(self: &Arc<Self>, generation: u64, now: Duration) -> bool {
        if let Some(quiet) = self.quiet.generation(now) {
            return quiet == generation;
        }
        let usable = self.usable(now);
        let Some(current) = usable.as_ref().and_then(|usable| usable.as_ref()) else {
            return false;
        };
        self.refresh_if_due(current, now);
        current.generation == generation
    }

    /// Starts a refresh in the background when it is due.
    pub(crate) fn refresh_if_due(self: &Arc<Self>, snapshot: &Snapshot, now: Duration) {
        if snapshot.is_to_be_refreshed(now)
            && millis(now) >= self.look_again.load(Ordering::Relaxed)
        {
            let _ = self.refresh_in_background(now);
        }
    }
}
