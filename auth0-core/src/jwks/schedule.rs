//! When an issuer may be asked, and what its answers mean for the next time. Pure decisions on a
//! clock's readings; every number has its reason here.
use crate::discovery::FetchError;
use std::{sync::Arc, time::Duration};

/// A withdrawn key is refused at the latest after this, while the issuer answers. Auth0's own answers carry a max-age of
/// about 15 s, which would mean a fetch every 15 s for keys that change a few times a year.
pub(crate) const FRESH: Duration = Duration::from_secs(600);

/// From half of that on, keys are refreshed in the background, so that no request waits for it.
const REFRESH_AHEAD: Duration = Duration::from_secs(300);

/// At most this much later: instances that were started together do not ask together for ever.
const REFRESH_JITTER: Duration = Duration::from_secs(120);

/// How long keys go on serving while the issuer fails, unless configured: an outage of a night
/// must not log everybody out.
pub(crate) const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// The first retry comes soon, because most failures are short; the delay doubles up to the
/// maximum, which bounds both the load on a failing issuer and the time to notice that it is back.
pub(crate) const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// A delay is shortened by up to this part of it, so that instances do not retry in step.
const BACKOFF_JITTER: f64 = 0.25;

/// Without requests there is no hurry to notice that the issuer is back.
pub(crate) const IDLE_RETRY: Duration = Duration::from_secs(30);

/// What the issuer asks for with `Retry-After` is honoured up to here.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// Refetches for unknown key ids: two at once, because the first may have been spent on a token
/// with a made-up id just before a rotation; then one every five seconds, so that a flood of
/// made-up ids costs the issuer little and delays a rotation by no more than that.
const UNKNOWN_KEY_BURST: u32 = 2;
const UNKNOWN_KEY_REFILL: Duration = Duration::from_secs(5);

/// What decides whether a fetch may start.
#[derive(Debug)]
pub(crate) struct Schedule {
    failure: Option<Failure>,
    /// In a row.
    failures: u32,
    unknown_key_credit: u32,
    credited_at: Duration,
}

/// The last fetch failed, and the next one waits.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) cause: Arc<FetchError>,
    pub(crate) retry_at: Duration,
}

impl Schedule {
    pub(crate) const fn new(now: Duration) -> Self {
        Self { failure: None, failures: 0, unknown_key_credit: UNKNOWN_KEY_BURST, credited_at: now }
    }

    pub(crate) const fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// The failure that keeps a fetch from starting now.
    pub(crate) fn backing_off(&self, now: Duration) -> Option<&Failure> {
        self.failure.as_ref().filter(|failure| now < failure.retry_at)
    }

    pub(crate) fn succeeded(&mut self) {
        self.failure = None;
        self.failures = 0;
    }

    pub(crate) fn failed(&mut self, error: FetchError, now: Duration) -> Failure {
        let delay = match &error {
            FetchError::Status { retry_after: Some(asked), .. } => {
                (*asked).clamp(FIRST_BACKOFF, MAX_RETRY_AFTER)
            }
            _ => {
                let doubled = FIRST_BACKOFF * 2u32.saturating_pow(self.failures.min(8));
                doubled.min(MAX_BACKOFF).mul_f64(1.0 - BACKOFF_JITTER * random())
            }
        };
        self.failures = self.failures.saturating_add(1);
        let failure = Failure { cause: Arc::new(error), retry_at: now.saturating_add(delay) };
        self.failure = Some(failure.clone());
        failure
    }

    /// Takes one refetch for an unknown key out of the budget.
    pub(crate) fn spend_unknown_key_credit(&mut self, now: Duration) -> Credit {
        let periods =
            now.saturating_sub(self.credited_at).as_nanos() / UNKNOWN_KEY_REFILL.as_nanos();
        let earned = u32::try_from(periods).unwrap_or(u32::MAX);
        self.unknown_key_credit =
            self.unknown_key_credit.saturating_add(earned).min(UNKNOWN_KEY_BURST);
        let full = self.unknown_key_credit == UNKNOWN_KEY_BURST;
        if full {
            self.credited_at = now; // a full budget earns nothing
        } else {
            self.credited_at =
                self.credited_at.saturating_add(UNKNOWN_KEY_REFILL.saturating_mul(earned));
        }
        let Some(left) = self.unknown_key_credit.checked_sub(1) else { return Credit::Exhausted };
        self.unknown_key_credit = left;
        if full { Credit::OfFull } else { Credit::OfRest }
    }

