//! How long a token is used.
use auth0_core::time::Moment;
use aws_lc_rs::rand;
use std::time::Duration;

/// A token is renewed after this part of its life, give or take [`JITTER`]: the issuer may fail for the rest.
const RENEWED_AFTER: f64 = 0.8;

/// Instances that started together must not renew together.
const JITTER: f64 = 0.05;

/// A token is not used for this long before its end, because it travels, and the clocks of others differ…
const MAX_SKEW: Duration = Duration::from_secs(60);

/// …but short tokens are used for most of their life.
const SKEW: f64 = 0.1;

/// The moments in the life of a token. Each is on both clocks, of which the first to reach it counts: the monotonic
/// clock stands still while a machine is suspended, and the wall clock may be set back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetime {
    renewed_at: Moment,
    fresh_until: Moment,
    ends_at: Moment,
    total: Duration,
}

/// Where in its life a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// It is used.
    Fresh,
    /// It is used, and should be renewed.
    Renewable,
    /// It is valid for so short a time that it is used only if there is no other.
    Expiring,
    Expired,
}

impl Lifetime {
    /// Creates the life of a token that was requested at this moment.
    pub(crate) fn new(requested_at: Moment, total: Duration) -> Self {
        let fresh_for = total.saturating_sub(total.mul_f64(SKEW).min(MAX_SKEW));
        let renewed_after = total.mul_f64(RENEWED_AFTER + JITTER * random()).min(fresh_for);
        let after = |time: Duration| {
            Moment::new(
                requested_at.unix_time.saturating_add(time),
                requested_at.monotonic.saturating_add(time),
            )
        };
        Self {
            renewed_at: after(renewed_after),
            fresh_until: after(fresh_for),
            ends_at: after(total),
            total,
        }
    }

    pub(crate) fn at(&self, now: Moment) -> Freshness {
        if is_before(now, self.renewed_at) {
            Freshness::Fresh
        } else if is_before(now, self.fresh_until) {
            Freshness::Renewable
        } else if is_before(now, self.ends_at) {
            Freshness::Expiring
        } else {
            Freshness::Expired
        }
    }

    pub(crate) const fn renewed_at(&self) -> Moment {
        self.renewed_at
    }

    /// Returns the end, since 1970.
    pub(crate) const fn ends_at(&self) -> Duration {
        self.ends_at.unix_time
    }

    pub(crate) const fn total(&self) -> Duration {
        self.total
    }
}

fn is_before(now: Moment, moment: Moment) -> bool {
    now.monotonic < moment.monotonic && now.unix_time < moment.unix_time
}

/// Returns a random number between -1 and 1.
fn random() -> f64 {
    let mut random = [0; 2];
    // Without randomness, there is no jitter.
    match rand::fill(&mut random) {
        Ok(()) => f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX) * 2.0 - 1.0,
        Err(_) => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        let time = Duration::from_secs(seconds);
        Moment::new(Duration::from_secs(1_000_000) + time, time)
    }

    #[test]
    fn the_life_of_a_token() {
        let day = Lifetime::new(at(0), Duration::from_secs(86_400));
        for (age, expected) in [
            (0, Freshness::Fresh),
            (64_799, Freshness::Fresh),
            (73_441, Freshness::Renewable),
            (86_339, Freshness::Renewable),
            (86_340, Freshness::Expiring),
            (86_399, Freshness::Expiring),
            (86_400, Freshness::Expired),
        ] {
            assert_eq!(day.at(at(age)), expected, "{age}");
        }
        let short = Lifetime::new(at(0), Duration::from_secs(30));
        assert_eq!(short.at(at(26)), Freshness::Renewable);
        assert_eq!(short.at(at(27)), Freshness::Expiring);
        assert_eq!(Lifetime::new(at(0), Duration::ZERO).at(at(0)), Freshness::Expired);
    }

    #[test]
    fn either_clock_ends_a_token() {
        let token = Lifetime::new(at(100), Duration::from_secs(50));
        let suspended = Moment::new(at(200).unix_time, at(100).monotonic);
        assert_eq!(token.at(suspended), Freshness::Expired);
        let set_back = Moment::new(at(0).unix_time, at(200).monotonic);
        assert_eq!(token.at(set_back), Freshness::Expired);
    }
}
