//! A clock that tests advance.
use auth0_core::{BoxFuture, time::Clock};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::watch;

/// A clock that stands still until a test advances it. Clones share the time.
///
/// ```
/// use auth0_core::time::Clock;
/// use auth0_testing::ManualClock;
/// use std::time::Duration;
///
/// let clock = ManualClock::at(Duration::from_secs(1_000));
/// clock.advance(Duration::from_secs(5));
/// assert_eq!(clock.unix_time(), Duration::from_secs(1_005));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    start: Start,
    /// Milliseconds since the start.
    passed: AtomicI64,
    /// Milliseconds by which only the wall clock was set.
    set: AtomicI64,
    /// Wakes the futures of `sleep`.
    moved: watch::Sender<()>,
}

#[derive(Debug)]
enum Start {
    Fixed(Duration),
    /// The start of the monotonic time.
    System(Instant),
}

impl ManualClock {
    /// Creates a clock that shows a time since 1970.
    #[must_use]
    pub fn at(unix_time: Duration) -> Self {
        Self::new(Start::Fixed(unix_time))
    }

    /// Creates a clock that follows the system's, and can be advanced.
    pub(crate) fn following_the_system() -> Self {
        Self::new(Start::System(Instant::now()))
    }

    fn new(start: Start) -> Self {
        Self(Arc::new(Inner {
            start,
            passed: AtomicI64::new(0),
            set: AtomicI64::new(0),
            moved: watch::Sender::new(()),
        }))
    }

    /// Advances the clock, with a precision of milliseconds. [`Tenant::settle`](crate::Tenant::settle)
    /// waits for the work that this starts in the background.
    pub fn advance(&self, time: Duration) {
        self.0.passed.fetch_add(millis(time), Ordering::SeqCst);
        self.0.moved.send_replace(());
    }

    /// Sets the wall clock back, as an operator or NTP would. The monotonic time does not change.
    pub fn set_back(&self, time: Duration) {
        self.0.set.fetch_sub(millis(time), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn unix_time(&self) -> Duration {
        let start = match &self.0.start {
            Start::Fixed(time) => *time,
            Start::System(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        };
        shifted(start, self.0.passed.load(Ordering::SeqCst) + self.0.set.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        let start = match &self.0.start {
            Start::Fixed(_) => Duration::ZERO,
            Start::System(started) => started.elapsed(),
        };
        shifted(start, self.0.passed.load(Ordering::SeqCst))
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        let end = self.monotonic().saturating_add(time);
        Box::pin(async move {
            let mut moved = clock.0.moved.subscribe();
            while clock.monotonic() < end {
                let left = end.saturating_sub(clock.monotonic());
                match clock.0.start {
                    Start::Fixed(_) => drop(moved.changed().await),
                    Start::System(_) => drop(tokio::time::timeout(left, moved.changed()).await),
                }
            }
        })
    }
}

fn shifted(time: Duration, by: i64) -> Duration {
    let distance = Duration::from_millis(by.unsigned_abs());
    if by < 0 { time.saturating_sub(distance) } else { time.saturating_add(distance) }
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4)
}
