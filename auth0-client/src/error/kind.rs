//! The categories of errors.

/// The category of an [`Error`](crate::Error): what went wrong, and which party can correct it.
///
/// | kind | cause | response to the caller |
/// |---|---|---|
/// | `InvalidGrant` | the caller's token, a code or a refresh token is not valid any more | 401 |
/// | `Denied` | Auth0 or the API does not allow it: no permission, or too long a delegation chain | 403, or 502 for a token of this service itself |
/// | `AccountNotConnected` | the user has not connected such an account in Token Vault | 403 |
/// | `MfaRequired` | the user has to pass another factor | 403 |
/// | `Expired` | the user did not answer in time | 403 |
/// | `InvalidClient` | Auth0 does not accept the client: its secret, its key, or what it may do | 502 |
/// | `Misconfigured` | a setting of this client, or of the tenant, is wrong | 502 |
/// | `Malformed` | the answer cannot be read | 502 |
/// | `Throttled` | a limit is reached: see [`Error::retry_after`](crate::Error::retry_after) | 503 |
/// | `Unavailable` | Auth0 or the API cannot be reached, or fails | 503 |
/// | `DeadlineExceeded` | there was no answer before the deadline of the call | 503 |
/// | `Pending`, `SlowDown` | the user has not answered yet | 503 |
///
/// [`Error::reply`](crate::Error::reply) has the whole response.
///
/// ```
/// use auth0_client::{Error, ErrorKind};
///
/// fn is_worth_a_retry(error: &Error) -> bool {
///     matches!(error.kind(), ErrorKind::Throttled | ErrorKind::Unavailable)
/// }
/// # let error = Error::of_downstream(503, Some("7"));
/// assert!(is_worth_a_retry(&error));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The subject token, the code or the refresh token is expired, used or revoked.
    InvalidGrant,
    /// The request is valid, and not allowed.
    Denied,
    /// The user has no account for this connection and login hint.
    AccountNotConnected,
    /// The user has to pass another factor: see [`Error::mfa`](crate::Error::mfa).
    MfaRequired,
    /// The user did not answer in time.
    Expired,
    /// The client is not accepted, or is not allowed to use this grant.
    InvalidClient,
    /// A setting of the client or of the tenant is wrong.
    Misconfigured,
    /// The answer is not one of Auth0.
    Malformed,
    /// A rate limit or quota is reached.
    Throttled,
    /// There is no answer, or a failure of the server.
    Unavailable,
    /// The deadline of the call is over.
    DeadlineExceeded,
    /// The user has not answered yet.
    Pending,
    /// The user has not answered yet, and the polls are too fast.
    SlowDown,
}

impl ErrorKind {
    /// Returns what happened, for the log.
    pub(crate) const fn sentence(self) -> &'static str {
        match self {
            Self::InvalidGrant => "the token or code is not valid any more",
            Self::Denied => "access is denied",
            Self::AccountNotConnected => "the user has not connected such an account",
            Self::MfaRequired => "the user has to pass another factor",
            Self::Expired => "the user did not answer in time",
            Self::InvalidClient => "the client is not accepted",
            Self::Misconfigured => "the configuration is wrong",
            Self::Malformed => "the answer cannot be read",
            Self::Throttled => "a limit is reached",
            Self::Unavailable => "the server is unavailable",
            Self::DeadlineExceeded => "the deadline of the call is over",
            Self::Pending => "the user has not answered yet",
            Self::SlowDown => "the user has not answered yet, and the polls are too fast",
        }
    }
}
