//! Proofs that were used, so that none is used twice (RFC 9449 §11.1).
use crate::http::BoxFuture;
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

/// 300 requests in a second, with proofs that are good for 330 s.
pub(super) const DEFAULT_CAPACITY: usize = 100_000;
/// More than a gigabyte. Who has more to remember has several instances, and a store for them.
pub(super) const LARGEST_CAPACITY: usize = 20_000_000;

/// Threads that remember at once seldom meet in one of so many.
const SHARDS: usize = 64;

/// Remembers proofs for as long as they could be used again.
///
/// The default, [`InMemoryReplayStore`], knows the proofs of its own process. Several instances of a
/// service share a store, such as the one for Redis (feature `redis`), or one of yours:
///
/// ```
/// use auth0_core::{BoxFuture, Insertion, ProofId, ReplayEntry, ReplayStore, ReplayStoreError};
/// use std::{collections::HashMap, sync::Mutex, time::Duration};
///
/// /// Stands for a table with a unique key, in a database of all instances.
/// #[derive(Debug, Default)]
/// struct Table(Mutex<HashMap<ProofId, Duration>>);
///
/// impl ReplayStore for Table {
///     fn insert(&self, entry: ReplayEntry) -> BoxFuture<'_, Result<Insertion, ReplayStoreError>> {
///         Box::pin(async move {
///             let mut rows = self.0.lock().map_err(|why| ReplayStoreError::new(why.to_string()))?;
///             // Clocks of instances differ: what is deleted is older than any of them accepts.
///             rows.retain(|_, end| *end + Duration::from_secs(60) >= entry.now);
///             Ok(match rows.insert(entry.id, entry.expires_at) {
///                 None => Insertion::New,
///                 Some(_) => Insertion::Seen,
///             })
///         })
///     }
/// }
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let store = Table::default();
/// let (now, end) = (Duration::from_secs(1_767_225_600), Duration::from_secs(1_767_225_900));
/// let entry = ReplayEntry::new(ProofId::new([7; 32]), now, end);
/// assert_eq!(store.insert(entry).await?, Insertion::New);
/// assert_eq!(store.insert(entry).await?, Insertion::Seen);
/// # Ok::<(), ReplayStoreError>(())
/// # }).unwrap()
/// ```
///
/// Two verifiers that judge one request, such as layers with different audiences, must not share a
/// store: to the second, the proof would be a used one.
pub trait ReplayStore: Send + Sync + fmt::Debug + 'static {
    /// Remembers a proof, and tells whether it was unknown: in one step, so that of any number of
    /// uses at once exactly one is told that. It is asked last, when all else of the proof is good.
    ///
    /// # Errors
    /// Nobody knows whether the proof was used. The request is refused with `503`
    /// (`replay_store_unavailable`).
    fn insert(&self, entry: ReplayEntry) -> BoxFuture<'_, Result<Insertion, ReplayStoreError>>;

    /// The same for a store that need not wait for anything, which spares the caller the waiting. The
    /// default, `None`, is one that does wait: nothing has happened, and [`insert`](Self::insert) is asked.
    ///
    /// # Errors
    /// As for [`insert`](Self::insert).
    fn insert_now(&self, entry: ReplayEntry) -> Option<Result<Insertion, ReplayStoreError>> {
        let _ = entry;
        None
    }

    /// Whether [`insert_now`](Self::insert_now) has an answer.
    fn is_immediate(&self) -> bool {
        false
    }
}

/// What a [`ReplayStore`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there are no other cases")]
pub enum Insertion {
    /// The proof was unknown, and is remembered now.
    New,
    /// The proof was used before.
    Seen,
}

/// A proof that is being used.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ReplayEntry {
    /// Which one it is.
    pub id: ProofId,
    /// The time since 1970, by the verifier's clock.
    pub now: Duration,
    /// Until when it could be used again, since 1970: this moment is the last one, so that it has to be
    /// remembered through it.
    pub expires_at: Duration,
}

impl ReplayEntry {
    /// A proof that could be used again until `expires_at`; both times are since 1970.
    #[must_use]
    pub const fn new(id: ProofId, now: Duration, expires_at: Duration) -> Self {
        Self { id, now, expires_at }
    }

    /// For how long it has to be remembered.
    #[must_use]
    pub const fn lifetime(&self) -> Duration {
        self.expires_at.saturating_sub(self.now)
    }
}

/// Names a proof: the SHA-256 of its key's thumbprint, its `jti` and its `htu`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProofId([u8; 32]);

impl ProofId {
    /// From a hash.
    #[must_use]
    pub const fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// The hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Enough of it to tell proofs apart, in half the memory.
    fn short(&self) -> u128 {
        self.0.first_chunk().map_or(0, |half| u128::from_le_bytes(*half))
    }
}

/// In hexadecimal.
impl fmt::Display for ProofId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ProofId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a [`ReplayStore`] has no answer. The text goes to the log, never to a client.
#[derive(Clone, Debug)]
pub struct ReplayStoreError(Box<str>);

impl ReplayStoreError {
    /// An error in the words of the store.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into().into())
    }
}

impl fmt::Display for ReplayStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ReplayStoreError {}

