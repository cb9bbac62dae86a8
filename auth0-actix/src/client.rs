//! Tokens for calling other APIs: as this service, on behalf of the caller, from Token Vault.
//!
//! This is the crate [`auth0_client`], and what it needs of actix-web: the extractors are callers, and its error is a
//! response.
//!
//! ```
//! use actix_web::{App, get, web};
//! use auth0_actix::{AccessToken, Auth0, client::{CallError, Delegation}};
//!
//! /// Calls the other API on behalf of the caller. An error is 401, 403, 502 or 503.
//! #[get("/report")]
//! async fn report(caller: AccessToken, billing: web::Data<Delegation>) -> Result<String, CallError> {
//!     let token = billing.on_behalf_of(&caller).await?;
//!     Ok(format!("a token with {} scopes", token.scopes().count()))
//! }
//! # fn app(auth: Auth0, billing: Delegation) {
//! App::new().app_data(auth.clone()).app_data(web::Data::new(billing.clone())).service(report)
//! # ; }
//! ```
pub use auth0_client::*;

use crate::extract::{AccessToken, Authorized};
use actix_web::{
    HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
};
use std::fmt;

/// The response of a handler that could not call another API: 401, 403, 502, or 503 with `Retry-After`, with a JSON
/// body as that of refusals ([`Error::reply`]). The [`Error`] is also in the extensions of the response, for
/// middleware that logs or counts.
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

impl ResponseError for CallError {
    fn status_code(&self) -> StatusCode {
        status(self.0.reply().status())
    }

    fn error_response(&self) -> HttpResponse {
        let reply = self.0.reply();
        let mut response = HttpResponse::new(status(reply.status()));
        for (name, value) in reply.headers() {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().append(HeaderName::from_static(name), value);
            }
        }
        response.extensions_mut().insert(self.0.clone());
        response.set_body(actix_web::body::BoxBody::new(reply.into_body()))
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
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
