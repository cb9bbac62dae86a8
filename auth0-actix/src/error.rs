//! A refusal as a response.
use crate::unread_body::{UnreadBody, refusal_body};
use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
};
use auth0_core::Error;
use std::fmt;

/// The refusal of an extractor or of the middleware: a response with status, challenge and body.
///
/// The [`Error`] is also in the response's extensions, for middleware that logs or counts
/// refusals.
///
/// If the body of the request was not read, the connection is closed after the response. So it matters that
/// the token is the first extractor of a handler.
#[derive(Clone, Debug)]
pub struct AuthError {
    error: Error,
    body: Option<UnreadBody>,
}

impl AuthError {
    /// Returns the reason.
    #[must_use]
    pub const fn error(&self) -> &Error {
        &self.error
    }

    /// Keeps the body of the request until the response is sent.
    pub(crate) fn with_body(mut self, body: Option<UnreadBody>) -> Self {
        self.body = body;
        self
    }
}

impl From<Error> for AuthError {
    fn from(error: Error) -> Self {
        Self { error, body: None }
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for AuthError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl ResponseError for AuthError {
    fn status_code(&self) -> StatusCode {
        status(self.error.status())
    }

    fn error_response(&self) -> HttpResponse {
        let challenge = self.error.challenge();
        let mut response = HttpResponse::new(status(challenge.status()));
        for (name, value) in challenge.headers() {
            // Always valid: see `Challenge::headers`.
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().append(HeaderName::from_static(name), value);
            }
        }
        response.extensions_mut().insert(self.error.clone());
        response.set_body(refusal_body(challenge.into_body().into(), self.body.as_ref()))
    }
}

/// Returns the status. Even with an invalid one, the request must not be admitted.
fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