/// Remembers the proofs of this process, a bounded number of them. Clones share them.
///
/// When it is full, a new proof is an error, which becomes `503`: to forget one that could be used
/// again would let it be used again. An entry lives exactly as long as its proof; with a clock that is
/// set back, proofs that end before one that was forgotten count as used.
///
/// ```
/// use auth0_core::{InMemoryReplayStore, Insertion, ProofId, ReplayEntry, ReplayStore};
/// use std::time::Duration;
///
/// let store = InMemoryReplayStore::new(1);
/// let entry = |id, now| {
///     let id = ProofId::new([id; 32]);
///     ReplayEntry::new(id, Duration::from_secs(now), Duration::from_secs(300 + now))
/// };
/// let insert = |id, now| store.insert_now(entry(id, now)).unwrap();
/// assert_eq!(insert(1, 0).unwrap(), Insertion::New);
/// assert_eq!(insert(1, 300).unwrap(), Insertion::Seen);
/// assert!(insert(2, 300).is_err(), "it is full");
/// assert_eq!(insert(2, 301).unwrap(), Insertion::New);
/// assert_eq!(store.len(), 1);
/// ```
#[derive(Clone)]
pub struct InMemoryReplayStore(Arc<Inner>);

struct Inner {
    capacity: usize,
    len: AtomicUsize,
    is_full: AtomicBool,
    shards: Box<[Mutex<Shard>]>,
}

#[derive(Default)]
struct Shard {
    known: HashSet<u128>,
    /// The same, the one that ends first on top.
    by_end: BinaryHeap<Reverse<(Duration, u128)>>,
    /// The latest end of all that were forgotten.
    forgotten: Option<Duration>,
}

impl Shard {
    /// A proof that ends no later than one that was forgotten may be one of those: the clock was set
    /// back, or it was judged before the others and got here after them.
    fn knows(&self, id: u128, expires_at: Duration) -> bool {
        self.known.contains(&id) || self.forgotten.is_some_and(|end| expires_at <= end)
    }
}

impl InMemoryReplayStore {
    /// For at most this many proofs, at about 60 bytes each.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self(Arc::new(Inner {
            capacity,
            len: AtomicUsize::new(0),
            is_full: AtomicBool::new(false),
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
        }))
    }

    /// How many proofs are remembered, those among them that are too old and not yet forgotten.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len.load(Ordering::Relaxed)
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The same as [`insert_now`](ReplayStore::insert_now), for another store that may do without.
    #[cfg(feature = "redis")]
    pub(super) fn remember(&self, entry: ReplayEntry) -> Result<Insertion, ReplayStoreError> {
        self.0.insert(entry).map_err(|full| ReplayStoreError::new(full.to_string()))
    }
}

/// So many are remembered, and no more can be.
#[derive(Clone, Copy, Debug)]
struct Full(usize);

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} proofs are remembered, which is all that there is room for", self.0)
    }
}

impl Inner {
    fn insert(&self, entry: ReplayEntry) -> Result<Insertion, Full> {
        let id = entry.id.short();
        let shard = entry.id.0.last().map_or(0, |byte| usize::from(*byte) % SHARDS);
        let Some(shard) = self.shards.get(shard) else { return Err(Full(self.capacity)) };
        let mut locked = lock(shard);
        self.forget_old(&mut locked, entry.now);
        if locked.knows(id, entry.expires_at) {
            return Ok(Insertion::Seen);
        }
        if !self.take_place() {
            drop(locked);
            self.sweep(entry.now);
            if !self.take_place() {
                return Err(Full(self.capacity));
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

    /// Makes room where nobody came by lately.
    fn sweep(&self, now: Duration) {
        for shard in &self.shards {
            self.forget_old(&mut lock(shard), now);
        }
    }

    /// Said to the log once, and not for every request of a flood: again after a tenth was free.
    fn refuse(&self, full: Full) -> ReplayStoreError {
        let sentence =
            format!("{full}. Set Dpop::replay_capacity higher if these are honest requests");
        if !self.is_full.swap(true, Ordering::Relaxed) {
            tracing::error!(target: "auth0", "refusing DPoP proofs: {sentence}");
        }
        ReplayStoreError::new(sentence)
    }
}

impl ReplayStore for InMemoryReplayStore {
    fn insert(&self, entry: ReplayEntry) -> BoxFuture<'_, Result<Insertion, ReplayStoreError>> {
        Box::pin(async move { self.0.insert(entry).map_err(|full| self.0.refuse(full)) })
    }

    fn insert_now(&self, entry: ReplayEntry) -> Option<Result<Insertion, ReplayStoreError>> {
        Some(self.0.insert(entry).map_err(|full| self.0.refuse(full)))
    }

    fn is_immediate(&self) -> bool {
        true
    }
}

/// Nothing is done under the lock that could leave a shard half changed.
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
    use super::*;
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
    fn a_flood_meets_a_bound_and_pushes_nobody_out() {
        let store = InMemoryReplayStore::new(1000);
        let insert = |number, now| store.0.insert(entry(number, now, now + 300));
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
                            if store.0.insert(entry).unwrap() == Insertion::New {
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
                    let outcome =
                        store.insert_now(entry(now * 3 + number, now, now + 300)).unwrap();
                    said += usize::from(outcome.is_err() && !was_said);
                }
            }
        };
        // It is full after 34 s, and has room for a few in each second from 301 s on.
        flood(0, 600);
        flood(1000, 1300);
        assert_eq!(said, 2);
    }

    /// Judged in the last moment of its proof, and held up on the way here.
    #[test]
    fn who_comes_late_does_not_find_the_proof_forgotten() {
        let store = InMemoryReplayStore::new(10);
        let insert = |number, now, end| store.0.insert(entry(number, now, end)).unwrap();
        assert_eq!(insert(0, 0, 300), Insertion::New);
        store.0.sweep(Duration::from_secs(301));
        assert_eq!((insert(0, 300, 300), store.len()), (Insertion::Seen, 0));
        assert_eq!(insert(0, 301, 601), Insertion::New, "another proof");
    }

    proptest! {
        /// As a map would do it that never forgets too early.
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
                let outcome = store.0.insert(entry(number, now, now + lifetime));
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
