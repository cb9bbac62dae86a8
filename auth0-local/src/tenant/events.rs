//! The Events API, as the library configures and disturbs it.
use super::{Builder, LocalTenant};
use crate::{error::LocalError, running::RunningTenant};
use serde::Serialize;
use serde_json::json;
use std::time::Duration;

/// The shortest interval.
const SHORTEST: Duration = Duration::from_millis(1);

/// The longest interval. A much longer one would overflow a clock.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

impl Builder {
    /// Sets how many connections to `/api/v2/events` can be open at a time: 4 by default, as with Auth0's self-service
    /// plans. One more gets 429.
    pub fn event_connections(mut self, limit: usize) -> Self {
        self.settings.event_connections = limit;
        self
    }

    /// Sets the interval of heartbeats on these connections: 15 seconds by default, at least a millisecond and at most a
    /// day.
    pub fn event_heartbeat(mut self, interval: Duration) -> Self {
        self.settings.event_heartbeat = interval.clamp(SHORTEST, LONGEST);
        self
    }
}

impl LocalTenant {
    /// Returns the identifier of the Management API, for tokens of `/api/v2/events`: the issuer, and `api/v2/`.
    #[must_use]
    pub fn management_audience(&self) -> String {
        self.running.management_api()
    }

    /// Adds an event of any type to the Events API, with the `object` of its data.
    ///
    /// # Errors
    /// The type has other characters than letters, digits, `.`, `_` and `-`, or the object is not an object of at most
    /// 16 KiB in JSON.
    pub fn emit_event(&self, kind: &str, object: impl Serialize) -> Result<(), LocalError> {
        self.running.emit_event(kind, &json!(object))
    }

    /// Returns the connections to the Events API, and their faults.
    pub fn events(&self) -> Events<'_> {
        Events(&self.running)
    }
}

/// The connections to `/api/v2/events` and their faults: see [`LocalTenant::events`].
///
/// The faults of [`Endpoint::Events`](crate::Endpoint::Events) apply to new connections, too.
///
/// ```
/// use auth0_local::LocalTenant;
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let tenant = LocalTenant::start().await?;
/// let before = tenant.events().last_offset();
/// tenant.events().duplicate_next(1);
/// tenant.block("auth0|65f1c0ffee")?; // readers receive `user.updated` twice
/// assert_ne!(tenant.events().last_offset(), before);
///
/// tenant.events().expire_offsets();
/// tenant.events().disconnect(); // readers continue at an offset that has expired
/// assert_eq!(tenant.events().connections(), 0);
/// # Ok::<(), auth0_local::LocalError>(())
/// # }).unwrap()
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use = "its methods read or change the connections"]
pub struct Events<'a>(&'a RunningTenant);

impl Events<'_> {
    /// Returns the number of open connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0.events().connections()
    }

    /// Returns the offset of the newest event.
    #[must_use]
    pub fn last_offset(&self) -> String {
        self.0.events().last_offset()
    }

    /// Closes all connections.
    pub fn disconnect(&self) {
        self.0.events().disconnect();
    }

    /// Lets all offsets that exist expire: a connection that continues at one receives the error `cursor_expired`. Open
    /// connections continue.
    pub fn expire_offsets(&self) {
        self.0.events().expire_offsets();
    }

    /// Sends each of the next events twice, with the same `id` in the event and with different offsets.
    pub fn duplicate_next(&self, events: u32) {
        self.0.events().change_faults(|faults| faults.duplicate = events);
    }

    /// Swaps the next two events: the first one is sent after the second one.
    pub fn swap_next_two(&self) {
        self.0.events().change_faults(|faults| faults.swap = true);
    }

    /// Sends nothing on open connections, neither events nor heartbeats, and does not close them: connections that
    /// hang. The events are sent after that ends.
    pub fn hang(&self, hangs: bool) {
        self.0.events().change_faults(|faults| faults.silent = hangs);
    }

    /// Answers new connections with the status of an error, as the Management API does: 410, 429, 500, for example.
    /// `retry_after` is in seconds.
    ///
    /// # Errors
    /// The status is not one from 400 to 599.
    pub fn refuse(&self, status: u16, retry_after: Option<u32>) -> Result<(), LocalError> {
        self.0.refuse_events(Some(status), retry_after)
    }

    /// Closes each connection after this time, as Auth0 does every few minutes. `None` ends that. The time is at least a
    /// millisecond and at most a day.
    pub fn cycle(&self, every: Option<Duration>) {
        let every = every.map(|every| every.clamp(SHORTEST, LONGEST));
        self.0.events().change_faults(|faults| faults.cycle = every);
    }

    /// Ends the faults.
    pub fn clear_faults(&self) {
        self.0.events().change_faults(|faults| *faults = Default::default());
    }
}
