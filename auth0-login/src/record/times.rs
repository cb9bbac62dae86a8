//! How long sessions last.
use super::session_record::Record;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A session that is used is extended after this part of the time without activity, and not with each request.
const TOUCHED_AFTER: u32 = 20;

/// A longer time means "for ever", and an end that no clock has.
const LONGEST: Duration = DAY.saturating_mul(10 * 365);

/// How long sessions last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Times {
    /// Without a request.
    pub(crate) inactivity: Duration,
    /// From the login on.
    pub(crate) absolute: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self { inactivity: DAY, absolute: 3 * DAY }
    }
}

impl Times {
    /// Returns the times as clocks and cookies can have them.
    pub(crate) fn limited(self) -> Self {
        let Self { inactivity, absolute } = self;
        Self { inactivity: inactivity.min(LONGEST), absolute: absolute.min(LONGEST) }
    }

    /// Returns the end of a session if it is not used any more, in seconds since 1970.
    pub(crate) fn end(&self, record: &Record) -> u64 {
        record.touched_at.saturating_add(self.inactivity.as_secs()).min(record.ends_at)
    }

    /// Returns the end of a session, in seconds since 1970, if this is the last time that it is extended.
    pub(crate) fn end_without_extension(&self, record: &Record, now: Duration) -> u64 {
        now.saturating_add(self.inactivity).as_secs().min(record.ends_at)
    }

    /// Returns how long a session lasts at most that is not used any more.
    pub(crate) fn longest_without_activity(&self) -> Duration {
        self.inactivity.min(self.absolute)
    }

    pub(crate) fn is_over(&self, record: &Record, now: Duration) -> bool {
        now.as_secs() >= self.end(record)
    }

    pub(crate) fn is_touch_due(&self, record: &Record, now: Duration) -> bool {
        let due = record.touched_at.saturating_add((self.inactivity / TOUCHED_AFTER).as_secs());
        now.as_secs() >= due
    }
}
