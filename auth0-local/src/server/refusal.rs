//! Refusals of requests.
use crate::error::LocalError;
use axum::{
    extract::rejection::BytesRejection,
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};
use std::borrow::Cow;

/// The header with the nonce for the next DPoP proof.
pub(super) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// A refusal in the format of Auth0 and RFC 6749 §5.2.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    error: &'static str,
    description: Box<str>,
    /// The nonce for the client's next DPoP proof, a challenge or the state of quotas.
    headers: Vec<(HeaderName, HeaderValue)>,
    /// More members of the body.
    members: Option<Box<Map<String, Value>>>,
}

impl Refusal {
    pub(super) fn new(
        status: StatusCode,
        error: &'static str,
        description: impl Into<String>,
    ) -> Self {
        let description = description.into().into();
        Self { status, error, description, headers: Vec::new(), members: None }
    }

    pub(super) fn with_nonce(mut self, nonce: Option<HeaderValue>) -> Self {
        self.headers.extend(nonce.map(|nonce| (DPOP_NONCE, nonce)));
        self
    }

    pub(super) fn with_challenge(mut self, challenge: &'static str) -> Self {
        self.headers.push((WWW_AUTHENTICATE, HeaderValue::from_static(challenge)));
        self
    }

    pub(super) fn with_headers(mut self, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        self.headers.extend(headers);
        self
    }

    pub(super) fn with_retry_after(mut self, seconds: u64) -> Self {
        self.headers.push((RETRY_AFTER, HeaderValue::from(seconds)));
        self
    }

    /// Adds a member to the body.
    pub(super) fn with_member(mut self, name: &str, value: impl Into<Value>) -> Self {
        let members = self.members.get_or_insert_default();
        members.insert(name.to_owned(), value.into());
        self
    }

    /// Refuses a code or a refresh token, with Auth0's status.
    pub(super) fn invalid_grant(description: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "invalid_grant", description)
    }

    /// Refuses a body that is too large.
    pub(super) fn too_large() -> Self {
        let description = "the body is too large. Send at most 64 KiB";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", description)
    }

    pub(super) fn invalid_request(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }
}

impl From<BytesRejection> for Refusal {
    fn from(rejection: BytesRejection) -> Self {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => Self::too_large(),
            status => {
                Self::new(status, "invalid_request", "the body did not arrive. Send it again")
            }
        }
    }
}

impl From<LocalError> for Refusal {
    fn from(error: LocalError) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { status, error, description, headers, members } = self;
        let mut members = members.map(|members| *members).unwrap_or_default();
        members.insert("error".to_owned(), json!(error));
        members.insert("error_description".to_owned(), json!(description));
        let mut response = uncached(status, &Value::Object(members));
        response.headers_mut().extend(headers);
        noted(response, error)
    }
}

/// The error of a response, for the list of the last requests.
#[derive(Clone, Debug)]
pub(super) struct ErrorName(pub(super) Cow<'static, str>);

/// Adds the error to a response, for the list of the last requests.
pub(super) fn noted(mut response: Response, error: impl Into<Cow<'static, str>>) -> Response {
    response.extensions_mut().insert(ErrorName(error.into()));
    response
}

/// Returns a JSON response with `no-store`, because caches must not store tokens (RFC 6749 §5.1).
pub(super) fn uncached(status: StatusCode, body: &Value) -> Response {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    (status, headers, body.to_string()).into_response()
}
