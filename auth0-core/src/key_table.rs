//! The keys of issuers that a resolver finds, of so many at the most.
//!
//! What an issuer is owed (one fetch at a time, back-off, a budget for unknown keys) is kept for as long as
//! somebody trusts it. What makes room is its keys.
use crate::{
    clock::Clock,
    issuers::{Terms, Trusted},
    jwks::{
        Transport,
        cache::{KeyCache, millis},
    },
    trusted_issuer::Checked,
};
use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

/// Keys that were used more recently than this are missed when they are dropped.
const RECENT: Duration = Duration::from_secs(60);

/// What an issuer has in the table.
#[derive(Debug)]
pub(crate) struct Tenure {
    table: Weak<KeyTable>,
    /// In monotonic milliseconds, to the second.
    last_use: AtomicU64,
    /// A token of it was verified: whoever has its keys dropped for others needs more than names.
    is_proved: AtomicBool,
    /// It has a place. Changes under the lock of the table.
    has_place: AtomicBool,
}

impl Tenure {
    fn of(table: &Arc<KeyTable>) -> Self {
        Self {
            table: Arc::downgrade(table),
            last_use: AtomicU64::new(0),
            is_proved: AtomicBool::new(false),
            has_place: AtomicBool::new(false),
        }
    }

    pub(crate) fn mark_use(&self, now: Duration) {
        let now = millis(now);
        // Not written with every use: writing is what processors contend for.
        if now.abs_diff(self.last_use.load(Ordering::Relaxed)) >= 1000 {
            self.last_use.store(now, Ordering::Relaxed);
        }
    }

    pub(crate) fn unused_for(&self, now: Duration) -> Duration {
        let last_use = self.last_use.load(Ordering::Relaxed);
        Duration::from_millis(millis(now).saturating_sub(last_use))
    }

    /// Whether the keys have verified a token, and were asked for lately.
    fn is_in_use(&self, now: Duration) -> bool {
        self.is_proved.load(Ordering::Relaxed) && self.unused_for(now) < RECENT
    }

    /// A token was verified with the keys.
    pub(crate) fn prove(&self) {
        if !self.is_proved.load(Ordering::Relaxed) {
            self.is_proved.store(true, Ordering::Relaxed);
        }
    }

    /// There are keys: they get a place, and others may lose theirs.
    pub(crate) fn admit(&self, cache: &Arc<KeyCache>) {
        if let Some(table) = self.table.upgrade() {
            table.admit(self, cache);
        }
    }

    /// Under the lock of the table.
    fn give_place_up(&self, cache: &KeyCache) {
        self.has_place.store(false, Ordering::Relaxed);
        // The next ones have to prove themselves.
        self.is_proved.store(false, Ordering::Relaxed);
        cache.drop_keys();
    }

    /// Whether any answer that is in use, or any token that is remembered, has to do with it.
    pub(crate) fn is_trusted(&self, cache: &KeyCache) -> bool {
        self.table.upgrade().is_some_and(|table| table.lock().trusts(cache))
    }

    /// Drops the keys, and gives up the place.
    pub(crate) fn leave(&self, cache: &Arc<KeyCache>) {
        if let Some(table) = self.table.upgrade() {
            let mut state = table.lock();
            state.places.retain(|other| !Arc::ptr_eq(other, cache));
            self.give_place_up(cache);
        }
    }
}

pub(crate) struct KeyTable {
    limit: usize,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    is_shortage_told: AtomicBool,
}

#[derive(Default)]
struct State {
    /// Those that have keys.
    places: Vec<Arc<KeyCache>>,
    /// All that are trusted somewhere, by name.
    known: HashMap<Box<str>, Known>,
    /// When to look for names that mean nothing any more.
    sweep_at: usize,
}

/// What two answers say alike is there once: a token that was verified by the one is recognised by the
/// other.
#[derive(Default)]
struct Known {
    trusted: Vec<Weak<Trusted>>,
    /// Those with a place are there, though no answer names them at the moment.
    caches: Vec<Weak<KeyCache>>,
}

impl KeyTable {
    pub(crate) fn new(limit: usize, clock: Arc<dyn Clock>) -> Arc<Self> {
        let is_shortage_told = AtomicBool::new(false);
        Arc::new(Self { limit, clock, state: Mutex::default(), is_shortage_told })
    }

    /// An issuer that an answer trusts: the same that another answer trusts, if they say the same.
    pub(crate) fn trusted(
        self: &Arc<Self>,
        checked: Checked,
        terms: &Terms,
        transport: &Transport,
    ) -> Arc<Trusted> {
        let mut state = self.lock();
        state.sweep();
        let known = state.known.entry(checked.rules.issuer.as_str().into()).or_default();
        known.forget_dead();
        let mut living = known.trusted.iter().filter_map(Weak::upgrade);
        if let Some(same) = living.find(|trusted| trusted.is(&checked)) {
            return same;
        }
        let mut caches = known.caches.iter().filter_map(Weak::upgrade);
        let keys = caches.find(|cache| cache.are_of(&checked)).unwrap_or_else(|| {
            let fetcher = terms.fetcher(&checked, transport.clone());
            let tenure = Some(Tenure::of(self));
            let cache = KeyCache::new(fetcher, terms.stale_keys, tenure, Arc::clone(&terms.clock));
            known.caches.push(Arc::downgrade(&cache));
            cache
        });
        let trusted = Arc::new(terms.trusted(checked, keys));
        known.trusted.push(Arc::downgrade(&trusted));
        trusted
    }

