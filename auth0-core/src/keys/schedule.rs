//! When a fetch from an issuer may start, and how its result affects the next one. Pure decisions on readings
//! of a clock; every number has its reason here.
use super::fetch_error::FetchError;
use std::{sync::Arc, time::Duration};

/// A withdrawn key is refused after this time at the latest, while the issuer answers. Auth0's own answers
/// carry a max-age of about 15 s, which would mean a fetch every 15 s for keys that change a few times a
/// year.
pub(crate) const FRESH: Duration = Duration::from_secs(600);

/// At half of that age, keys are refreshed in the background, so that no request waits for it.
const REFRESH_AHEAD: Duration = Duration::from_secs(300);

/// At most this much later: instances that were started together do not keep fetching together.
const REFRESH_JITTER: Duration = Duration::from_secs(120);

/// How long keys are served while the issuer fails, unless configured: an outage of a night must not log all
/// users out.
pub(crate) const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// The first retry comes soon, because most failures are short; the delay doubles up to the
/// maximum, which bounds both the load on a failing issuer and the time to notice that it is back.
pub(crate) const FIRST_BACKOFF: Duration = Duration::from_millis(250);
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// A delay is shortened by up to this part of it, so that instances do not retry in step.
const BACKOFF_JITTER: f64 = 0.25;

/// The delay without requests, when it is not urgent to notice that the issuer is back.
pub(crate) const IDLE_RETRY: Duration = Duration::from_secs(30);

/// The longest `Retry-After` of an issuer that is honored.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// Refetches for unknown key ids: two at once, because the first may have been spent on a token
/// with a made-up id just before a rotation; then one every five seconds, so that a flood of
/// made-up ids costs the issuer little and delays a rotation by no more than that.
const UNKNOWN_KEY_BURST: u32 = 2;
const UNKNOWN_KEY_REFILL: Duration = Duration::from_secs(5);

/// Refetches that found the key are not charged, so an issuer may rotate its keys once a second without
/// limit. Not more often: otherwise an issuer whose servers disagree about its keys would cause a fetch
/// with every token.
const ROTATION_BURST: u32 = 10;
const ROTATION_REFILL: Duration = Duration::from_secs(1);

/// The state that decides whether a fetch may start.
#[derive(Debug)]
pub(crate) struct Schedule {
    failure: Option<Failure>,
    /// The number of failures in a row.
    failures: u32,
    unknown_keys: Bucket,
    rotations: Bucket,
}

/// The failure of the last fetch, and the time at which the next one may start.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) cause: Arc<FetchError>,
    pub(crate) retry_at: Duration,
    /// Whether the issuer has set the time, with `Retry-After`.
    is_asked_for: bool,
}

impl Failure {
    /// The failure of a fetch that had no turn, after which the next one may start at once.
    pub(crate) const fn without_turn(cause: Arc<FetchError>, now: Duration) -> Self {
        Self { cause, retry_at: now, is_asked_for: false }
    }
}

impl Schedule {
    pub(crate) const fn new(now: Duration) -> Self {
        Self {
            failure: None,
            failures: 0,
            unknown_keys: Bucket::full(UNKNOWN_KEY_BURST, UNKNOWN_KEY_REFILL, now),
            rotations: Bucket::full(ROTATION_BURST, ROTATION_REFILL, now),
        }
    }

    pub(crate) const fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Returns the failure that keeps a fetch from starting now. A delay beyond the maximum means that the
    /// clock has gone back, and is ignored.
    pub(crate) fn backing_off(&self, now: Duration) -> Option<&Failure> {
        let waits = |failure: &&Failure| {
            now < failure.retry_at && failure.retry_at.saturating_sub(now) <= MAX_RETRY_AFTER
        };
        self.failure.as_ref().filter(waits)
    }

    pub(crate) fn succeeded(&mut self) {
        self.failure = None;
        self.failures = 0;
    }

