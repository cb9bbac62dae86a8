//! The hosts that may be reached over plain http.
use super::{issuer::is_loopback, placeholder::without_user_information};
use crate::config_error::ConfigError;
use std::{collections::BTreeSet, sync::Arc};
use url::{Host, Url};

/// The hosts whose documents may be fetched over plain http. An attacker in the network can replace a key
/// set that is fetched this way, and so sign tokens.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum PlainHttp {
    /// Loopback. A resolver's issuers have no other hosts: a customer may have written them.
    #[default]
    Loopback,
    /// Loopback, and the hosts that the operator has named, for development.
    Allowed(Arc<BTreeSet<Box<str>>>),
}

impl PlainHttp {
    /// Logs the hosts, at each start.
    pub fn warn(&self) {
        let hosts: Vec<&str> = self.names().collect();
        if !hosts.is_empty() {
            tracing::warn!(
                target: "auth0", hosts = hosts.join(","),
                "keys may be fetched from these hosts over plain http, so that an attacker in the network can \
                 sign tokens. In production, remove AUTH0_ALLOW_HTTP_HOSTS (Builder::allow_http_hosts)"
            );
        }
    }

    /// Parses the names of hosts.
    ///
    /// # Errors
    /// A text is not the name of a host.
    pub fn parse(names: &[impl AsRef<str>]) -> Result<Self, ConfigError> {
        let names = names.iter().map(|name| host_name(name.as_ref()));
        Ok(Self::Allowed(Arc::new(names.collect::<Result<_, _>>()?)))
    }

    /// Returns the names of the allowed hosts.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let names = match self {
            Self::Loopback => None,
            Self::Allowed(names) => Some(names),
        };
        names.into_iter().flat_map(|names| names.iter()).map(|name| &**name)
    }

    /// Returns whether the host of a URL was allowed by name.
    #[must_use]
    pub fn allows(&self, url: &Url) -> bool {
        match (self, url.host()) {
            (Self::Allowed(names), Some(Host::Domain(host))) => names.contains(host),
            _ => false,
        }
    }

    /// Returns whether an issuer with this URL may be reached over plain http.
    pub(super) fn permits(&self, url: &Url) -> bool {
        is_loopback(url) || self.allows(url)
    }

    /// Returns what to do about a URL that is plain http.
    #[must_use]
    pub fn advice(&self, url: &Url) -> String {
        match (self, url.host_str()) {
            (Self::Allowed(_), Some(host)) if host_name(host).is_ok() => format!(
                ". In development, allow the host: set AUTH0_ALLOW_HTTP_HOSTS={host}, or add \
                 .allow_http_hosts([{host:?}])"
            ),
            _ => String::new(),
        }
    }
}

/// Parses the name of a host. Its label may have an underscore, as the names of containers do.
fn host_name(text: &str) -> Result<Box<str>, ConfigError> {
    let refuse = |why: &str| {
        Err(ConfigError::new(format!(
            "{:?} of AUTH0_ALLOW_HTTP_HOSTS (Builder::allow_http_hosts) {why}. Write the plain name of a \
             host, for example \"auth0\" or \"auth0.localtest\"; it holds for every port",
            without_user_information(text)
        )))
    };
    let name = text.trim().to_ascii_lowercase();
    if name.is_empty() {
        return refuse("is empty");
    }
    for (sign, what) in [
        ("*", "has a wildcard in it"),
        ("://", "is a URL"),
        ("@", "has user information in it"),
        ("/", "has a path or a network prefix in it"),
    ] {
        if name.contains(sign) {
            return refuse(what);
        }
    }
    match Host::parse(&name) {
        Ok(Host::Ipv4(_) | Host::Ipv6(_)) => return refuse("is an address"),
        _ if name.parse::<std::net::IpAddr>().is_ok() => return refuse("is an address"),
        _ if name.contains(':') => return refuse("has a port in it"),
        Ok(Host::Domain(host)) if host == name => {}
        _ => return refuse("is not the name of a host"),
    }
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.len() > 253 || !name.split('.').all(is_label) {
        return refuse("is not the name of a host");
    }
    if name == "auth0.com" || name.ends_with(".auth0.com") {
        return refuse("is a host of Auth0, which is reached over https only");
    }
    Ok(name.into())
}
