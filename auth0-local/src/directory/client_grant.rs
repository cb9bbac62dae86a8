use serde::Deserialize;

/// What a machine may request with `client_credentials`, and a service on behalf of a user: an API, and some of
/// its scopes. Auth0 calls it a client grant.
///
/// ```
/// use auth0_local::{Client, ClientGrant};
///
/// let reporting = Client::confidential("reporting", "secret")
///     .grant(ClientGrant::new("https://api.acme.test").scopes(["read:reports"]))
///     .grant(ClientGrant::new("https://billing.acme.test").organizations_allowed());
/// # let _ = reporting;
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct ClientGrant {
    audience: String,
    #[serde(default)]
    scopes: Vec<String>,
    #[serde(default)]
    organization_usage: OrganizationUsage,
}

/// Whether a request names an organization.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OrganizationUsage {
    /// It must not.
    #[default]
    #[serde(alias = "deny")]
    None,
    Allow,
    /// It must, if the client has no default organization.
    Require,
}

impl ClientGrant {
    /// Grants an API without scopes, and without organizations.
    pub fn new(audience: impl Into<String>) -> Self {
        Self {
            audience: audience.into(),
            scopes: Vec::new(),
            organization_usage: OrganizationUsage::None,
        }
    }

    /// Sets the granted scopes.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Accepts `organization` in a request of `client_credentials`.
    pub fn organizations_allowed(mut self) -> Self {
        self.organization_usage = OrganizationUsage::Allow;
        self
    }

    /// Requires `organization` in a request of `client_credentials`, unless the client has a
    /// [default](crate::Client::default_organization).
    pub fn organizations_required(mut self) -> Self {
        self.organization_usage = OrganizationUsage::Require;
        self
    }

    pub(crate) fn audience(&self) -> &str {
        &self.audience
    }

    pub(crate) fn granted_scopes(&self) -> &[String] {
        &self.scopes
    }

    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }

    pub(crate) const fn organization_usage(&self) -> OrganizationUsage {
        self.organization_usage
    }
}
