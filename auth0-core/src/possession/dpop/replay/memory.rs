//! The store of used proofs in the memory of one process.
use super::{Insertion, ReplayEntry, ReplayStore, ReplayStoreError};
use crate::runtime::BoxFuture;
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

/// Enough for 300 requests in a second, with proofs that are valid for 330 s.
pub(in crate::possession::dpop) const DEFAULT_CAPACITY: usize = 100_000;
/// More than a gigabyte. A service that needs more has several instances, which share a store.
pub(in crate::possession::dpop) const LARGEST_CAPACITY: usize = 20_000_000;

/// With this many locks, concurrent threads seldom wait for each other.
const SHARDS: usize = 64;

/// Remembers a bounded number of used proofs in this process. Clones share them.
///
/// When it is full, a new proof is an error, which becomes `503`: removing a proof that has not expired would
/// allow a second use. An entry is kept exactly as long as its proof is valid. If the clock is set back,
/// proofs that expire before one that was removed count as used.
///
/// ```
/// use auth0_core::dpop::{InMemoryReplayStore, Insertion, ProofId, ReplayEntry};
/// use std::time::Duration;
///
/// let store = InMemoryReplayStore::new(1);
/// let entry = |id, now| {
///     let id = ProofId::new([id; 32]);
///     ReplayEntry::new(id, Duration::from_secs(now), Duration::from_secs(300 + now))
/// };
/// let insert = |id, now| store.remember(entry(id, now));
/// assert_eq!(insert(1, 0).unwrap(), Insertion::New);
/// assert_eq!(insert(1, 300).unwrap(), Insertion::Seen);
/// assert!(insert(2, 300).is_err(), "it is full");
/// assert_eq!(insert(2, 301).unwrap(), Insertion::New);
/// assert_eq!(store.len(), 1);
/// ```
#[derive(Clone)]
pub struct InMemoryReplayStore(Arc<Memory>);

struct Memory {
    capacity: usize,
    len: AtomicUsize,
    is_full: AtomicBool,
    shards: Box<[Mutex<Shard>]>,
}

#[derive(Default)]
struct Shard {
    known: HashSet<u128>,
    /// The same proofs, the one that expires first on top.
    by_end: BinaryHeap<Reverse<(Duration, u128)>>,
    /// The latest expiry of all proofs that were removed.
    forgotten: Option<Duration>,
}

impl Shard {
    /// Returns whether a proof may have been used. A proof that expires no later than one that was removed
    /// may be one of the removed: the clock was set back, or it was verified before the others and recorded
    /// after them.
    fn knows(&self, id: u128, expires_at: Duration) -> bool {
        self.known.contains(&id) || self.forgotten.is_some_and(|end| expires_at <= end)
    }
}

impl InMemoryReplayStore {
    /// Creates a store for at most this many proofs, at about 60 bytes each.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self(Arc::new(Memory {
            capacity,
            len: AtomicUsize::new(0),
            is_full: AtomicBool::new(false),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }))
    }

    /// Returns the number of proofs that are remembered, including those that have expired and are not
    /// removed yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len.load(Ordering::Relaxed)
    }

    /// Returns whether no proof is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Remembers a proof, and returns whether it was unknown. Does not wait.
    ///
    /// # Errors
    /// The store is full. This is logged once, and again only after a tenth of it was free.
    pub fn remember(&self, entry: ReplayEntry) -> Result<Insertion, ReplayStoreError> {
        self.remember_if(entry, || Ok(()))
    }

    /// Remembers a proof that is unknown, if `may_insert` says so.
    pub(super) fn remember_if(
        &self,
        entry: ReplayEntry,
        may_insert: impl FnOnce() -> Result<(), ReplayStoreError>,
    ) -> Result<Insertion, ReplayStoreError> {
        self.0.insert(entry, may_insert).map_err(|no| match no {
            NotInserted::Refused(error) => error,
            NotInserted::Full(full) => self.0.refuse(full),
        })
    }
}

/// The reason why an unknown proof is not remembered.
#[derive(Debug)]
enum NotInserted {
    Refused(ReplayStoreError),
    Full(Full),
}

/// The error of a full store, with its capacity.
#[derive(Clone, Copy, Debug)]
struct Full(usize);

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the memory for used proofs is full with {} proofs", self.0)
    }
}

impl Memory {
    fn insert(
        &self,
        entry: ReplayEntry,
        may_insert: impl FnOnce() -> Result<(), ReplayStoreError>,
    ) -> Result<Insertion, NotInserted> {
        let full = NotInserted::Full(Full(self.capacity));
        let id = entry.id.short();
        let shard = entry.id.as_bytes().last().map_or(0, |byte| usize::from(*byte) % SHARDS);
        let Some(shard) = self.shards.get(shard) else { return Err(full) };
        let mut locked = lock(shard);
        self.forget_old(&mut locked, entry.now);
        if locked.knows(id, entry.expires_at) {
            return Ok(Insertion::Seen);
        }
        may_insert().map_err(NotInserted::Refused)?;
        if !self.take_place() {
            drop(locked);
            self.sweep(entry.now);
            if !self.take_place() {
                return Err(full);
            }
            locked = lock(shard);
            if locked.knows(id, entry.expires_at) {
                self.len.fetch_sub(1, Ordering::Relaxed);
                return Ok(Insertion::Seen);
            }
        }
        if self.len.load(Ordering::Relaxed) <= self.capacity - self.capacity / 10 {
            self.is_full.store(false, Ordering::Relaxed);
        }
        locked.known.insert(id);
        locked.by_end.push(Reverse((entry.expires_at, id)));
        Ok(Insertion::New)
    }

