//! The identifier of an issuer.
use super::{
    PlainHttp,
    placeholder::{is_placeholder, is_stray, without_user_information},
};
use crate::config_error::ConfigError;
use serde::{Deserialize, Deserializer, de::Error as _};
use std::{borrow::Cow, fmt, str::FromStr};
use url::{Host, Url};

/// An issuer identifier: the URL that the `iss` claim must equal, byte for byte
/// (RFC 7519 §4.1.1, OpenID Connect Discovery §4.3).
///
/// ```
/// # use auth0_core::Issuer;
/// let issuer: Issuer = "https://login.acme.com/".parse()?;
/// assert_eq!(issuer.as_str(), "https://login.acme.com/");
/// assert!("http://login.acme.com/".parse::<Issuer>().is_err(), "plain http");
/// assert!("http://127.0.0.1:4400/".parse::<Issuer>().is_ok(), "but on loopback");
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Issuer(Box<str>);

impl Issuer {
    /// Creates an issuer from a name that is known to be in normal form.
    pub(crate) fn from_trusted(name: impl Into<Box<str>>) -> Self {
        Self(name.into())
    }

    /// Returns the identifier, which `iss` must equal.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Creates an issuer whose keys are not discovered: any text without spaces that is no placeholder, as tokens have
    /// it. Only a tenant of Auth0 is brought into its normal form, as for discovery.
    pub(crate) fn named(text: &str) -> Result<Self, ConfigError> {
        let name = text.trim();
        if let Ok(url) = text.parse::<Self>() {
            // Tokens of others may have their host in another case, and are compared as text (RFC 7519, section 4.1.1).
            return Ok(if url.is_of_auth0() { url } else { Self(name.into()) });
        }
        let why = match () {
            () if name.is_empty() => "is empty",
            () if is_placeholder(name) => "is still a placeholder",
            () if name.chars().any(is_stray) => "has a space or an invisible character in it",
            () if name.contains('@') => "has user information in it",
            () => return Ok(Self(name.into())),
        };
        Err(ConfigError::new(format!(
            "the issuer {:?} {why}. Write it as in the iss claim of your tokens",
            without_user_information(text)
        )))
    }

    /// Returns whether this is a tenant of Auth0 at its canonical domain.
    pub(crate) fn is_of_auth0(&self) -> bool {
        Url::parse(&self.0)
            .is_ok_and(|url| url.host_str().is_some_and(|host| host.ends_with(".auth0.com")))
    }

    /// Returns the same issuer with the slash at its end, or without it, if it is a URL without a path. Which
    /// one tokens name is settled by the metadata.
    pub(crate) fn other_spelling(&self) -> Option<Self> {
        let path = Url::parse(&self.0).ok()?.path().to_owned();
        if path != "/" || self.is_of_auth0() {
            return None;
        }
        Some(Self(match self.0.strip_suffix('/') {
            Some(bare) => bare.into(),
            None => format!("{}/", self.0).into(),
        }))
    }

    /// Returns the URL of the issuer's metadata (OpenID Connect Discovery §4.1).
    pub(crate) fn metadata_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.0.trim_end_matches('/'))
    }

    /// Returns the URL of the metadata of an issuer without OpenID Connect (RFC 8414 §3.1).
    pub(crate) fn oauth_metadata_url(&self) -> String {
        const NAME: &str = "/.well-known/oauth-authorization-server";
        match Url::parse(&self.0) {
            Ok(mut url) => {
                let path = format!("{NAME}{}", url.path().trim_end_matches('/'));
                url.set_path(&path);
                url.into()
            }
            Err(_) => format!("{}{NAME}", self.0),
        }
    }

    /// Returns whether the issuer is on this machine, so that plain http is accepted.
    pub(crate) fn is_loopback(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| is_loopback(&url))
    }

    /// Returns whether plain http is accepted for the issuer.
    pub(crate) fn may_be_http(&self, plain_http: &PlainHttp) -> bool {
        Url::parse(&self.0).is_ok_and(|url| plain_http.permits(&url))
    }

    /// Parses an issuer, which may be http on the permitted hosts.
    pub(crate) fn parse(text: &str, plain_http: &PlainHttp) -> Result<Self, ConfigError> {
        let refuse = |why: &str| {
            Err(ConfigError::new(format!(
                "the issuer {:?} {why}. Write it as in the iss claim of your tokens, for example \
                 \"https://acme.eu.auth0.com/\"",
                without_user_information(text)
            )))
        };
        let name = text.trim();
        if name.is_empty() {
            return refuse("is empty");
        }
        if is_placeholder(name) {
            return refuse("is still a placeholder");
        }
        let Ok(url) = Url::parse(name) else {
            return refuse(
                "is not a URL, which discovery needs (without it: TrustedIssuer::key_set_url)",
            );
        };
        match url.scheme() {
            "https" => {}
            "http" if plain_http.permits(&url) => {}
            "http" => {
                let advice = plain_http.advice(&url);
                return refuse(&format!(
                    "is plain http, which is accepted on loopback only{advice}"
                ));
            }
            _ => {
                return refuse(
                    "is neither https nor http. An issuer of another form needs \
                     TrustedIssuer::key_set_url",
                );
            }
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("has user information in it");
        }
        if url.query().is_some() {
            return refuse("has a query in it");
        }
        if url.fragment().is_some() {
            return refuse("has a fragment in it");
        }
        // The issuer is compared as text, so no token can carry a spelling that a URL parser would change. Only the
        // case, and the `/` that every Auth0 issuer ends with, are corrected. Some providers name the default port.
        let normal = url.as_str();
        let is_auth0 = url.host_str().is_some_and(|host| host.ends_with(".auth0.com"));
        let with_port = default_port(&url).filter(|_| !is_auth0);
        for spelling in [Some(normal), with_port.as_deref()].into_iter().flatten() {
            let bare = spelling.strip_suffix('/').unwrap_or(spelling);
            if name.eq_ignore_ascii_case(spelling) {
                return Ok(Self(spelling.into()));
            }
            if name.eq_ignore_ascii_case(bare) && url.path() == "/" {
                return Ok(Self(if is_auth0 { spelling } else { bare }.into()));
            }
        }
        refuse(&format!("is not in normal form; that would be {normal:?}"))
    }
}

impl FromStr for Issuer {
    type Err = ConfigError;

    /// # Errors
    /// The text is not an https URL (http on loopback) without query, fragment and user
    /// information.
    fn from_str(text: &str) -> Result<Self, ConfigError> {
        Self::parse(text, &PlainHttp::Loopback)
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads an issuer from a configuration file.
impl<'de> Deserialize<'de> for Issuer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Returns a URL with its default port, which a URL in normal form leaves out.
fn default_port(url: &Url) -> Option<String> {
    let port = url.port_or_known_default().filter(|_| url.port().is_none())?;
    Some(format!("{}://{}:{port}{}", url.scheme(), url.host_str()?, url.path()))
}

/// Returns whether the host of a URL is this machine.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
