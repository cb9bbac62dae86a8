//! The addresses to which a fetch may connect.
//!
//! The operator writes the issuers that are configured. A customer may have written an issuer that a
//! resolver finds in a database, so it must not lead into the service's own network: neither by an address,
//! nor by a name of one, nor by a name that resolves to another address a moment later.
use crate::{config_error::ConfigError, identifier::Issuer};
use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};
use url::{Host, Url};

/// The hosts from which the documents of an issuer may be fetched.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum PermittedAddresses {
    #[default]
    All,
    /// Public addresses, and all of these hosts if the issuer itself is one of them.
    Public(PrivateHosts),
}

/// Hosts that may have private addresses.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct PrivateHosts(Arc<HashSet<Box<str>>>);

impl PrivateHosts {
    pub(crate) fn new(hosts: &[String]) -> Result<Self, ConfigError> {
        let parsed = hosts.iter().map(|host| {
            let name = host.trim();
            // In the form that a parsed URL has.
            let host = match name.parse() {
                Ok(address) => Ok(Host::Ipv6(address)),
                Err(_) => Host::parse(name),
            };
            match host {
                Ok(host) => Ok(host.to_string().into()),
                Err(_) => Err(ConfigError::new(format!(
                    "the private host {name:?} is not a host. Write a name or an address without \
                     scheme and port, for example \"id.acme.internal\" or \"10.0.0.7\""
                ))),
            }
        });
        Ok(Self(Arc::new(parsed.collect::<Result<_, _>>()?)))
    }

    pub(crate) fn contains(&self, host: &str) -> bool {
        self.0.contains(host)
    }

    fn is_of(&self, issuer: &Issuer) -> bool {
        let url = Url::parse(issuer.as_str()).ok();
        url.as_ref().and_then(Url::host).is_some_and(|host| self.contains(&host.to_string()))
    }
}

/// A host that has no public address, by its name or address.
#[derive(Clone, Debug)]
pub(crate) struct NotPublic(pub(crate) String);

impl PermittedAddresses {
    /// Returns the rule for a document of an issuer, from its URL. The addresses of a name are checked when
    /// the name is resolved.
    pub(crate) fn check(&self, url: &str, issuer: &Issuer) -> Result<AddressRule, NotPublic> {
        let Self::Public(private) = self else { return Ok(AddressRule::Any) };
        let url = Url::parse(url).ok();
        let Some(host) = url.as_ref().and_then(Url::host) else {
            return Err(NotPublic(String::new()));
        };
        let name = host.to_string();
        let is_public = match host {
            Host::Domain(name) => {
                let name = name.trim_end_matches('.');
                name != "localhost" && !name.ends_with(".localhost")
            }
            Host::Ipv4(address) => is_public(address.into()),
            Host::Ipv6(address) => is_public(address.into()),
        };
        // Not for another issuer: its metadata may name any host.
        match (private.contains(&name), is_public) {
            (true, _) if private.is_of(issuer) => Ok(AddressRule::Any),
            (false, true) => Ok(AddressRule::Public),
            (true, _) | (false, false) => Err(NotPublic(name)),
        }
    }
}

/// The addresses that the host of a URL may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressRule {
    /// Any address: the issuer was configured, or the host was allowed by name.
    #[default]
    Any,
    /// Addresses of the public Internet only: a [resolver](crate::resolver::IssuerResolver) found the issuer.
    Public,
}

impl AddressRule {
    /// Returns whether a connection to this address is permitted. A transport calls this after it has
    /// resolved the name, and connects to exactly the address that it has passed.
    ///
    /// Private, local, reserved and multicast addresses are not public (the registries of RFC 6890), nor are
    /// IPv6 addresses that represent an IPv4 address that is not public.
    ///
    /// ```
    /// use auth0_core::transport::AddressRule;
    ///
    /// for (address, is_public) in
    ///     [("93.184.215.14", true), ("169.254.169.254", false), ("::ffff:10.0.0.7", false)]
    /// {
    ///     let address = address.parse()?;
    ///     assert_eq!(AddressRule::Public.permits(address), is_public);
    ///     assert!(AddressRule::Any.permits(address));
    /// }
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    #[must_use]
    pub const fn permits(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Public => is_public(address),
        }
    }
}

const fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Returns whether an address is reachable globally (the IANA registry of special-purpose IPv4 addresses).
const fn is_public_v4(address: Ipv4Addr) -> bool {
    !matches!(
        address.octets(),
        [0 | 10 | 127 | 224..=255, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            | [192, 0, 0 | 2, _]
            | [192, 88, 99, _]
            | [198, 18 | 19, ..]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
    )
}

/// Returns whether an address is a global unicast address (`2000::/3`) that is not for protocols,
/// documentation or tunnels, or is that of a translator (RFC 6052) to a public one.
const fn is_public_v6(address: Ipv6Addr) -> bool {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let [a, b] = high.to_be_bytes();
            let [c, d] = low.to_be_bytes();
            is_public_v4(Ipv4Addr::new(a, b, c, d))
        }
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for (text, expected) in [
            ("1.1.1.1", true),
            ("9.255.255.255", true),
            ("11.0.0.0", true),
            ("100.63.255.255", true),
            ("100.128.0.0", true),
            ("172.15.255.255", true),
            ("172.32.0.0", true),
            ("192.0.1.0", true),
            ("198.17.255.255", true),
            ("223.255.255.255", true),
            ("0.0.0.0", false),
            ("10.0.0.0", false),
            ("10.255.255.255", false),
            ("100.64.0.0", false),
            ("100.127.255.255", false),
            ("127.0.0.1", false),
            ("127.255.255.255", false),
            ("169.254.169.254", false),
            ("172.16.0.0", false),
            ("172.31.255.255", false),
            ("192.0.0.8", false),
            ("192.0.2.1", false),
            ("192.88.99.1", false),
            ("192.168.0.1", false),
            ("198.18.0.1", false),
            ("198.19.255.255", false),
            ("198.51.100.1", false),
            ("203.0.113.1", false),
            ("224.0.0.1", false),
            ("240.0.0.1", false),
            ("255.255.255.255", false),
            ("2606:4700::6810:85e5", true),
            ("2001:200::1", true),
            ("2a00::1", true),
            ("64:ff9b::1.1.1.1", true),
            ("::", false),
            ("::1", false),
            ("::ffff:1.1.1.1", false),
            ("::ffff:127.0.0.1", false),
            ("::10.0.0.1", false),
            ("64:ff9b::10.0.0.1", false),
            ("64:ff9b::7f00:1", false),
            ("64:ff9b:1::1.1.1.1", false),
            ("100::1", false),
            ("2001::1", false),
            ("2001:1ff::1", false),
            ("2001:db8::1", false),
            ("2002:7f00:1::", false),
            ("3fff::1", false),
            ("5f00::1", false),
            ("fc00::1", false),
            ("fdff::1", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
        ] {
            assert_eq!(is_public(text.parse().unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn what_a_url_says_itself() {
        let issuer: Issuer = "https://acme.com/".parse().unwrap();
        let public = PermittedAddresses::Public(PrivateHosts::default());
        let allowing =
            |host: &str| PermittedAddresses::Public(PrivateHosts::new(&[host.to_owned()]).unwrap());
        for url in [
            "https://10.0.0.7/keys",
            "https://0x7f.1/keys",
            "https://2130706433/",
            "https://[::1]:8443/",
            "https://[::ffff:169.254.169.254]/",
            "http://localhost:4400/",
            "https://localhost./",
            "https://a.localhost/",
            "https://a.localhost./",
            "https://LOCALHOST/",
            "no url",
        ] {
            public.check(url, &issuer).unwrap_err();
            PermittedAddresses::All.check(url, &issuer).unwrap();
            allowing("id.acme.internal").check(url, &issuer).unwrap_err();
        }
        for url in ["https://1.1.1.1/", "https://acme.com/"] {
            assert_eq!(public.check(url, &issuer).unwrap(), AddressRule::Public);
        }
        for (host, url) in [
            ("10.0.0.7", "https://10.0.0.7/"),
            ("ID.acme.internal", "https://id.acme.internal/"),
            ("[::1]", "https://[::1]:8443/"),
            ("0:0::1", "https://[::1]:8443/"),
            ("localhost", "http://localhost:4400/"),
        ] {
            let private = url.parse().unwrap();
            let public = allowing(host);
            assert_eq!(public.check(url, &private).unwrap(), AddressRule::Any, "{host}");
            let elsewhere = public.check("https://acme.com/", &private).unwrap();
            assert_eq!(elsewhere, AddressRule::Public);
            // The metadata of another issuer may not name this host.
            public.check(url, &issuer).unwrap_err();
        }
        for host in ["", "https://acme.com", "acme.com:443", "a/b", "10.0.0.0/8"] {
            let error = PrivateHosts::new(&[host.to_owned()]).unwrap_err().to_string();
            assert!(error.contains("without scheme and port"), "{error}");
        }
    }
}
