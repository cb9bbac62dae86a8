//! A refusal as a response.
use crate::body::AuthBody;
use auth0_core::Error;
use axum_core::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode};
use std::fmt;

/// The refusal of an extractor: a response with status, challenge and body.
///
/// The [`Error`] is also in the response's extensions, for layers that log or count refusals.
#[derive(Clone, Debug)]
pub struct AuthRejection(Error);

impl AuthRejection {
    /// Returns the reason.
    #[must_use]
    pub const fn error(&self) -> &Error {
        &self.0
    }

    pub(crate) fn into_error(self) -> Error {
        self.0
    }
}

impl From<Error> for AuthRejection {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for AuthRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for AuthRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl IntoResponse for AuthRejection {
    fn into_response(self) -> Response {
        refusal(self.0).map(AuthBody::into_axum)
    }
}

pub(crate) fn refusal<B>(error: Error) -> http::Response<AuthBody<B>> {
    let challenge = error.challenge();
    let mut response = http::Response::new(());
    // Status and headers are always valid. Even if they were not, the request must not be admitted.
    *response.status_mut() =
        StatusCode::from_u16(challenge.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in challenge.headers() {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    response.extensions_mut().insert(error);
    response.map(|()| AuthBody::refusal(challenge.into_body()))
}
