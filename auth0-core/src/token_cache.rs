//! Tokens that were verified a moment ago, so that a repeated one costs a hash and not a signature.
//!
//! What is found here was accepted as it stands, byte for byte, by this verifier: the key is the
//! SHA-256 of the whole token. Everything that can change since is asked again by whoever uses it:
//! the clock, and the generation of the issuer's keys. What depends on the request (requirements, a
//! proof, a certificate) is not here at all.
//!
//! The tokens themselves are not kept, only what they say. A table of fixed size, in sets of eight
//! places: a look reads a few atomics and takes no lock, an entry has its place among eight, and
//! one that is not used makes room first. Nobody gets in without a token that verifies.
use crate::{crypto::Fingerprint, token::Verified};
use arc_swap::{ArcSwapOption, Guard};
use std::{
    array, fmt,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
};

/// How many places an entry may have: enough for few to be crowded out of a table that has room, and
/// the hints of a set fill one line of the processor's cache.
const WAYS: usize = 8;

/// What the entries of a set may take together: 2 KiB each. A token of 1 KiB takes about 0.9 KiB here.
const BYTES_PER_SET: usize = WAYS * 2048;

/// What an entry takes beside its content: two counters, and what the allocator adds.
const OVERHEAD: usize = 64;

pub(crate) struct TokenCache {
    capacity: usize,
    /// Made with the first token: verifiers that serve none take no memory.
    sets: OnceLock<Box<[Set]>>,
}

struct Set {
    /// Where a look is worthwhile. Zero is no hint.
    hints: [AtomicU64; WAYS],
    entries: [ArcSwapOption<Verified>; WAYS],
    /// One bit for each place that was found since somebody looked for room.
    used: AtomicU8,
    room: Mutex<Room>,
}

/// Who holds this decides about a set. Reads go on meanwhile, and nobody waits for it on the way of
/// a request: a token that finds it taken is remembered another time.
#[derive(Default)]
struct Room {
    bytes: [usize; WAYS],
    /// Where to look for more next.
    hand: usize,
}

impl TokenCache {
    /// For at most this many tokens; zero for none.
    pub(crate) const fn new(capacity: usize) -> Self {
        Self { capacity, sets: OnceLock::new() }
    }

    pub(crate) const fn is_off(&self) -> bool {
        self.capacity == 0
    }

    /// Whether this would be remembered.
    pub(crate) fn takes(&self, verified: &Verified) -> bool {
        !self.is_off() && verified.bytes() + OVERHEAD <= BYTES_PER_SET
    }

    /// What is known of a token, if `is_current` says that it still holds.
    pub(crate) fn get(
        &self,
        token: &[u8],
        is_current: impl FnOnce(&Verified) -> bool,
    ) -> Option<Arc<Verified>> {
        let address = address(token)?;
        let set = set_of(self.sets.get()?, address)?;
        let mut fingerprint = None;
        for (place, hint) in set.hints.iter().enumerate() {
            if hint.load(Ordering::Relaxed) != address {
                continue;
            }
            let entry = set.entries.get(place)?.load();
            let Some(remembered) = entry.as_ref().and_then(|entry| entry.remembered.as_ref())
            else {
                continue;
            };
            let fingerprint = *fingerprint.get_or_insert_with(|| Fingerprint::of(token));
            if remembered.fingerprint == fingerprint {
                let known = Guard::into_inner(entry).filter(|known| is_current(known))?;
                set.mark(place);
                return Some(known);
            }
        }
        None
    }

    /// Remembers a token that was verified. One that takes too much memory is not.
    pub(crate) fn insert(&self, token: &[u8], verified: &Arc<Verified>) {
        let Some(address) = address(token) else { return };
        if !self.takes(verified) {
            return;
        }
        let bytes = verified.bytes() + OVERHEAD;
        let sets = self.sets.get_or_init(|| {
            let sets = (self.capacity / WAYS).max(1);
            (0..sets).map(|_| Set::default()).collect()
        });
        let Some(set) = set_of(sets, address) else { return };
        let Ok(mut room) = set.room.try_lock() else { return };
        set.put(&mut room, self.capacity.min(WAYS), address, bytes, verified);
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        for set in self.sets.get().into_iter().flatten() {
            let mut room = set.room.lock().unwrap_or_else(PoisonError::into_inner);
            for place in 0..WAYS {
                set.vacate(&mut room, place);
            }
        }
    }

    /// How many tokens are remembered.
    fn len(&self) -> usize {
        let entries = self.sets.get().into_iter().flatten().flat_map(|set| &set.entries);
        entries.filter(|entry| entry.load().is_some()).count()
    }
}

