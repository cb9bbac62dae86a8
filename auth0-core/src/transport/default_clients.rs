//! The HTTP clients of one verifier: the application's, or a default client for each kind of issuer, created
//! when it is needed.
use super::{HttpClient, PermittedAddresses, PrivateHosts, Transport};
use crate::{config_error::ConfigError, identifier::is_loopback};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};
use url::Url;

pub(crate) struct DefaultClients {
    given: Option<Arc<dyn HttpClient>>,
    made: BTreeMap<Kind, Arc<dyn HttpClient>>,
}

/// Where the documents of an issuer are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Elsewhere,
    OnLoopback,
    /// On this machine or in its own network, over http. The machine may have no certificates.
    OverHttp,
}

impl Kind {
    fn of(url: &str) -> Self {
        match Url::parse(url) {
            Ok(url) if url.scheme() == "http" => Self::OverHttp,
            Ok(url) if is_loopback(&url) => Self::OnLoopback,
            _ => Self::Elsewhere,
        }
    }
}

impl DefaultClients {
    pub(crate) const fn new(given: Option<Arc<dyn HttpClient>>) -> Self {
        Self { given, made: BTreeMap::new() }
    }

    /// Returns the transport for a configured issuer whose first document is at this URL.
    pub(crate) fn of(&mut self, url: &str) -> Result<Transport, ConfigError> {
        let http = match &self.given {
            Some(given) => Arc::clone(given),
            None => self.own(Kind::of(url))?,
        };
        Ok(Transport { http, addresses: PermittedAddresses::All })
    }

    fn own(&mut self, kind: Kind) -> Result<Arc<dyn HttpClient>, ConfigError> {
        Ok(match self.made.entry(kind) {
            Entry::Occupied(made) => Arc::clone(made.get()),
            Entry::Vacant(slot) => Arc::clone(slot.insert(own::client(kind)?)),
        })
    }

    /// Returns the transport for issuers that a resolver finds.
    pub(crate) fn guarded(&self, private: PrivateHosts) -> Result<Transport, ConfigError> {
        let http = match &self.given {
            Some(given) => Arc::clone(given),
            None => own::guarded(private.clone())?,
        };
        Ok(Transport { http, addresses: PermittedAddresses::Public(private) })
    }
}

/// Returns the default client for requests to this URL, with the certificate and private key of the
/// application if it has any (PEM).
///
/// # Errors
/// The client cannot be set up, or the certificate cannot be read.
pub fn default_client(
    url: &str,
    identity: Option<&[u8]>,
) -> Result<Arc<dyn HttpClient>, ConfigError> {
    match identity {
        Some(pem) => own::with_identity(Kind::of(url), pem),
        None => own::client(Kind::of(url)),
    }
}

#[cfg(feature = "__reqwest")]
mod own {
    use super::{Arc, ConfigError, HttpClient, Kind, PrivateHosts};
    use crate::transport::reqwest::Reqwest;

    pub(super) fn client(kind: Kind) -> Result<Arc<dyn HttpClient>, ConfigError> {
        Ok(Arc::new(match kind {
            Kind::Elsewhere => Reqwest::new()?,
            Kind::OnLoopback => Reqwest::without_proxy()?,
            // With the system's certificates if there are any: the metadata may name a key set over https.
            Kind::OverHttp => {
                Reqwest::without_proxy().or_else(|_| Reqwest::without_certificates())?
            }
        }))
    }

    pub(super) fn guarded(private: PrivateHosts) -> Result<Arc<dyn HttpClient>, ConfigError> {
        Ok(Arc::new(Reqwest::guarded(private)?))
    }

    pub(super) fn with_identity(
        kind: Kind,
        pem: &[u8],
    ) -> Result<Arc<dyn HttpClient>, ConfigError> {
        let uses_proxy = matches!(kind, Kind::Elsewhere);
        Ok(Arc::new(Reqwest::with_identity(pem, uses_proxy)?))
    }
}

#[cfg(not(feature = "__reqwest"))]
mod own {
    use super::{Arc, ConfigError, HttpClient, Kind, PrivateHosts};

    pub(super) fn client(_: Kind) -> Result<Arc<dyn HttpClient>, ConfigError> {
        Err(ConfigError::new(
            "there is no HTTP client to reach the issuer with. Turn on the feature \"reqwest\" of auth0-core, \
             or set a client with .http_client(…)",
        ))
    }

    pub(super) fn guarded(_: PrivateHosts) -> Result<Arc<dyn HttpClient>, ConfigError> {
        client(Kind::Elsewhere)
    }

    pub(super) fn with_identity(_: Kind, _: &[u8]) -> Result<Arc<dyn HttpClient>, ConfigError> {
        client(Kind::Elsewhere)
    }
}
