//! Which caches have their keys in memory, where their number is bounded.
use super::cache::KeyCache;
use crate::runtime::millis;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// Keys that were not used for this long are dropped if the number of caches with keys is bounded.
const IDLE: Duration = Duration::from_secs(900);

/// Bounds how many caches have keys: the interface of the table to its caches.
pub(crate) trait Residency: Send + Sync {
    /// Adds a cache that has keys, for which others may lose their keys. Called under the lock of the single
    /// flight, so that a request that gets the keys finds the cache in the table.
    fn admit(&self, cache: &Arc<KeyCache>) -> Evicted;

    /// Logs which caches have lost their keys. Not called under a lock.
    fn report(&self, evicted: Evicted);

    /// Removes a cache and drops its keys.
    fn leave(&self, cache: &KeyCache);

    /// Returns whether an answer of a resolver that is in use trusts the issuer.
    fn is_trusted(&self, cache: &KeyCache) -> bool;
}

/// The caches that have lost their keys to make room for another, and whether they were in use.
pub(crate) type Evicted = Vec<(Arc<KeyCache>, bool)>;

/// The use of the keys of a cache, which decides whether the keys stay in memory.
#[derive(Debug, Default)]
pub(super) struct Usage {
    /// The time of the last use, in monotonic milliseconds, exact to a second.
    pub(super) last_use: AtomicU64,
    /// Whether a token of the issuer was verified. The name of a made-up issuer alone must not evict the keys
    /// of others.
    pub(super) is_proved: AtomicBool,
    /// Whether the cache is one of those with keys. Changes under the lock of the table.
    pub(super) is_resident: AtomicBool,
}

impl Usage {
    pub(super) fn mark_use(&self, now: Duration) {
        let now = millis(now);
        // Not written with every use, because processors contend for writes.
        if now.abs_diff(self.last_use.load(Ordering::Relaxed)) >= 1000 {
            self.last_use.store(now, Ordering::Relaxed);
        }
    }

    pub(super) fn unused_for(&self, now: Duration) -> Duration {
        let last_use = self.last_use.load(Ordering::Relaxed);
        Duration::from_millis(millis(now).saturating_sub(last_use))
    }

    pub(super) fn prove(&self) {
        if !self.is_proved.load(Ordering::Relaxed) {
            self.is_proved.store(true, Ordering::Relaxed);
        }
    }
}

impl KeyCache {
    pub(super) fn has_keys(&self) -> bool {
        self.current.load().is_some()
    }

    /// Drops the keys. Tokens that these keys have verified are verified again with the next keys.
    pub(super) fn drop_keys(&self) {
        self.current.store(None);
    }

    /// Returns whether the keys are dropped because they were not used for long, where the number of caches
    /// with keys is bounded. Those of a failing issuer that is trusted stay, because they may be needed, and so do
    /// those that open connections end with.
    pub(super) fn is_idle(&self, residency: &dyn Residency) -> bool {
        let now = self.clock.monotonic();
        let is_needed = residency.is_trusted(self)
            && self.failing.load(Ordering::Relaxed)
            && self.current.load().as_ref().is_some_and(|current| current.age(now) < self.stale);
        self.usage.unused_for(now) >= IDLE && !is_needed && !self.is_awaited()
    }

    /// Returns whether open connections wait for a withdrawal of the keys.
    pub(super) fn is_awaited(&self) -> bool {
        Arc::strong_count(&self.changed) > 1
    }
}
