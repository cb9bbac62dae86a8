//! Errors of sessions and their tokens.
use crate::{page::Notice, reply::Reply};
use auth0_core::support::EscapedMessage;
use std::{fmt, sync::Arc, time::Duration};

/// The time to retry while a store or Auth0 does not answer.
pub(crate) const RETRY: Duration = Duration::from_secs(5);

/// A request of a user cannot be served. [`reply`](Self::reply) is the whole response: an adapter returns it for the
/// handler.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    cause: String,
    reply: Reply,
    source: Option<auth0_client::Error>,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The user has to log in: there is no session, or its tokens cannot be renewed.
    LoginRequired,
    /// The user is signed in, and may not do this.
    Forbidden,
    /// The user has to pass another factor for this token: see [`auth0_client::Error::mfa`] of
    /// [`Error::client_error`].
    MfaRequired,
    /// Auth0 has granted fewer scopes than were asked for.
    MissingScope,
    /// The session does not fit into cookies: use a store.
    TooLarge,
    /// The store of sessions, or that of revocations, does not answer.
    StoreUnavailable,
    /// Auth0 does not answer, or limits requests.
    Unavailable,
    /// A setting of the application or of the tenant is wrong.
    Misconfigured,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, cause: impl Into<String>, reply: Reply) -> Self {
        Self(Arc::new(Inner { kind, cause: cause.into(), reply, source: None }))
    }

    pub(crate) fn of_client(error: auth0_client::Error, kind: ErrorKind, reply: Reply) -> Self {
        Self(Arc::new(Inner { kind, cause: error.to_string(), reply, source: Some(error) }))
    }

    /// Creates and logs the error of an application that is not put together correctly, for adapters.
    #[must_use]
    pub fn misconfigured(cause: &'static str) -> Self {
        tracing::error!(target: "auth0", cause, "a session cannot be used");
        let kind = ErrorKind::Misconfigured;
        let Notice { status, error, code, text, .. } = kind.notice();
        Self::new(kind, cause, Reply::json(status, error, code, text))
    }

    /// Returns what is wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the response: for a browser a redirect to the login or a page, for a script JSON.
    pub fn reply(&self) -> Reply {
        self.0.reply.clone()
    }

    /// Returns the error of the Authentication API, if that is the cause.
    #[must_use]
    pub fn client_error(&self) -> Option<&auth0_client::Error> {
        self.0.source.as_ref()
    }
}

impl ErrorKind {
    /// Returns what the user reads.
    pub(crate) const fn notice(self) -> Notice {
        match self {
            Self::LoginRequired => Notice::new(
                401,
                "login_required",
                "Please log in",
                "You are not logged in, or your login has ended.",
            ),
            Self::Forbidden => Notice::new(
                403,
                "forbidden",
                "Not allowed",
                "Your account is not allowed to open this page.",
            ),
            Self::MfaRequired => Notice::new(
                403,
                "mfa_required",
                "Another factor is needed",
                "This needs a login with another factor.",
            ),
            Self::MissingScope => Notice::new(
                403,
                "insufficient_scope",
                "Not allowed",
                "Your account is not allowed to do this.",
            ),
            Self::TooLarge | Self::Misconfigured => Notice::new(
                500,
                "server_error",
                "Something is wrong here",
                "This application is not configured correctly. Its operator finds the cause in the log.",
            ),
            Self::StoreUnavailable | Self::Unavailable => Notice::new(
                503,
                "temporarily_unavailable",
                "Try again soon",
                "This page is not available at the moment. You are still logged in.",
            )
            .retry_after(RETRY),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        EscapedMessage(&self.0.cause).fmt(f)
    }
}

impl std::error::Error for Error {}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("cause", &format_args!("{self}"))
            .finish_non_exhaustive()
    }
}
