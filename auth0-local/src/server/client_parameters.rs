//! How a client names and authenticates itself in the body of a request.
use super::{
    client_auth::{Credentials, authenticate},
    form::non_empty,
    refusal::Refusal,
};
use crate::{directory::Client, running::RunningTenant};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
pub(super) struct ClientParameters {
    client_id: Option<String>,
    client_secret: Option<String>,
    client_assertion: Option<String>,
    client_assertion_type: Option<String>,
}

impl ClientParameters {
    /// Authenticates the client, which must be allowed to use this grant.
    pub(super) fn authenticated(
        &self,
        running: &RunningTenant,
        headers: &HeaderMap,
        grant: &str,
    ) -> Result<Arc<Client>, Refusal> {
        let client = self.identified(running, headers)?;
        match client.may_use(grant) {
            true => Ok(client),
            false => Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "unauthorized_client",
                format!("Grant type '{grant}' not allowed for the client."),
            )),
        }
    }

    /// Authenticates the client.
    pub(super) fn identified(
        &self,
        running: &RunningTenant,
        headers: &HeaderMap,
    ) -> Result<Arc<Client>, Refusal> {
        let sent = Credentials {
            client_id: non_empty(self.client_id.as_ref()),
            client_secret: non_empty(self.client_secret.as_ref()),
            client_assertion: non_empty(self.client_assertion.as_ref()),
            client_assertion_type: non_empty(self.client_assertion_type.as_ref()),
        };
        authenticate(running, headers, &sent, false)
    }
}

/// Refuses a client that does not authenticate, because this endpoint is for confidential clients only.
pub(super) fn check_confidential(client: &Client) -> Result<(), Refusal> {
    if !client.is_public() {
        return Ok(());
    }
    Err(Refusal::new(
        StatusCode::UNAUTHORIZED,
        "invalid_client",
        format!(
            "the client {} is public, and this endpoint needs one that authenticates",
            client.id()
        ),
    ))
}