    /// The keys of an issuer by its name, if they are there.
    pub(crate) fn named(&self, issuer: &str) -> Option<Arc<KeyCache>> {
        let caches: Vec<_> =
            self.lock().known.get(issuer)?.caches.iter().filter_map(Weak::upgrade).collect();
        caches.into_iter().find(|cache| cache.has_keys())
    }

    /// Those that are in use, with their keys or waiting for them. All others start anew when they are
    /// needed.
    pub(crate) fn to_be_refreshed(&self) -> Vec<Arc<KeyCache>> {
        let mut all = Vec::new();
        let state = self.lock();
        for cache in state.known.values().flat_map(|known| &known.caches) {
            if let Some(cache) = cache.upgrade() {
                let is_trusted = state.trusts(&cache);
                all.push((cache, is_trusted));
            }
        }
        drop(state);
        all.retain(|(cache, is_trusted)| {
            let is_used = cache.is_waited_for() || (*is_trusted && cache.has_keys());
            if !is_used {
                cache.forget_metadata();
                if let Some(tenure) = cache.tenure() {
                    tenure.leave(cache);
                }
            }
            is_used
        });
        all.into_iter().map(|(cache, _)| cache).collect()
    }

    fn admit(&self, tenure: &Tenure, cache: &Arc<KeyCache>) {
        let now = self.clock.monotonic();
        let mut dropped = Vec::new();
        let mut state = self.lock();
        if tenure.has_place.load(Ordering::Relaxed) || !cache.has_keys() {
            return;
        }
        tenure.has_place.store(true, Ordering::Relaxed);
        // Exactly, or it could be the one that was not used for longest.
        tenure.last_use.store(millis(now), Ordering::Relaxed);
        state.places.push(Arc::clone(cache));
        while state.places.len() > self.limit
            && let Some(victim) = self.victim(&state.places)
        {
            let victim = state.places.remove(victim);
            let mut is_missed = false;
            if let Some(tenure) = victim.tenure() {
                is_missed = tenure.is_in_use(now);
                tenure.give_place_up(&victim);
            }
            dropped.push((victim, is_missed));
        }
        drop(state);
        // Under no lock, because whoever listens to the log may ask for anything.
        for (victim, is_missed) in dropped {
            tracing::debug!(
                target: "auth0", issuer = %victim.issuer(), "dropped the keys of an issuer, to make room"
            );
            if is_missed && !self.is_shortage_told.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    target: "auth0", limit = self.limit,
                    "more issuers are in use than there is room for the keys of, so keys are fetched again \
                     and again. Raise ResolvedIssuers::max_issuers"
                );
            }
        }
    }

    /// The least recently used. Those none of whose tokens was ever verified may take a quarter of the
    /// places of others (and at least one), but no more: anybody can send a token that names an issuer.
    fn victim(&self, places: &[Arc<KeyCache>]) -> Option<usize> {
        let tenures = || places.iter().filter_map(|cache| cache.tenure());
        let is_proved = |tenure: &Tenure| tenure.is_proved.load(Ordering::Relaxed);
        let unproved = tenures().filter(|tenure| !is_proved(tenure)).count();
        let spares_proved = unproved > (self.limit / 4).max(1) || unproved == places.len();
        tenures()
            .enumerate()
            .filter(|(_, tenure)| is_proved(tenure) != spares_proved)
            .min_by_key(|(_, tenure)| tenure.last_use.load(Ordering::Relaxed))
            .map(|(place, _)| place)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn trusts(&self, cache: &KeyCache) -> bool {
        let known = self.known.get(cache.issuer().as_str());
        known.is_some_and(|known| {
            let mut living = known.trusted.iter().filter_map(Weak::upgrade);
            living.any(|trusted| std::ptr::eq(Arc::as_ptr(&trusted.keys), cache))
        })
    }

    fn sweep(&mut self) {
        if self.known.len() < self.sweep_at {
            return;
        }
        self.known.retain(|_, known| {
            known.forget_dead();
            !known.caches.is_empty()
        });
        self.sweep_at = (self.known.len() * 2).max(64);
    }
}

impl Known {
    fn forget_dead(&mut self) {
        self.trusted.retain(|trusted| trusted.strong_count() > 0);
        self.caches.retain(|cache| cache.strong_count() > 0);
    }
}

impl fmt::Debug for KeyTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyTable").field("limit", &self.limit).finish_non_exhaustive()
    }
}
