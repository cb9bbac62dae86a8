use super::{EventStore, EventStoreError};
use auth0_core::{BoxFuture, support::SystemClock, time::Clock};
use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// A store in the memory of this process: for a service of one instance, and for tests. Clones share it. After a restart,
/// events are read from then on.
///
/// ```
/// use auth0_events::{EventStore, InMemoryEventStore};
/// use std::time::Duration;
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let store = InMemoryEventStore::new();
/// let lease = Duration::from_secs(15);
/// assert_eq!(store.lead("one", lease).await?, Some(1));
/// assert_eq!(store.lead("two", lease).await?, None);
/// # Ok::<(), auth0_events::EventStoreError>(())
/// # }).unwrap()
/// ```
#[derive(Clone)]
pub struct InMemoryEventStore {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    holder: String,
    /// On the monotonic clock.
    ends_at: Duration,
    fence: u64,
    position: Option<String>,
}

impl InMemoryEventStore {
    /// Creates an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(SystemClock::new())
    }

    /// Creates an empty store with another clock, for tests.
    #[must_use]
    pub fn with_clock(clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), state: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for InMemoryEventStore {
    fn default() -> Self {
        Self::new()
    }
}

impl EventStore for InMemoryEventStore {
    fn lead<'a>(
        &'a self,
        holder: &'a str,
        time: Duration,
    ) -> BoxFuture<'a, Result<Option<u64>, EventStoreError>> {
        Box::pin(async move {
            let now = self.clock.monotonic();
            let mut state = self.state();
            let is_free = state.fence == 0 || state.ends_at <= now;
            if !is_free && state.holder != holder {
                return Ok(None);
            }
            state.fence += u64::from(is_free);
            holder.clone_into(&mut state.holder);
            state.ends_at = now.saturating_add(time);
            Ok(Some(state.fence))
        })
    }

    fn position(&self) -> BoxFuture<'_, Result<Option<String>, EventStoreError>> {
        Box::pin(async move { Ok(self.state().position.clone()) })
    }

    fn save<'a>(
        &'a self,
        fence: u64,
        position: &'a str,
    ) -> BoxFuture<'a, Result<bool, EventStoreError>> {
        Box::pin(async move {
            let mut state = self.state();
            if fence < state.fence {
                return Ok(false);
            }
            state.position = Some(position.to_owned());
            Ok(true)
        })
    }

    fn resign(&self, fence: u64) -> BoxFuture<'_, Result<(), EventStoreError>> {
        Box::pin(async move {
            let mut state = self.state();
            if fence == state.fence {
                state.ends_at = Duration::ZERO;
            }
            Ok(())
        })
    }
}

impl fmt::Debug for InMemoryEventStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InMemoryEventStore").finish_non_exhaustive()
    }
}
