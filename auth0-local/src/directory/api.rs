use crate::error::LocalError;
use auth0_testing::Profile;
use serde::Deserialize;
use std::time::Duration;

/// Auth0's default lifetime of an API's tokens, in seconds.
const LIFETIME: u64 = 24 * 60 * 60;

/// An API of the tenant, for which access tokens are issued.
///
/// If a tenant has no such settings, it issues tokens for every identifier, with every scope. As soon as it
/// has one, it refuses other identifiers.
///
/// ```
/// use auth0_local::{Api, LocalTenant};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let api = Api::new("https://api.acme.test").scopes(["read:messages", "write:messages"]);
/// let tenant = LocalTenant::builder().audience("https://api.acme.test").api(api).start().await?;
/// assert_eq!(tenant.audience(), "https://api.acme.test");
/// # Ok::<(), auth0_local::LocalError>(())
/// # }).unwrap()
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct Api {
    identifier: String,
    scopes: Option<Vec<String>>,
    #[serde(default)]
    token_dialect: Dialect,
    /// In seconds.
    #[serde(default = "default_lifetime")]
    token_lifetime: u64,
    #[serde(default)]
    allow_offline_access: bool,
}

/// The token profile of an API, by the name of its setting.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Dialect {
    #[default]
    AccessToken,
    Rfc9068Profile,
}

const fn default_lifetime() -> u64 {
    LIFETIME
}

impl Api {
    /// Creates an API with its identifier: the `audience` or `resource` of requests, and `aud` in tokens.
    pub fn new(identifier: impl Into<String>) -> Self {
        Self {
            identifier: identifier.into(),
            scopes: None,
            token_dialect: Dialect::AccessToken,
            token_lifetime: LIFETIME,
            allow_offline_access: false,
        }
    }

    /// Sets the scopes of the API. Other scopes are omitted from tokens, without an error. Unset, every
    /// scope is one of the API.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = Some(scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the profile of the tokens: Auth0's by default.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.token_dialect = match profile {
            Profile::Rfc9068 => Dialect::Rfc9068Profile,
            _ => Dialect::AccessToken,
        };
        self
    }

    /// Sets the lifetime of the tokens, in whole seconds: a day by default.
    pub fn token_lifetime(mut self, lifetime: Duration) -> Self {
        self.token_lifetime = lifetime.as_secs();
        self
    }

    /// Allows refresh tokens for the API. As with Auth0, they are not allowed otherwise: `offline_access` is omitted,
    /// without an error.
    pub const fn allow_offline_access(mut self) -> Self {
        self.allow_offline_access = true;
        self
    }

    pub(super) fn check(&self) -> Result<(), LocalError> {
        if self.identifier.trim().is_empty() {
            return Err(LocalError::new(
                "an API has an empty identifier. Write one, for example https://api.acme.com",
            ));
        }
        // Auth0's own bound; a much longer lifetime would overflow a clock.
        if self.token_lifetime == 0 || self.token_lifetime > 30 * LIFETIME {
            return Err(LocalError::new(format!(
                "the tokens of {} cannot be valid for {} s. Write from 1 to {} s",
                self.identifier,
                self.token_lifetime,
                30 * LIFETIME
            )));
        }
        Ok(())
    }

    pub(crate) fn identifier(&self) -> &str {
        &self.identifier
    }

    /// Returns the scopes that are configured.
    pub(crate) fn own_scopes(&self) -> &[String] {
        self.scopes.as_deref().unwrap_or_default()
    }

    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scopes.iter().any(|known| known == scope))
    }

    pub(crate) const fn allows_offline_access(&self) -> bool {
        self.allow_offline_access
    }

    pub(crate) fn token_profile(&self) -> Profile {
        match self.token_dialect {
            Dialect::AccessToken => Profile::Auth0,
            Dialect::Rfc9068Profile => Profile::Rfc9068,
        }
    }

    pub(crate) fn lifetime(&self) -> Duration {
        Duration::from_secs(self.token_lifetime)
    }
}
