//! The revocations in memory: read without a lock, written under one.
use super::{
    entry::RevocationEntry,
    key::RevocationKey,
    mark::{MARK_BITS, Mark},
};
use arc_swap::ArcSwap;
use std::{
    collections::HashSet,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// The slots of an empty table.
const SMALLEST: usize = 64;

/// A table with more of its slots in use than one in so many is replaced by a larger one: a search that fails reads
/// two and a half slots on average then.
const SLOTS_PER_KEY: usize = 2;

/// A hash table with open addressing. A slot that is in use keeps its key for as long as the table exists; larger
/// tables replace it, without the entries that have expired.
pub(super) struct Table {
    slots: ArcSwap<Slots>,
    writer: Mutex<Writer>,
    capacity: usize,
    /// Whether there never was an entry.
    is_empty: AtomicBool,
}

struct Writer {
    used: usize,
    /// The earliest end of an entry: before it, there is nothing to remove.
    next_end: u32,
}

struct Slots {
    mask: usize,
    slots: Box<[Slot]>,
    /// A bit is set if there is a key with its mark, or with one that shares the bit. A byte for each slot makes 16 bits
    /// for each key, or more.
    marks: Box<[AtomicU64]>,
}

/// 24 bytes. A key whose lower half is zero has one there instead.
#[derive(Default)]
struct Slot {
    /// Zero in a free slot. Written last.
    low: AtomicU64,
    high: AtomicU64,
    /// The time of the revocation, and that of its end: 32 bits each.
    times: AtomicU64,
}

/// The result of an insertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inserted {
    /// There is a new revocation, or one with a later time or end.
    Changed,
    /// The same was known.
    Known,
    /// There is no room.
    Full,
}

impl Table {
    pub(super) fn new(capacity: usize) -> Self {
        let writer = Mutex::new(Writer { used: 0, next_end: u32::MAX });
        let slots = ArcSwap::from_pointee(Slots::new(SMALLEST));
        Self { slots, writer, capacity, is_empty: AtomicBool::new(true) }
    }

    /// Returns whether there never was an entry.
    pub(super) fn is_empty(&self) -> bool {
        self.is_empty.load(Ordering::Acquire)
    }

    /// Returns whether there may be a key with one of these marks. Otherwise there is none.
    pub(super) fn may_have_any(&self, marks: &[Option<Mark>]) -> bool {
        let slots = self.slots.load();
        marks.iter().flatten().any(|mark| slots.may_have(*mark))
    }

    /// Adds a revocation, or moves its times forward.
    pub(super) fn insert(&self, entry: RevocationEntry, now: u32) -> Inserted {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut slots = self.slots.load_full();
        if let Some(slot) = slots.find(entry.key) {
            let (at, end) = times(slot.times.load(Ordering::Relaxed));
            let later = (at.max(entry.revoked_at), end.max(entry.expires_at));
            slot.times.store(packed(later.0, later.1), Ordering::Release);
            return if later == (at, end) { Inserted::Known } else { Inserted::Changed };
        }
        let is_full = writer.used >= self.capacity;
        if is_full && now < writer.next_end {
            return Inserted::Full;
        }
        if is_full || !slots.has_room_for(writer.used + 1) {
            slots = Arc::new(writer.rebuild(&slots, now));
            self.slots.store(Arc::clone(&slots));
            if writer.used >= self.capacity {
                return Inserted::Full;
            }
        }
        slots.insert(entry);
        self.is_empty.store(false, Ordering::Release);
        writer.used += 1;
        writer.next_end = writer.next_end.min(entry.expires_at);
        Inserted::Changed
    }

    /// Returns a revocation, which may have expired.
    pub(super) fn get(&self, key: RevocationKey) -> Option<RevocationEntry> {
        let slots = self.slots.load();
        let (revoked_at, expires_at) = times(slots.find(key)?.times.load(Ordering::Acquire));
        Some(RevocationEntry { key, revoked_at, expires_at })
    }

    /// Returns the keys of all revocations that have not expired.
    pub(super) fn keys(&self, now: u32) -> HashSet<RevocationKey> {
        let slots = self.slots.load();
        let alive = slots.entries().filter(|entry| entry.expires_at > now);
        alive.map(|entry| entry.key).collect()
    }

