//! A refusal as a response.
use crate::{
    context::ContextAdapter,
    unread_body::{UnreadBody, keep_unread},
};
use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    body::BoxBody,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
};
use auth0_core::{Auth0, Error, adapter::RefusalWatch};
use std::{fmt, sync::Arc};

/// The refusal of an extractor or of the middleware: a response with status, challenge and body.
///
/// The [`Error`] is also in the response's extensions, for middleware that logs or counts
/// refusals.
///
/// A handler that takes `Result<AccessToken, AuthError>` returns it, or reads its [`error`](Self::error). If it
/// does neither, as with `Option<AccessToken>`, the log has a warning: the handler ran although the token was
/// refused.
///
/// If the body of the request was not read, the connection is closed after the response. So it matters that
/// the token is the first extractor of a handler.
#[derive(Clone, Debug)]
pub struct AuthError {
    error: Error,
    watch: Option<Arc<RefusalWatch>>,
    body: Option<UnreadBody>,
}

/// The advice if a handler drops a refusal.
const ADVICE: &str = "Use MaybeAccessToken instead of Option<AccessToken>. With Result<AccessToken, AuthError>, \
                      return the AuthError, or read its error()";

impl AuthError {
    /// Returns the reason.
    #[must_use]
    pub fn error(&self) -> &Error {
        self.stop_watch();
        &self.error
    }

    /// Creates the refusal of an extractor, which is watched after [`start_watch`](Self::start_watch).
    pub(crate) fn of_extractor(auth: &Auth0, error: Error, request: &HttpRequest) -> Self {
        let watch = RefusalWatch::new(auth, &error, &ContextAdapter::new(request), ADVICE);
        Self { error, watch: Some(Arc::new(watch)), body: None }
    }

    /// Keeps the body of the request until the response is sent.
    pub(crate) fn with_body(mut self, body: Option<UnreadBody>) -> Self {
        self.body = body;
        self
    }

    /// Watches from now on whether the refusal is sent or read.
    pub(crate) fn start_watch(&self) {
        if let Some(watch) = &self.watch {
            watch.start();
        }
    }

    fn stop_watch(&self) {
        if let Some(watch) = &self.watch {
            watch.stop();
        }
    }
}

impl From<Error> for AuthError {
    fn from(error: Error) -> Self {
        Self { error, watch: None, body: None }
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for AuthError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.error())
    }
}

impl ResponseError for AuthError {
    fn status_code(&self) -> StatusCode {
        status(self.error().status())
    }

    fn error_response(&self) -> HttpResponse {
        let challenge = self.error().challenge();
        let mut response = HttpResponse::new(status(challenge.status()));
        for (name, value) in challenge.headers() {
            // Always valid: see `Challenge::headers`.
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().append(HeaderName::from_static(name), value);
            }
        }
        response.extensions_mut().insert(self.error.clone());
        let response = response.set_body(BoxBody::new(challenge.into_body()));
        keep_unread(response, self.body.as_ref())
    }
}

/// Returns the status. Even with an invalid one, the request must not be admitted.
fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
