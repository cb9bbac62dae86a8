//! The URL to which a request was sent, and what a proxy in front may report about it.
use super::{
    HeaderLines, HttpParts, forwarded,
    http_uri::{Authority, HttpUri, Scheme, has_dot_segments, normal_path},
};
use crate::{config_error::ConfigError, telemetry::Escaped};
use ipnet::{IpNet, Ipv4Net};
use std::{
    borrow::Cow,
    net::IpAddr,
    sync::atomic::{AtomicBool, Ordering},
};

/// The public URL and the trusted proxies of the application.
#[derive(Debug, Default)]
pub(crate) struct Origin {
    public_url: Option<PublicUrl>,
    trusted_proxies: Vec<IpNet>,
    /// Whether the log says that a request came without the address of its peer.
    is_unknown_peer_reported: AtomicBool,
}

/// The URL that clients use, in front of any proxy.
#[derive(Clone, Debug)]
struct PublicUrl {
    scheme: Scheme,
    authority: String,
    /// The part of the path that a proxy strips: empty, or without a slash at its end.
    prefix: String,
}

/// The reason why the URL of a request is not known, for the log.
pub(crate) type Unknown = Cow<'static, str>;

impl Origin {
    pub(crate) fn new(
        public_url: Option<&str>,
        trusted_proxies: &[String],
    ) -> Result<Self, ConfigError> {
        Ok(Self {
            public_url: public_url.map(PublicUrl::parse).transpose()?,
            trusted_proxies: trusted_proxies
                .iter()
                .map(|entry| network(entry))
                .collect::<Result<_, _>>()?,
            is_unknown_peer_reported: AtomicBool::new(false),
        })
    }

    /// Returns the configured URL, for the log.
    pub(crate) fn public_url(&self) -> Option<String> {
        let PublicUrl { scheme, authority, prefix } = self.public_url.as_ref()?;
        Some(format!("{}://{authority}{prefix}", scheme.as_str()))
    }

    /// Calls a function with the URL of a request. A configured URL has precedence.
    pub(crate) fn with_url<T>(
        &self,
        parts: &dyn HttpParts,
        then: impl FnOnce(HttpUri<'_>) -> T,
    ) -> Result<T, Unknown> {
        let path = parts.path();
        if !path.starts_with('/') {
            return Err("the request target has no path".into());
        }
        if let Some(PublicUrl { scheme, authority, prefix }) = &self.public_url {
            let authority = Authority::parse(authority).ok_or("the public URL has no authority")?;
            let path = match &**prefix {
                "" => Cow::Borrowed(path),
                _ if has_dot_segments(path) => {
                    return Err("the path has dot segments, which may leave the prefix".into());
                }
                prefix => Cow::Owned(format!("{prefix}{path}")),
            };
            return Ok(then(HttpUri { scheme: *scheme, authority, path: &path }));
        }
        let forwarded = if self.is_trusted_proxy(parts) {
            Forwarded::read(parts)?
        } else {
            Forwarded::default()
        };
        let scheme = match forwarded.scheme {
            Some(scheme) => scheme,
            None => scheme_of(parts),
        };
        let authority = match &forwarded.host {
            Some(host) => {
                Authority::parse(host).ok_or("the host that the proxy forwards is not valid")?
            }
            None => authority_of(parts, scheme)?,
        };
        Ok(then(HttpUri { scheme, authority, path }))
    }

    /// Returns the host to which a request was sent, in lower case and without the port.
    pub(crate) fn host<'a>(&self, parts: &'a dyn HttpParts) -> Result<Cow<'a, str>, Unknown> {
        let forwarded =
            if self.is_trusted_proxy(parts) { Forwarded::read(parts)?.host } else { None };
        match forwarded {
            Some(Cow::Borrowed(host)) => Authority::parse(host).map(Authority::name),
            Some(Cow::Owned(host)) => {
                Authority::parse(&host).map(|host| Cow::Owned(host.name().into_owned()))
            }
            None => return Ok(authority_of(parts, scheme_of(parts))?.name()),
        }
        .ok_or_else(|| "the host that the proxy forwards is not valid".into())
    }

    /// Returns the address of the client: that of the peer or, if this is a trusted proxy, the last address
    /// that is not one, of those that the proxies forward. If they contradict each other, it is that of the peer.
    pub(crate) fn client(&self, parts: &dyn HttpParts) -> Option<IpAddr> {
        let peer = parts.connection().peer?;
        if !self.is_trusted_proxy(parts) {
            return Some(peer);
        }
        let text = |name| only(parts, name).ok().flatten();
        let nodes = text("x-forwarded-for").map(|list| list.split(',').map(address_of_node));
        let client = nodes.and_then(|nodes| {
            let mut nodes = nodes.rev();
            nodes.find(|node| !node.is_some_and(|address| self.is_proxy(address))).flatten()
        });
        let element = text("forwarded").and_then(forwarded::last).unwrap_or_default();
        let by_element = element
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("for"))
            .and_then(|(_, node)| address_of_node(node));
        match (client, by_element) {
            (Some(client), Some(other)) if client != other => Some(peer),
            (client, other) => client.or(other).or(Some(peer)),
        }
    }

    /// Logs once that proxies are trusted, and that the server does not say where a request comes from.
    pub(crate) fn report_unknown_peer(&self, parts: &dyn HttpParts) {
        if self.trusted_proxies.is_empty()
            || self.is_unknown_peer_reported.load(Ordering::Relaxed)
            || parts.connection().has_peer()
            || self.is_unknown_peer_reported.swap(true, Ordering::Relaxed)
        {
            return;
        }
        tracing::warn!(
            target: "auth0",
            "proxies are trusted (AUTH0_TRUSTED_PROXIES, Builder::trusted_proxies), but the server does not \
             pass on the address of a request's peer, so what proxies forward is ignored. With axum, serve \
             with app.into_make_service_with_connect_info::<SocketAddr>(); with another server, pass on a \
             Connection with the peer"
        );
    }

    /// Returns whether the peer is a trusted proxy, which may report for clients.
    pub(crate) fn is_trusted_proxy(&self, parts: &dyn HttpParts) -> bool {
        !self.trusted_proxies.is_empty()
            && parts.connection().peer.is_some_and(|peer| self.is_proxy(peer))
    }

    fn is_proxy(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(&address.to_canonical()))
    }
}

