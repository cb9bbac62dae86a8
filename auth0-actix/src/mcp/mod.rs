//! MCP servers (Model Context Protocol): what a token needs for each tool, and sessions that belong to an identity.
mod sessions;
mod tools;

pub use sessions::{McpSessions, McpSessionsService};
pub use tools::{McpTools, McpToolsService};

use crate::{
    context::ContextAdapter, error::AuthError, extract::AccessToken, unread_body::UnreadBody,
    verifier::verifier,
};
use actix_web::{
    Error as ActixError, HttpMessage,
    body::EitherBody,
    dev::{ServiceRequest, ServiceResponse},
};
use auth0_core::{Auth0, Error, VerifiedToken, adapter};
use std::{
    future::Future,
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering},
};

type Answer<B> = Pin<Box<dyn Future<Output = Result<ServiceResponse<EitherBody<B>>, ActixError>>>>;

/// A mark that the middleware around an MCP server leaves in the request's extensions.
pub(crate) struct Verified;

const NO_MIDDLEWARE: &str = "McpTools and McpSessions must be inside a RequireAuth. With actix-web, wrap it after \
                             them: .wrap(McpTools::new()).wrap(RequireAuth::new())";

static REPORTED: AtomicBool = AtomicBool::new(false);

/// Returns the verifier and the token of the middleware around this one.
fn verified(request: &ServiceRequest) -> Result<(Auth0, Option<VerifiedToken>), Error> {
    let extensions = request.extensions();
    if extensions.get::<Verified>().is_none() {
        // Once, not for every request.
        if !REPORTED.swap(true, Ordering::Relaxed) {
            tracing::error!(target: "auth0", "{NO_MIDDLEWARE}");
        }
        return Err(Error::misconfigured(NO_MIDDLEWARE));
    }
    let token = extensions.get::<AccessToken>().map(|token| token.clone().into_inner());
    drop(extensions);
    Ok((verifier(request.request())?, token))
}

fn refuse(
    auth: &Auth0,
    token: Option<&VerifiedToken>,
    error: Error,
    request: &ServiceRequest,
) -> Error {
    adapter::refuse(auth, token, error, || ContextAdapter::new(request.request()))
}

fn refused<B>(
    mut request: ServiceRequest,
    error: Error,
    body: Option<UnreadBody>,
) -> ServiceResponse<EitherBody<B>> {
    let body = body.or_else(|| UnreadBody::take(request.take_payload()));
    request.error_response(AuthError::from(error).with_body(body)).map_into_right_body()
}
