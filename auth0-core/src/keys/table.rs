//! The keys of issuers that a resolver finds, of which a bounded number is in memory.
//!
//! The state of an issuer's fetches (single flight, back-off, a budget for unknown keys) is kept for as long
//! as an answer trusts the issuer. Only its keys are evicted.
use super::{
    cache::KeyCache,
    fetcher::Fetcher,
    residency::{Evicted, Residency},
    source::KeySource,
};
use crate::{
    runtime::{Clock, millis},
    transport::Transport,
};
use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Keys that were used more recently than this are still needed when they are dropped.
const RECENT: Duration = Duration::from_secs(60);

pub(crate) struct KeyTable {
    limit: usize,
    transport: Transport,
    stale: Duration,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    is_shortage_reported: AtomicBool,
}

#[derive(Default)]
struct State {
    /// The caches that have keys.
    resident: Vec<Arc<KeyCache>>,
    /// All caches that are trusted by an answer or have keys, by the name of the issuer.
    known: HashMap<Box<str>, Vec<Known>>,
    /// The number of names at which those without a cache are removed.
    sweep_at: usize,
}

struct Known {
    cache: Weak<KeyCache>,
    lease: Weak<()>,
}

/// A cache in use by an issuer that is trusted. The issuer counts as trusted while there is a lease.
#[derive(Clone, Debug)]
pub(crate) struct Lease {
    pub(crate) keys: Arc<KeyCache>,
    _lease: Arc<()>,
}

impl KeyTable {
    pub(crate) fn new(
        limit: usize,
        transport: Transport,
        stale: Duration,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        let is_shortage_reported = AtomicBool::new(false);
        Arc::new(Self {
            limit,
            transport,
            stale,
            clock,
            state: Mutex::default(),
            is_shortage_reported,
        })
    }

    /// Returns the cache of a source, and creates it if there is none.
    pub(crate) fn lease(self: &Arc<Self>, source: &KeySource) -> Lease {
        let mut state = self.lock();
        state.sweep();
        let known = state.known.entry(source.issuer().as_str().into()).or_default();
        known.retain(|known| known.cache.strong_count() > 0);
        for known in known.iter_mut() {
            if let Some(keys) = known.cache.upgrade().filter(|keys| keys.source() == source) {
                let lease = known.lease.upgrade().unwrap_or_default();
                known.lease = Arc::downgrade(&lease);
                return Lease { keys, _lease: lease };
            }
        }
        let fetcher =
            Fetcher::new(source.clone(), Some(self.transport.clone()), Arc::clone(&self.clock));
        let residency = Arc::new(Resident { table: Arc::downgrade(self) });
        let keys = KeyCache::new(fetcher, self.stale, Some(residency), Arc::clone(&self.clock));
        let lease = Arc::new(());
        known.push(Known { cache: Arc::downgrade(&keys), lease: Arc::downgrade(&lease) });
        Lease { keys, _lease: lease }
    }

    /// Returns the cache of an issuer by its name, if it has keys.
    pub(crate) fn named(&self, issuer: &str) -> Option<Arc<KeyCache>> {
        let caches: Vec<_> = self
            .lock()
            .known
            .get(issuer)?
            .iter()
            .filter_map(|known| known.cache.upgrade())
            .collect();
        caches.into_iter().find(|cache| cache.has_keys())
    }

    /// Returns the caches that are in use, with keys or with a pending fetch. All others are reset, and fetch
    /// anew when they are needed.
    pub(crate) fn to_be_refreshed(&self) -> Vec<Arc<KeyCache>> {
        let mut all = Vec::new();
        let state = self.lock();
        for known in state.known.values().flatten() {
            if let Some(cache) = known.cache.upgrade() {
                all.push((cache, known.is_trusted()));
            }
        }
        drop(state);
        all.retain(|(cache, is_trusted)| {
            let is_used = cache.is_pending() || (*is_trusted && cache.has_keys());
            if !is_used {
                cache.fetcher().forget_metadata();
                self.leave(cache);
            }
            is_used
        });
        all.into_iter().map(|(cache, _)| cache).collect()
    }

    fn admit(&self, cache: &Arc<KeyCache>) -> Evicted {
        let now = self.clock.monotonic();
        let mut evicted = Evicted::new();
        let mut state = self.lock();
        if cache.usage.is_resident.load(Ordering::Relaxed) || !cache.has_keys() {
            return evicted;
        }
        cache.usage.is_resident.store(true, Ordering::Relaxed);
        // Exact, so that it is not the least recently used cache.
        cache.usage.last_use.store(millis(now), Ordering::Relaxed);
        state.resident.push(Arc::clone(cache));
        while state.resident.len() > self.limit
            && let Some(victim) = self.victim(&state.resident)
        {
            let victim = state.resident.remove(victim);
            let is_needed = is_in_use(&victim, now);
            evict(&victim);
            evicted.push((victim, is_needed));
        }
        evicted
    }

