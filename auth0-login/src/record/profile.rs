//! The usual claims of a user.
use serde::Deserialize;
use std::fmt;

/// The claims of a user with the scopes `openid profile email` (OpenID Connect Core 1.0 §5.1). For others, declare a type of
/// your own that implements `Deserialize`. `Debug` shows none of them.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// The user: unique at the issuer, and never given to another.
    pub sub: String,
    /// The full name.
    #[serde(default)]
    pub name: Option<String>,
    /// The nickname.
    #[serde(default)]
    pub nickname: Option<String>,
    /// The URL of a picture.
    #[serde(default)]
    pub picture: Option<String>,
    /// The e-mail address.
    #[serde(default)]
    pub email: Option<String>,
    /// Whether the user has proved that the address is theirs.
    #[serde(default)]
    pub email_verified: Option<bool>,
    /// The organization with which the user has logged in.
    #[serde(default)]
    pub org_id: Option<String>,
    /// The name of the organization.
    #[serde(default)]
    pub org_name: Option<String>,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile").finish_non_exhaustive()
    }
}