    /// Returns the number of revocations, including those that have expired and are not removed yet.
    pub(super) fn len(&self) -> usize {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).used
    }
}

impl Writer {
    /// Returns a table with the entries that have not expired, and room for as many more.
    fn rebuild(&mut self, old: &Slots, now: u32) -> Slots {
        let is_alive = |entry: &RevocationEntry| entry.expires_at > now;
        let alive = old.entries().filter(is_alive).count();
        let slots = Slots::new(((alive + 1) * 2).next_power_of_two().max(SMALLEST));
        self.used = alive;
        self.next_end = u32::MAX;
        for entry in old.entries().filter(is_alive) {
            slots.insert(entry);
            self.next_end = self.next_end.min(entry.expires_at);
        }
        slots
    }
}

impl Slots {
    /// Creates a table; the length is a power of two.
    fn new(length: usize) -> Self {
        let slots = std::iter::repeat_with(Slot::default).take(length).collect();
        let marks = (length / 8).clamp(1, 1 << MARK_BITS >> 6);
        let marks = std::iter::repeat_with(AtomicU64::default).take(marks).collect();
        Self { mask: length - 1, slots, marks }
    }

    fn has_room_for(&self, used: usize) -> bool {
        used * SLOTS_PER_KEY <= self.slots.len()
    }

    /// Returns the place of the bit of a mark.
    fn bit(&self, mark: Mark) -> (Option<&AtomicU64>, u64) {
        let bits = mark.bits();
        (self.marks.get((bits >> 6) as usize & (self.marks.len() - 1)), 1 << (bits & 63))
    }

    fn may_have(&self, mark: Mark) -> bool {
        let (word, bit) = self.bit(mark);
        word.is_some_and(|word| word.load(Ordering::Acquire) & bit != 0)
    }

    /// Returns the slots where a key can be, in order.
    fn path(&self, low: u64) -> impl Iterator<Item = &Slot> {
        #[expect(clippy::cast_possible_truncation, reason = "a part of a hash is wanted")]
        let start = low as usize & self.mask;
        let (first, second) = self.slots.split_at_checked(start).unwrap_or_default();
        second.iter().chain(first)
    }

    fn find(&self, key: RevocationKey) -> Option<&Slot> {
        let (low, high) = halves(key);
        for slot in self.path(low) {
            let found = slot.low.load(Ordering::Acquire);
            if found == 0 {
                return None;
            }
            if found == low && slot.high.load(Ordering::Relaxed) == high {
                return Some(slot);
            }
        }
        None
    }

    /// Inserts a key that is not there. There is room.
    fn insert(&self, entry: RevocationEntry) {
        let (low, high) = halves(entry.key);
        let mut path = self.path(low);
        if let Some(slot) = path.find(|slot| slot.low.load(Ordering::Relaxed) == 0) {
            slot.times.store(packed(entry.revoked_at, entry.expires_at), Ordering::Relaxed);
            slot.high.store(high, Ordering::Relaxed);
            slot.low.store(low, Ordering::Release);
            // Last: what finds the bit finds the key.
            let (word, bit) = self.bit(entry.key.mark());
            word.into_iter().for_each(|word| _ = word.fetch_or(bit, Ordering::Release));
        }
    }

    fn entries(&self) -> impl Iterator<Item = RevocationEntry> {
        self.slots.iter().filter_map(|slot| {
            let low = slot.low.load(Ordering::Acquire);
            let key = RevocationKey::from_halves(low, slot.high.load(Ordering::Relaxed));
            let (revoked_at, expires_at) = times(slot.times.load(Ordering::Acquire));
            (low != 0).then_some(RevocationEntry { key, revoked_at, expires_at })
        })
    }
}

fn halves(key: RevocationKey) -> (u64, u64) {
    let (low, high) = key.halves();
    (low.max(1), high)
}

const fn packed(revoked_at: u32, expires_at: u32) -> u64 {
    ((revoked_at as u64) << 32) | expires_at as u64
}

