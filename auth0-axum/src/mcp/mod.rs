//! MCP servers (Model Context Protocol): what a token needs for each tool, and sessions that belong to an identity.
mod sessions;
mod tools;

pub use sessions::{McpSessions, McpSessionsService};
pub use tools::{McpTools, McpToolsService};

use crate::{context::ContextAdapter, extract::AccessToken};
use auth0_core::{Auth0, Error, VerifiedToken, adapter};
use http::request::Parts;
use std::sync::atomic::{AtomicBool, Ordering};

/// The verifier of the layer around an MCP server, in the request's extensions.
#[derive(Clone)]
pub(crate) struct VerifiedBy(pub(crate) Auth0);

const NO_LAYER: &str = "McpTools and McpSessions must be inside an AuthLayer. With axum, add the AuthLayer after them: \
                        .layer(McpTools::new()).layer(AuthLayer::new(auth))";

static REPORTED: AtomicBool = AtomicBool::new(false);

/// Returns the verifier and the token of the layer around this one.
fn verified(parts: &Parts) -> Result<(Auth0, Option<VerifiedToken>), Error> {
    let Some(VerifiedBy(auth)) = parts.extensions.get::<VerifiedBy>() else {
        // Once, not for every request.
        if !REPORTED.swap(true, Ordering::Relaxed) {
            tracing::error!(target: "auth0", "{NO_LAYER}");
        }
        return Err(Error::misconfigured(NO_LAYER));
    };
    let token = parts.extensions.get::<AccessToken>();
    Ok((auth.clone(), token.map(|token| token.clone().into_inner())))
}

fn refuse(auth: &Auth0, token: Option<&VerifiedToken>, error: Error, parts: &mut Parts) -> Error {
    adapter::refuse(auth, token, error, || ContextAdapter::new(parts))
}
