//! The view of a resolver on a request whose token is not verified yet.
use super::fair_queue::Client;
use crate::{
    identifier::Issuer,
    jose::TokenHash,
    request::{HeaderLines, HttpParts, Origin, WITH_CREDENTIALS, origin::Unknown},
};
use std::{borrow::Cow, cell::OnceCell, collections::HashMap, fmt};

/// The longest host name (RFC 1035 §2.3.4).
const MAX_HOST_BYTES: usize = 253;

/// A request whose token is not verified yet, as an [`IssuerResolver`](crate::resolver::IssuerResolver) sees
/// it. Clients can write all of its values. See [`UnverifiedIssuer`] for an example.
pub struct ResolverContext<'a> {
    issuer: UnverifiedIssuer<'a>,
    parts: Option<&'a dyn HttpParts>,
    origin: &'a Origin,
    host: OnceCell<Result<Cow<'a, str>, Unknown>>,
}

impl<'a> ResolverContext<'a> {
    pub(crate) const fn new(
        issuer: &'a str,
        parts: Option<&'a dyn HttpParts>,
        origin: &'a Origin,
    ) -> Self {
        let issuer = UnverifiedIssuer(issuer);
        Self { issuer, parts, origin, host: OnceCell::new() }
    }

    /// Returns the host to which the client has sent the request, in lower case and without the port: that
    /// which a trusted proxy forwards (see [`Builder::trusted_proxies`](crate::Builder::trusted_proxies)),
    /// or `:authority`, or the `Host` header. `None` if there is none, if several contradict each other, or
    /// in [`Auth0::verify`](crate::Auth0::verify), which has no request.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        let host = self.host.get_or_init(|| match self.parts {
            Some(parts) => self.origin.host(parts).and_then(|host| match host.len() {
                1..=MAX_HOST_BYTES => Ok(host),
                _ => Err("the host is not of the length that a name has".into()),
            }),
            None => Err("there is no request".into()),
        });
        host.as_deref().ok()
    }

    /// Returns the path as the client sent it, without the query: not decoded, and before any router
    /// removed a prefix. Empty if there is no request.
    #[must_use]
    pub fn path(&self) -> &str {
        self.parts.map_or("", |parts| parts.path())
    }

    /// Returns the value of a header, if it occurs once and is text. Headers with credentials are never
    /// returned: `Authorization`, `Proxy-Authorization`, `DPoP`.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        if WITH_CREDENTIALS.contains(&&*name) {
            return None;
        }
        match self.parts?.header(&name) {
            HeaderLines::One(value) => std::str::from_utf8(value).ok(),
            HeaderLines::Absent | HeaderLines::Several => None,
        }
    }

    /// Returns the issuer that the token names. Any client can write it.
    #[must_use]
    pub const fn issuer(&self) -> UnverifiedIssuer<'a> {
        self.issuer
    }

    /// Returns the client, so that clients take turns.
    pub(super) fn client(&self) -> Client {
        Client::at(self.parts.and_then(|parts| self.origin.client(parts)))
    }

    /// Returns the reason, for the log, why a host that was requested is not known.
    pub(super) fn host_trouble(&self) -> Option<&str> {
        self.host.get()?.as_ref().err().map(|why| &**why)
    }
}

impl fmt::Debug for ResolverContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResolverContext").finish_non_exhaustive()
    }
}

/// The issuer that a token names, before the token is verified.
///
/// It can only be compared and looked up. It is not text, so that it cannot become the name of a trusted
/// issuer, or an address from which keys are fetched.
///
/// ```
/// use auth0_core::resolver::ResolverContext;
/// use std::collections::HashMap;
///
/// /// Returns the number of the tenant from a table in memory.
/// fn tenant(request: &ResolverContext<'_>, tenants: &HashMap<String, u64>) -> Option<u64> {
///     request.issuer().find_in(tenants).copied()
/// }
/// ```
///
/// In a database, search by the digest, for which it needs a column or an index: in `PostgreSQL`,
/// `WHERE sha256(convert_to(issuer, 'UTF8')) = $1`.
///
/// ```compile_fail,E0277
/// # use auth0_core::{TrustedIssuer, resolver::ResolverContext};
/// fn trusts_every_issuer(request: &ResolverContext<'_>) -> TrustedIssuer {
///     TrustedIssuer::new(request.issuer())
/// }
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct UnverifiedIssuer<'a>(&'a str);

impl UnverifiedIssuer<'_> {
    /// Returns the value of the issuer in a table whose keys are issuers as `iss` has them. (Only with the
    /// hasher of the standard library, because another one would see the text.)
    #[must_use]
    pub fn find_in<'m, V>(&self, table: &'m HashMap<String, V>) -> Option<&'m V> {
        table.get(self.0)
    }

    /// Returns the SHA-256 of the issuer in UTF-8.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        TokenHash::of(self.0.as_bytes()).into_bytes()
    }
}

impl PartialEq<str> for UnverifiedIssuer<'_> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for UnverifiedIssuer<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl PartialEq<String> for UnverifiedIssuer<'_> {
    fn eq(&self, other: &String) -> bool {
        self.0 == other
    }
}

impl PartialEq<Issuer> for UnverifiedIssuer<'_> {
    fn eq(&self, other: &Issuer) -> bool {
        self.0 == other.as_str()
    }
}

impl fmt::Debug for UnverifiedIssuer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnverifiedIssuer([unverified])")
    }
}
