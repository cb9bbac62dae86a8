//! A set-associative cache that is read without a lock: a fixed number of slots, in sets of eight or more.
//!
//! A lookup reads a few atomics, an entry has one of the slots of its set, and an entry that is not
//! used is evicted first. An empty slot takes a few words.
use arc_swap::{ArcSwapOption, Guard};
use std::{
    array, fmt,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// The slots of a set: enough for few evictions while the table is not full, and the hints of a set fill
/// one line of the processor's cache.
pub(crate) const WAYS: usize = 8;

/// The table: see the module.
pub struct SetCache<T, const N: usize = WAYS> {
    capacity: usize,
    /// The limit for the weight of all entries of a set.
    weight_per_set: usize,
    /// Created with the first entry: empty tables take no memory.
    sets: OnceLock<Box<[Set<T, N>]>>,
}

/// Aligned to the lines of the processor's cache: a lookup reads one of hints, and one of entries.
#[repr(align(64))]
struct Set<T, const N: usize> {
    /// The address of the entry in each slot; zero for none.
    hints: [AtomicU64; N],
    entries: [ArcSwapOption<T>; N],
    /// One bit for each slot that was found since the last search for a slot to evict: so a set has at most 64.
    used: AtomicU64,
    state: Mutex<SetState<N>>,
}

/// What an insertion changes, under the lock of the set. Reads go on meanwhile.
struct SetState<const N: usize> {
    weights: [usize; N],
    /// The slot at which the next search for one to evict begins.
    hand: usize,
}

/// The set and the hint of an entry. Two entries may have the same address, so it does not identify one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address(u64);

impl Address {
    /// Creates an address from bits that are as good as random.
    #[must_use]
    pub const fn new(random: u64) -> Self {
        Self(random | 1)
    }
}

impl<T, const N: usize> SetCache<T, N> {
    /// Creates a cache for at most this many entries; zero for none.
    #[must_use]
    pub const fn new(capacity: usize, weight_per_set: usize) -> Self {
        Self { capacity, weight_per_set, sets: OnceLock::new() }
    }

    /// Returns the limit for entries.
    pub const fn capacity(&self) -> usize {
        self.capacity
    }

    /// Returns the entry that `is_it` recognizes, among those of the address.
    pub fn find(&self, address: Address, mut is_it: impl FnMut(&T) -> bool) -> Option<Arc<T>> {
        let set = self.set(self.sets.get()?, address)?;
        for (slot, hint) in set.hints.iter().enumerate() {
            if hint.load(Ordering::Relaxed) != address.0 {
                continue;
            }
            let entry = set.entries.get(slot)?.load();
            if entry.as_ref().is_some_and(|entry| is_it(entry)) {
                set.mark_used(slot);
                return Guard::into_inner(entry);
            }
        }
        None
    }

    /// Inserts an entry, and replaces one with the same address. Does not wait: while another thread changes
    /// the set, the entry is not inserted.
    pub fn try_insert(&self, address: Address, weight: usize, entry: &Arc<T>) {
        if let Some(set) = self.set_for(address, weight)
            && let Ok(state) = set.state.try_lock()
        {
            self.put(set, state, address, weight, entry);
        }
    }

    /// Inserts an entry, and waits while another thread changes the set.
    pub fn insert(&self, address: Address, weight: usize, entry: &Arc<T>) {
        if let Some(set) = self.set_for(address, weight) {
            self.put(set, set.lock(), address, weight, entry);
        }
    }

    /// Removes all entries.
    pub fn clear(&self) {
        for set in self.sets.get().into_iter().flatten() {
            let mut state = set.lock();
            for slot in 0..N {
                set.clear_slot(&mut state, slot);
            }
        }
    }

    /// Returns all entries, in no order.
    pub fn iter(&self) -> impl Iterator<Item = Arc<T>> {
        let entries = self.sets.get().into_iter().flatten().flat_map(|set| &set.entries);
        entries.filter_map(ArcSwapOption::load_full)
    }

    fn set_for(&self, address: Address, weight: usize) -> Option<&Set<T, N>> {
        if self.capacity == 0 || weight > self.weight_per_set {
            return None;
        }
        let sets = self.sets.get_or_init(|| {
            let sets = (self.capacity / N).max(1);
            (0..sets).map(|_| Set::default()).collect()
        });
        self.set(sets, address)
    }

    fn set<'a>(&self, sets: &'a [Set<T, N>], address: Address) -> Option<&'a Set<T, N>> {
        let scaled = u128::from(address.0) * sets.len() as u128;
        sets.get((scaled >> 64) as usize)
    }

    /// Stores an entry in a slot, and evicts others until the weight fits.
    fn put(
        &self,
        set: &Set<T, N>,
        mut state: MutexGuard<'_, SetState<N>>,
        address: Address,
        weight: usize,
        entry: &Arc<T>,
    ) {
        let ways = self.capacity.min(N);
        // The same entry may be here: two requests inserted it at once, or an outdated one is replaced.
        let same = (0..ways).find(|slot| set.hint(*slot) == Some(address.0));
        let slot = same.or_else(|| (0..ways).find(|slot| state.is_free(*slot)));
        let Some(slot) = slot.or_else(|| set.least_used(&mut state, ways)) else { return };
        if !state.is_free(slot) {
            set.clear_slot(&mut state, slot);
        }
        while state.weight() + weight > self.weight_per_set {
            let Some(slot) = set.least_used(&mut state, ways) else { return };
            set.clear_slot(&mut state, slot);
        }
        if let (Some(there), Some(hint), Some(size)) =
            (set.entries.get(slot), set.hints.get(slot), state.weights.get_mut(slot))
        {
            *size = weight;
            there.store(Some(Arc::clone(entry)));
            hint.store(address.0, Ordering::Relaxed);
        }
    }
}

