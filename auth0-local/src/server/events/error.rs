use crate::server::refusal::{noted, uncached};
use axum::{
    http::{HeaderValue, StatusCode, header::RETRY_AFTER},
    response::{IntoResponse, Response},
};
use serde_json::json;

/// A refusal in the format of Auth0's Management API.
#[derive(Debug)]
pub(super) struct ManagementError {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry_after: Option<u32>,
}

impl ManagementError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry_after: None }
    }

    pub(super) fn with_retry_after(mut self, seconds: Option<u32>) -> Self {
        self.retry_after = seconds;
        self
    }
}

impl IntoResponse for ManagementError {
    fn into_response(self) -> Response {
        let body = json!({
            "statusCode": self.status.as_u16(),
            "error": self.status.canonical_reason().unwrap_or("Error"),
            "message": self.message,
            "errorCode": self.code,
        });
        let mut response = uncached(self.status, &body);
        let retry_after = self.retry_after.map(|it| (RETRY_AFTER, HeaderValue::from(it)));
        response.headers_mut().extend(retry_after);
        noted(response, self.code)
    }
}