    /// Puts back what was spent [of a full budget](Credit::OfFull) on a key that turned out to be
    /// genuine.
    pub(crate) const fn refund_unknown_key_credit(&mut self) {
        self.unknown_key_credit = UNKNOWN_KEY_BURST;
    }
}

/// What the budget for unknown keys had left for a refetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credit {
    /// Nobody has named an unknown key lately. If this one is genuine, it costs nothing: an issuer
    /// may rotate as often as it likes.
    OfFull,
    /// Somebody has. What a genuine key took is not put back, or a flood of made-up ones would take
    /// it next.
    OfRest,
    Exhausted,
}

/// At which age keys are refreshed in the background.
pub(crate) fn refresh_age() -> Duration {
    REFRESH_AHEAD + REFRESH_JITTER.mul_f64(random())
}

/// Evenly from 0 to 1. Without randomness nothing is lost but the spreading.
fn random() -> f64 {
    let mut bytes = [0; 4];
    match aws_lc_rs::rand::fill(&mut bytes) {
        Ok(()) => f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX),
        Err(_) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_flood_of_unknown_keys_gets_two_refetches_and_one_every_five_seconds() {
        let mut schedule = Schedule::new(secs(100));
        let granted: Vec<u64> = (0..10_000u64)
            .filter(|millis| {
                let now = secs(100) + Duration::from_millis(*millis);
                schedule.spend_unknown_key_credit(now) != Credit::Exhausted
            })
            .collect();
        assert_eq!(granted, [0, 1, 5000]);
    }

    #[test]
    fn the_budget_fills_up_again_and_no_further() {
        let mut schedule = Schedule::new(secs(0));
        let mut spend = |at| schedule.spend_unknown_key_credit(secs(at)) != Credit::Exhausted;
        assert!(spend(1) && spend(1) && !spend(1));
        assert!(!spend(5), "five seconds after it was full, not before");
        assert!(spend(6) && !spend(10) && spend(11));
        assert!(spend(1000) && spend(1000) && !spend(1000));
    }

    #[test]
    fn a_clock_that_goes_back_gives_no_credit_and_does_not_panic() {
        let mut schedule = Schedule::new(secs(100));
        let mut spend = |at| schedule.spend_unknown_key_credit(secs(at)) != Credit::Exhausted;
        assert!(spend(100) && spend(100) && !spend(50) && !spend(104) && spend(105));
    }

    #[test]
    fn delays_double_up_to_two_seconds_and_are_spread() {
        let mut schedule = Schedule::new(secs(0));
        for expected in [250, 500, 1000, 2000, 2000, 2000] {
            let failure = schedule.failed(FetchError::Deadline, secs(10));
            let delay = (failure.retry_at - secs(10)).as_millis();
            assert!((expected * 3 / 4..=expected).contains(&delay), "{delay} of {expected}");
        }
        schedule.succeeded();
        assert!(schedule.backing_off(secs(10)).is_none());
        let failure = schedule.failed(FetchError::Deadline, secs(10));
        assert!(failure.retry_at <= secs(10) + FIRST_BACKOFF, "begins anew");
    }

    #[test]
    fn the_issuer_may_say_how_long_to_wait() {
        for (asked, granted) in [(30, 30), (300, 300), (86_400, 300)] {
            let mut schedule = Schedule::new(secs(0));
            let error = FetchError::Status { status: 429, retry_after: Some(secs(asked)) };
            assert_eq!(schedule.failed(error, secs(1)).retry_at, secs(1 + granted));
        }
    }

    #[test]
    fn refreshes_are_spread_and_come_before_keys_are_old() {
        for _ in 0..1000 {
            let age = refresh_age();
            assert!(age >= FRESH / 2 && age + Duration::from_secs(5) * 2 < FRESH);
        }
    }
}
