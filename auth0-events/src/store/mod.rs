//! What the instances of a service share: which of them reads the events, and how far they were read.
mod memory;

pub use memory::InMemoryEventStore;

use auth0_core::BoxFuture;
use std::{fmt, time::Duration};

/// A store that the instances of a service share, so that one of them reads the events, and another continues where it
/// has stopped.
///
/// The lease has a fencing number, which is larger for each leader than for all before it. So an instance that was
/// stopped for a while, and still takes itself for the leader, changes nothing.
///
/// ```
/// use auth0_core::BoxFuture;
/// use auth0_events::{EventStore, EventStoreError};
/// use std::{sync::Mutex, time::{Duration, Instant}};
///
/// /// Simulates a row of a database that all instances use.
/// #[derive(Debug, Default)]
/// struct Row(Mutex<Columns>);
///
/// #[derive(Debug, Default)]
/// struct Columns {
///     holder: String,
///     until: Option<Instant>,
///     fence: u64,
///     position: Option<String>,
/// }
///
/// impl EventStore for Row {
///     fn lead<'a>(&'a self, holder: &'a str, time: Duration) -> BoxFuture<'a, Result<Option<u64>, EventStoreError>> {
///         Box::pin(async move {
///             let mut row = self.0.lock().map_err(|why| EventStoreError::new(why.to_string()))?;
///             let now = Instant::now();
///             let is_free = row.until.is_none_or(|until| until <= now);
///             if !is_free && row.holder != holder {
///                 return Ok(None);
///             }
///             row.fence += u64::from(is_free);
///             row.holder = holder.to_owned();
///             row.until = Some(now + time);
///             Ok(Some(row.fence))
///         })
///     }
///
///     fn position(&self) -> BoxFuture<'_, Result<Option<String>, EventStoreError>> {
///         Box::pin(async move {
///             let row = self.0.lock().map_err(|why| EventStoreError::new(why.to_string()))?;
///             Ok(row.position.clone())
///         })
///     }
///
///     fn save<'a>(&'a self, fence: u64, position: &'a str) -> BoxFuture<'a, Result<bool, EventStoreError>> {
///         Box::pin(async move {
///             let mut row = self.0.lock().map_err(|why| EventStoreError::new(why.to_string()))?;
///             if row.fence != fence {
///                 return Ok(false);
///             }
///             row.position = Some(position.to_owned());
///             Ok(true)
///         })
///     }
/// }
/// # let _ = Row::default();
/// ```
pub trait EventStore: Send + Sync + fmt::Debug + 'static {
    /// Takes the lease for this long, or renews it, and returns its fencing number; `None` while another holder has it.
    ///
    /// Numbers begin with 1. That of a lease does not change while it is renewed. If the lease has ended, the next one has a larger
    /// number, also for the same holder. It must be one atomic step.
    ///
    /// # Errors
    /// The store cannot be reached. A leader that cannot renew its lease closes its connection before it ends.
    fn lead<'a>(
        &'a self,
        holder: &'a str,
        time: Duration,
    ) -> BoxFuture<'a, Result<Option<u64>, EventStoreError>>;

    /// Returns the position that was saved last: text of at most 1,100 characters, which only this crate reads.
    ///
    /// # Errors
    /// The store cannot be reached.
    fn position(&self) -> BoxFuture<'_, Result<Option<String>, EventStoreError>>;

    /// Saves a position, and returns `true`; or returns `false`, and saves nothing, if there is a lease with a larger
    /// fencing number. It must be one atomic step.
    ///
    /// # Errors
    /// The store cannot be reached. The position is saved again.
    fn save<'a>(
        &'a self,
        fence: u64,
        position: &'a str,
    ) -> BoxFuture<'a, Result<bool, EventStoreError>>;

    /// Ends the lease with this number, so that another instance reads the events at once. The default does nothing: the
    /// lease ends by itself.
    ///
    /// # Errors
    /// The store cannot be reached.
    fn resign(&self, fence: u64) -> BoxFuture<'_, Result<(), EventStoreError>> {
        let _ = fence;
        Box::pin(async { Ok(()) })
    }
}

/// The reason why an [`EventStore`] has no answer. The text goes to the log.
///
/// ```
/// use auth0_events::EventStoreError;
///
/// assert_eq!(EventStoreError::new("connection refused").to_string(), "connection refused");
/// ```
#[derive(Clone, Debug)]
pub struct EventStoreError(Box<str>);

impl EventStoreError {
    /// Creates an error from a message of the store.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into().into())
    }
}

impl fmt::Display for EventStoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for EventStoreError {}