    pub(crate) fn failed(&mut self, error: FetchError, now: Duration) -> Failure {
        let doubled = FIRST_BACKOFF * 2u32.saturating_pow(self.failures.min(8));
        let delay = doubled.min(MAX_BACKOFF).mul_f64(1.0 - BACKOFF_JITTER * random());
        let asked = match &error {
            FetchError::Status { retry_after, .. } => *retry_after,
            _ => None,
        };
        let mut retry_at =
            now.saturating_add(asked.unwrap_or(delay).max(delay).min(MAX_RETRY_AFTER));
        let mut is_asked_for = asked.is_some();
        if let Some(before) = self.backing_off(now).filter(|before| before.is_asked_for) {
            // `refresh` may fetch earlier than that. The time that the issuer has set stays valid.
            retry_at = retry_at.max(before.retry_at);
            is_asked_for = true;
        }
        self.failures = self.failures.saturating_add(1);
        let failure = Failure { cause: Arc::new(error), retry_at, is_asked_for };
        self.failure = Some(failure.clone());
        failure
    }

    /// Returns whether the last fetch was good, so that a failure now is the first in a row.
    pub(crate) const fn is_answering(&self) -> bool {
        self.failures == 0
    }

    /// Takes one refetch for an unknown key from the budget.
    pub(crate) fn spend_unknown_key_credit(&mut self, now: Duration) -> Option<Spent> {
        self.unknown_keys.earn(now);
        let was_full = self.unknown_keys.is_full();
        self.unknown_keys.spend().then_some(Spent { was_full })
    }

    /// Returns a refetch that found the key to the budget, but only if the budget was full before it.
    /// Otherwise made-up ids have come lately, and a flood of them would use it up at once.
    pub(crate) fn was_genuine(&mut self, spent: Spent, now: Duration) {
        self.rotations.earn(now);
        if spent.was_full && self.rotations.spend() {
            self.unknown_keys.put_back();
        }
    }

    /// Returns a refetch that failed to the budget: the failure does not depend on the key, and has its own
    /// delay.
    pub(crate) fn was_in_vain(&mut self, _: Spent) {
        self.unknown_keys.put_back();
    }
}

/// One refetch for an unknown key.
#[derive(Debug)]
pub(crate) struct Spent {
    was_full: bool,
}

impl Spent {
    /// Returns whether no token had named an unknown key for a while.
    pub(crate) const fn was_of_full(&self) -> bool {
        self.was_full
    }
}

/// A budget that refills over time.
#[derive(Debug)]
struct Bucket {
    credit: u32,
    burst: u32,
    refill: Duration,
    /// The time up to which it was refilled.
    at: Duration,
}

impl Bucket {
    const fn full(burst: u32, refill: Duration, now: Duration) -> Self {
        Self { credit: burst, burst, refill, at: now }
    }

    const fn is_full(&self) -> bool {
        self.credit == self.burst
    }

    fn earn(&mut self, now: Duration) {
        self.at = self.at.min(now); // a clock that has gone back
        let periods = now.saturating_sub(self.at).as_nanos() / self.refill.as_nanos();
        let earned = u32::try_from(periods).unwrap_or(u32::MAX);
        self.credit = self.credit.saturating_add(earned).min(self.burst);
        self.at = if self.is_full() {
            now // a full one earns nothing
        } else {
            self.at.saturating_add(self.refill.saturating_mul(earned))
        };
    }

    const fn spend(&mut self) -> bool {
        match self.credit.checked_sub(1) {
            Some(left) => {
                self.credit = left;
                true
            }
            None => false,
        }
    }

    fn put_back(&mut self) {
        self.credit = self.credit.saturating_add(1).min(self.burst);
    }
}

/// Returns the age at which keys are refreshed in the background.
pub(crate) fn refresh_age() -> Duration {
    REFRESH_AHEAD + REFRESH_JITTER.mul_f64(random())
}

