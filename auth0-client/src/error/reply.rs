//! The response to the caller of an API that could not call another.
use super::{Error, ErrorKind, whole_seconds};
use crate::limits::retry_after;
use std::{
    borrow::Cow,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How long a client waits after a failure that does not say so itself.
const DEFAULT_RETRY: Duration = Duration::from_secs(5);

/// A response for any HTTP library: copy the status, every header and the body. The body is JSON, as that of all
/// refusals, and contains no text of another server.
///
/// ```
/// use auth0_client::Error;
///
/// let reply = Error::of_downstream(429, Some("30")).reply();
/// assert_eq!(reply.status(), 503);
/// assert!(reply.headers().any(|header| header == ("retry-after", "30")));
/// assert!(reply.body().starts_with(br#"{"error":"temporarily_unavailable""#));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    status: u16,
    headers: Vec<(&'static str, Cow<'static, str>)>,
    body: Vec<u8>,
}

impl Reply {
    /// Returns the HTTP status code: 401, 403, 502 or 503.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Returns every header line: a lower-case name, and a value of printable ASCII. `www-authenticate` may occur twice.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, &**value))
    }

    /// Returns the body, in JSON.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the body, without a copy.
    #[must_use]
    pub fn into_body(self) -> Vec<u8> {
        self.body
    }
}

/// The parts of a response: status, `error`, `error_code`, `error_description`.
struct Row(u16, &'static str, &'static str, &'static str);

impl ErrorKind {
    const fn row(self) -> Row {
        match self {
            Self::InvalidGrant => Row(
                401,
                "invalid_token",
                "subject_token_invalid",
                "The access token is not accepted any more. Request a new one.",
            ),
            Self::Denied => Row(
                403,
                "access_denied",
                "delegation_denied",
                "This API may not call another API for this caller.",
            ),
            Self::AccountNotConnected => Row(
                403,
                "access_denied",
                "account_not_connected",
                "The user has not connected this account. Connect it, and try again.",
            ),
            Self::MfaRequired => {
                Row(403, "access_denied", "mfa_required", "The user has to pass another factor.")
            }
            Self::Expired => Row(
                403,
                "access_denied",
                "request_expired",
                "The user did not answer in time. Start again.",
            ),
            Self::InvalidClient | Self::Misconfigured => Row(
                502,
                "server_error",
                "client_misconfigured",
                "This API cannot call another API. Its operator has to correct that.",
            ),
            Self::Malformed => Row(
                502,
                "server_error",
                "upstream_invalid",
                "The answer of another server cannot be used.",
            ),
            Self::Throttled => Row(
                503,
                "temporarily_unavailable",
                "upstream_throttled",
                "A limit of another server is reached. Try again after the time in Retry-After.",
            ),
            Self::Unavailable | Self::DeadlineExceeded => Row(
                503,
                "temporarily_unavailable",
                "upstream_unavailable",
                "Another server is not available. Try again after the time in Retry-After.",
            ),
            Self::Pending | Self::SlowDown => Row(
                503,
                "temporarily_unavailable",
                "authorization_pending",
                "The user has not answered yet. Try again after the time in Retry-After.",
            ),
        }
    }
}

impl Error {
    /// Creates the error of another API that answers your request with this status, which is not a success, and this
    /// `Retry-After`. [`TokenSource::refused`](crate::TokenSource::refused) also knows whose token it
    /// was: a caller's or this service's own.
    ///
    /// 401 and 403 are [`Misconfigured`](ErrorKind::Misconfigured) here; 429 is
    /// [`Throttled`](ErrorKind::Throttled), 408, 504 and all from 500 on are
    /// [`Unavailable`](ErrorKind::Unavailable), and any other status is [`Malformed`](ErrorKind::Malformed).
    #[must_use]
    pub fn of_downstream(status: u16, retry_after: Option<&str>) -> Self {
        let kind = match status {
            401 | 403 => ErrorKind::Misconfigured,
            429 => ErrorKind::Throttled,
            408 | 500.. => ErrorKind::Unavailable,
            _ => ErrorKind::Malformed,
        };
        Self::downstream(kind, status, retry_after)
    }

    pub(crate) fn downstream(kind: ErrorKind, status: u16, header: Option<&str>) -> Self {
        let mut inner = super::Inner::new(kind, Some("It is the answer of another API".into()));
        inner.status = Some(status);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        inner.retry_after = header.and_then(|text| retry_after(text, now));
        Self::from_inner(inner)
    }

    /// Returns the response to the caller of your API, as [`ErrorKind`] lists it: 401 with a challenge, 403, 502, or
    /// 503 with `Retry-After`.
    #[must_use]
    pub fn reply(&self) -> Reply {
        let kind = match self.is_of_operator() {
            // Whatever the code says: no caller can correct it.
            true => ErrorKind::Misconfigured,
            false => self.kind(),
        };
        let Row(status, error, code, description) = kind.row();
        let mut headers = Vec::with_capacity(5);
        if status == 401 {
            for line in self.0.challenge.lines(error, description) {
                headers.push(("www-authenticate", Cow::Owned(line)));
            }
        }
        headers.push(("content-type", Cow::Borrowed("application/json")));
        headers.push(("cache-control", Cow::Borrowed("no-store")));
        if status == 503 {
            let wait = self.retry_after().unwrap_or(DEFAULT_RETRY);
            headers.push(("retry-after", Cow::Owned(whole_seconds(wait).to_string())));
        }
        // None of these texts has a character that JSON escapes.
        let body = format!(
            r#"{{"error":"{error}","error_description":"{description}","error_code":"{code}"}}"#
        );
        Reply { status, headers, body: body.into_bytes() }
    }
}
