//! Which keys a request may use without waiting: the path of each request.
use super::{cache::KeyCache, snapshot::Snapshot};
use crate::runtime::millis;
use arc_swap::Guard;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

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
    #[inline]
    pub(crate) fn are_of(self: &Arc<Self>, generation: u64, now: Duration) -> bool {
        match self.quiet.generation(millis(now)) {
            Some(quiet) => quiet == generation,
            None => self.looked_at_are_of(generation, now),
        }
    }

    #[inline(never)] // so that the path of quiet keys is short
    fn looked_at_are_of(self: &Arc<Self>, generation: u64, now: Duration) -> bool {
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
