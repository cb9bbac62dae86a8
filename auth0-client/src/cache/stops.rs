//! What holds requests back: limits of a key, a client that is not accepted, failures of renewals.
use super::{CacheKey, Outcome};
use crate::error::{Error, ErrorKind};
use auth0_core::time::Moment;
use std::{collections::HashMap, time::Duration};

/// How long a refusal of the client is repeated without another request: until an operator can have acted.
const CLIENT_REFUSED: Duration = Duration::from_secs(10);

/// The pause after the first failure of a renewal; it doubles with each further one…
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// …up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Refused tokens cause one further request for their key in this time: a wrong audience must not cause one for each
/// request.
const FORGET_BUDGET: Duration = Duration::from_secs(10);

/// The keys that are held back at once. Beyond it, the limits of the server itself hold.
const MAX_KEYS: usize = 4096;

/// The state under the lock of the flights. All times are on the monotonic clock.
#[derive(Debug, Default)]
pub(crate) struct Stops {
    /// The client itself is not accepted.
    client: Option<Stop>,
    keys: HashMap<CacheKey, Stop>,
    failures: HashMap<CacheKey, Failure>,
    forgotten: HashMap<CacheKey, Duration>,
}

#[derive(Debug)]
struct Stop {
    until: Duration,
    error: Error,
}

#[derive(Clone, Copy, Debug)]
struct Failure {
    count: u32,
    until: Duration,
}

impl Stops {
    /// Returns how long a request for a key waits before it is sent. The error says why it is not sent at all.
    pub(super) fn check(
        &self,
        key: &CacheKey,
        now: Moment,
        left: Duration,
    ) -> Result<Duration, Error> {
        let active =
            |stop: &Stop| stop.until.checked_sub(now.monotonic).filter(|rest| !rest.is_zero());
        if let Some(stop) = &self.client
            && active(stop).is_some()
        {
            return Err(stop.error.clone());
        }
        let Some(stop) = self.keys.get(key) else { return Ok(Duration::ZERO) };
        match active(stop) {
            None => Ok(Duration::ZERO),
            Some(wait) if stop.error.kind() == ErrorKind::Throttled && wait < left => Ok(wait),
            Some(wait) => Err(stop.error.clone().retry_in(wait, now.unix_time)),
        }
    }

    /// Takes note of an outcome.
    pub(super) fn note(&mut self, key: CacheKey, outcome: &Outcome, now: Moment) {
        let Err(error) = outcome else {
            self.client = None;
            self.keys.remove(&key);
            self.failures.remove(&key);
            return;
        };
        let now = now.monotonic;
        let stop = |wait| Stop { until: now + wait, error: error.clone() };
        match error.kind() {
            // No caller can cause this one.
            ErrorKind::InvalidClient if error.is_of_whole_client() => {
                self.client = Some(stop(CLIENT_REFUSED));
            }
            _ if error.is_of_operator() => self.stop(key, stop(CLIENT_REFUSED), now),
            ErrorKind::Throttled => {
                if let Some(wait) = error.retry_after() {
                    self.stop(key, stop(wait), now);
                }
            }
            _ => {}
        }
        let count = self.failures.get(&key).map_or(0, |failure| failure.count);
        let pause = FIRST_PAUSE.saturating_mul(1 << count.min(5)).min(LONGEST_PAUSE);
        if has_room(&mut self.failures, &key, |failure| failure.until <= now) {
            let failure = Failure { count: count.saturating_add(1), until: now + pause };
            self.failures.insert(key, failure);
        }
    }

    fn stop(&mut self, key: CacheKey, stop: Stop, now: Duration) {
        if has_room(&mut self.keys, &key, |stop| stop.until <= now) {
            self.keys.insert(key, stop);
        }
    }

    /// Returns whether a token may be renewed in the background.
    pub(super) fn may_renew(&self, key: &CacheKey, now: Duration) -> bool {
        self.failures.get(key).is_none_or(|failure| failure.until <= now)
    }

    /// Returns whether a refused token may be replaced, and takes note of it.
    pub(super) fn may_forget(&mut self, key: CacheKey, now: Duration) -> bool {
        if self.forgotten.get(&key).is_some_and(|last| now < last.saturating_add(FORGET_BUDGET)) {
            return false;
        }
        // Without room, a refused token stays.
        let is_over = |last: &Duration| now >= last.saturating_add(FORGET_BUDGET);
        let has_room = has_room(&mut self.forgotten, &key, is_over);
        if has_room {
            self.forgotten.insert(key, now);
        }
        has_room
    }
}

/// Returns whether a map has room for another key, after what is over has made room. A key that finds none is limited by
/// the server itself.
fn has_room<T>(
    map: &mut HashMap<CacheKey, T>,
    key: &CacheKey,
    is_over: impl Fn(&T) -> bool,
) -> bool {
    if map.len() >= MAX_KEYS && !map.contains_key(key) {
        map.retain(|_, entry| !is_over(entry));
    }
    map.len() < MAX_KEYS || map.contains_key(key)
}
