//! The log of refusals: one event for each, and in a flood one for each that is within the rate.
use crate::{
    error::{Error, ErrorCode, ErrorKind},
    jose::jws::Header,
    policy::Requirement,
    runtime::Clock,
    telemetry::{RequestText, escaped, metrics},
};
use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// The period for which refusals are counted, in seconds.
const PERIOD: u64 = 60;

/// How many refusals with one code and issuer are logged in a period: enough to see the clients and routes of
/// a mistake, and with every code in a flood about ten lines in a second.
const LOGGED_PER_PERIOD: u64 = 20;

/// Writes refusals to the log.
pub(super) struct RefusalLog {
    clock: Arc<dyn Clock>,
    logs_all: bool,
    /// By the label of the issuer in metrics: the configured issuers, and one entry for all that a resolver
    /// finds. So the number of entries does not depend on clients.
    issuers: HashMap<Box<str>, Rates>,
    /// The refusals of untrusted issuers, and of requests without a readable token.
    unknown: Rates,
    /// The warnings about refusals that were dropped.
    warnings: Rate,
    /// The logout tokens that were refused, and those that could not be handled.
    logout_tokens: [Rate; 2],
}

/// The rate of each code.
type Rates = [Rate; ErrorCode::ALL.len()];

/// A refusal with the data for its event.
pub(super) struct Refused<'a> {
    pub(super) message: &'static str,
    pub(super) error: &'a Error,
    /// The label of the issuer in metrics; empty if it is not known.
    pub(super) label: &'a str,
    pub(super) issuer: &'a str,
    pub(super) client_id: Option<&'a str>,
    pub(super) header: Option<&'a Header>,
    pub(super) requirement: Option<&'a Requirement>,
    pub(super) hint: Option<&'a str>,
    /// The method and the path of the request.
    pub(super) request: Option<(&'a str, &'a str)>,
}

impl RefusalLog {
    pub(super) fn new<'a>(
        issuers: impl Iterator<Item = &'a str>,
        logs_all: bool,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let labels = issuers.chain([metrics::RESOLVED]);
        let issuers = labels.map(|label| (label.into(), rates())).collect();
        let (warnings, logout_tokens) = (Rate::default(), Default::default());
        Self { clock, logs_all, issuers, unknown: rates(), warnings, logout_tokens }
    }

    /// Returns whether another warning about a dropped refusal is within the rate.
    pub(super) fn admits_warning(&self) -> bool {
        self.admits(&self.warnings, "warnings about dropped refusals")
    }

    /// Returns whether another line about a logout token is within the rate: of one that was refused, or of one that could
    /// not be handled. Forged ones must not hide those.
    pub(super) fn admits_logout_token(&self, has_failed: bool) -> bool {
        let [refused, failed] = &self.logout_tokens;
        match has_failed {
            true => self.admits(failed, "logout tokens that could not be handled"),
            false => self.admits(refused, "refused logout tokens"),
        }
    }

    fn admits(&self, rate: &Rate, what: &str) -> bool {
        if self.logs_all {
            return true;
        }
        match rate.admit(self.clock.monotonic().as_secs()) {
            Admission::Logged => true,
            Admission::LoggedAfter { left_out, seconds } => {
                tracing::info!(
                    target: "auth0",
                    "{} more {what} were not logged in the last {seconds} s", Grouped(left_out)
                );
                true
            }
            Admission::LeftOut => false,
        }
    }

    /// Writes the event of a refusal, unless there were too many like it. Metrics count each.
    pub(super) fn write(&self, refused: &Refused<'_>) {
        let Refused { error, label, issuer, .. } = refused;
        let error_code = error.code().as_str();
        if error.code() == ErrorCode::TokenMissing {
            // Anonymous requests are usual, and nearly all of them are correct.
            let [method, path] = refused.request_fields();
            tracing::debug!(
                target: "auth0", error_code, cause = error.cause(), method, path,
                "a request without credentials"
            );
            return;
        }
        if !self.logs_all {
            let rates = self.issuers.get(*label).unwrap_or(&self.unknown);
            match rates
                .get(error.code() as usize)
                .map(|rate| rate.admit(self.clock.monotonic().as_secs()))
            {
                None | Some(Admission::Logged) => {}
                Some(Admission::LoggedAfter { left_out, seconds }) => tracing::info!(
                    target: "auth0", error_code,
                    // Those of all resolved issuers are counted together.
                    issuer = Some(*issuer).filter(|_| *label != metrics::RESOLVED),
                    "{} more refusals with this code were not logged in the last {seconds} s",
                    Grouped(left_out)
                ),
                Some(Admission::LeftOut) => return,
            }
        }
        refused.write();
    }
}

