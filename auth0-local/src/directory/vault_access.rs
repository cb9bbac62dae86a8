use serde::Deserialize;

/// What a privileged worker may request for users who are not present, by its own signed JWTs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VaultAccess {
    #[serde(default)]
    grants: Vec<VaultGrant>,
}

/// A connection, and scopes of its tokens.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct VaultGrant {
    connection: String,
    #[serde(default)]
    scopes: Vec<String>,
}

impl VaultAccess {
    pub(super) fn add(&mut self, connection: String, scopes: Vec<String>) {
        self.grants.push(VaultGrant { connection, scopes });
    }

    /// Returns the scopes that are granted for a connection, or `None` if it is not granted.
    pub(crate) fn scopes(&self, connection: &str) -> Option<&[String]> {
        let grant = self.grants.iter().find(|grant| grant.connection == connection);
        grant.map(|grant| grant.scopes.as_slice())
    }
}
