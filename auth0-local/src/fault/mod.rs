//! Faults of the tenant's endpoints.
mod faults;

use crate::error::LocalError;
use std::{fmt, str::FromStr, time::Duration};

#[cfg(feature = "cli")]
pub(crate) use faults::assignment;
pub(crate) use faults::{FaultChanges, Faults};

/// A fault of one of the tenant's endpoints.
///
/// | text | what the client receives |
/// |---|---|
/// | `500`, any status from 400 to 599 | that status |
/// | `429:30` | status 429 with `Retry-After: 30` |
/// | `slow`, `slow:SECONDS` | the usual response, after 10 s or the given seconds (`slow:0.2`) |
/// | `hang` | no response, ever |
/// | `reset` | no response: the connection is reset, and the request has no effect |
/// | `lost` | no response: the request takes effect, and then the connection is reset |
/// | `garbage` | `200 application/json` with a body that is not JSON |
/// | `html` | `200 text/html` |
/// | `huge` | a body that begins as a key set and never ends |
/// | `redirect` | a redirect to another path of the tenant, which serves the document (`{}` for other endpoints) and counts the requests |
/// | `empty` | `{"keys":[]}` for the key set, `{}` for other endpoints |
/// | `none` | the usual response; this clears a fault |
///
/// Each can have a probability: with `500@0.5`, the issuer fails for half of the requests, at
/// random.
///
/// ```
/// use auth0_local::Fault;
///
/// let fault: Fault = "500@0.5".parse()?;
/// assert_eq!(fault, Fault::status(500)?.with_probability(0.5)?);
/// assert_eq!(fault.to_string(), "500@0.5");
/// # Ok::<(), auth0_local::LocalError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    kind: Option<FaultKind>,
    /// From 0 to 1.
    probability: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    Status { code: u16, retry_after: Option<u64> },
    Slow(Duration),
    Hang,
    Reset,
    Lost,
    Garbage,
    Html,
    Huge,
    Redirect,
    Empty,
}

/// Longer than any verifier should wait.
const SLOW: Duration = Duration::from_secs(10);

/// An hour: longer than any test waits. `hang` covers what is longer.
const MAX_SLOW: Duration = Duration::from_secs(3600);

const CHOICES: &str = "Write a status from 400 to 599, 429:SECONDS for one with Retry-After, slow, \
                       slow:SECONDS up to 3600, hang, reset, lost, garbage, html, huge, redirect, empty or \
                       none; append @0.5 for a fault of half of the requests";

impl Fault {
    /// Returns no fault: the request is served.
    #[must_use]
    pub const fn none() -> Self {
        Self { kind: None, probability: 1.0 }
    }

    /// Responds with an error status.
    ///
    /// # Errors
    /// The status is not from 400 to 599.
    pub fn status(code: u16) -> Result<Self, LocalError> {
        if !(400..=599).contains(&code) {
            return Err(refused(format!("{code} is not the status of an error")));
        }
        Ok(Self::always(FaultKind::Status { code, retry_after: None }))
    }

    /// Responds with status 429 and a `Retry-After` in whole seconds.
    #[must_use]
    pub const fn rate_limited(retry_after: Duration) -> Self {
        Self::always(FaultKind::Status { code: 429, retry_after: Some(retry_after.as_secs()) })
    }

    /// Responds after this delay, which is limited to one hour.
    #[must_use]
    pub fn slow(delay: Duration) -> Self {
        Self::always(FaultKind::Slow(delay.min(MAX_SLOW)))
    }

    /// Never responds.
    #[must_use]
    pub const fn hang() -> Self {
        Self::always(FaultKind::Hang)
    }

    /// Resets the connection. The request has no effect.
    #[must_use]
    pub const fn reset() -> Self {
        Self::always(FaultKind::Reset)
    }

    /// Lets the request take effect, and resets the connection instead of responding: a refresh token
    /// is rotated, and the client does not receive the new one.
    #[must_use]
    pub const fn lost() -> Self {
        Self::always(FaultKind::Lost)
    }