/// Returns a number from 0 to 1, evenly distributed. Without randomness only the jitter is lost.
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

    fn status(status: u16, retry_after: Option<Duration>) -> FetchError {
        FetchError::Status { status, retry_after, url: "https://id.acme.com/keys".into() }
    }

    #[test]
    fn a_flood_of_unknown_keys_gets_two_refetches_and_one_every_five_seconds() {
        let mut schedule = Schedule::new(secs(100));
        let granted: Vec<u64> = (0..10_000u64)
            .filter(|millis| {
                let now = secs(100) + Duration::from_millis(*millis);
                schedule.spend_unknown_key_credit(now).is_some()
            })
            .collect();
        assert_eq!(granted, [0, 1, 5000]);
    }

    #[test]
    fn the_budget_fills_up_again_and_no_further() {
        let mut schedule = Schedule::new(secs(0));
        let mut spend = |at| schedule.spend_unknown_key_credit(secs(at)).is_some();
        assert!(spend(1) && spend(1) && !spend(1));
        assert!(!spend(5), "five seconds after it was full, not before");
        assert!(spend(6) && !spend(10) && spend(11));
        assert!(spend(1000) && spend(1000) && !spend(1000));
    }

    #[test]
    fn a_clock_that_goes_back_gives_no_credit_and_does_not_panic() {
        let mut schedule = Schedule::new(secs(100));
        let mut spend = |at| schedule.spend_unknown_key_credit(secs(at)).is_some();
        assert!(spend(100) && spend(100) && !spend(50) && !spend(54) && spend(55));
        let failure = schedule.failed(FetchError::Deadline, secs(36_000));
        assert!(schedule.backing_off(failure.retry_at - secs(1)).is_some());
        assert!(schedule.backing_off(secs(0)).is_none(), "not for ten hours");
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
        for (asked, granted) in [(1, 1), (30, 30), (300, 300), (86_400, 300)] {
            let mut schedule = Schedule::new(secs(0));
            let error = status(429, Some(secs(asked)));
            assert_eq!(schedule.failed(error, secs(1)).retry_at, secs(1 + granted));
        }
    }

    #[test]
    fn no_time_at_all_is_not_what_an_issuer_can_ask_for() {
        let mut schedule = Schedule::new(secs(0));
        for expected in [250, 500, 1000, 2000, 2000] {
            let error = status(503, Some(Duration::ZERO));
            let delay = (schedule.failed(error, secs(10)).retry_at - secs(10)).as_millis();
            assert!((expected * 3 / 4..=expected).contains(&delay), "{delay} of {expected}");
        }
    }

    #[test]
    fn what_the_issuer_asked_for_outlasts_another_failure() {
        let mut schedule = Schedule::new(secs(0));
        let error = status(429, Some(secs(300)));
        schedule.failed(error, secs(0));
        assert_eq!(schedule.failed(FetchError::Deadline, secs(10)).retry_at, secs(300));
        assert!(schedule.failed(FetchError::Deadline, secs(300)).retry_at < secs(303));
    }

    #[test]
    fn genuine_keys_are_free_once_a_second_and_failures_always() {
        let mut schedule = Schedule::new(secs(0));
        for second in 0..100 {
            let spent = schedule.spend_unknown_key_credit(secs(second)).unwrap();
            schedule.was_genuine(spent, secs(second));
            let spent = schedule.spend_unknown_key_credit(secs(second)).unwrap();
            schedule.was_in_vain(spent);
        }
        let mut granted = 0;
        while let Some(spent) = schedule.spend_unknown_key_credit(secs(100)) {
            schedule.was_genuine(spent, secs(100));
            granted += 1;
        }
        assert_eq!(granted, ROTATION_BURST + UNKNOWN_KEY_BURST);
    }

    #[test]
    fn refreshes_are_spread_and_come_before_keys_are_old() {
        for _ in 0..1000 {
            let age = refresh_age();
            assert!(age >= FRESH / 2 && age + Duration::from_secs(5) * 2 < FRESH);
        }
    }
}
