//! Stores of used proofs, so that no proof is used twice (RFC 9449 §11.1).
mod memory;
mod shares;

pub use memory::InMemoryReplayStore;
pub(super) use memory::{DEFAULT_CAPACITY, LARGEST_CAPACITY};

use crate::{jose::Thumbprint, runtime::BoxFuture};
use shares::Shares;
use std::{fmt, sync::Arc, time::Duration};

/// The store of used proofs of one verifier, in which each key has a share.
pub(crate) struct Replay {
    store: Store,
    shares: Shares,
}

enum Store {
    /// In this process, without waiting.
    InProcess(InMemoryReplayStore),
    Shared(Arc<dyn ReplayStore>),
}

/// A valid proof whose use is to be recorded.
pub(crate) struct Use {
    pub(super) entry: ReplayEntry,
    pub(super) key: Thumbprint,
}

impl Replay {
    /// Creates the memory of this process. `share` proofs in a `period` can be of one key: a tenth of all by
    /// default, or all of a store for a few.
    pub(super) fn in_process(capacity: usize, share: Option<usize>, period: Duration) -> Self {
        let default = (capacity / 10).max(capacity.min(10));
        let memory = InMemoryReplayStore::new(capacity);
        Self::new(Store::InProcess(memory), share.unwrap_or(default), period)
    }

    pub(super) fn shared(
        store: Arc<dyn ReplayStore>,
        share: Option<usize>,
        period: Duration,
    ) -> Self {
        Self::new(Store::Shared(store), share.unwrap_or(DEFAULT_CAPACITY / 10), period)
    }

    fn new(store: Store, share: usize, period: Duration) -> Self {
        let limit = share.try_into().unwrap_or(u32::MAX);
        Self { store, shares: Shares::new(limit, period) }
    }

    /// Returns whether recording a use does not wait.
    pub(crate) const fn is_in_process(&self) -> bool {
        matches!(self.store, Store::InProcess(_))
    }

    /// Records a use in the memory of this process. `None` for another store.
    pub(crate) fn record_now(&self, used: &Use) -> Option<Result<Insertion, ReplayStoreError>> {
        match &self.store {
            Store::InProcess(memory) => Some(self.remember(memory, used)),
            Store::Shared(_) => None,
        }
    }

    pub(crate) async fn record(&self, used: &Use) -> Result<Insertion, ReplayStoreError> {
        match &self.store {
            Store::InProcess(memory) => self.remember(memory, used),
            Store::Shared(store) => {
                self.check(used)?;
                self.counted(used, store.insert(used.entry).await)
            }
        }
    }

    fn remember(
        &self,
        memory: &InMemoryReplayStore,
        used: &Use,
    ) -> Result<Insertion, ReplayStoreError> {
        self.counted(used, memory.remember_if(used.entry, || self.check(used)))
    }

    fn check(&self, used: &Use) -> Result<(), ReplayStoreError> {
        self.shares.check(&used.key, used.entry.now).map_err(|used_up| {
            if used_up.is_new {
                tracing::warn!(target: "auth0", "refusing DPoP proofs: {used_up}");
            }
            ReplayStoreError::new(used_up.to_string())
        })
    }

    fn counted(
        &self,
        used: &Use,
        outcome: Result<Insertion, ReplayStoreError>,
    ) -> Result<Insertion, ReplayStoreError> {
        if let Ok(Insertion::New) = outcome {
            self.shares.count(&used.key, used.entry.now);
        }
        outcome
    }
}

/// Remembers used proofs for as long as they could be used again.
///
/// The default, [`InMemoryReplayStore`], contains the proofs of one process. Several instances of a service
/// must share a store, such as that of the crate `auth0-redis`, or your own:
///
/// ```
/// use auth0_core::{
///     BoxFuture,
///     dpop::{Insertion, ProofId, ReplayEntry, ReplayStore, ReplayStoreError},
/// };
/// use std::{collections::HashMap, sync::Mutex, time::Duration};
///
/// /// Simulates a table with a unique key, in a database of all instances.
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
/// Two verifiers that verify the same request, such as layers with different audiences, must not share a
/// store: the second would refuse the proof as used.
pub trait ReplayStore: Send + Sync + fmt::Debug + 'static {
    /// Remembers a proof, and returns whether it was unknown. Both must be one atomic step, so that exactly
    /// one of any number of simultaneous uses gets [`Insertion::New`]. It is called last, when all other
    /// checks of the proof have passed.
    ///
    /// # Errors
    /// The store cannot find out whether the proof was used. The request is refused with `503`
    /// (`replay_store_unavailable`).
    fn insert(&self, entry: ReplayEntry) -> BoxFuture<'_, Result<Insertion, ReplayStoreError>>;
}

/// The result of [`ReplayStore::insert`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there are no other cases")]
pub enum Insertion {
    /// The proof was unknown, and is remembered now.
    New,
    /// The proof was used before.
    Seen,
}

/// A proof to remember.
///
/// ```
/// use auth0_core::dpop::{ProofId, ReplayEntry};
/// use std::time::Duration;
///
/// let (now, expires_at) = (Duration::from_secs(1_767_225_600), Duration::from_secs(1_767_225_900));
/// let entry = ReplayEntry::new(ProofId::new([7; 32]), now, expires_at);
/// assert!(entry.lifetime() >= Duration::from_secs(300));
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ReplayEntry {
    /// The id of the proof.
    pub id: ProofId,
    /// The time since 1970, by the verifier's clock.
    pub now: Duration,
    /// The last moment at which the proof could be used again, since 1970. The store must remember it through
    /// this moment.
    pub expires_at: Duration,
}

impl ReplayEntry {
    /// Creates an entry for a proof that could be used again until `expires_at`. Both times are since 1970.
    #[must_use]
    pub const fn new(id: ProofId, now: Duration, expires_at: Duration) -> Self {
        Self { id, now, expires_at }
    }

    /// Returns how long the store must remember the proof.
    #[must_use]
    pub const fn lifetime(&self) -> Duration {
        self.expires_at.saturating_sub(self.now)
    }
}

/// The id of a proof: the SHA-256 of its key's thumbprint, its `jti` and its `htu`.
///
/// ```
/// use auth0_core::dpop::ProofId;
///
/// assert!(ProofId::new([7; 32]).to_string().starts_with("0707"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProofId([u8; 32]);

impl ProofId {
    /// Creates an id from a hash.
    #[must_use]
    pub const fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// Returns the hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns half of the hash, which distinguishes proofs in half the memory.
    fn short(&self) -> u128 {
        self.0.first_chunk().map_or(0, |half| u128::from_le_bytes(*half))
    }
}

/// Writes the hash in hexadecimal.
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

/// The reason why a [`ReplayStore`] has no answer. The text goes to the log, never to a client.
///
/// ```
/// use auth0_core::dpop::ReplayStoreError;
///
/// assert_eq!(ReplayStoreError::new("connection refused").to_string(), "connection refused");
/// ```
#[derive(Clone, Debug)]
pub struct ReplayStoreError(Box<str>);

impl ReplayStoreError {
    /// Creates an error from a message of the store.
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
