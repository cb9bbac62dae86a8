//! The lease of the instance that reads the events.
use crate::{
    metrics,
    store::{EventStore, EventStoreError},
};
use auth0_core::{
    BoxFuture, ConfigError,
    support::{EscapedMessage, passed},
    time::Clock,
};
use aws_lc_rs::rand;
use std::{sync::Arc, time::Duration};

/// The time of a lease. Another instance that asks every five seconds takes over within twenty.
const LEASE: Duration = Duration::from_secs(15);

/// How often a lease is renewed, and how often the other instances ask for it.
const RENEWAL: Duration = Duration::from_secs(5);

/// A leader that cannot renew its lease stops this long before it ends: the clock of the store may be faster.
const MARGIN: Duration = Duration::from_secs(2);

/// The limit of a call of the store.
const CALL: Duration = Duration::from_secs(3);

/// The pause after a failure of the store.
const PAUSE: Duration = Duration::from_secs(1);

/// The part of one instance in the store.
#[derive(Debug)]
pub(crate) struct Leadership {
    store: Arc<dyn EventStore>,
    clock: Arc<dyn Clock>,
    holder: String,
}

/// A lease.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lease {
    pub(crate) fence: u64,
    /// When it was renewed at the latest, on the monotonic clock.
    renewed_at: Duration,
}

impl Leadership {
    pub(crate) fn new(
        store: Arc<dyn EventStore>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ConfigError> {
        let mut random = [0; 16];
        rand::fill(&mut random).map_err(|_| ConfigError::new("the system has no randomness"))?;
        let holder = format!("{:032x}", u128::from_le_bytes(random));
        Ok(Self { store, clock, holder })
    }

    /// Waits until this instance has the lease.
    pub(crate) async fn acquire(&self) -> Lease {
        let (mut is_waiting, mut has_failed) = (false, false);
        loop {
            let asked_at = self.clock.monotonic();
            match self.limited(CALL, self.store.lead(&self.holder, LEASE)).await {
                Ok(Some(fence)) => {
                    tracing::info!(target: "auth0", fence, "this instance reads the events of the tenant");
                    metrics::leads(true);
                    return Lease { fence, renewed_at: asked_at };
                }
                Ok(None) if !is_waiting => {
                    is_waiting = true;
                    tracing::info!(target: "auth0", "another instance reads the events of the tenant");
                }
                Ok(None) => {}
                Err(error) => report(&error, &mut has_failed),
            }
            metrics::leads(false);
            passed(&*self.clock, RENEWAL).await;
        }
    }

    /// Renews a lease until it is lost.
    pub(crate) async fn keep(&self, mut lease: Lease) {
        let (mut pause, mut has_failed) = (RENEWAL, false);
        loop {
            passed(&*self.clock, pause).await;
            let asked_at = self.clock.monotonic();
            let end = lease.renewed_at + LEASE - MARGIN;
            let limit = end.saturating_sub(asked_at).clamp(Duration::from_millis(1), CALL);
            match self.limited(limit, self.store.lead(&self.holder, LEASE)).await {
                Ok(Some(fence)) if fence == lease.fence => {
                    lease.renewed_at = asked_at;
                    (pause, has_failed) = (RENEWAL, false);
                }
                Ok(_) => return,
                Err(error) => {
                    report(&error, &mut has_failed);
                    if self.clock.monotonic() >= end {
                        return;
                    }
                    pause = PAUSE;
                }
            }
        }
    }

    /// Returns the position that was saved. Waits while the store fails.
    pub(crate) async fn position(&self) -> Option<String> {
        let mut has_failed = false;
        loop {
            match self.limited(CALL, self.store.position()).await {
                Ok(position) => return position,
                Err(error) => report(&error, &mut has_failed),
            }
            passed(&*self.clock, PAUSE).await;
        }
    }

    /// Saves a position. Returns `false` if the lease is lost.
    pub(crate) async fn save(&self, lease: Lease, position: &str) -> Result<bool, EventStoreError> {
        let saved = self.limited(CALL, self.store.save(lease.fence, position)).await;
        if let Err(error) = &saved {
            let error = error.to_string();
            tracing::warn!(target: "auth0", error = %EscapedMessage(&error), "the position in the events is not saved yet");
        }
        saved
    }

    /// Ends a lease, so that another instance need not wait for its end.
    pub(crate) async fn resign(&self, fence: u64) {
        if let Err(error) = self.limited(CALL, self.store.resign(fence)).await {
            report(&error, &mut false);
        }
        metrics::leads(false);
    }

    async fn limited<T>(
        &self,
        limit: Duration,
        call: BoxFuture<'_, Result<T, EventStoreError>>,
    ) -> Result<T, EventStoreError> {
        tokio::select! {
            biased;
            result = call => result,
            () = passed(&*self.clock, limit) => Err(EventStoreError::new("the store does not answer")),
        }
    }
}

/// Logs the first failure of several in a row.
fn report(error: &EventStoreError, has_failed: &mut bool) {
    let text = error.to_string();
    let error = EscapedMessage(&text);
    if std::mem::replace(has_failed, true) {
        tracing::debug!(target: "auth0", %error, "the store of the events fails");
    } else {
        tracing::warn!(target: "auth0", %error, "the store of the events fails");
    }
}
