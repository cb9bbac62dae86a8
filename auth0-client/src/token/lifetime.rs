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

/// The moments in the life of a token, in milliseconds. They are on both clocks: the monotonic clock stands still
/// while a machine is suspended, and the wall clock may be set back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetime {
    begins: Both,
    renewed_after: u64,
    fresh_for: u64,
    total: u64,
}

#[derive(Clone, Copy, Debug)]
struct Both {
    unix: u64,
    monotonic: u64,
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
        Self {
            begins: Both::at(requested_at),
            renewed_after: millis(renewed_after),
            fresh_for: millis(fresh_for),
            total: millis(total),
        }
    }

    pub(crate) fn at(&self, now: Moment) -> Freshness {
        let now = Both::at(now);
        // A wall clock that was set back says nothing.
        let age = now
            .monotonic
            .saturating_sub(self.begins.monotonic)
            .max(now.unix.saturating_sub(self.begins.unix));
        if age < self.renewed_after {
            Freshness::Fresh
        } else if age < self.fresh_for {
            Freshness::Renewable
        } else if age < self.total {
            Freshness::Expiring
        } else {
            Freshness::Expired
        }
    }

    /// Returns the end, since 1970.
    pub(crate) const fn ends_at(&self) -> Duration {
        Duration::from_millis(self.begins.unix.saturating_add(self.total))
    }

    pub(crate) const fn total(&self) -> Duration {
        Duration::from_millis(self.total)
    }
}

impl Both {
    fn at(moment: Moment) -> Self {
        Self { unix: millis(moment.unix_time), monotonic: millis(moment.monotonic) }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
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
