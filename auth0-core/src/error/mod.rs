//! The error of a refused request: one opaque type, a small kind, a stable code, and the response.
mod body;
mod cause;
mod challenge;
mod code;
mod grpc;
mod scheme;

pub use body::RefusalBody;
pub(crate) use challenge::ChallengeOptions;
pub use challenge::{CallerChallenge, Challenge};
pub use code::{ErrorCode, ErrorKind};
pub use grpc::GrpcStatus;
pub(crate) use scheme::AuthScheme;
pub use scheme::DpopMode;

use cause::Cause;
use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

/// Explains why a request is refused.
///
/// It has three parts: [`kind`](Self::kind) for code that handles it, [`challenge`](Self::challenge) for the
/// client, and [`cause`](Self::cause) for the log. It never holds a token, and its `Display` text is safe to
/// send to a client.
///
/// ```
/// # use auth0_testing::Tenant;
/// use auth0_core::{ErrorKind, adapter::RequestView};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let auth = Tenant::new().auth0();
/// let error = auth.authenticate(&RequestView::new()).await.unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::CredentialsMissing);
/// assert_eq!(error.code().as_str(), "token_missing");
/// assert_eq!(error.status(), 401);
/// # })
/// ```
#[derive(Clone)]
pub struct Error(Box<Parts>);

#[derive(Clone)]
struct Parts {
    code: ErrorCode,
    cause: Cause,
    retry_after: Option<Duration>,
    /// The value of the `scope` parameter of the challenge, separated by spaces.
    scope: String,
    step_up: Option<StepUp>,
    /// The scheme that the client used.
    scheme: AuthScheme,
    /// A nonce for the client's next proof.
    nonce: Option<Box<str>>,
    options: Option<Arc<ChallengeOptions>>,
    /// Whether the application renders the body, for which this copy renders the standard one.
    is_being_rendered: bool,
}

/// The login that is required (RFC 9470 §3).
#[derive(Clone, Debug, Default)]
pub(crate) struct StepUp {
    /// Separated by spaces.
    pub(crate) acr_values: String,
    /// In seconds.
    pub(crate) max_age: Option<u64>,
}

impl Error {
    #[cold]
    pub(crate) fn new(code: ErrorCode) -> Self {
        Self(Box::new(Parts {
            code,
            cause: Cause::default(),
            retry_after: None,
            scope: String::new(),
            step_up: None,
            scheme: AuthScheme::default(),
            nonce: None,
            options: None,
            is_being_rendered: false,
        }))
    }

    /// Creates the error of an application that has no verifier where one is needed. For adapters:
    /// `cause` goes to the log and says what to write.
    #[must_use]
    pub fn misconfigured(cause: &'static str) -> Self {
        Self::new(ErrorCode::Misconfigured).because(cause)
    }

    /// Sets what was seen, the first part of the cause for the log. Text of a client in it must be escaped.
    pub(crate) fn because(mut self, seen: impl Into<Cow<'static, str>>) -> Self {
        self.0.cause.see(seen.into());
        self
    }

    /// Sets what was expected, the second part of the cause. Without it, the verifier sets it.
    pub(crate) fn expecting(mut self, expected: impl Into<Cow<'static, str>>) -> Self {
        self.0.cause.expect(expected.into());
        self
    }

    /// Sets what to do, the third part of the cause. Without it, the verifier sets it.
    pub(crate) fn advising(mut self, next_step: impl Into<Cow<'static, str>>) -> Self {
        self.0.cause.advise(next_step.into());
        self
    }

    /// Sets what was expected, unless it is set already.
    pub(crate) fn or_expecting(
        self,
        expected: impl FnOnce(ErrorCode) -> Cow<'static, str>,
    ) -> Self {
        if self.0.cause.has_expected() {
            return self;
        }
        let expected = expected(self.0.code);
        self.expecting(expected)
    }

    /// Sets what to do, unless it is set already.
    pub(crate) fn or_advising(
        self,
        next_step: impl FnOnce(ErrorCode) -> Cow<'static, str>,
    ) -> Self {
        if self.0.cause.has_next_step() {
            return self;
        }
        let next_step = next_step(self.0.code);
        self.advising(next_step)
    }

    pub(crate) fn retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    pub(crate) fn needing_scope(mut self, scope: String) -> Self {
        self.0.scope = scope;
        self
    }

    /// Adds the scopes that a client without a token should request, if the challenge names none.
    pub(crate) fn suggesting_scope(mut self, scopes: &[&str]) -> Self {
        if self.status() == 401 && self.0.scope.is_empty() {
            self.0.scope = scopes.join(" ");
        }
        self
    }

    pub(crate) fn needing_login(mut self, step_up: StepUp) -> Self {
        self.0.step_up = Some(step_up);
        self
    }

    pub(crate) fn with_scheme(mut self, scheme: AuthScheme) -> Self {
        self.0.scheme = scheme;
        self
    }

    pub(crate) fn with_nonce(mut self, nonce: Box<str>) -> Self {
        self.0.nonce = Some(nonce);
        self
    }

    pub(crate) fn with_options(mut self, options: &Arc<ChallengeOptions>) -> Self {
        self.0.options = Some(Arc::clone(options));
        self
    }

    /// Returns the category: which party can correct the cause.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.code.kind()
    }

    /// Returns the precise, stable code.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// Returns the HTTP status of the response: 400, 401, 403, 500 or 503.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.0.code.status()
    }

    /// Returns the cause for the log, not for clients: what was seen, what was expected (with the configured
    /// value), and what to do. Text of a client in it is escaped.
    ///
    /// ```
    /// # use auth0_testing::Tenant;
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let tenant = Tenant::new();
    /// let token = tenant.token().audience("https://api.other.com").mint();
    /// let error = tenant.auth0().verify(&token).await.unwrap_err();
    /// let cause = error.cause().unwrap();
    /// assert!(cause.starts_with(r#"aud is "https://api.other.com"; expected "https://api.tenant.test""#), "{cause}");
    /// assert!(cause.contains("AUTH0_AUDIENCE"));
    /// # })
    /// ```
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.0.cause.text()
    }

    /// Returns the parts of the cause: what was seen, what was expected, and what to do.
    pub(crate) fn cause_parts(&self) -> [Option<&str>; 3] {
        self.0.cause.parts()
    }

    /// Returns status, headers and body of the response: the same bytes in every framework.
    #[must_use]
    pub fn challenge(&self) -> Challenge {
        Challenge::new(self, self.0.options.as_deref())
    }

    /// Returns a copy for the application's rendering of the body. Its challenge has the standard body, so
    /// that a rendering that calls [`challenge`](Self::challenge) does not recurse.
    pub(crate) fn for_rendering(&self) -> Self {
        let mut copy = self.clone();
        copy.0.is_being_rendered = true;
        copy
    }

    pub(crate) fn is_being_rendered(&self) -> bool {
        self.0.is_being_rendered
    }

    pub(crate) fn scope(&self) -> &str {
        &self.0.scope
    }

    pub(crate) fn step_up(&self) -> Option<&StepUp> {
        self.0.step_up.as_ref()
    }

    pub(crate) fn scheme(&self) -> AuthScheme {
        self.0.scheme
    }

    pub(crate) fn nonce(&self) -> Option<&str> {
        self.0.nonce.as_deref()
    }

    pub(crate) fn delay(&self) -> Option<Duration> {
        self.0.retry_after
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("code", &self.0.code)
            .field("cause", &self.cause())
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.code.description())
    }
}

impl std::error::Error for Error {}
