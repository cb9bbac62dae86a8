//! Client credentials (RFC 6749 §4.4): a token for this service itself.
use super::audience;
use crate::{
    cache::KeyBuilder,
    client::Client,
    error::Purpose,
    parameters::{Mistake, Parameters, Scopes, required},
    server::{Call, Repeat},
    source::{Party, TokenRequest, TokenSource},
};
use auth0_core::ConfigError;
use std::{fmt, sync::Arc, time::Duration};

/// The settings of a machine token: see [`Client::machine`].
#[must_use = "`build` creates the source"]
pub struct MachineBuilder {
    client: Client,
    audience: Result<String, ConfigError>,
    organization: Option<String>,
    resource: Option<String>,
    scopes: Scopes,
    extra: Parameters,
    deadline: Duration,
    mistake: Mistake,
}

/// The parameters that this grant sets.
const RESERVED: [&str; 4] = ["audience", "organization", "resource", "scope"];

impl Client {
    /// Starts a source of tokens for this service itself, for the API with this identifier: the client credentials
    /// grant. The token is shared by all sources with the same settings.
    ///
    /// ```
    /// # #[allow(dead_code)]
    /// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/tenant.rs")); }
    /// # use doc::{run, service};
    /// # run(async {
    /// # let client = service();
    /// let orders = client.machine("https://orders.acme.com").organization("org_acme").build()?;
    /// let token = orders.token().await?;
    /// assert!(token.expires_at().is_some());
    /// # Ok(())
    /// # });
    /// ```
    pub fn machine(&self, api: impl AsRef<str>) -> MachineBuilder {
        MachineBuilder {
            client: self.clone(),
            audience: audience(api.as_ref()),
            organization: None,
            resource: None,
            scopes: Scopes::default(),
            extra: Parameters::default(),
            deadline: self.0.deadline,
            mistake: Mistake::default(),
        }
    }
}

impl MachineBuilder {
    /// Sets the organization by its id, or by its name if the tenant allows names.
    pub fn organization(mut self, organization: impl Into<String>) -> Self {
        let organization = organization.into();
        self.mistake.note(required("the organization", &organization));
        self.organization = Some(organization);
        self
    }

    /// Requests these scopes. Optional: Auth0 grants those of the application's client grant.
    pub fn scopes<T: AsRef<str>>(mut self, scopes: impl IntoIterator<Item = T>) -> Self {
        let result = self.scopes.extend(scopes);
        self.mistake.note(result);
        self
    }

    /// Sets a resource (RFC 8707), for a tenant in the compatibility mode for resource parameters.
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        let resource = resource.into();
        self.mistake.note(required("the resource", &resource));
        self.resource = Some(resource);
        self
    }

    /// Adds a parameter.
    pub fn parameter(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        let result = self.extra.add(name.as_ref(), value.as_ref(), &RESERVED);
        self.mistake.note(result);
        self
    }

    /// Sets the limit of each call: that of the client by default.
    pub const fn deadline(mut self, limit: Duration) -> Self {
        self.deadline = limit;
        self
    }

    /// Creates the source. Nothing is sent.
    ///
    /// # Errors
    /// The audience, the organization or a scope is not valid, or the client is public.
    pub fn build(self) -> Result<TokenSource, ConfigError> {
        let audience = self.audience?;
        self.mistake.config()?;
        if !self.client.0.server.authentication.is_confidential() {
            return Err(ConfigError::new(
                "a public client has no tokens of its own. Use a machine-to-machine or API application with a \
                 secret, a signing key or a certificate",
            ));
        }
        let scope = self.scopes.text();
        let mut parameters = Parameters::of_grant("client_credentials").with("audience", audience);
        parameters.set_some("organization", self.organization);
        parameters.set_some("scope", scope.clone());
        parameters.set_some("resource", self.resource);
        parameters.append(self.extra);
        let request = TokenRequest {
            key: KeyBuilder::of(&parameters),
            call: Call::token("client_credentials", parameters, Repeat::Always, Purpose::Machine),
            scope: scope.unwrap_or_default().into(),
            party: Party::Service,
            deadline: self.deadline,
            mistake: None,
        };
        Ok(TokenSource::new(&self.client.0, &Arc::new(request), None))
    }
}

impl fmt::Debug for MachineBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MachineBuilder")
            .field("audience", &self.audience)
            .field("organization", &self.organization)
            .finish_non_exhaustive()
    }
}
