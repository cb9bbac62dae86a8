//! Where the time comes from.
use crate::http::BoxFuture;
use std::{
    fmt,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// The time, as a verifier asks for it.
///
/// The default is the clock of the operating system. Tests put their own in with
/// [`Builder::clock`](crate::Builder::clock), so that nothing has to sleep.
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// The time since 1970-01-01T00:00:00Z, without leap seconds (a NumericDate of RFC 7519 §2).
    fn unix_time(&self) -> Duration;

    /// A time that never goes backwards, since an arbitrary moment. Ages of keys are measured
    /// with it, so that a corrected system clock does not make them older or younger.
    fn monotonic(&self) -> Duration;

    /// Ends when this much time has passed. Only refreshes in the background wait for it, never a
    /// request. The default is tokio's timer.
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// The clock of the operating system.
#[derive(Debug)]
pub(crate) struct SystemClock {
    started: Instant,
}

impl SystemClock {
    pub(crate) fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn unix_time(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}