    /// Responds with a body that is not JSON, although its content type says so.
    #[must_use]
    pub const fn garbage() -> Self {
        Self::always(FaultKind::Garbage)
    }

    /// Responds with a web page.
    #[must_use]
    pub const fn html() -> Self {
        Self::always(FaultKind::Html)
    }

    /// Responds with a body that never ends.
    #[must_use]
    pub const fn huge() -> Self {
        Self::always(FaultKind::Huge)
    }

    /// Redirects to another path of the tenant.
    #[must_use]
    pub const fn redirect() -> Self {
        Self::always(FaultKind::Redirect)
    }

    /// Responds with an empty document.
    #[must_use]
    pub const fn empty() -> Self {
        Self::always(FaultKind::Empty)
    }

    /// Limits the fault to this share of the requests, at random.
    ///
    /// # Errors
    /// The probability is not from 0 to 1, or this is [`Fault::none`].
    pub fn with_probability(self, probability: f64) -> Result<Self, LocalError> {
        if self.kind.is_none() {
            return Err(refused("none has no probability"));
        }
        if !(0.0..=1.0).contains(&probability) {
            return Err(refused(format!("{probability} is not a probability from 0 to 1")));
        }
        Ok(Self { probability: probability.abs(), ..self }) // removes the sign of -0.0
    }

    const fn always(kind: FaultKind) -> Self {
        Self { kind: Some(kind), probability: 1.0 }
    }

    /// Returns the fault of one request. `chance` is a random number from 0 to just below 1.
    pub(crate) fn sample(self, chance: f64) -> Option<FaultKind> {
        self.kind.filter(|_| chance < self.probability)
    }
}

impl Default for Fault {
    fn default() -> Self {
        Self::none()
    }
}

impl FromStr for Fault {
    type Err = LocalError;

    fn from_str(text: &str) -> Result<Self, LocalError> {
        let (kind, probability) = match text.split_once('@') {
            Some((kind, probability)) => (kind, Some(probability)),
            None => (text, None),
        };
        let fault = parse_kind(kind)?;
        let Some(probability) = probability else { return Ok(fault) };
        let number = decimal(probability)
            .ok_or_else(|| refused(format!("{probability:?} is not a probability from 0 to 1")))?;
        fault.with_probability(number)
    }
}

fn parse_kind(text: &str) -> Result<Fault, LocalError> {
    let (name, detail) = match text.split_once(':') {
        Some((name, detail)) => (name, Some(detail)),
        None => (text, None),
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
        ("html", None) => Fault::html(),
        ("huge", None) => Fault::huge(),
        ("redirect", None) => Fault::redirect(),
        ("empty", None) => Fault::empty(),
        ("429", Some(seconds)) => integer(seconds)
            .map(|seconds| Fault::rate_limited(Duration::from_secs(seconds)))
            .ok_or_else(|| refused(format!("{seconds:?} is not a Retry-After in seconds")))?,
        (status, None) if status.len() == 3 => {
            let code = integer(status).and_then(|code| u16::try_from(code).ok());
            Fault::status(code.ok_or_else(|| unknown(text))?)?
        }
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
            Some(FaultKind::Slow(delay)) => write!(f, "slow:{}", delay.as_secs_f64()),
            Some(FaultKind::Hang) => f.write_str("hang"),
            Some(FaultKind::Reset) => f.write_str("reset"),
            Some(FaultKind::Lost) => f.write_str("lost"),
            Some(FaultKind::Garbage) => f.write_str("garbage"),
            Some(FaultKind::Html) => f.write_str("html"),
            Some(FaultKind::Huge) => f.write_str("huge"),
            Some(FaultKind::Redirect) => f.write_str("redirect"),
            Some(FaultKind::Empty) => f.write_str("empty"),
        }?;
        if self.probability < 1.0 { write!(f, "@{}", self.probability) } else { Ok(()) }
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

fn refused(what: impl fmt::Display) -> LocalError {
    LocalError::new(format!("{what}. {CHOICES}"))
}
