use crate::error::LocalError;
use std::{fmt, str::FromStr, time::Duration};

/// What goes wrong with a document of the tenant.
///
/// | written | the client gets |
/// |---|---|
/// | `500`, any status from 400 to 599 | that status |
/// | `429:30` | status 429 with `Retry-After: 30` |
/// | `slow`, `slow:SECONDS` | the document, after 10 s or as many as are written; `slow:0.2` for less than one |
/// | `hang` | no answer, ever |
/// | `reset` | no answer: the connection is reset |
/// | `garbage` | `200 application/json` with what is not JSON |
/// | `html` | `200 text/html` |
/// | `huge` | JSON to all appearances, which never ends |
/// | `redirect` | a redirect to another place on the tenant, which has the document and counts who comes |
/// | `empty` | `{"keys":[]}` for the key set, `{}` for the metadata |
/// | `none` | the document: this clears a fault |
///
/// Each can have a probability, so that an issuer fails half of the time: `500@0.5`.
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
    kind: Option<Kind>,
    /// From 0 to 1.
    probability: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Status { code: u16, retry_after: Option<u64> },
    Slow(Duration),
    Hang,
    Reset,
    Garbage,
    Html,
    Huge,
    Redirect,
    Empty,
}

/// Longer than any verifier should wait.
const SLOW: Duration = Duration::from_secs(10);

/// Whoever means longer means `hang`.
const MAX_SLOW: Duration = Duration::from_secs(3600);

const CHOICES: &str = "Write a status from 400 to 599, 429:SECONDS for one with Retry-After, slow, \
                       slow:SECONDS up to 3600, hang, reset, garbage, html, huge, redirect, empty or \
                       none; then @0.5 if it is to happen half of the time";

impl Fault {
    /// Nothing goes wrong.
    #[must_use]
    pub const fn none() -> Self {
        Self { kind: None, probability: 1.0 }
    }

    /// A status of an error.
    ///
    /// # Errors
    /// It is not from 400 to 599.
    pub fn status(code: u16) -> Result<Self, LocalError> {
        if !(400..=599).contains(&code) {
            return Err(refused(format!("{code} is not the status of an error")));
        }
        Ok(Self::always(Kind::Status { code, retry_after: None }))
    }

    /// Status 429 with a `Retry-After`, which counts whole seconds.
    #[must_use]
    pub const fn rate_limited(retry_after: Duration) -> Self {
        Self::always(Kind::Status { code: 429, retry_after: Some(retry_after.as_secs()) })
    }

    /// The document comes after this time, or after an hour if it is longer.
    #[must_use]
    pub fn slow(delay: Duration) -> Self {
        Self::always(Kind::Slow(delay.min(MAX_SLOW)))
    }

    /// No answer comes, ever.
    #[must_use]
    pub const fn hang() -> Self {
        Self::always(Kind::Hang)
    }

    /// The connection is reset.
    #[must_use]
    pub const fn reset() -> Self {
        Self::always(Kind::Reset)
    }

    /// The body is not JSON, though its content type says so.
    #[must_use]
    pub const fn garbage() -> Self {
        Self::always(Kind::Garbage)
    }

    /// The answer is a web page.
    #[must_use]
    pub const fn html() -> Self {
        Self::always(Kind::Html)
    }

    /// The body never ends.
    #[must_use]
    pub const fn huge() -> Self {
        Self::always(Kind::Huge)
    }

    /// The document is said to be elsewhere.
    #[must_use]
    pub const fn redirect() -> Self {
        Self::always(Kind::Redirect)
    }

    /// The document has nothing in it.
    #[must_use]
    pub const fn empty() -> Self {
        Self::always(Kind::Empty)
    }

    /// It happens to this share of the requests, by chance.
    ///
    /// # Errors
    /// It is not from 0 to 1, or there is no fault that could happen.
    pub fn with_probability(self, probability: f64) -> Result<Self, LocalError> {
        if self.kind.is_none() {
            return Err(refused("none has no probability"));
        }
        if !(0.0..=1.0).contains(&probability) {
            return Err(refused(format!("{probability} is not a probability from 0 to 1")));
        }
        Ok(Self { probability: probability.abs(), ..self }) // there is a zero with a sign
    }

    const fn always(kind: Kind) -> Self {
        Self { kind: Some(kind), probability: 1.0 }
    }

    /// What goes wrong this time. `chance` is from 0 to just below 1.
    pub(crate) fn strikes(self, chance: f64) -> Option<Kind> {
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
            Some(Kind::Status { code, retry_after: None }) => write!(f, "{code}"),
            Some(Kind::Status { code, retry_after: Some(seconds) }) => {
                write!(f, "{code}:{seconds}")
            }
            Some(Kind::Slow(delay)) => write!(f, "slow:{}", delay.as_secs_f64()),
            Some(Kind::Hang) => f.write_str("hang"),
            Some(Kind::Reset) => f.write_str("reset"),
            Some(Kind::Garbage) => f.write_str("garbage"),
            Some(Kind::Html) => f.write_str("html"),
            Some(Kind::Huge) => f.write_str("huge"),
            Some(Kind::Redirect) => f.write_str("redirect"),
            Some(Kind::Empty) => f.write_str("empty"),
        }?;
        if self.probability < 1.0 { write!(f, "@{}", self.probability) } else { Ok(()) }
    }
}

/// Digits, and a point at the most: none of the signs, exponents and names that a float can have.
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
