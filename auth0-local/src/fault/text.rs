//! Faults as text.
use super::{Fault, FaultKind, MAX_SLOW, Throttle};
use crate::error::LocalError;
use std::{fmt, str::FromStr, time::Duration};

/// Longer than any verifier should wait.
const SLOW: Duration = Duration::from_secs(10);

/// When a limit ends, if the text does not say so.
const LIMITED_SECONDS: u64 = 30;

const CHOICES: &str = "Write a status from 400 to 599, 429:SECONDS for one with Retry-After, throttled:SECONDS, \
                       policy:SECONDS, quota:SECONDS, organization-quota:SECONDS, slow, slow:SECONDS up to 3600, \
                       hang, reset, lost, garbage, wrong, html, html:STATUS, huge, redirect, empty, empty:STATUS \
                       or none; append @0.5 for a fault of half of the requests, and x3 for one of three requests";

impl FromStr for Fault {
    type Err = LocalError;

    fn from_str(text: &str) -> Result<Self, LocalError> {
        let (rest, times) = match text.rsplit_once('x') {
            Some((rest, times)) if times.bytes().all(|byte| byte.is_ascii_digit()) => {
                (rest, Some(times))
            }
            _ => (text, None),
        };
        let (kind, probability) = match rest.split_once('@') {
            Some((kind, probability)) => (kind, Some(probability)),
            None => (rest, None),
        };
        let mut fault = parse_kind(kind)?;
        if let Some(probability) = probability {
            let number = decimal(probability).ok_or_else(|| {
                refused(format!("{probability:?} is not a probability from 0 to 1"))
            })?;
            fault = fault.with_probability(number)?;
        }
        let Some(times) = times else { return Ok(fault) };
        let number = times.parse();
        fault.times(number.map_err(|_| refused(format!("{times:?} is not a number of requests")))?)
    }
}

fn parse_kind(text: &str) -> Result<Fault, LocalError> {
    let (name, detail) = match text.split_once(':') {
        Some((name, detail)) => (name, Some(detail)),
        None => (text, None),
    };
    if let Some(limit) = Throttle::ALL.into_iter().find(|limit| limit.name() == name) {
        let seconds = detail.map_or(Some(LIMITED_SECONDS), integer);
        let seconds =
            seconds.ok_or_else(|| refused(format!("{text:?} has no number of seconds")))?;
        return Ok(Fault::throttled(limit, Duration::from_secs(seconds)));
    }
    let status = |detail: &str| {
        let code = (detail.len() == 3).then(|| integer(detail)).flatten();
        code.and_then(|code| u16::try_from(code).ok()).ok_or_else(|| unknown(text))
    };
    Ok(match (name, detail) {
        ("none", None) => Fault::none(),
        ("slow", None) => Fault::slow(SLOW),
        ("slow", Some(seconds)) => decimal(seconds)
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .filter(|delay| *delay <= MAX_SLOW)
            .map(Fault::slow)
            .ok_or_else(|| refused(format!("{seconds:?} is not a delay up to 3600 seconds")))?,
        ("hang", None) => Fault::hang(),
        ("reset", None) => Fault::reset(),
        ("lost", None) => Fault::lost(),
        ("garbage", None) => Fault::garbage(),
        ("wrong", None) => Fault::wrong(),
        ("html", None) => Fault::html(),
        ("html", Some(code)) => Fault::html_with_status(status(code)?)?,
        ("huge", None) => Fault::huge(),
        ("redirect", None) => Fault::redirect(),
        ("empty", None) => Fault::empty(),
        ("empty", Some(code)) => Fault::empty_with_status(status(code)?)?,
        ("429", Some(seconds)) => integer(seconds)
            .map(|seconds| Fault::rate_limited(Duration::from_secs(seconds)))
            .ok_or_else(|| refused(format!("{seconds:?} is not a Retry-After in seconds")))?,
        (code, None) if code.len() == 3 => Fault::status(status(code)?)?,
        _ => return Err(unknown(text)),
    })
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            None => f.write_str("none"),
            Some(FaultKind::Status { code, retry_after: None }) => write!(f, "{code}"),
            Some(FaultKind::Status { code, retry_after: Some(seconds) }) => {
                write!(f, "{code}:{seconds}")
            }
            Some(FaultKind::Throttled { limit, seconds }) => {
                write!(f, "{}:{seconds}", limit.name())
            }
            Some(FaultKind::Slow(delay)) => write!(f, "slow:{}", delay.as_secs_f64()),
            Some(FaultKind::Hang) => f.write_str("hang"),
            Some(FaultKind::Reset) => f.write_str("reset"),
            Some(FaultKind::Lost) => f.write_str("lost"),
            Some(FaultKind::Garbage) => f.write_str("garbage"),
            Some(FaultKind::Wrong) => f.write_str("wrong"),
            Some(FaultKind::Html { code: 200 }) => f.write_str("html"),
            Some(FaultKind::Html { code }) => write!(f, "html:{code}"),
            Some(FaultKind::Huge) => f.write_str("huge"),
            Some(FaultKind::Redirect) => f.write_str("redirect"),
            Some(FaultKind::Empty) => f.write_str("empty"),
            Some(FaultKind::Blank { code }) => write!(f, "empty:{code}"),
        }?;
        if self.probability < 1.0 {
            write!(f, "@{}", self.probability)?;
        }
        self.times.map_or(Ok(()), |times| write!(f, "x{times}"))
    }
}

/// Parses digits with at most one point: no signs, exponents or names such as `NaN`, which a float
/// may have.
fn decimal(text: &str) -> Option<f64> {
    text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.').then(|| text.parse().ok())?
}

fn integer(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn unknown(text: &str) -> LocalError {
    refused(format!("{text:?} is not a fault"))
}

pub(super) fn refused(what: impl fmt::Display) -> LocalError {
    LocalError::new(format!("{what}. {CHOICES}"))
}
