//! The HTTP clients of one verifier: the application's, or a default client for each kind of issuer, created
//! when it is needed.
use super::{HttpClient, PermittedAddresses, PrivateHosts, Transport};
use crate::{config_error::ConfigError, identifier::Issuer};
use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

pub(crate) struct DefaultClients {
    given: Option<Arc<dyn HttpClient>>,
    made: BTreeMap<Kind, Arc<dyn HttpClient>>,
}

/// Where an issuer is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Elsewhere,
    OnLoopback,
    /// Over http, on a machine that may have no certificates.
    OnLoopbackWithoutTls,
}

impl Kind {
    fn of(issuer: &Issuer) -> Self {
        match (issuer.is_loopback(), issuer.is_https()) {
            (false, _) => Self::Elsewhere,
            (true, true) => Self::OnLoopback,
            (true, false) => Self::OnLoopbackWithoutTls,
        }
    }
}

impl DefaultClients {
    pub(crate) const fn new(given: Option<Arc<dyn HttpClient>>) -> Self {
        Self { given, made: BTreeMap::new() }
    }

    /// Returns the transport for an issuer that is configured.
    pub(crate) fn of(&mut self, issuer: &Issuer) -> Result<Transport, ConfigError> {
        let http = match &self.given {
            Some(given) => Arc::clone(given),
            None => self.own(Kind::of(issuer))?,
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

#[cfg(feature = "__reqwest")]
mod own {
    use super::{Arc, ConfigError, HttpClient, Kind, PrivateHosts};
    use crate::transport::reqwest::Reqwest;

    pub(super) fn client(kind: Kind) -> Result<Arc<dyn HttpClient>, ConfigError> {
        Ok(Arc::new(match kind {
            Kind::Elsewhere => Reqwest::new()?,
            Kind::OnLoopback => Reqwest::on_loopback()?,
            // With the system's certificates if there are any: the metadata may name a key set over https.
            Kind::OnLoopbackWithoutTls => {
                Reqwest::on_loopback().or_else(|_| Reqwest::on_loopback_without_certificates())?
            }
        }))
    }

    pub(super) fn guarded(private: PrivateHosts) -> Result<Arc<dyn HttpClient>, ConfigError> {
        Ok(Arc::new(Reqwest::guarded(private)?))
    }
}

#[cfg(not(feature = "__reqwest"))]
mod own {
    use super::{Arc, ConfigError, HttpClient, Kind, PrivateHosts};

    pub(super) fn client(_: Kind) -> Result<Arc<dyn HttpClient>, ConfigError> {
        Err(ConfigError::new(
            "there is no HTTP client to fetch keys with. Turn on the feature \"reqwest\" of auth0-core, \
             or set a client with .http_client(…)",
        ))
    }

    pub(super) fn guarded(_: PrivateHosts) -> Result<Arc<dyn HttpClient>, ConfigError> {
        client(Kind::Elsewhere)
    }
}