/// Returns the address of a node (RFC 7239 §6), which may have a port, and brackets around IPv6.
fn address_of_node(node: &str) -> Option<IpAddr> {
    let node = node.trim();
    let address = match node.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None if node.matches(':').count() == 1 => node.split(':').next().unwrap_or_default(),
        None => node,
    };
    address.parse().ok().map(|address: IpAddr| address.to_canonical())
}

/// Returns the scheme of the connection if the server knows it, otherwise that of HTTP/2, otherwise `http`.
/// This never accepts a proof by mistake, because a client that uses `https` never signs `http`.
fn scheme_of(parts: &dyn HttpParts) -> Scheme {
    match parts.connection().tls {
        Some(true) => Scheme::Https,
        Some(false) => Scheme::Http,
        None => parts.scheme().and_then(Scheme::parse).unwrap_or(Scheme::Http),
    }
}

/// Returns the authority: `:authority`, that of the absolute form, or `Host`. If there are two, they must
/// agree (RFC 9113 §8.3.1, RFC 9112 §3.2.2).
fn authority_of(parts: &dyn HttpParts, scheme: Scheme) -> Result<Authority<'_>, Unknown> {
    let host = match parts.header("host") {
        HeaderLines::Absent => None,
        HeaderLines::One(value) => Some(
            std::str::from_utf8(value)
                .ok()
                .and_then(Authority::parse)
                .ok_or("the Host header is not an authority")?,
        ),
        HeaderLines::Several => return Err("there are several Host headers".into()),
    };
    let target = match parts.authority() {
        None => None,
        Some(text) => {
            Some(Authority::parse(text).ok_or("the authority of the request target is not valid")?)
        }
    };
    match (target, host) {
        (Some(target), Some(host)) if !target.equals(&host, scheme) => {
            Err("the request target and the Host header name different hosts".into())
        }
        (Some(authority), _) | (None, Some(authority)) => Ok(authority),
        (None, None) => Err("there is no Host header".into()),
    }
}

/// What a trusted proxy reports about the request that it received.
#[derive(Default)]
struct Forwarded<'a> {
    scheme: Option<Scheme>,
    host: Option<Cow<'a, str>>,
}

