//! The clock of a verifier.
use super::BoxFuture;
use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// Supplies a verifier with the time.
///
/// The default is the clock of the operating system. Tests replace it with
/// [`Builder::clock`](crate::Builder::clock), so that no test sleeps.
///
/// ```
/// use auth0_core::time::{Clock, Moment};
/// use std::time::Duration;
///
/// #[derive(Debug)]
/// struct Fixed(Duration);
///
/// impl Clock for Fixed {
///     fn unix_time(&self) -> Duration {
///         self.0
///     }
///
///     fn monotonic(&self) -> Duration {
///         self.0
///     }
/// }
///
/// let noon = Duration::from_secs(1_767_268_800);
/// assert_eq!(Fixed(noon).moment(), Moment::new(noon, noon));
/// ```
pub trait Clock: Send + Sync + fmt::Debug + 'static {
    /// Returns the time since 1970-01-01T00:00:00Z, without leap seconds (a NumericDate of RFC 7519 §2).
    fn unix_time(&self) -> Duration;

    /// Returns a time that never goes backwards, since an arbitrary moment. Ages of keys are measured
    /// with it, so that a corrected system clock does not make them older or younger.
    fn monotonic(&self) -> Duration;

    /// Returns both readings. It is called once for each request. Where reading a clock is expensive, an
    /// implementation may derive one reading from the other; the default reads both.
    fn moment(&self) -> Moment {
        Moment::new(self.unix_time(), self.monotonic())
    }

    /// Waits for this long: between refreshes, and for the deadlines of fetches. The future is polled on the
    /// thread `auth0-fetch`, which has a tokio runtime. The default is tokio's timer.
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}

impl<T: Clock + ?Sized> Clock for std::sync::Arc<T> {
    fn unix_time(&self) -> Duration {
        (**self).unix_time()
    }

    fn monotonic(&self) -> Duration {
        (**self).monotonic()
    }

    fn moment(&self) -> Moment {
        (**self).moment()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        (**self).sleep(time)
    }
}

/// The two readings of a [`Clock`] at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Moment {
    /// The result of [`Clock::unix_time`].
    pub unix_time: Duration,
    /// The result of [`Clock::monotonic`].
    pub monotonic: Duration,
}

impl Moment {
    /// Creates a moment from its two readings.
    #[must_use]
    pub const fn new(unix_time: Duration, monotonic: Duration) -> Self {
        Self { unix_time, monotonic }
    }
}

/// How long the monotonic time is derived from the wall clock before both are read again. Keys are good for
/// minutes, and a correction of the wall clock changes their age by less than this.
const REREAD: Duration = Duration::from_secs(1);

/// The clock of the operating system.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
    /// The difference from the monotonic clock to the wall clock, in nanoseconds.
    ahead: AtomicU64,
    /// The time of the wall clock when the difference was read, in nanoseconds.
    read_at: AtomicU64,
}

impl SystemClock {
    /// Creates the clock.
    #[must_use]
    pub fn new() -> Self {
        Self { started: Instant::now(), ahead: AtomicU64::new(0), read_at: AtomicU64::new(0) }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn unix_time(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }

    fn moment(&self) -> Moment {
        let unix_time = self.unix_time();
        let now = nanos(unix_time);
        let read_at = self.read_at.load(Ordering::Acquire);
        if now.checked_sub(read_at).is_some_and(|since| since < nanos(REREAD)) {
            let ahead = self.ahead.load(Ordering::Relaxed);
            return Moment::new(unix_time, Duration::from_nanos(now.saturating_sub(ahead)));
        }
        let monotonic = self.monotonic();
        self.ahead.store(now.saturating_sub(nanos(monotonic)), Ordering::Relaxed);
        // Stored last: a thread that sees this time also sees the difference that belongs to it.
        self.read_at.store(now, Ordering::Release);
        Moment::new(unix_time, monotonic)
    }
}

/// Converts to nanoseconds. A `u64` holds five centuries after 1970.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reading_gives_both_times() {
        let clock = SystemClock::new();
        for _ in 0..1000 {
            let before = (clock.unix_time(), clock.monotonic());
            let moment = clock.moment();
            let after = (clock.unix_time(), clock.monotonic());
            // This test ignores that the wall clock may be corrected within these microseconds.
            assert!(before.0 <= moment.unix_time && moment.unix_time <= after.0);
            let slack = Duration::from_millis(100);
            assert!(before.1 <= moment.monotonic + slack && moment.monotonic <= after.1 + slack);
        }
    }
}
