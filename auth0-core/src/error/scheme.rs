//! The authentication schemes of access tokens (RFC 6750, RFC 9449).
use crate::config_error::ConfigError;
use serde::{Deserialize, Deserializer, de::Error};
use std::{borrow::Cow, fmt, str::FromStr};

/// The scheme that a client used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum AuthScheme {
    #[default]
    Bearer,
    Dpop,
}

impl AuthScheme {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }

    /// Returns whether the mode enables the scheme.
    pub(crate) const fn is_enabled(self, mode: DpopMode) -> bool {
        match self {
            Self::Bearer => !matches!(mode, DpopMode::Required),
            Self::Dpop => !matches!(mode, DpopMode::Disabled),
        }
    }

    /// Returns the scheme that a client without special needs uses in this mode.
    pub(crate) const fn first_of(mode: DpopMode) -> Self {
        match mode {
            DpopMode::Allowed | DpopMode::Disabled => Self::Bearer,
            DpopMode::Required => Self::Dpop,
        }
    }

    /// Finds a scheme by its name, in any case (RFC 9110 §11.1).
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        [Self::Bearer, Self::Dpop]
            .into_iter()
            .find(|scheme| name.eq_ignore_ascii_case(scheme.as_str().as_bytes()))
    }
}

/// The authentication schemes that are enabled: see [`Dpop`](crate::Dpop), and
/// [`TrustedIssuer::dpop`](crate::TrustedIssuer::dpop) for the tokens of one issuer.
///
/// ```
/// use auth0_core::DpopMode;
///
/// assert_eq!("required".parse::<DpopMode>()?, DpopMode::Required);
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there are two schemes")]
pub enum DpopMode {
    /// `DPoP` for tokens that are bound, `Bearer` for others.
    #[default]
    Allowed,
    /// `DPoP` only.
    Required,
    /// `Bearer` only.
    Disabled,
}

impl DpopMode {
    /// Returns the mode that enables what either of the two enables.
    pub(crate) const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Required, Self::Required) => Self::Required,
            (Self::Disabled, Self::Disabled) => Self::Disabled,
            _ => Self::Allowed,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Required => "required",
            Self::Disabled => "disabled",
        }
    }
}

impl fmt::Display for DpopMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Parses a mode by its name, as in `AUTH0_DPOP`: `allowed`, `required` or `disabled`.
impl FromStr for DpopMode {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        [Self::Allowed, Self::Required, Self::Disabled]
            .into_iter()
            .find(|mode| mode.as_str() == text.trim())
            .ok_or_else(|| {
                ConfigError::new(format!(
                    "{:?} is not a mode of DPoP. Write allowed, required or disabled",
                    text.trim()
                ))
            })
    }
}

/// Reads the name from a configuration file.
impl<'de> Deserialize<'de> for DpopMode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
