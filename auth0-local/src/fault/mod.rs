//! Faults of the tenant's endpoints.
mod faults;
mod kind;
mod text;

use crate::error::LocalError;
use std::time::Duration;

#[cfg(feature = "cli")]
pub(crate) use faults::assignment;
pub(crate) use faults::{FaultChanges, Faults};
pub(crate) use kind::FaultKind;
pub use kind::Throttle;
use text::refused;

/// A fault of one of the tenant's endpoints.
///
/// | text | what the client receives |
/// |---|---|
/// | `500`, any status from 400 to 599 | that status |
/// | `429:30` | status 429 with `Retry-After: 30` |
/// | `throttled:30` | status 429 as Auth0's limit of the tenant answers, with `x-ratelimit-reset` in 30 s |
/// | `policy:30` | status 429 as a custom rate limit policy answers, with `Retry-After: 30` and `Auth0-RateLimit` |
/// | `quota:30`, `organization-quota:30` | status 429 as a quota answers, with `Auth0-Client-Quota-Limit` or `Auth0-Organization-Quota-Limit` |
/// | `slow`, `slow:SECONDS` | the usual response, after 10 s or the given seconds (`slow:0.2`) |
/// | `hang` | no response, ever |
/// | `reset` | no response: the connection is reset, and the request has no effect |
/// | `lost` | no response: the request takes effect, and then the connection is reset |
/// | `garbage` | `200 application/json` with a body that is not JSON |
/// | `wrong` | `200` with JSON whose members have wrong types |
/// | `html`, `html:502` | `text/html` with status 200 or this one |
/// | `huge` | a body that begins as a key set and never ends |
/// | `redirect` | a redirect to another path of the tenant, which serves the document (`{}` for other endpoints) and counts the requests |
/// | `empty` | `{"keys":[]}` for the key set, `{}` for other endpoints |
/// | `empty:500` | this status without a body |
/// | `none` | the usual response; this clears a fault |
///
/// Each can have a probability: with `500@0.5`, the issuer fails for half of the requests, at
/// random. Each can have a number of requests, after which it ends: `500x3`, or `500@0.5x3`.
///
/// ```
/// use auth0_local::Fault;
///
/// let fault: Fault = "500@0.5".parse()?;
/// assert_eq!(fault, Fault::status(500)?.with_probability(0.5)?);
/// assert_eq!(fault.to_string(), "500@0.5");
/// assert_eq!(Fault::html().times(2)?, "htmlx2".parse()?);
/// # Ok::<(), auth0_local::LocalError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fault {
    kind: Option<FaultKind>,
    /// From 0 to 1.
    probability: f64,
    /// The number of requests that it meets. `None`: all.
    times: Option<u32>,
}

/// An hour: longer than any test waits. `hang` covers what is longer.
const MAX_SLOW: Duration = Duration::from_secs(3600);

impl Fault {
    /// Returns no fault: the request is served.
    #[must_use]
    pub const fn none() -> Self {
        Self { kind: None, probability: 1.0, times: None }
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
        Self::always(FaultKind::Html { code: 200 })
    }

    /// Responds with a web page and this status, as an edge in front of Auth0 does.
    ///
    /// # Errors
    /// The status is not from 400 to 599.
    pub fn html_with_status(code: u16) -> Result<Self, LocalError> {
        Self::status(code).map(|_| Self::always(FaultKind::Html { code }))
    }

    /// Responds with this status and no body.
    ///
    /// # Errors
    /// The status is not from 400 to 599.
    pub fn empty_with_status(code: u16) -> Result<Self, LocalError> {
        Self::status(code).map(|_| Self::always(FaultKind::Blank { code }))
    }

    /// Responds with JSON whose members have wrong types.
    #[must_use]
    pub const fn wrong() -> Self {
        Self::always(FaultKind::Wrong)
    }

    /// Responds with status 429 as Auth0 does at this limit, which ends after this time, in whole seconds.
    #[must_use]
    pub const fn throttled(limit: Throttle, ends_in: Duration) -> Self {
        Self::always(FaultKind::Throttled { limit, seconds: ends_in.as_secs() })
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

    /// Limits the fault to the next requests. After that many, the endpoint has none.
    ///
    /// # Errors
    /// The number is 0, or this is [`Fault::none`].
    pub fn times(self, requests: u32) -> Result<Self, LocalError> {
        if self.kind.is_none() || requests == 0 {
            return Err(refused(
                "a fault has a number of requests from 1 on, and none has no number",
            ));
        }
        Ok(Self { times: Some(requests), ..self })
    }

    const fn always(kind: FaultKind) -> Self {
        Self { kind: Some(kind), probability: 1.0, times: None }
    }

    /// Returns the fault of one request, and counts it. `chance` is a random number from 0 to just below 1.
    fn meet(&mut self, chance: f64) -> Option<FaultKind> {
        let kind = self.kind.filter(|_| chance < self.probability)?;
        self.times = self.times.map(|times| times.saturating_sub(1));
        if self.times == Some(0) {
            *self = Self::none();
        }
        Some(kind)
    }
}

impl Default for Fault {
    fn default() -> Self {
        Self::none()
    }
}