impl<T, const N: usize> Set<T, N> {
    fn lock(&self) -> MutexGuard<'_, SetState<N>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark_used(&self, slot: usize) {
        let bit = 1 << slot;
        // A bit that is set already is not written again, because processors contend for writes.
        if self.used.load(Ordering::Relaxed) & bit == 0 {
            self.used.fetch_or(bit, Ordering::Relaxed);
        }
    }

    fn hint(&self, slot: usize) -> Option<u64> {
        Some(self.hints.get(slot)?.load(Ordering::Relaxed))
    }

    /// Returns a slot whose entry was not used since the hand passed it last: an entry that is used again
    /// and again outlives any number of entries that are used once.
    fn least_used(&self, state: &mut SetState<N>, ways: usize) -> Option<usize> {
        for _ in 0..2 * ways {
            let slot = state.hand;
            state.hand = (slot + 1) % ways;
            let bit = 1 << slot;
            if !state.is_free(slot) && self.used.fetch_and(!bit, Ordering::Relaxed) & bit == 0 {
                return Some(slot);
            }
        }
        // Other threads used them all meanwhile.
        (0..ways).find(|slot| !state.is_free(*slot))
    }

    fn clear_slot(&self, state: &mut SetState<N>, slot: usize) {
        if let (Some(entry), Some(hint), Some(size)) =
            (self.entries.get(slot), self.hints.get(slot), state.weights.get_mut(slot))
        {
            hint.store(0, Ordering::Relaxed);
            self.used.fetch_and(!(1 << slot), Ordering::Relaxed);
            entry.store(None);
            *size = 0;
        }
    }
}

impl<const N: usize> SetState<N> {
    fn is_free(&self, slot: usize) -> bool {
        self.weights.get(slot).is_some_and(|weight| *weight == 0)
    }

    fn weight(&self) -> usize {
        self.weights.iter().sum()
    }
}

impl<T, const N: usize> fmt::Debug for SetCache<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetCache").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

impl<T, const N: usize> Default for Set<T, N> {
    fn default() -> Self {
        Self {
            hints: array::from_fn(|_| AtomicU64::new(0)),
            entries: array::from_fn(|_| ArcSwapOption::empty()),
            used: AtomicU64::new(0),
            state: Mutex::new(SetState { weights: [0; N], hand: 0 }),
        }
    }
}
