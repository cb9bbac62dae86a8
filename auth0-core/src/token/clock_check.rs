//! The check of the wall clock, on which every time of a token and of a proof depends.
use crate::{
    error::{Error, ErrorCode},
    runtime::{Moment, millis},
};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// 2001-09-09. A machine whose clock was not set is at 1970 or 2000, and would accept tokens and proofs that
/// have expired. A clock before 1970 reads as 1970.
const EARLIEST: Duration = Duration::from_secs(1_000_000_000);

/// Clocks are usually set within seconds after the network is there.
const RETRY: Duration = Duration::from_secs(5);

const REPORT_INTERVAL: Duration = Duration::from_secs(60);

/// Refuses to decide with a clock that is not set, and logs it once a minute.
#[derive(Debug, Default)]
pub(crate) struct ClockCheck {
    /// The monotonic time of the last report, in milliseconds, or 0.
    reported_at: AtomicU64,
}

impl ClockCheck {
    /// Checks that the wall clock is set.
    pub(crate) fn check(&self, now: Moment) -> Result<(), Error> {
        if now.unix_time >= EARLIEST {
            return Ok(());
        }
        Err(self.refuse(now))
    }

    #[cold]
    fn refuse(&self, now: Moment) -> Error {
        let cause = format!(
            "the clock shows {} s since 1970, or a time before 1970, and must show a time after 2001-09-09. Set \
             the clock of this machine",
            now.unix_time.as_secs()
        );
        let monotonic = millis(now.monotonic).max(1);
        let reported_at = self.reported_at.load(Ordering::Relaxed);
        if reported_at == 0 || monotonic.abs_diff(reported_at) >= millis(REPORT_INTERVAL) {
            self.reported_at.store(monotonic, Ordering::Relaxed);
            tracing::error!(target: "auth0", cause, "the clock is not set: all tokens get 503");
        }
        Error::new(ErrorCode::KeysUnavailable).because(cause).retry_after(RETRY)
    }
}
