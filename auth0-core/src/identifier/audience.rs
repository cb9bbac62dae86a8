//! The identifier of an API.
use super::placeholder::{is_placeholder, is_stray};
use crate::config_error::ConfigError;
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{borrow::Cow, fmt, str::FromStr};

/// An audience: the identifier of an API, as it is registered with Auth0 and written in `aud`.
/// It often looks like a URL, but is compared as text.
///
/// ```
/// # use auth0_core::Audience;
/// let audience: Audience = "https://api.acme.com".parse()?;
/// assert_eq!(audience.as_str(), "https://api.acme.com");
/// assert!("".parse::<Audience>().is_err());
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Audience(Box<str>);

impl Audience {
    /// Returns the identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Audience {
    type Err = ConfigError;

    /// # Errors
    /// The text is empty or a placeholder.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let name = text.trim();
        let why = match name {
            "" => "is empty",
            name if is_placeholder(name) => "is still a placeholder",
            name if name.starts_with(['"', '\'']) => {
                "has quotes around it, which are taken literally"
            }
            name if name.starts_with('[') => "has brackets around it, which are taken literally",
            name if name.contains(is_stray) => "has a space or an invisible character in it",
            _ => return Ok(Self(name.into())),
        };
        Err(ConfigError::new(format!(
            "the audience {text:?} {why}. Write the identifier of your API, for example \
             \"https://api.acme.com\" (Dashboard > Applications > APIs > Identifier)"
        )))
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads an audience from a configuration file.
impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
