//! The usual claims of a user.
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::fmt;

/// The claims of a user with the scopes `openid profile email` (OpenID Connect Core 1.0 §5.1). For others, declare a type of
/// your own that implements `Deserialize`. A claim of an unexpected type is absent. `Debug` shows none of them.
#[derive(Clone, Deserialize, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// The user: unique at the issuer, and never given to another.
    pub sub: String,
    /// The full name.
    #[serde(default, deserialize_with = "lenient_text")]
    pub name: Option<String>,
    /// The nickname.
    #[serde(default, deserialize_with = "lenient_text")]
    pub nickname: Option<String>,
    /// The URL of a picture.
    #[serde(default, deserialize_with = "lenient_text")]
    pub picture: Option<String>,
    /// The e-mail address.
    #[serde(default, deserialize_with = "lenient_text")]
    pub email: Option<String>,
    /// Whether the user has proved that the address is theirs.
    #[serde(default, deserialize_with = "lenient_bool")]
    pub email_verified: Option<bool>,
    /// The organization with which the user has logged in.
    #[serde(default, deserialize_with = "lenient_text")]
    pub org_id: Option<String>,
    /// The name of the organization.
    #[serde(default, deserialize_with = "lenient_text")]
    pub org_name: Option<String>,
}

/// A claim of an unexpected type is absent: it must not lock the user out.
fn lenient_text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::String(text) => Some(text),
        _ => None,
    })
}

/// Some connections send a text.
fn lenient_bool<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    Ok(match Value::deserialize(from)? {
        Value::Bool(value) => Some(value),
        Value::String(text) => text.parse().ok(),
        _ => None,
    })
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile").finish_non_exhaustive()
    }
}
