//! Tokens for calling other APIs: as this service, on behalf of the caller, from Token Vault.
//!
//! This is the crate [`auth0_client`], and what it needs of axum: the extractors are callers, and its error is a
//! response.
//!
//! ```
//! use auth0_axum::{AccessToken, Auth0, client::{CallError, Delegation}};
//! use axum::{Router, extract::{FromRef, State}, routing::get};
//!
//! #[derive(Clone, FromRef)]
//! struct App {
//!     auth: Auth0,
//!     billing: Delegation,
//! }
//!
//! /// Calls the other API on behalf of the caller. An error is 401, 403, 502 or 503.
//! async fn report(caller: AccessToken, State(billing): State<Delegation>) -> Result<String, CallError> {
//!     let token = billing.on_behalf_of(&caller).await?;
//!     Ok(format!("a token with {} scopes", token.scopes().count()))
//! }
//! # fn app(app: App) -> Router {
//! Router::new().route("/report", get(report)).with_state(app)
//! # }
//! ```
pub use auth0_client::*;

use crate::{
    body::AuthBody,
    extract::{AccessToken, Authorized},
};
use axum_core::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, StatusCode};
use std::fmt;

/// The response of a handler that could not call another API: 401, 403, 502, or 503 with `Retry-After`, with a JSON
/// body as that of refusals ([`Error::reply`]). The [`Error`] is also in the extensions of the response, for layers
/// that log or count.
///
/// `?` converts an [`Error`] to it.
#[derive(Clone, Debug)]
pub struct CallError(Error);

impl CallError {
    /// Returns the reason.
    #[must_use]
    pub const fn error(&self) -> &Error {
        &self.0
    }
}

impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl IntoResponse for CallError {
    fn into_response(self) -> Response {
        let reply = self.0.reply();
        let mut response = http::Response::new(());
        *response.status_mut() =
            StatusCode::from_u16(reply.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in reply.headers() {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().append(HeaderName::from_static(name), value);
            }
        }
        response.extensions_mut().insert(self.0);
        response.map(|()| AuthBody::refusal(reply.into_body()).into_axum())
    }
}

impl<'a, C> From<&'a AccessToken<C>> for Caller<'a> {
    fn from(token: &'a AccessToken<C>) -> Self {
        Caller::new(token, token.encoded())
    }
}

impl<'a, P, C> From<&'a Authorized<P, C>> for Caller<'a> {
    fn from(token: &'a Authorized<P, C>) -> Self {
        Caller::new(token, token.encoded())
    }
}
