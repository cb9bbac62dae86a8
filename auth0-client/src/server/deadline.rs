//! The end of a call.
use crate::error::{Error, ErrorKind};
use auth0_core::{
    support::{fetch_thread, passed},
    time::Clock,
};
use std::{
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How often a call starts anew whose process was stopped. A thread that is blocked looks the same.
const RESTARTS: u32 = 2;

/// The end of a call. Clones share it.
///
/// It starts anew after the process was stopped, which is no fault of the server. A stop is seen between two looks at
/// the time that are too far apart, so that none is missed, whatever the call did then: [`watch`](Self::watch) looks
/// while the call waits.
#[derive(Clone, Debug)]
pub(crate) struct Deadline {
    limit: Duration,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// On the monotonic clock.
    at: Duration,
    /// The last look, in real time.
    beat: Instant,
    restarts: u32,
}

impl Deadline {
    pub(crate) fn after(limit: Duration, clock: &dyn Clock) -> Self {
        let beat = Instant::now();
        let at = clock.monotonic().saturating_add(limit);
        Self { limit, state: Arc::new(Mutex::new(State { at, beat, restarts: 0 })) }
    }

    pub(crate) fn left(&self, clock: &dyn Clock) -> Duration {
        self.look(clock).at.saturating_sub(clock.monotonic())
    }

    /// Returns how often it has started anew. The last failure before that may not be the server's.
    pub(crate) fn restarts(&self, clock: &dyn Clock) -> u32 {
        self.look(clock).restarts
    }

    /// Takes note that the call has waited for the request of another one, which looks at the time itself. Without
    /// this, the wait would look like a stop.
    pub(crate) fn has_waited(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).beat = Instant::now();
    }

    /// Waits for a part of the call.
    ///
    /// Must be called on the thread `auth0-fetch`.
    pub(crate) async fn watch<T>(&self, clock: &dyn Clock, part: impl Future<Output = T>) -> T {
        let beats = async {
            loop {
                drop(self.look(clock));
                tokio::time::sleep(fetch_thread::HEARTBEAT).await;
            }
        };
        tokio::select! {
            biased;
            result = part => result,
            never = beats => never,
        }
    }

    /// Pauses within a call.
    ///
    /// Must be called on the thread `auth0-fetch`.
    pub(crate) async fn pause(&self, clock: &dyn Clock, time: Duration) {
        self.watch(clock, passed(clock, time)).await;
    }

    /// Returns the error of a call that has no time left.
    pub(crate) fn error(&self) -> Error {
        let seconds = self.limit.as_secs_f64();
        Error::new(ErrorKind::DeadlineExceeded, format!("There is no answer within {seconds} s"))
    }

    fn look(&self, clock: &dyn Clock) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if fetch_thread::was_stopped(&mut state.beat) && state.restarts < RESTARTS {
            state.restarts += 1;
            state.at = clock.monotonic().saturating_add(self.limit);
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth0_testing::ManualClock;

    const LIMIT: Duration = Duration::from_secs(1);

    /// As if the process had not run for two seconds since the last look.
    fn stop(deadline: &Deadline, clock: &ManualClock) {
        let pause = Duration::from_secs(2);
        clock.advance(pause);
        deadline.state.lock().unwrap_or_else(PoisonError::into_inner).beat -= pause;
    }

    #[test]
    fn a_stop_between_two_parts_of_a_call_does_not_count() {
        let clock = ManualClock::at(Duration::from_secs(1_000));
        let deadline = Deadline::after(LIMIT, &clock);
        for restarts in 1..=RESTARTS {
            stop(&deadline, &clock);
            assert_eq!((deadline.left(&clock), deadline.restarts(&clock)), (LIMIT, restarts));
        }
        stop(&deadline, &clock);
        assert_eq!((deadline.left(&clock), deadline.restarts(&clock)), (Duration::ZERO, RESTARTS));
    }

    #[test]
    fn the_time_in_which_a_call_waits_for_another_one_counts() {
        let clock = ManualClock::at(Duration::from_secs(1_000));
        let deadline = Deadline::after(LIMIT, &clock);
        stop(&deadline, &clock);
        deadline.has_waited();
        assert_eq!((deadline.left(&clock), deadline.restarts(&clock)), (Duration::ZERO, 0));
    }
}
