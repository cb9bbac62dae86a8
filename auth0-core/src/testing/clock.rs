use crate::{
    clock::{Clock, SystemClock},
    http::BoxFuture,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;

/// A clock that is set by hand. Clones are the same clock.
///
/// ```
/// use auth0_core::{Clock, testing::ManualClock};
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
    /// Wakes who sleeps.
    moved: watch::Sender<()>,
}

#[derive(Debug)]
enum Start {
    Fixed(Duration),
    System(SystemClock),
}

impl ManualClock {
    /// A clock that stands at a time since 1970.
    #[must_use]
    pub fn at(unix_time: Duration) -> Self {
        Self::new(Start::Fixed(unix_time))
    }

    /// A clock that goes with the system's, and can be put forward.
    pub(crate) fn following_the_system() -> Self {
        Self::new(Start::System(SystemClock::new()))
    }

    fn new(start: Start) -> Self {
        Self(Arc::new(Inner {
            start,
            passed: AtomicI64::new(0),
            set: AtomicI64::new(0),
            moved: watch::Sender::new(()),
        }))
    }

    /// Lets time pass, in milliseconds' precision.
    pub fn advance(&self, time: Duration) {
        self.0.passed.fetch_add(millis(time), Ordering::SeqCst);
        self.0.moved.send_replace(());
    }

    /// Sets the wall clock back, as an operator or NTP would; no time passes.
    pub fn set_back(&self, time: Duration) {
        self.0.set.fetch_sub(millis(time), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn unix_time(&self) -> Duration {
        let start = match &self.0.start {
            Start::Fixed(time) => *time,
            Start::System(clock) => clock.unix_time(),
        };
        shifted(start, self.0.passed.load(Ordering::SeqCst) + self.0.set.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        let start = match &self.0.start {
            Start::Fixed(_) => Duration::ZERO,
            Start::System(clock) => clock.monotonic(),
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
