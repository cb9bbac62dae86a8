//! The time that decides what has expired.
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// A wall clock that jumps ahead is believed after it has been ahead for this long: until then it may be wrong, and what
/// is removed because of it would be missing when it is right again.
const DOUBTED_FOR: Duration = Duration::from_secs(24 * 60 * 60);

/// A larger difference from the monotonic clock is a jump.
pub(super) const JUMP: Duration = Duration::from_secs(60);

/// A time that is not after that of the wall clock, and goes on with the monotonic clock.
#[derive(Default)]
pub(super) struct ExpiryClock(Mutex<Option<State>>);

struct State {
    time: Duration,
    /// The monotonic time at which it was read.
    read_at: Duration,
    /// The monotonic time since which the wall clock is ahead.
    ahead_since: Option<Duration>,
}

impl ExpiryClock {
    /// Returns the time since 1970, from readings of both clocks.
    pub(super) fn now(&self, wall: Duration, monotonic: Duration) -> Duration {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let state =
            state.get_or_insert(State { time: wall, read_at: monotonic, ahead_since: None });
        let elapsed = monotonic.saturating_sub(state.read_at);
        let expected = state.time.saturating_add(elapsed);
        state.read_at = monotonic;
        state.time = wall;
        if wall <= expected.saturating_add(JUMP) {
            state.ahead_since = None;
        } else {
            let since = *state.ahead_since.get_or_insert(monotonic);
            match monotonic.saturating_sub(since) >= DOUBTED_FOR {
                true => state.ahead_since = None,
                false => state.time = expected,
            }
        }
        state.time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

    #[test]
    fn a_jump_ahead_is_believed_when_it_lasts() {
        let clock = ExpiryClock::default();
        assert_eq!(clock.now(YEAR, HOUR), YEAR);
        assert_eq!(clock.now(YEAR + HOUR, 2 * HOUR), YEAR + HOUR);
        assert_eq!(clock.now(2 * YEAR, 3 * HOUR), YEAR + 2 * HOUR);
        assert_eq!(clock.now(2 * YEAR + HOUR, 4 * HOUR), YEAR + 3 * HOUR);
        // It was right, and jumps again.
        assert_eq!(clock.now(YEAR + 4 * HOUR, 5 * HOUR), YEAR + 4 * HOUR);
        assert_eq!(clock.now(3 * YEAR, 6 * HOUR), YEAR + 5 * HOUR);
        assert_eq!(clock.now(3 * YEAR + 23 * HOUR, 29 * HOUR), YEAR + 28 * HOUR);
        assert_eq!(clock.now(3 * YEAR + 24 * HOUR, 30 * HOUR), 3 * YEAR + 24 * HOUR);
        assert_eq!(clock.now(3 * YEAR + 25 * HOUR, 31 * HOUR), 3 * YEAR + 25 * HOUR);
    }

    #[test]
    fn it_is_never_after_the_wall_clock() {
        let clock = ExpiryClock::default();
        assert_eq!(clock.now(YEAR, HOUR), YEAR);
        assert_eq!(clock.now(HOUR, 2 * HOUR), HOUR);
        // A clock of a test that stands still, or a correction of seconds.
        assert_eq!(clock.now(HOUR, 3 * HOUR), HOUR);
        let corrected = HOUR + Duration::from_secs(30);
        assert_eq!(clock.now(corrected, 3 * HOUR), corrected);
    }
}
