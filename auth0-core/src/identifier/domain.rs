//! The domain of a tenant.
use super::{
    Issuer,
    placeholder::{is_placeholder, without_user_information},
};
use crate::config_error::ConfigError;
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{borrow::Cow, fmt, str::FromStr};

/// An Auth0 domain, for example `acme.eu.auth0.com`, or a custom domain: a host name without scheme, port
/// and path.
///
/// Pasted text is normalized: white space around it, `https://` before it, one `/` after it, upper
/// case.
///
/// ```
/// # use auth0_core::Domain;
/// let domain: Domain = " https://Acme.EU.auth0.com/ ".parse()?;
/// assert_eq!(domain.as_str(), "acme.eu.auth0.com");
/// assert_eq!(domain.issuer().as_str(), "https://acme.eu.auth0.com/");
/// assert!("YOUR_DOMAIN".parse::<Domain>().is_err());
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Domain(Box<str>);

impl Domain {
    /// Returns the normalized host name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the issuer that Auth0 names in the tokens of this domain: `https://{domain}/`.
    #[must_use]
    pub fn issuer(&self) -> Issuer {
        Issuer::from_trusted(format!("https://{}/", self.0))
    }
}

impl FromStr for Domain {
    type Err = ConfigError;

    /// # Errors
    /// The text is not a host name of at least two labels: an empty text, a placeholder, a path, a
    /// query, a port, user information, an IP address, `http://`.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let refuse = |why: &str| {
            Err(ConfigError::new(format!(
                "the domain {:?} {why}. Write the bare domain of your tenant, for example \
                 \"acme.eu.auth0.com\" (Dashboard > Applications > Settings > Domain)",
                without_user_information(text)
            )))
        };
        let name = text.trim();
        if name.is_empty() {
            return refuse("is empty");
        }
        let template = name.contains(['{', '}', '<', '>', '$']);
        if is_placeholder(name) || template {
            return refuse("is still a placeholder");
        }
        let lower = name.to_ascii_lowercase();
        if lower.starts_with("http://") {
            return refuse(
                "begins with http://. Auth0 is reached over https only; for a tenant on your own \
                 machine set the issuer instead (AUTH0_ISSUER=http://127.0.0.1:4400/)",
            );
        }
        let name = lower.strip_prefix("https://").unwrap_or(&lower);
        let name = name.strip_suffix('/').unwrap_or(name);
        for (sign, what) in [
            ('@', "has user information in it"),
            ('?', "has a query in it"),
            ('#', "has a fragment in it"),
            ('/', "has a path in it; an issuer with a path goes into AUTH0_ISSUER"),
            (':', "has a port in it; an issuer with a port goes into AUTH0_ISSUER"),
        ] {
            if name.contains(sign) {
                return refuse(what);
            }
        }
        if !name.is_ascii() {
            return refuse("is not ASCII; write an international domain in its xn-- form");
        }
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if name.len() > 253 || !name.split('.').all(label) {
            return refuse("is not a host name");
        }
        match name.rsplit('.').next() {
            Some(last) if !name.contains('.') || is_number(last) => refuse(
                "is not a full domain name; for a tenant on your own machine set AUTH0_ISSUER",
            ),
            _ => Ok(Self(name.into())),
        }
    }
}

/// Returns whether a last label is a number, which makes a URL parser read the host as an address.
fn is_number(label: &str) -> bool {
    match label.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
        None => label.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads a domain from a configuration file.
impl<'de> Deserialize<'de> for Domain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
