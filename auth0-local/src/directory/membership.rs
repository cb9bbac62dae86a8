use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A user's membership of an organization.
///
/// ```
/// use auth0_local::{Membership, User};
///
/// let acme = Membership::new("org_acme", "acme").permissions(["read:invoices"]);
/// let ann = User::new("auth0|ann").email("ann@acme.com").member_of(acme);
/// # let _ = ann;
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct Membership {
    id: String,
    name: String,
    #[serde(default)]
    permissions: Vec<String>,
    #[serde(default)]
    token_claims: Map<String, Value>,
}

impl Membership {
    /// Creates a membership of the organization with this id (`org_…`) and name.
    pub fn new(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self { id: id.into(), name: name.into(), permissions: Vec::new(), token_claims: Map::new() }
    }

    /// Sets the permissions that the member's roles give in this organization. They are in the tokens of a
    /// login to it, beside those of the user.
    pub fn permissions<P: Into<String>>(
        mut self,
        permissions: impl IntoIterator<Item = P>,
    ) -> Self {
        self.permissions = permissions.into_iter().map(Into::into).collect();
        self
    }

    /// Sets a claim of the access and ID tokens of a login to this organization, as an Action does: for
    /// example `https://acme.com/roles`.
    pub fn token_claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.token_claims.insert(name.into(), json!(value));
        self
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether a request asks for this organization: by its id, or by its name in any case.
    pub(super) fn is_named(&self, organization: &str) -> bool {
        self.id == organization || self.name.eq_ignore_ascii_case(organization)
    }

    pub(crate) fn own_permissions(&self) -> &[String] {
        &self.permissions
    }

    pub(crate) fn token_claims(&self) -> &Map<String, Value> {
        &self.token_claims
    }
}
