//! Where the keys of trusted issuers are: those of configured ones are always there, those of resolved ones
//! as long as there is room.
use crate::{
    clock::Clock,
    crypto::AlgorithmSet,
    issuers::Trusted,
    jwks::{
        Fetcher, KeySource, Snapshot,
        cache::{KeyCache, LastUse, Lifetime},
    },
    trusted_issuer::Checked,
};
use arc_swap::{ArcSwapOption, Guard};
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

/// The keys of one issuer.
#[derive(Debug)]
pub(crate) enum Keys {
    /// For as long as the verifier.
    Kept(Arc<KeyCache>),
    /// In a table with others, where the least recently used make room.
    Bounded(Arc<KeySlot>, Arc<KeyTable>),
}

/// The place of an issuer's keys, which are there or were dropped.
pub(crate) struct KeySlot {
    fetcher: Arc<Fetcher>,
    cache: ArcSwapOption<KeyCache>,
    last_use: Arc<LastUse>,
    /// A token was verified with them: whoever has them dropped for others needs more than names.
    is_proved: AtomicBool,
    /// How often there were keys.
    incarnations: AtomicU64,
}

impl Keys {
    /// Those that may be used without asking the issuer first.
    pub(crate) fn usable(&self, now: Duration) -> Option<Guard<Option<Arc<Snapshot>>>> {
        match self {
            Self::Kept(cache) => cache.usable(now),
            Self::Bounded(slot, _) => {
                slot.last_use.mark(now);
                slot.cache.load().as_ref()?.usable(now)
            }
        }
    }

    pub(crate) fn refresh_if_due(&self, snapshot: &Snapshot, now: Duration) {
        match self {
            Self::Kept(cache) => cache.refresh_if_due(snapshot, now),
            Self::Bounded(slot, _) => {
                if let Some(cache) = &*slot.cache.load() {
                    cache.refresh_if_due(snapshot, now);
                }
            }
        }
    }

    /// A token was verified with them.
    pub(crate) fn prove(&self) {
        if let Self::Bounded(slot, _) = self
            && !slot.is_proved.load(Ordering::Relaxed)
        {
            slot.is_proved.store(true, Ordering::Relaxed);
        }
    }

    /// What asks the issuer. Makes room for the keys if they have none.
    pub(crate) fn cache(&self) -> Arc<KeyCache> {
        match self {
            Self::Kept(cache) => Arc::clone(cache),
            Self::Bounded(slot, table) => table.admit(slot),
        }
    }

    /// Sees to it that keys which have just verified a token are there for the next, though others came in
    /// between.
    pub(crate) fn keep(&self, cache: &Arc<KeyCache>) {
        if let Self::Bounded(slot, table) = self {
            table.keep(slot, cache);
        }
    }

    /// What asks the issuer, if it is there.
    pub(crate) fn present(&self) -> Option<Arc<KeyCache>> {
        match self {
            Self::Kept(cache) => Some(Arc::clone(cache)),
            Self::Bounded(slot, _) => slot.cache.load_full(),
        }
    }

    fn slot_for(&self, source: &KeySource, algorithms: AlgorithmSet) -> Option<Arc<KeySlot>> {
        match self {
            Self::Bounded(slot, _) if slot.fetcher.is_for(source, algorithms) => {
                Some(Arc::clone(slot))
            }
            _ => None,
        }
    }

    /// Whether they come from there.
    pub(crate) fn are_of(&self, source: &KeySource, algorithms: AlgorithmSet) -> bool {
        self.slot_for(source, algorithms).is_some()
    }
}

impl KeySlot {
    fn new(fetcher: Arc<Fetcher>) -> Arc<Self> {
        Arc::new(Self {
            fetcher,
            cache: ArcSwapOption::empty(),
            last_use: Arc::default(),
            is_proved: AtomicBool::new(false),
            incarnations: AtomicU64::new(0),
        })
    }
}

/// The keys of resolved issuers, of so many at the most.
pub(crate) struct KeyTable {
    limit: usize,
    stale: Duration,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    is_shortage_told: AtomicBool,
}

#[derive(Default)]
struct State {
    /// Those that have keys.
    present: Vec<Arc<KeySlot>>,
    /// All that are trusted somewhere, by name: what two answers say alike is there once, and a token that was
    /// verified by the one is recognised by the other.
    known: HashMap<Box<str>, Vec<Weak<Trusted>>>,
    /// When to look for names that mean nothing any more.
    sweep_at: usize,
}

impl KeyTable {
    pub(crate) fn new(limit: usize, stale: Duration, clock: Arc<dyn Clock>) -> Arc<Self> {
        let is_shortage_told = AtomicBool::new(false);
        Arc::new(Self { limit, stale, clock, state: Mutex::default(), is_shortage_told })
    }

