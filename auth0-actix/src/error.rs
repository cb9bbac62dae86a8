//! A refusal as a response.
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
#[derive(Clone, Debug)]
pub struct AuthError(Error);

impl AuthError {
    /// Returns the reason.
    #[must_use]
    pub const fn error(&self) -> &Error {
        &self.0
    }
}

impl From<Error> for AuthError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for AuthError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl ResponseError for AuthError {
    fn status_code(&self) -> StatusCode {
        status(self.0.status())
    }

    fn error_response(&self) -> HttpResponse {
        let challenge = self.0.challenge();
        let mut response = HttpResponse::new(status(challenge.status()));
        for (name, value) in challenge.headers() {
            // Always valid: see `Challenge::headers`.
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().append(HeaderName::from_static(name), value);
            }
        }
        response.extensions_mut().insert(self.0.clone());
        response.set_body(challenge.into_body()).map_into_boxed_body()
    }
}

/// Returns the status. Even with an invalid one, the request must not be admitted.
fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