#[expect(clippy::cast_possible_truncation, reason = "these are the two halves")]
const fn times(packed: u64) -> (u32, u32) {
    ((packed >> 32) as u32, packed as u32)
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("len", &self.len()).field("capacity", &self.capacity).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    const NOW: u32 = 1000;

    fn key(number: u64) -> RevocationKey {
        // The lower half, where the search begins, is often the same.
        RevocationKey::from_halves(number % 3, number)
    }

    /// Returns a key as a hash is.
    fn spread(number: u64) -> RevocationKey {
        RevocationKey::from_halves(number.wrapping_mul(0x9e37_79b9_7f4a_7c15), number)
    }

    fn entry(number: u64, revoked_at: u32, expires_at: u32) -> RevocationEntry {
        RevocationEntry { key: key(number), revoked_at, expires_at }
    }

    fn find(table: &Table, number: u64) -> Option<u32> {
        table.get(key(number)).map(|entry| entry.revoked_at)
    }

    proptest! {
        #[test]
        fn it_is_a_map_of_the_latest_times(steps in prop::collection::vec((0..200_u64, 0..50_u32, 0..80_u32), 0..600)) {
            let table = Table::new(1000);
            let mut expected: HashMap<u64, (u32, u32)> = HashMap::new();
            for (number, at, life) in steps {
                let inserted = table.insert(entry(number, at, NOW + 1 + life), NOW);
                let before = expected.get(&number).copied();
                let is_news = before.is_none_or(|before| at > before.0 || life > before.1);
                prop_assert_eq!(inserted == Inserted::Changed, is_news);
                let before = before.unwrap_or((0, 0));
                expected.insert(number, (at.max(before.0), life.max(before.1)));
            }
            for number in 0..200 {
                let known = table.get(key(number)).map(|known| (known.revoked_at, known.expires_at - NOW - 1));
                prop_assert_eq!(known, expected.get(&number).copied());
            }
            prop_assert_eq!(table.len(), expected.len());
            prop_assert_eq!(table.keys(NOW).len(), expected.len());
        }
    }

    #[test]
    fn expired_entries_make_room() {
        let table = Table::new(100);
        for number in 0..100 {
            let end = if number < 40 { NOW + 10 } else { NOW + 1000 };
            assert_eq!(table.insert(entry(number, 1, end), NOW), Inserted::Changed);
        }
        assert_eq!(table.insert(entry(500, 1, NOW + 5), NOW), Inserted::Full);
        assert_eq!(table.insert(entry(99, 2, NOW + 5), NOW), Inserted::Changed, "it is there");
        assert_eq!(table.insert(entry(500, 1, NOW + 50), NOW + 9), Inserted::Full);
        assert_eq!(table.insert(entry(500, 1, NOW + 50), NOW + 10), Inserted::Changed);
        assert_eq!((table.len(), find(&table, 0), find(&table, 40)), (61, None, Some(1)));
        assert_eq!(table.keys(NOW + 50).len(), 60);
    }

    #[test]
    fn readers_see_all_that_was_inserted_before() {
        let table = Table::new(100_000);
        let written = AtomicU64::new(0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for number in 1..=50_000 {
                    table.insert(
                        RevocationEntry { key: spread(number), ..entry(0, 7, NOW + 1) },
                        NOW,
                    );
                    written.store(number, Ordering::Release);
                }
            });
            for seed in 1..3_u64 {
                let (table, written) = (&table, &written);
                scope.spawn(move || {
                    let mut number = seed;
                    loop {
                        let last = written.load(Ordering::Acquire);
                        if last == 50_000 {
                            break;
                        }
                        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                        if last > 0 {
                            let known = spread(1 + (number >> 33) % last);
                            assert!(table.may_have_any(&[None, Some(known.mark())]));
                            assert_eq!(table.get(known).map(|entry| entry.revoked_at), Some(7));
                        }
                    }
                });
            }
        });
    }

    #[test]
    fn it_takes_the_memory_that_is_documented() {
        assert_eq!(size_of::<Slot>(), 24);
        let table = Table::new(1_000_000);
        for number in 0..1_000_000_u64 {
            let key = spread(number);
            table.insert(RevocationEntry { key, revoked_at: 1, expires_at: u32::MAX }, NOW);
        }
        assert_eq!(table.len(), 1_000_000);
        let slots = table.slots.load();
        let bytes = slots.slots.len() * size_of::<Slot>() + slots.marks.len() * size_of::<u64>();
        assert!(bytes <= 53_000_000, "{bytes}");
    }
}