    /// Writes to the log. Not called under a lock, because a subscriber may call the verifier.
    fn report(&self, evicted: Evicted) {
        for (victim, is_needed) in evicted {
            tracing::debug!(
                target: "auth0", issuer = %victim.issuer(), "dropped the keys of an issuer, to make room"
            );
            if is_needed && !self.is_shortage_reported.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    target: "auth0", limit = self.limit,
                    "more issuers are in use than the limit for keys in memory, so keys are fetched \
                     repeatedly. Raise ResolvedIssuers::max_issuers"
                );
            }
        }
    }

    fn leave(&self, cache: &KeyCache) {
        let mut state = self.lock();
        state.resident.retain(|other| !is_same(other, cache));
        evict(cache);
    }

    /// Returns the index of the cache to evict: the least recently used one. Caches that have never
    /// verified a token may take at most a quarter of the limit (and at least one) from others, because any
    /// client can send a token that names an issuer. Those that open connections end with stay while there are
    /// others besides the newest, which is the last.
    fn victim(&self, resident: &[Arc<KeyCache>]) -> Option<usize> {
        let is_proved = |cache: &KeyCache| cache.usage.is_proved.load(Ordering::Relaxed);
        let unproved = resident.iter().filter(|cache| !is_proved(cache)).count();
        let spares_proved = unproved > (self.limit / 4).max(1) || unproved == resident.len();
        let older = resident.split_last().map_or(resident, |(_, older)| older);
        let spares_awaited = older.iter().any(|cache| !cache.is_awaited());
        let rank = |cache: &KeyCache| {
            let is_awaited = spares_awaited && cache.is_awaited();
            let last_use = cache.usage.last_use.load(Ordering::Relaxed);
            (is_awaited, is_proved(cache) == spares_proved, last_use)
        };
        resident.iter().enumerate().min_by_key(|(_, cache)| rank(cache)).map(|(index, _)| index)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_trusted(&self, cache: &KeyCache) -> bool {
        let known = self.known.get(cache.issuer().as_str()).into_iter().flatten();
        known
            .into_iter()
            .any(|known| known.is_trusted() && std::ptr::eq(Weak::as_ptr(&known.cache), cache))
    }

    fn sweep(&mut self) {
        if self.known.len() < self.sweep_at {
            return;
        }
        self.known.retain(|_, known| {
            known.retain(|known| known.cache.strong_count() > 0);
            !known.is_empty()
        });
        self.sweep_at = (self.known.len() * 2).max(64);
    }
}

impl Known {
    fn is_trusted(&self) -> bool {
        self.lease.strong_count() > 0
    }
}

/// The link from a cache to its table, which may have been dropped.
struct Resident {
    table: Weak<KeyTable>,
}

impl Residency for Resident {
    fn admit(&self, cache: &Arc<KeyCache>) -> Evicted {
        self.table.upgrade().map(|table| table.admit(cache)).unwrap_or_default()
    }

    fn report(&self, evicted: Evicted) {
        if let Some(table) = self.table.upgrade() {
            table.report(evicted);
        }
    }

    fn leave(&self, cache: &KeyCache) {
        if let Some(table) = self.table.upgrade() {
            table.leave(cache);
        }
    }

    fn is_trusted(&self, cache: &KeyCache) -> bool {
        self.table.upgrade().is_some_and(|table| table.lock().is_trusted(cache))
    }
}

/// Returns whether the keys have verified a token, and were used recently.
fn is_in_use(cache: &KeyCache, now: Duration) -> bool {
    cache.usage.is_proved.load(Ordering::Relaxed) && cache.usage.unused_for(now) < RECENT
}

/// Drops the keys of a cache. Must be called under the lock of the table.
fn evict(cache: &KeyCache) {
    cache.usage.is_resident.store(false, Ordering::Relaxed);
    // The next keys have to verify a token first.
    cache.usage.is_proved.store(false, Ordering::Relaxed);
    cache.drop_keys();
}

fn is_same(cache: &Arc<KeyCache>, other: &KeyCache) -> bool {
    std::ptr::eq(Arc::as_ptr(cache), other)
}

impl fmt::Debug for KeyTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyTable").field("limit", &self.limit).finish_non_exhaustive()
    }
}