impl Set {
    fn mark(&self, place: usize) {
        let bit = 1 << place;
        // A bit that is set already is not written again: writing is what processors contend for.
        if self.used.load(Ordering::Relaxed) & bit == 0 {
            self.used.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Finds a place among the first `ways`, and room for this many bytes.
    fn put(
        &self,
        room: &mut Room,
        ways: usize,
        address: u64,
        bytes: usize,
        verified: &Arc<Verified>,
    ) {
        // The same token may be here: two requests verified it at once, or what it was is history.
        let same = (0..ways).find(|place| self.hint(*place) == Some(address));
        let place = same.or_else(|| (0..ways).find(|place| room.is_free(*place)));
        let Some(place) = place.or_else(|| self.least_used(room, ways)) else { return };
        if !room.is_free(place) {
            self.vacate(room, place);
        }
        while room.taken() + bytes > BYTES_PER_SET {
            let Some(place) = self.least_used(room, ways) else { return };
            self.vacate(room, place);
        }
        if let (Some(entry), Some(hint), Some(size)) =
            (self.entries.get(place), self.hints.get(place), room.bytes.get_mut(place))
        {
            *size = bytes;
            entry.store(Some(Arc::clone(verified)));
            hint.store(address, Ordering::Relaxed);
        }
    }

    fn hint(&self, place: usize) -> Option<u64> {
        Some(self.hints.get(place)?.load(Ordering::Relaxed))
    }

    /// A taken place that was not used since the hand came by last: a token that is used again and
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
            (self.entries.get(place), self.hints.get(place), room.bytes.get_mut(place))
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
        self.bytes.get(place).is_some_and(|bytes| *bytes == 0)
    }

    fn taken(&self) -> usize {
        self.bytes.iter().sum()
    }
}

impl Default for Set {
    fn default() -> Self {
        Self {
            hints: array::from_fn(|_| AtomicU64::new(0)),
            entries: array::from_fn(|_| ArcSwapOption::empty()),
            used: AtomicU8::new(0),
            room: Mutex::default(),
        }
    }
}

/// Where a token may be: out of the end of its signature, which for those in the table is as good as
/// random. It decides nothing: the fingerprint does.
fn address(token: &[u8]) -> Option<u64> {
    let (words, _) = token.last_chunk::<16>()?.as_chunks::<8>();
    let mixed = words.iter().fold(0_u64, |mixed, word| {
        (mixed ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
    });
    Some(mixed | 1)
}

fn set_of(sets: &[Set], address: u64) -> Option<&Set> {
    let scaled = u128::from(address) * sets.len() as u128;
    sets.get((scaled >> 64) as usize)
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache")
            .field("capacity", &self.capacity)
            .field("len", &self.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Remembered;

    /// A token as text, and what a verifier might have found in it, of about this size.
    fn token(number: usize, bytes: usize) -> (String, Arc<Verified>) {
        let token = format!("{}{}", "x".repeat(40), number * 7919);
        let verified = Verified::for_tests(
            "p".repeat(bytes),
            Remembered { fingerprint: Fingerprint::of(token.as_bytes()), generation: 0 },
        );
        (token, Arc::new(verified))
    }

    fn knows(cache: &TokenCache, token: &str) -> bool {
        cache.get(token.as_bytes(), |_| true).is_some()
    }

    fn bytes(cache: &TokenCache) -> usize {
        let sets = cache.sets.get().into_iter().flatten();
        sets.flat_map(|set| &set.entries)
            .filter_map(ArcSwapOption::load_full)
            .map(|entry| entry.bytes() + OVERHEAD)
            .sum()
    }

    #[test]
    fn it_is_bounded_in_tokens() {
        for capacity in [1, 3, 8, 9, 64, 100] {
            let cache = TokenCache::new(capacity);
            for number in 0..2000 {
                let (token, verified) = token(number, 100);
                cache.insert(token.as_bytes(), &verified);
                assert!(knows(&cache, &token), "the last one is always there");
                assert!(cache.len() <= capacity);
            }
            assert!(cache.len() * 2 > capacity.min(8), "{} of {capacity}", cache.len());
        }
    }

    #[test]
    fn it_is_bounded_in_bytes() {
        let cache = TokenCache::new(80);
        for number in 0..2000 {
            let (token, verified) = token(number, (number * 131) % 16_000);
            cache.insert(token.as_bytes(), &verified);
            assert!(bytes(&cache) <= 80 * 2048);
        }
        assert!(bytes(&cache) > 80 * 1024, "it is used");
    }

    #[test]
    fn what_is_too_large_is_not_remembered_and_evicts_nothing() {
        let cache = TokenCache::new(8);
        let small: Vec<_> = (0..8).map(|number| token(number, 100)).collect();
        for (token, verified) in &small {
            cache.insert(token.as_bytes(), verified);
        }
        let (large, verified) = token(9, BYTES_PER_SET);
        cache.insert(large.as_bytes(), &verified);
        assert!(!knows(&cache, &large));
        assert!(small.iter().all(|(token, _)| knows(&cache, token)));
    }

    #[test]
    fn the_fingerprint_decides_and_not_the_place() {
        let cache = TokenCache::new(8);
        let (token, verified) = token(1, 100);
        cache.insert(token.as_bytes(), &verified);
        let same_end = token.replacen('x', "y", 1);
        assert_eq!(address(token.as_bytes()), address(same_end.as_bytes()));
        assert!(knows(&cache, &token) && !knows(&cache, &same_end));
        assert!(!knows(&cache, "short"), "no place at all");
    }

    #[test]
    fn what_is_no_longer_current_is_replaced_and_not_doubled() {
        let cache = TokenCache::new(8);
        let (token, verified) = token(1, 100);
        cache.insert(token.as_bytes(), &verified);
        assert!(cache.get(token.as_bytes(), |_| false).is_none());
        cache.insert(token.as_bytes(), &verified);
        assert_eq!(cache.len(), 1);
        cache.clear();
        assert_eq!((cache.len(), bytes(&cache)), (0, 0));
        assert_eq!(Arc::strong_count(&verified), 1, "its memory is given back");
    }

    #[test]
    fn it_prints_counts_and_nothing_else() {
        let cache = TokenCache::new(8);
        let (token, verified) = token(1, 100);
        cache.insert(token.as_bytes(), &verified);
        assert_eq!(format!("{cache:?}"), "TokenCache { capacity: 8, len: 1 }");
    }
}