    /// An issuer that an answer trusts: the same that another answer trusts, if they say the same.
    pub(crate) fn trusted(
        self: &Arc<Self>,
        checked: Checked,
        make: impl FnOnce(Checked, Keys) -> Trusted,
        fetcher: impl FnOnce(&Checked) -> Arc<Fetcher>,
    ) -> Arc<Trusted> {
        let mut state = self.lock();
        state.sweep();
        let known = state.known.entry(checked.rules.issuer.as_str().into()).or_default();
        known.retain(|trusted| trusted.strong_count() > 0);
        let living = || known.iter().filter_map(Weak::upgrade);
        if let Some(same) = living().find(|trusted| trusted.is(&checked)) {
            return same;
        }
        let (source, algorithms) = (&checked.key_source, checked.rules.algorithms);
        let shared = living().find_map(|trusted| trusted.keys.slot_for(source, algorithms));
        let slot = shared.unwrap_or_else(|| KeySlot::new(fetcher(&checked)));
        let trusted = Arc::new(make(checked, Keys::Bounded(slot, Arc::clone(self))));
        known.push(Arc::downgrade(&trusted));
        trusted
    }

    /// The keys of an issuer by its name, if they are there.
    pub(crate) fn named(&self, issuer: &str) -> Option<Arc<KeyCache>> {
        let known: Vec<Weak<Trusted>> = self.lock().known.get(issuer)?.clone();
        known.iter().filter_map(Weak::upgrade).find_map(|trusted| trusted.keys.present())
    }

    /// All that are there.
    pub(crate) fn present(&self) -> Vec<Arc<KeyCache>> {
        self.lock().present.iter().filter_map(|slot| slot.cache.load_full()).collect()
    }

    fn admit(&self, slot: &Arc<KeySlot>) -> Arc<KeyCache> {
        let state = self.lock();
        if let Some(cache) = slot.cache.load_full() {
            return cache;
        }
        let incarnation = slot.incarnations.fetch_add(1, Ordering::Relaxed);
        let lifetime = Lifetime::Use {
            last: Arc::clone(&slot.last_use),
            // What was verified with keys that were dropped is not taken for verified with these.
            first_generation: incarnation << 32,
        };
        let fetcher = Arc::clone(&slot.fetcher);
        let cache = KeyCache::new(fetcher, self.stale, lifetime, Arc::clone(&self.clock));
        slot.is_proved.store(false, Ordering::Relaxed);
        self.put(state, slot, &cache);
        cache
    }

    fn keep(&self, slot: &Arc<KeySlot>, cache: &Arc<KeyCache>) {
        let state = self.lock();
        slot.is_proved.store(true, Ordering::Relaxed);
        if slot.cache.load().is_none() {
            self.put(state, slot, cache);
        }
    }

    fn put(&self, mut state: MutexGuard<'_, State>, slot: &Arc<KeySlot>, cache: &Arc<KeyCache>) {
        let now = self.clock.monotonic();
        slot.last_use.mark(now);
        slot.cache.store(Some(Arc::clone(cache)));
        state.present.push(Arc::clone(slot));
        let mut dropped = Vec::new();
        while state.present.len() > self.limit
            && let Some(victim) = self.victim(&state.present)
        {
            let victim = state.present.remove(victim);
            dropped.push((Arc::clone(&victim), victim.cache.swap(None)));
        }
        drop(state);
        // Under no lock, because whoever listens to the log may ask for anything.
        for (slot, _) in dropped {
            let issuer = slot.fetcher.issuer();
            tracing::debug!(target: "auth0", %issuer, "dropped the keys of an issuer, to make room");
            let is_missed =
                slot.is_proved.load(Ordering::Relaxed) && slot.last_use.ago(now) < RECENT;
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
    /// places of others, but no more: anybody can send a token that names an issuer.
    fn victim(&self, present: &[Arc<KeySlot>]) -> Option<usize> {
        let is_proved = |slot: &Arc<KeySlot>| slot.is_proved.load(Ordering::Relaxed);
        let unproved = present.iter().filter(|slot| !is_proved(slot)).count();
        let spares_proved = unproved > (self.limit / 4).max(1) || unproved == present.len();
        present
            .iter()
            .enumerate()
            .filter(|(_, slot)| is_proved(slot) != spares_proved)
            .min_by_key(|(_, slot)| slot.last_use.millis())
            .map(|(place, _)| place)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn sweep(&mut self) {
        if self.known.len() < self.sweep_at {
            return;
        }
        self.known.retain(|_, all| {
            all.retain(|trusted| trusted.strong_count() > 0);
            !all.is_empty()
        });
        self.sweep_at = (self.known.len() * 2).max(64);
    }
}

impl fmt::Debug for KeyTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyTable").field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl fmt::Debug for KeySlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySlot").field("fetcher", &self.fetcher).finish_non_exhaustive()
    }
}
