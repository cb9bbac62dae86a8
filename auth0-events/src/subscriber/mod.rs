//! The subscriber: one connection for all instances of a service.
mod builder;
mod delivery;
mod reader;

pub use builder::EventSubscriberBuilder;

use crate::{
    connection::Connector, credential::Credential, event::Event, handler::Handler,
    leadership::Leadership, metrics, position::Cursor,
};
use auth0_core::{Revocations, time::Clock};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::sync::mpsc;

/// How many events wait for the handler. Further ones, and what they revoke, wait for it.
const QUEUE: usize = 100;

/// Reads the events of a tenant: revokes tokens, and calls a handler of the application.
///
/// [`run`](Self::run) is a future to spawn. Every instance of a service may run one: with a common
/// [`EventStore`](crate::EventStore), one of them has the connection.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// use auth0_core::Revocations;
/// use auth0_events::EventSubscriber;
///
/// let revocations = Revocations::in_memory();
/// let subscriber = EventSubscriber::builder()
///     .domain("acme.eu.auth0.com")
///     .token("eyJ...") // or .client(&client)
///     .revocations(&revocations)
///     .build()?;
/// # if false {
/// tokio::spawn(subscriber.run());
/// # }
/// # Ok::<(), auth0_core::ConfigError>(())
/// # }).unwrap()
/// ```
#[must_use = "a subscriber reads nothing until `run` is awaited"]
pub struct EventSubscriber {
    connector: Connector,
    credential: Credential,
    revocations: Option<Revocations>,
    /// The issuers of the tokens that events concern.
    issuers: Vec<String>,
    handler: Option<Handler>,
    leadership: Leadership,
    clock: Arc<dyn Clock>,
    /// The fencing number of the lease; zero without one.
    fence: AtomicU64,
}

/// What was received, and revoked if that was necessary.
#[derive(Debug)]
struct Received {
    /// For the handler.
    event: Option<Event>,
    /// The position after it.
    position: Option<String>,
}

impl EventSubscriber {
    /// Starts a configuration. It needs a tenant, a token (or a client to get one with), and revocations or a handler.
    pub fn builder() -> EventSubscriberBuilder {
        EventSubscriberBuilder::default()
    }

    /// Reads the events. The future never ends; drop it to stop.
    ///
    /// It must be polled on a tokio runtime with I/O and time.
    pub async fn run(self) {
        self.read_without_end().await;
    }

    /// Reads the events until a future ends. Then it ends the lease, so that another instance reads them at once.
    ///
    /// It must be polled on a tokio runtime with I/O and time.
    pub async fn run_until(self, shutdown: impl Future<Output = ()>) {
        tokio::select! {
            () = shutdown => {}
            () = self.read_without_end() => {}
        }
        let fence = self.fence.load(Ordering::Acquire);
        if fence > 0 {
            self.leadership.resign(fence).await;
        }
    }

    async fn read_without_end(&self) {
        // An alert for instances that do not connect needs the gauge of those that never have.
        metrics::connected(false);
        let _reads_no_more = ReadsNoMore;
        loop {
            let lease = self.leadership.acquire().await;
            self.fence.store(lease.fence, Ordering::Release);
            let (queue, mut received) = mpsc::channel(QUEUE);
            let read = async {
                let position = self.leadership.position().await;
                self.read(saved(position.as_deref()), &queue).await;
            };
            tokio::select! {
                biased;
                () = self.leadership.keep(lease) => {}
                () = self.deliver(lease, &mut received) => {}
                () = read => {}
            }
            self.fence.store(0, Ordering::Release);
            metrics::connected(false);
            metrics::leads(false);
            tracing::warn!(
                target: "auth0", fence = lease.fence,
                "this instance does not read the events of the tenant any more: it has lost its lease"
            );
        }
    }
}

/// Returns where the events begin. Another program, or another release, may have written to the store.
fn saved(position: Option<&str>) -> Cursor {
    let Some(text) = position else { return Cursor::default() };
    Cursor::parse(text).unwrap_or_else(|| {
        metrics::connection("offset_lost");
        tracing::error!(
            target: "auth0",
            "events may have been lost: the position in the store cannot be read, so the events begin with the latest. \
             Tokens of users who were deleted or blocked meanwhile are accepted until they expire"
        );
        Cursor::default()
    })
}

/// Shows at its end that this instance does not read: a task that is dropped, or that panics, would seem to read on.
struct ReadsNoMore;

impl Drop for ReadsNoMore {
    fn drop(&mut self) {
        metrics::connected(false);
        metrics::leads(false);
    }
}

impl fmt::Debug for EventSubscriber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSubscriber")
            .field("url", &self.connector.endpoint())
            .field("issuers", &self.issuers)
            .field("handler", &self.handler)
            .finish_non_exhaustive()
    }
}
