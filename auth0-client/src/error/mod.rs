//! The error of every request: one type for each documented shape of Auth0's answers.
mod answer;
mod kind;
mod mfa;
mod reply;

pub(crate) use answer::Purpose;
pub use kind::ErrorKind;
pub use mfa::MfaRequirement;
pub use reply::Reply;

use crate::limits::Limits;
use auth0_core::support::{CallerChallenge, Escaped, EscapedMessage};
use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The reason why there is no token, or no answer of another API.
///
/// `Display` and `Debug` contain no token and no secret. Text of a server in them is escaped: they are for the log,
/// not for a web page. [`reply`](Self::reply) is the response to the caller of your API; the adapters send it.
///
/// Clones are cheap: all callers that waited for one request share its error.
///
/// ```
/// use auth0_client::{Client, ErrorKind};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let client = Client::builder()
///     .issuer("http://127.0.0.1:9/") // nothing listens here
///     .client_id("reporting")
///     .client_secret("secret")
///     .build()?;
/// let error = client.machine("https://orders.acme.com").build()?.token().await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::Unavailable);
/// assert_eq!(error.reply().status(), 503);
/// # Ok::<(), auth0_core::ConfigError>(())
/// # }).unwrap()
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    status: Option<u16>,
    code: Option<Box<str>>,
    description: Option<Box<str>>,
    /// What happened, if the server says nothing, and what to do. It contains no text of a server.
    cause: Option<Box<str>>,
    request_id: Option<Box<str>>,
    mfa: Option<MfaRequirement>,
    interval: Option<Duration>,
    retry_after: Option<Duration>,
    /// The end of `retry_after`, since 1970.
    until: Option<Duration>,
    limits: Limits,
    challenge: CallerChallenge,
    /// Whether the client itself is refused, which no caller can cause.
    is_of_whole_client: bool,
    /// Whether it is a refusal that no user can correct.
    is_of_operator: bool,
}

/// A shorter text, such as a word, is no secret by itself, and would tear others apart.
const SHORTEST_SECRET: usize = 4;

impl Error {
    /// Creates an error that no server has sent. The cause must contain no text of a server.
    pub(crate) fn new(kind: ErrorKind, cause: impl Into<String>) -> Self {
        Self::from_inner(Inner::new(kind, Some(cause.into().into())))
    }

    fn from_inner(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Adds how long to wait, from this time since 1970.
    pub(crate) fn retry_in(mut self, wait: Duration, unix_time: Duration) -> Self {
        let inner = Arc::make_mut(&mut self.0);
        inner.retry_after = Some(wait);
        inner.until = Some(unix_time.saturating_add(wait));
        self
    }

    /// Removes secrets of the request that the server repeats.
    pub(crate) fn without<'a>(mut self, secrets: impl Iterator<Item = &'a str>) -> Self {
        let inner = Arc::make_mut(&mut self.0);
        for secret in secrets.filter(|secret| secret.len() >= SHORTEST_SECRET) {
            for text in [&mut inner.code, &mut inner.description].into_iter().flatten() {
                if text.contains(secret) {
                    *text = text.replace(secret, "…").into();
                }
            }
        }
        self
    }

    /// Adds the status of the answer that cannot be read.
    pub(crate) fn with_status(mut self, status: u16) -> Self {
        Arc::make_mut(&mut self.0).status = Some(status);
        self
    }

    /// Adds the scopes that the request had, if the user has to pass another factor for them.
    pub(crate) fn with_scope(mut self, scope: &str) -> Self {
        if self.0.mfa.is_some() {
            let inner = Arc::make_mut(&mut self.0);
            inner.mfa.iter_mut().for_each(|mfa| mfa.set_scope(scope));
        }
        self
    }

    /// Adds the challenge of the caller whose request fails.
    pub(crate) fn with_challenge(mut self, challenge: CallerChallenge) -> Self {
        Arc::make_mut(&mut self.0).challenge = challenge;
        self
    }

    /// Returns the category.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the HTTP status of the answer. `None` if there was none.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// Returns the error code of the answer (RFC 6749 §5.2), for example `invalid_grant`. It is text of a server.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.0.code.as_deref()
    }

    /// Returns the description in the answer. It is text of a server: escape it, and do not show it to users.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// Returns how long to wait before another request, as of the time of the error.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the time before which another request is refused.
    #[must_use]
    pub fn until(&self) -> Option<SystemTime> {
        self.0.until.and_then(|until| UNIX_EPOCH.checked_add(until))
    }

    /// Returns the id of the request, for the support of Auth0 and the logs of the tenant.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.0.request_id.as_deref()
    }

    /// Returns the token and the factors of an MFA requirement, if this is one
    /// ([`MfaRequired`](ErrorKind::MfaRequired)).
    #[must_use]
    pub fn mfa(&self) -> Option<&MfaRequirement> {
        self.0.mfa.as_ref()
    }

    /// Returns the limits in the headers of the answer.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Returns the interval between polls that the server asks for.
    pub(crate) fn interval(&self) -> Option<Duration> {
        self.0.interval
    }

    /// Returns whether all requests of the client are refused in the same way.
    pub(crate) fn is_of_whole_client(&self) -> bool {
        self.0.is_of_whole_client
    }

    /// Returns whether only the operator can correct it.
    pub(crate) fn is_of_operator(&self) -> bool {
        self.0.is_of_operator
            || matches!(self.0.kind, ErrorKind::InvalidClient | ErrorKind::Misconfigured)
    }

    /// Returns the same error as a refusal of the user.
    pub(crate) fn into_denied(mut self) -> Self {
        Arc::make_mut(&mut self.0).kind = ErrorKind::Denied;
        self
    }

    /// Returns whether an older token is still better than this error.
    pub(crate) fn is_temporary(&self) -> bool {
        use ErrorKind::{DeadlineExceeded, Throttled, Unavailable};
        matches!(self.0.kind, DeadlineExceeded | Throttled | Unavailable)
    }
}

impl Inner {
    fn new(kind: ErrorKind, cause: Option<Box<str>>) -> Self {
        Self {
            kind,
            status: None,
            code: None,
            description: None,
            cause,
            request_id: None,
            mfa: None,
            interval: None,
            retry_after: None,
            until: None,
            limits: Limits::default(),
            challenge: CallerChallenge::default(),
            is_of_whole_client: false,
            is_of_operator: false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { status, code, description, cause, retry_after, request_id, .. } = &*self.0;
        f.write_str(self.0.kind.sentence())?;
        if let Some(status) = status {
            write!(f, ": the answer has status {status}")?;
            if let Some(code) = code {
                write!(f, ", code {}", Escaped(code))?;
            }
            if let Some(description) = description {
                write!(f, ", description \"{}\"", EscapedMessage(description))?;
            }
            if let Some(id) = request_id {
                write!(f, ", request {}", Escaped(id))?;
            }
        }
        if let Some(cause) = cause {
            write!(f, "{} {cause}", if status.is_some() { "." } else { ":" })?;
        }
        match retry_after {
            Some(wait) => write!(f, ". Retry in {} s", whole_seconds(*wait)),
            None => Ok(()),
        }
    }
}

/// Rounds up to whole seconds, of which there is at least one: an early retry is refused again.
fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}: {self})", self.0.kind)
    }
}

impl std::error::Error for Error {}
