//! Waiting for the work that verifiers do in the background.
use super::Tenant;
use std::sync::OnceLock;
use tokio::runtime::Handle;
use tracing::{instrument::WithSubscriber, subscriber::NoSubscriber};

/// The thread `auth0-fetch`, which all verifiers of the process share.
static FETCH_THREAD: OnceLock<Handle> = OnceLock::new();

/// Rounds through the queue of that thread. A fetch of metadata and key set takes a dozen.
const ROUNDS: usize = 24;

/// Records the thread. The transport, which runs there, calls it.
pub(super) fn note_thread() {
    if let Ok(handle) = Handle::try_current() {
        FETCH_THREAD.get_or_init(|| handle);
    }
}

impl Tenant {
    /// Waits until the work in the background has ended, or waits for time to pass: fetches and refreshes
    /// of all verifiers in the process, and calls of resolvers. For tests that advance the time with
    /// [`ManualClock::advance`](crate::ManualClock::advance) and then check the effects.
    ///
    /// ```
    /// use auth0_testing::Tenant;
    /// use std::time::Duration;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let tenant = Tenant::new();
    /// let auth = tenant.auth0();
    /// auth.warm_up().await?;
    /// tenant.clock().advance(Duration::from_secs(420)); // keys are refreshed after five to seven minutes
    /// tenant.settle().await;
    /// assert_eq!(tenant.fetches().key_set, 2);
    /// # Ok::<(), auth0_core::Error>(())
    /// # }).unwrap()
    /// ```
    pub async fn settle(&self) {
        if FETCH_THREAD.get().is_none() {
            // Nothing was fetched yet. This fetch is queued behind all work that was started before.
            let auth = Self::named("settle").auth0();
            let _ = auth.warm_up().with_subscriber(NoSubscriber::default()).await;
        }
        let Some(thread) = FETCH_THREAD.get() else { return };
        for _ in 0..ROUNDS {
            let _ = thread.spawn(tokio::task::yield_now()).await;
            tokio::task::yield_now().await;
        }
    }
}