    fn take_place(&self) -> bool {
        let taken = |len| (len < self.capacity).then_some(len + 1);
        self.len.fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken).is_ok()
    }

    fn forget_old(&self, shard: &mut Shard, now: Duration) {
        while let Some(Reverse((end, id))) = shard.by_end.peek()
            && *end < now
        {
            shard.known.remove(id);
            shard.forgotten = shard.forgotten.max(Some(*end));
            shard.by_end.pop();
            self.len.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Removes expired proofs from all shards.
    fn sweep(&self, now: Duration) {
        for shard in &self.shards {
            self.forget_old(&mut lock(shard), now);
        }
    }

    /// Returns the error of a full store. It is logged once, not for every request of a flood, and again only
    /// after a tenth of the store was free.
    fn refuse(&self, full: Full) -> ReplayStoreError {
        let sentence =
            format!("{full}. Set Dpop::replay_capacity higher if these requests are legitimate");
        if !self.is_full.swap(true, Ordering::Relaxed) {
            tracing::error!(target: "auth0", "refusing DPoP proofs: {sentence}");
        }
        ReplayStoreError::new(sentence)
    }
}

impl ReplayStore for InMemoryReplayStore {
    fn insert(&self, entry: ReplayEntry) -> BoxFuture<'_, Result<Insertion, ReplayStoreError>> {
        Box::pin(async move { self.remember(entry) })
    }
}

/// Locks a shard, also after a panic: no operation under the lock can leave the shard half changed.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for InMemoryReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemoryReplayStore")
            .field("capacity", &self.0.capacity)
            .field("len", &self.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::ProofId, *};
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn entry(number: u64, now: u64, expires_at: u64) -> ReplayEntry {
        let mut hash = [0; 32];
        let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        hash[..8].copy_from_slice(&mixed.to_le_bytes());
        hash[31] = mixed.to_le_bytes()[7];
        ReplayEntry::new(
            ProofId::new(hash),
            Duration::from_secs(now),
            Duration::from_secs(expires_at),
        )
    }

    #[test]
    fn a_flood_meets_a_bound_and_evicts_no_proof() {
        let store = InMemoryReplayStore::new(1000);
        let insert = |number, now| store.remember(entry(number, now, now + 300));
        assert_eq!(insert(0, 0).unwrap(), Insertion::New);
        let refused = (1..100_000).filter(|number| insert(*number, 0).is_err()).count();
        assert_eq!((refused, store.len()), (99_000, 1000));
        assert_eq!(insert(0, 0).unwrap(), Insertion::Seen, "the first is still known");
        let later = (200_000..201_000).filter(|number| insert(*number, 301).is_ok()).count();
        assert_eq!((later, store.len()), (1000, 1000), "all others were too old");
    }

    #[test]
    fn of_all_at_once_one_is_new() {
        let store = InMemoryReplayStore::new(100_000);
        for round in 0..50 {
            let new = std::sync::atomic::AtomicUsize::new(0);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        for number in 0..100 {
                            let entry = entry(round * 1000 + number, 0, 300);
                            if store.remember(entry).unwrap() == Insertion::New {
                                new.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                    });
                }
            });
            assert_eq!(new.into_inner(), 100);
        }
    }

    #[test]
    fn that_it_is_full_is_said_once_in_a_flood() {
        let store = InMemoryReplayStore::new(100);
        let mut said = 0;
        let mut flood = |from: u64, to: u64| {
            for now in from..to {
                for number in 0..3 {
                    let was_said = store.0.is_full.load(Ordering::Relaxed);
                    let outcome = store.remember(entry(now * 3 + number, now, now + 300));
                    said += usize::from(outcome.is_err() && !was_said);
                }
            }
        };
        // It is full after 34 s. From 301 s on, a few entries expire in each second.
        flood(0, 600);
        flood(1000, 1300);
        assert_eq!(said, 2);
    }

    /// The proof is verified in its last moment, and recorded later.
    #[test]
    fn who_comes_late_does_not_find_the_proof_forgotten() {
        let store = InMemoryReplayStore::new(10);
        let insert = |number, now, end| store.remember(entry(number, now, end)).unwrap();
        assert_eq!(insert(0, 0, 300), Insertion::New);
        store.0.sweep(Duration::from_secs(301));
        assert_eq!((insert(0, 300, 300), store.len()), (Insertion::Seen, 0));
        assert_eq!(insert(0, 301, 601), Insertion::New, "another proof");
    }

    proptest! {
        /// The results equal those of a map that never removes a proof too early.
        #[test]
        fn it_remembers_exactly_as_long_as_it_must(
            steps in prop::collection::vec((0_u64..20, 0_u64..3, 0_u64..8), 1..200)
        ) {
            let store = InMemoryReplayStore::new(10);
            let mut model: HashMap<u64, u64> = HashMap::new();
            let mut now = 0;
            for (number, passed, lifetime) in steps {
                now += passed;
                model.retain(|_, end| *end >= now);
                let outcome = store.remember(entry(number, now, now + lifetime));
                if model.contains_key(&number) {
                    prop_assert_eq!(outcome.unwrap(), Insertion::Seen);
                } else if model.len() == 10 {
                    prop_assert!(outcome.is_err());
                } else {
                    prop_assert_eq!(outcome.unwrap(), Insertion::New);
                    model.insert(number, now + lifetime);
                }
                prop_assert!(store.len() <= 10);
            }
        }
    }
}
