//! The store of revocations that the instances of a service share.
use super::entry::RevocationEntry;
use crate::runtime::BoxFuture;
use std::{fmt, time::Duration};

/// A store that the instances of a service share: a log to which revocations are added, and that every instance reads.
/// The crate `auth0-redis` has one in Redis.
///
/// Each instance keeps all revocations in its own memory: no request waits for the store.
///
/// ```
/// use auth0_core::{
///     BoxFuture,
///     revocation::{Changes, RevocationEntry, RevocationStore, RevocationStoreError, Revocations, UsedId},
/// };
/// use std::{collections::HashSet, sync::Mutex, time::Duration};
///
/// /// Simulates a table with a serial number, in a database of all instances.
/// #[derive(Debug, Default)]
/// struct Table {
///     rows: Mutex<Vec<RevocationEntry>>,
///     used: Mutex<HashSet<[u8; 32]>>,
/// }
///
/// impl RevocationStore for Table {
///     fn append(&self, entries: Vec<RevocationEntry>) -> BoxFuture<'_, Result<(), RevocationStoreError>> {
///         Box::pin(async move {
///             self.rows.lock().map_err(|why| RevocationStoreError::new(why.to_string()))?.extend(entries);
///             Ok(())
///         })
///     }
///
///     fn changes<'a>(
///         &'a self,
///         since: Option<&'a str>,
///         _: Duration,
///     ) -> BoxFuture<'a, Result<Changes, RevocationStoreError>> {
///         Box::pin(async move {
///             let rows = self.rows.lock().map_err(|why| RevocationStoreError::new(why.to_string()))?;
///             let known: usize = since.and_then(|since| since.parse().ok()).unwrap_or(0);
///             let newer = rows.get(known..).unwrap_or_default().to_vec();
///             Ok(Changes::new(newer, rows.len().to_string()))
///         })
///     }
///
///     fn use_once(&self, used: UsedId) -> BoxFuture<'_, Result<bool, RevocationStoreError>> {
///         Box::pin(async move {
///             let mut all = self.used.lock().map_err(|why| RevocationStoreError::new(why.to_string()))?;
///             Ok(all.insert(used.id))
///         })
///     }
/// }
///
/// let revocations = Revocations::with_store(Table::default());
/// # let _ = revocations;
/// ```
pub trait RevocationStore: Send + Sync + fmt::Debug + 'static {
    /// Adds revocations. Each must be readable by every instance when the future is ready, and until its `expires_at`.
    ///
    /// # Errors
    /// The store may not have added all of them. They are added again, which must do no harm.
    fn append(
        &self,
        entries: Vec<RevocationEntry>,
    ) -> BoxFuture<'_, Result<(), RevocationStoreError>>;

    /// Returns what was added after a position, which an earlier call has returned, or everything without one. If
    /// there is nothing, it may wait for it for this long, so that an instance learns of a revocation at once.
    ///
    /// It is called without end, one call after the other, on the thread `auth0-fetch`.
    ///
    /// # Errors
    /// The store cannot be read. Requests get `503` (`revocations_unavailable`) as soon as the last answer is older than
    /// [`Revocations::max_delay`](super::Revocations::max_delay).
    fn changes<'a>(
        &'a self,
        since: Option<&'a str>,
        wait: Duration,
    ) -> BoxFuture<'a, Result<Changes, RevocationStoreError>>;

    /// Remembers an id, and returns whether it was unknown. Both must be one atomic step.
    ///
    /// # Errors
    /// The store cannot find out whether the id was used.
    fn use_once(&self, used: UsedId) -> BoxFuture<'_, Result<bool, RevocationStoreError>>;
}

/// A part of the log of a [`RevocationStore`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Changes {
    /// The revocations, in the order in which they were added.
    pub entries: Vec<RevocationEntry>,
    /// The position after the last of them.
    pub position: String,
    /// Whether there is more after them, which is read at once.
    pub has_more: bool,
    /// Whether the store has lost what it had before the position, as after a restart without its data. The instance
    /// adds again what it knows.
    pub has_lost: bool,
    /// What this instance has added after the position, and the store has lost: the end of its log, as after a failover.
    /// The instance adds it again.
    pub missing: Vec<RevocationEntry>,
}

impl Changes {
    /// Creates a part that is the last one.
    #[must_use]
    pub fn new(entries: Vec<RevocationEntry>, position: impl Into<String>) -> Self {
        let (position, missing) = (position.into(), Vec::new());
        Self { entries, position, has_more: false, has_lost: false, missing }
    }
}

/// The id of something that may be used once: the hash of a logout token's issuer and `jti`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct UsedId {
    /// The hash.
    pub id: [u8; 32],
    /// How long it must be remembered.
    pub lifetime: Duration,
}

impl UsedId {
    /// Creates an id.
    #[must_use]
    pub const fn new(id: [u8; 32], lifetime: Duration) -> Self {
        Self { id, lifetime }
    }
}

/// The reason why a [`RevocationStore`] has no answer. The text goes to the log, never to a client.
///
/// ```
/// use auth0_core::revocation::RevocationStoreError;
///
/// assert_eq!(RevocationStoreError::new("connection refused").to_string(), "connection refused");
/// ```
#[derive(Clone, Debug)]
pub struct RevocationStoreError(Box<str>);

impl RevocationStoreError {
    /// Creates an error from a message of the store.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into().into())
    }
}

impl fmt::Display for RevocationStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RevocationStoreError {}