impl<'a> Forwarded<'a> {
    /// Reads `Forwarded` (RFC 7239), and `X-Forwarded-Proto` and `X-Forwarded-Host`. If a proxy writes only
    /// one kind, a client could write the other, so they must not differ.
    fn read(parts: &'a dyn HttpParts) -> Result<Self, Unknown> {
        let mut forwarded = Self::default();
        if let Some(value) = only(parts, "forwarded")? {
            let pairs = forwarded::last(value).ok_or("the header Forwarded is malformed")?;
            for (name, value) in pairs {
                if name.eq_ignore_ascii_case("proto") {
                    forwarded.set_scheme(&value)?;
                } else if name.eq_ignore_ascii_case("host") {
                    forwarded.set_host(value)?;
                }
            }
        }
        if let Some(value) = only(parts, "x-forwarded-proto")? {
            forwarded.set_scheme(value.trim())?;
        }
        if let Some(value) = only(parts, "x-forwarded-host")? {
            forwarded.set_host(Cow::Borrowed(value.trim()))?;
        }
        Ok(forwarded)
    }

    fn set_scheme(&mut self, text: &str) -> Result<(), Unknown> {
        check_is_one("protocols", text)?;
        let scheme = Scheme::parse(text)
            .ok_or("the protocol that the proxy forwards is neither http nor https")?;
        if self.scheme.is_some_and(|known| known != scheme) {
            return Err("the proxy forwards two protocols".into());
        }
        self.scheme = Some(scheme);
        Ok(())
    }

    fn set_host(&mut self, host: Cow<'a, str>) -> Result<(), Unknown> {
        check_is_one("hosts", &host)?;
        if self.host.as_ref().is_some_and(|known| !known.eq_ignore_ascii_case(&host)) {
            return Err("the proxy forwards two hosts".into());
        }
        self.host = Some(host);
        Ok(())
    }
}

/// Refuses a list, of which only the proxy knows which element it has written. A comma is allowed in a host
/// name of RFC 3986, and no host has one.
fn check_is_one(what: &str, value: &str) -> Result<(), Unknown> {
    if value.contains(',') {
        return Err(format!(
            "the proxy forwards a list of {what}, {}. Let it overwrite the header, or set the public URL",
            Escaped(value)
        )
        .into());
    }
    Ok(())
}

/// Reads a header that a proxy must overwrite, not append to.
fn only<'a>(parts: &'a dyn HttpParts, name: &'static str) -> Result<Option<&'a str>, Unknown> {
    match parts.header(name) {
        HeaderLines::Absent => Ok(None),
        HeaderLines::One(value) => match std::str::from_utf8(value) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(format!("the header {name} is not text").into()),
        },
        HeaderLines::Several => Err(format!(
            "there are several headers {name}. Let the proxy overwrite it, or set the public URL"
        )
        .into()),
    }
}

impl PublicUrl {
    fn parse(text: &str) -> Result<Self, ConfigError> {
        let refuse = |what: &str| {
            // Text that was not parsed may contain a password.
            Err(ConfigError::new(format!(
                "the public URL {what}. Write the URL that clients use, for example \
                 https://api.acme.com, or https://acme.com/api if a proxy strips /api"
            )))
        };
        let text = text.trim();
        if text.contains(['?', '#']) {
            return refuse("has a query or a fragment");
        }
        let Some(HttpUri { scheme, path, .. }) = HttpUri::parse(text) else {
            return refuse("is not an absolute http or https URL, without user information");
        };
        let path = normal_path(path);
        let prefix = path.trim_end_matches('/');
        let authority =
            text.split("//").nth(1).unwrap_or_default().split('/').next().unwrap_or_default();
        Ok(Self { scheme, authority: authority.to_owned(), prefix: prefix.to_owned() })
    }
}

fn network(entry: &str) -> Result<IpNet, ConfigError> {
    let entry = entry.trim();
    let parsed = match entry.parse::<IpNet>() {
        Ok(network) => Some(network),
        Err(_) => entry.parse::<IpAddr>().ok().map(IpNet::from),
    };
    parsed.map(canonical).ok_or_else(|| {
        ConfigError::new(format!(
            "the trusted proxy {entry:?} is neither an address nor a network. Write, for example, \
             10.0.0.7 or 10.0.0.0/8"
        ))
    })
}

/// Converts IPv4-mapped IPv6 networks to IPv4 networks, like the addresses of peers.
fn canonical(network: IpNet) -> IpNet {
    let (IpAddr::V4(address), Some(prefix)) =
        (network.addr().to_canonical(), network.prefix_len().checked_sub(96))
    else {
        return network;
    };
    Ipv4Net::new(address, prefix).map_or(network, IpNet::V4)
}
