//! A refusal as a response.
use crate::{body::AuthBody, context::ContextAdapter, grpc::Form};
use auth0_core::{Auth0, Error, adapter::RefusalWatch};
use axum_core::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE, request::Parts};
use std::{fmt, sync::Arc};

/// The refusal of an extractor: a response with status, challenge and body.
///
/// The [`Error`] is also in the response's extensions, for layers that log or count refusals.
///
/// A handler that takes `Result<AccessToken, AuthRejection>` returns it, or reads its [`error`](Self::error).
/// If it does neither, the log has a warning: the handler ran although the token was refused.
#[derive(Clone, Debug)]
pub struct AuthRejection {
    error: Error,
    watch: Option<Arc<RefusalWatch>>,
}

/// The advice if a handler drops a refusal.
const ADVICE: &str = "Use AccessToken or Option<AccessToken>, which refuse the request themselves, or return \
                      the AuthRejection, or read its error()";

impl AuthRejection {
    /// Returns the reason.
    #[must_use]
    pub fn error(&self) -> &Error {
        self.stop_watch();
        &self.error
    }

    /// Creates the refusal of an extractor.
    pub(crate) fn of_extractor(auth: &Auth0, error: Error, parts: &mut Parts) -> Self {
        let watch = RefusalWatch::new(auth, &error, &ContextAdapter::new(parts), ADVICE);
        watch.start();
        Self { error, watch: Some(Arc::new(watch)) }
    }

    fn stop_watch(&self) {
        if let Some(watch) = &self.watch {
            watch.stop();
        }
    }
}

impl From<Error> for AuthRejection {
    fn from(error: Error) -> Self {
        Self { error, watch: None }
    }
}

impl fmt::Display for AuthRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for AuthRejection {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.error())
    }
}

impl IntoResponse for AuthRejection {
    fn into_response(self) -> Response {
        self.stop_watch();
        refusal(self.error).map(AuthBody::into_axum)
    }
}

/// Returns the refusal in the form that the client of a request reads.
pub(crate) fn refusal_in<B>(form: Form, error: Error) -> http::Response<AuthBody<B>> {
    let Form::Grpc(media_type) = form else { return refusal(error) };
    let mut response = http::Response::new(());
    for (name, value) in error.grpc_status().headers() {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response.extensions_mut().insert(error);
    response.map(|()| AuthBody::empty())
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
