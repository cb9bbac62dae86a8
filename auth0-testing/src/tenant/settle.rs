//! Waits for the work that verifiers do in the background.
use super::Tenant;
use std::sync::OnceLock;
use tokio::runtime::Handle;
use tracing::{instrument::WithSubscriber, subscriber::NoSubscriber};

/// The thread on which verifiers fetch, which every verifier of the process shares.
static FETCH_THREAD: OnceLock<Handle> = OnceLock::new();

/// Rounds through the queue of that thread. A fetch takes a dozen, with its metadata and its key set.
const ROUNDS: usize = 24;

/// Called by the transport, which runs there.
pub(super) fn note_thread() {
    if let Ok(handle) = Handle::try_current() {
        FETCH_THREAD.get_or_init(|| handle);
    }
}

impl Tenant {
    /// Waits until the work in the background has come to its end, or waits for time to pass: fetches and
    /// refreshes of all verifiers in the process, and questions to resolvers. For tests that let time pass
    /// with [`ManualClock::advance`](crate::ManualClock::advance) and then look at what has happened.
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
            // Nothing was fetched yet. This fetch stands behind whatever was started before.
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
