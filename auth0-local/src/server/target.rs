//! What a client asks for without a browser: an API, and scopes.
use super::{form::non_empty, grant::parsed, refusal::Refusal};
use crate::{directory::Client, running::RunningTenant};
use axum::http::StatusCode;
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct TargetParameters {
    scope: Option<String>,
    audience: Option<String>,
    resource: Option<String>,
}

/// An API that the tenant has, or none, and scopes that can be read.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) audience: Option<String>,
    pub(super) scopes: Vec<String>,
}

impl TargetParameters {
    pub(super) fn checked(
        &self,
        running: &RunningTenant,
        client: &Client,
    ) -> Result<Target, Refusal> {
        let (audience, scope) = (self.audience.as_ref(), self.scope.as_ref());
        Target::checked(running, client, non_empty(audience), non_empty(scope))
    }

    /// Reads `resource` as well, as Auth0 does at some endpoints only. `audience` outranks it.
    pub(super) fn checked_with_resource(
        &self,
        running: &RunningTenant,
        client: &Client,
    ) -> Result<Target, Refusal> {
        let (audience, resource) = (self.audience.as_ref(), self.resource.as_ref());
        let audience = non_empty(audience).or_else(|| non_empty(resource));
        Target::checked(running, client, audience, non_empty(self.scope.as_ref()))
    }
}

impl Target {
    pub(super) fn checked(
        running: &RunningTenant,
        client: &Client,
        audience: Option<&str>,
        scope: Option<&str>,
    ) -> Result<Self, Refusal> {
        let scopes = parsed(scope.unwrap_or_default())
            .map_err(|why| Refusal::new(StatusCode::BAD_REQUEST, "invalid_scope", why))?;
        match audience {
            Some(audience) if !running.offers(audience, client) => Err(Refusal::new(
                StatusCode::FORBIDDEN,
                "access_denied",
                format!("Service not found: {audience}"),
            )),
            audience => Ok(Self { audience: audience.map(str::to_owned), scopes }),
        }
    }
}
