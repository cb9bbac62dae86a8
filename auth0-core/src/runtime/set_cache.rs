//! A bounded table that is read without a lock: a fixed number of places, in sets of eight.
//!
//! A look reads a few atomics, an entry has its place among eight, and one that is not used makes room
//! first. The places are a few words each until something stands there.
use arc_swap::{ArcSwapOption, Guard};
use std::{
    array,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
};

/// How many places an entry may have: enough for few to be crowded out of a table that has room, and
/// the hints of a set fill one line of the processor's cache.
pub(crate) const WAYS: usize = 8;

pub(crate) struct SetCache<T> {
    capacity: usize,
    /// What the entries of a set may weigh together.
    weight_per_set: usize,
    /// Made with the first entry: tables that have none take no memory.
    sets: OnceLock<Box<[Set<T>]>>,
}

struct Set<T> {
    /// Where a look is worthwhile. Zero is no hint.
    hints: [AtomicU64; WAYS],
    entries: [ArcSwapOption<T>; WAYS],
    /// One bit for each place that was found since somebody looked for room.
    used: AtomicU8,
    room: Mutex<Room>,
}

/// Who holds this decides about a set. Reads go on meanwhile.
#[derive(Default)]
struct Room {
    weights: [usize; WAYS],
    /// Where to look for more next.
    hand: usize,
}

/// Where an entry may be, and which hint it has. Two entries may have the same address: it decides
/// nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address(u64);

impl Address {
    /// Out of bits that are as good as random.
    pub(crate) const fn new(random: u64) -> Self {
        Self(random | 1)
    }
}

impl<T> SetCache<T> {
    /// For at most this many entries; zero for none.
    pub(crate) const fn new(capacity: usize, weight_per_set: usize) -> Self {
        Self { capacity, weight_per_set, sets: OnceLock::new() }
    }

    pub(crate) const fn capacity(&self) -> usize {
        self.capacity
    }

    /// The entry that `is_it` recognises, among those of the address.
    pub(crate) fn find(
        &self,
        address: Address,
        mut is_it: impl FnMut(&T) -> bool,
    ) -> Option<Arc<T>> {
        let set = self.set(self.sets.get()?, address)?;
        for (place, hint) in set.hints.iter().enumerate() {
            if hint.load(Ordering::Relaxed) != address.0 {
                continue;
            }
            let entry = set.entries.get(place)?.load();
            if entry.as_ref().is_some_and(|entry| is_it(entry)) {
                set.mark(place);
                return Guard::into_inner(entry);
            }
        }
        None
    }

    /// Puts an entry there, in the place of one with the same address. Nobody waits: while somebody else
    /// changes its part of the table, it is not put there.
    pub(crate) fn try_insert(&self, address: Address, weight: usize, entry: &Arc<T>) {
        if let Some(set) = self.set_for(address, weight)
            && let Ok(room) = set.room.try_lock()
        {
            self.put(set, room, address, weight, entry);
        }
    }

    /// The same, and waits.
    pub(crate) fn insert(&self, address: Address, weight: usize, entry: &Arc<T>) {
        if let Some(set) = self.set_for(address, weight) {
            self.put(set, set.lock(), address, weight, entry);
        }
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        for set in self.sets.get().into_iter().flatten() {
            let mut room = set.lock();
            for place in 0..WAYS {
                set.vacate(&mut room, place);
            }
        }
    }

    /// All entries, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Arc<T>> {
        let entries = self.sets.get().into_iter().flatten().flat_map(|set| &set.entries);
        entries.filter_map(ArcSwapOption::load_full)
    }

    fn set_for(&self, address: Address, weight: usize) -> Option<&Set<T>> {
        if self.capacity == 0 || weight > self.weight_per_set {
            return None;
        }
        let sets = self.sets.get_or_init(|| {
            let sets = (self.capacity / WAYS).max(1);
            (0..sets).map(|_| Set::default()).collect()
        });
        self.set(sets, address)
    }

    fn set<'a>(&self, sets: &'a [Set<T>], address: Address) -> Option<&'a Set<T>> {
        let scaled = u128::from(address.0) * sets.len() as u128;
        sets.get((scaled >> 64) as usize)
    }

    /// Finds a place, and room for this weight.
    fn put(
        &self,
        set: &Set<T>,
        mut room: MutexGuard<'_, Room>,
        address: Address,
        weight: usize,
        entry: &Arc<T>,
    ) {
        let ways = self.capacity.min(WAYS);
        // The same may be here: two requests found it out at once, or what it was is history.
        let same = (0..ways).find(|place| set.hint(*place) == Some(address.0));
        let place = same.or_else(|| (0..ways).find(|place| room.is_free(*place)));
        let Some(place) = place.or_else(|| set.least_used(&mut room, ways)) else { return };
        if !room.is_free(place) {
            set.vacate(&mut room, place);
        }
        while room.taken() + weight > self.weight_per_set {
            let Some(place) = set.least_used(&mut room, ways) else { return };
            set.vacate(&mut room, place);
        }
        if let (Some(there), Some(hint), Some(size)) =
            (set.entries.get(place), set.hints.get(place), room.weights.get_mut(place))
        {
            *size = weight;
            there.store(Some(Arc::clone(entry)));
            hint.store(address.0, Ordering::Relaxed);
        }
    }
}

impl<T> Set<T> {
    fn lock(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark(&self, place: usize) {
        let bit = 1 << place;
        // A bit that is set already is not written again: writing is what processors contend for.
        if self.used.load(Ordering::Relaxed) & bit == 0 {
            self.used.fetch_or(bit, Ordering::Relaxed);
        }
    }

    fn hint(&self, place: usize) -> Option<u64> {
        Some(self.hints.get(place)?.load(Ordering::Relaxed))
    }

    /// A taken place that was not used since the hand came by last: an entry that is used again and
    /// again outlives any number that come once.
    fn least_used(&self, room: &mut Room, ways: usize) -> Option<usize> {
        for _ in 0..2 * ways {
            let place = room.hand;
            room.hand = (place + 1) % ways;
            let bit = 1 << place;
            if !room.is_free(place) && self.used.fetch_and(!bit, Ordering::Relaxed) & bit == 0 {
                return Some(place);
            }
        }
        // Others used them all meanwhile.
        (0..ways).find(|place| !room.is_free(*place))
    }

    fn vacate(&self, room: &mut Room, place: usize) {
        if let (Some(entry), Some(hint), Some(size)) =
            (self.entries.get(place), self.hints.get(place), room.weights.get_mut(place))
        {
            hint.store(0, Ordering::Relaxed);
            self.used.fetch_and(!(1 << place), Ordering::Relaxed);
            entry.store(None);
            *size = 0;
        }
    }
}

impl Room {
    fn is_free(&self, place: usize) -> bool {
        self.weights.get(place).is_some_and(|weight| *weight == 0)
    }

    fn taken(&self) -> usize {
        self.weights.iter().sum()
    }
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self {
            hints: array::from_fn(|_| AtomicU64::new(0)),
            entries: array::from_fn(|_| ArcSwapOption::empty()),
            used: AtomicU8::new(0),
            room: Mutex::default(),
        }
    }
}
