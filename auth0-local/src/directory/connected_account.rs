use crate::error::LocalError;
use serde::Deserialize;
use std::time::Duration;

/// The lifetime of the tokens of many providers, in seconds.
const LIFETIME: u64 = 3600;

/// The most seconds that a token of a provider is valid: 30 days.
const MAX_LIFETIME: u64 = 30 * 24 * 3600;

/// A user's account at another provider, whose tokens the tenant hands out (Token Vault). The provider is a fake:
/// the tokens are random text, and [`LocalTenant::vault_account_of`](crate::LocalTenant::vault_account_of) says whose
/// they are.
///
/// ```
/// use auth0_local::{ConnectedAccount, User};
///
/// let ann = User::new("auth0|ann")
///     .account(ConnectedAccount::new("google-oauth2", "ann@work.test").scopes(["calendar.read"]))
///     .account(ConnectedAccount::new("google-oauth2", "ann@home.test"));
/// # let _ = ann;
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct ConnectedAccount {
    connection: String,
    login_hint: String,
    #[serde(default)]
    scopes: Vec<String>,
    /// In seconds.
    #[serde(default = "default_lifetime")]
    expires_in: u64,
}

const fn default_lifetime() -> u64 {
    LIFETIME
}

impl ConnectedAccount {
    /// Creates an account of this connection, which requests name by `login_hint`.
    pub fn new(connection: impl Into<String>, login_hint: impl Into<String>) -> Self {
        Self {
            connection: connection.into(),
            login_hint: login_hint.into(),
            scopes: Vec::new(),
            expires_in: LIFETIME,
        }
    }

    /// Sets the scopes of its tokens.
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the lifetime of its tokens, in whole seconds: an hour by default.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.expires_in = lifetime.as_secs();
        self
    }

    pub(super) fn check(&self, user: &str) -> Result<(), LocalError> {
        let is_named = !self.connection.is_empty() && !self.login_hint.is_empty();
        match is_named && (1..=MAX_LIFETIME).contains(&self.expires_in) {
            true => Ok(()),
            false => Err(LocalError::new(format!(
                "an account of {user} has no connection or login_hint, or its tokens are not valid for 1 to \
                 {MAX_LIFETIME} s. Write all three"
            ))),
        }
    }

    /// Returns the name of the connection.
    #[must_use]
    pub fn connection(&self) -> &str {
        &self.connection
    }

    /// Returns how requests name the account.
    #[must_use]
    pub fn login_hint(&self) -> &str {
        &self.login_hint
    }

    pub(crate) fn own_scopes(&self) -> &[String] {
        &self.scopes
    }

    pub(crate) const fn lifetime(&self) -> Duration {
        Duration::from_secs(self.expires_in)
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.is_named(&other.connection, Some(&other.login_hint))
    }

    pub(super) fn is_named(&self, connection: &str, login_hint: Option<&str>) -> bool {
        self.connection == connection
            && login_hint.is_none_or(|hint| self.login_hint.eq_ignore_ascii_case(hint))
    }
}
