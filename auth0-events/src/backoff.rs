//! The pauses between connections.
use aws_lc_rs::rand;
use std::time::Duration;

/// The first pause after a failure.
const SHORTEST: Duration = Duration::from_secs(1);

/// A pause is not longer than this: the tenant may be back.
pub(crate) const LONGEST: Duration = Duration::from_secs(60);

/// Grows with each failure in a row.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Counts a failure. Returns how long to wait: at random between a half and the whole of a time that doubles, so
    /// that many instances do not connect in step.
    pub(crate) fn pause(&mut self) -> Duration {
        let whole = SHORTEST.saturating_mul(1 << self.failures.min(6)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let mut random = [0; 2];
        // Without randomness, the whole time is as good.
        let part = match rand::fill(&mut random) {
            Ok(()) => f64::from(u16::from_le_bytes(random)) / f64::from(u16::MAX),
            Err(_) => 1.0,
        };
        whole.mul_f64(part.mul_add(0.5, 0.5)).max(SHORTEST)
    }

    /// Begins anew after a success.
    pub(crate) const fn reset(&mut self) {
        self.failures = 0;
    }

    /// Returns the number of failures in a row.
    pub(crate) const fn failures(&self) -> u32 {
        self.failures
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_minute() {
        let mut backoff = Backoff::default();
        for (least, most) in [(1, 1), (1, 2), (2, 4), (4, 8), (8, 16), (16, 32), (30, 60), (30, 60)]
        {
            let pause = backoff.pause();
            assert!(
                (Duration::from_secs(least)..=Duration::from_secs(most)).contains(&pause),
                "{pause:?} is not from {least} to {most} s"
            );
        }
        backoff.reset();
        assert_eq!((backoff.failures(), backoff.pause()), (0, SHORTEST));
    }
}
