//! Proofs that were used, so that none is used twice (RFC 9449 §11.1).
mod memory;

pub use memory::InMemoryReplayStore;
pub(super) use memory::{DEFAULT_CAPACITY, LARGEST_CAPACITY};

use crate::runtime::BoxFuture;
use std::{fmt, sync::Arc, time::Duration};

/// Where the proofs of one verifier are remembered.
pub(crate) enum Replay {
    /// In this process, which answers without waiting.
    InProcess(InMemoryReplayStore),
    Store(Arc<dyn ReplayStore>),
}

impl Replay {
    pub(crate) async fn insert(&self, entry: ReplayEntry) -> Result<Insertion, ReplayStoreError> {
        match self {
            Self::InProcess(memory) => memory.remember(entry),
            Self::Store(store) => store.insert(entry).await,
        }
    }
}

/// Remembers proofs for as long as they could be used again.
///
/// The default, [`InMemoryReplayStore`], knows the proofs of its own process. Several instances of a
/// service share a store, such as the one of the crate `auth0-redis`, or your own:
///
/// ```
/// use auth0_core::{
///     BoxFuture,
///     dpop::{Insertion, ProofId, ReplayEntry, ReplayStore, ReplayStoreError},
/// };
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
/// Two verifiers that verify one request, such as layers with different audiences, must not share a
/// store: for the second, the proof would be a used one.
pub trait ReplayStore: Send + Sync + fmt::Debug + 'static {
    /// Remembers a proof, and returns whether it was unknown: in one step, so that exactly one of any number
    /// of simultaneous uses gets [`Insertion::New`]. It is called last, when everything else about the proof
    /// is good.
    ///
    /// # Errors
    /// It is not known whether the proof was used. The request is refused with `503`
    /// (`replay_store_unavailable`).
    fn insert(&self, entry: ReplayEntry) -> BoxFuture<'_, Result<Insertion, ReplayStoreError>>;
}

/// The answer of a [`ReplayStore`].
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
    /// The proof.
    pub id: ProofId,
    /// The time since 1970, by the verifier's clock.
    pub now: Duration,
    /// The last moment at which it could be used again, since 1970. It must be remembered through this
    /// moment.
    pub expires_at: Duration,
}

impl ReplayEntry {
    /// Creates an entry for a proof that could be used again until `expires_at`; both times are since 1970.
    #[must_use]
    pub const fn new(id: ProofId, now: Duration, expires_at: Duration) -> Self {
        Self { id, now, expires_at }
    }

    /// Returns for how long it must be remembered.
    #[must_use]
    pub const fn lifetime(&self) -> Duration {
        self.expires_at.saturating_sub(self.now)
    }
}

/// Names a proof: the SHA-256 of its key's thumbprint, its `jti` and its `htu`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProofId([u8; 32]);

impl ProofId {
    /// Creates a name from a hash.
    #[must_use]
    pub const fn new(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// Returns the hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Returns enough of it to tell proofs apart, in half the memory.
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

/// Explains why a [`ReplayStore`] has no answer. The text goes to the log, never to a client.
#[derive(Clone, Debug)]
pub struct ReplayStoreError(Box<str>);

impl ReplayStoreError {
    /// Creates an error in the words of the store.
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