impl fmt::Debug for RefusalLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefusalLog").field("logs_all", &self.logs_all).finish_non_exhaustive()
    }
}

impl Refused<'_> {
    fn write(&self) {
        let Self { message, error, issuer, header, requirement, .. } = self;
        let error_code = error.code().as_str();
        let issuer = Some(*issuer).filter(|issuer| !issuer.is_empty());
        let client_id = self.client_id.map(escaped);
        let requirement = requirement.map(tracing::field::display);
        let [method, path] = self.request_fields();
        if error.kind() == ErrorKind::Misconfigured {
            tracing::error!(
                target: "auth0", error_code, issuer, client_id, requirement,
                cause = error.cause(), method, path, "{message}"
            );
        } else {
            tracing::info!(
                target: "auth0", error_code, issuer, client_id,
                alg = header.map(|header| escaped(header.algorithm_name())),
                kid = header.and_then(|header| header.key_id.as_deref()).map(escaped),
                requirement, cause = error.cause(), hint = self.hint, method, path, "{message}"
            );
        }
    }

    fn request_fields(&self) -> [Option<tracing::field::DisplayValue<RequestText<'_>>>; 2] {
        let (method, path) = self.request.unzip();
        [method, path].map(|text| text.map(|text| tracing::field::display(RequestText(text))))
    }
}

/// Counts the refusals with one code and issuer. No lock: a flood must not make requests wait for each other.
#[derive(Default)]
struct Rate {
    /// The second in which the period started, plus one, in the upper half, and the number of refusals that
    /// were logged in it, in the lower half. Zero before the first refusal.
    period: AtomicU64,
    /// The refusals that were not logged since the period started.
    left_out: AtomicU64,
}

#[derive(Debug, PartialEq)]
enum Admission {
    Logged,
    /// The first of a new period, after some were not logged.
    LoggedAfter {
        left_out: u64,
        seconds: u64,
    },
    LeftOut,
}

impl Rate {
    fn admit(&self, now: u64) -> Admission {
        const LOWER_HALF: u64 = u32::MAX as u64;
        let now = now.saturating_add(1).min(LOWER_HALF);
        let mut current = self.period.load(Ordering::Relaxed);
        loop {
            let (start, logged) = (current >> 32, current & LOWER_HALF);
            let is_new = start == 0 || now.saturating_sub(start) >= PERIOD;
            let next = if is_new { now << 32 | 1 } else { current.saturating_add(1) };
            if !is_new && logged >= LOGGED_PER_PERIOD {
                self.left_out.fetch_add(1, Ordering::Relaxed);
                return Admission::LeftOut;
            }
            let changed = self.period.compare_exchange_weak(
                current,
                next,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
            match changed {
                Ok(_) if is_new => {
                    return match self.left_out.swap(0, Ordering::Relaxed) {
                        0 => Admission::Logged,
                        left_out => {
                            Admission::LoggedAfter { left_out, seconds: now.saturating_sub(start) }
                        }
                    };
                }
                Ok(_) => return Admission::Logged,
                Err(other) => current = other,
            }
        }
    }
}

fn rates() -> Rates {
    std::array::from_fn(|_| Rate::default())
}

/// A number with commas between groups of three digits.
struct Grouped(u64);

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (position, digit) in digits.chars().enumerate() {
            if position > 0 && (digits.len() - position).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_its_position_in_the_list() {
        for (position, code) in ErrorCode::ALL.into_iter().enumerate() {
            assert_eq!(code as usize, position, "{code}");
        }
    }

    #[test]
    fn refusals_beyond_the_rate_are_counted() {
        let rate = Rate::default();
        for _ in 0..LOGGED_PER_PERIOD {
            assert_eq!(rate.admit(0), Admission::Logged);
        }
        for _ in 0..1234 {
            assert_eq!(rate.admit(PERIOD - 1), Admission::LeftOut);
        }
        let after = Admission::LoggedAfter { left_out: 1234, seconds: PERIOD };
        assert_eq!(rate.admit(PERIOD), after);
        assert_eq!(rate.admit(PERIOD), Admission::Logged);
    }

    #[test]
    fn each_refusal_is_logged_or_counted_once_on_several_threads() {
        let rate = Rate::default();
        let logged: u64 = std::thread::scope(|scope| {
            let flood = || (0..1000).filter(|_| rate.admit(0) == Admission::Logged).count() as u64;
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(flood)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(logged, LOGGED_PER_PERIOD);
        assert_eq!(rate.left_out.load(Ordering::Relaxed), 4000 - LOGGED_PER_PERIOD);
    }

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1234, "1,234"), (1_234_567, "1,234,567")] {
            assert_eq!(Grouped(number).to_string(), text);
        }
    }
}
