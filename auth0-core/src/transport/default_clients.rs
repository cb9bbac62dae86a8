//! The HTTP clients of one verifier: the application's, or a default client for each kind of issuer, created
//! when it is needed.
use super::{HttpClient, PermittedAddresses, PrivateHosts, Transport};
use crate::{config_error::ConfigError, identifier::Issuer};
use std::sync::Arc;

pub(crate) struct DefaultClients {
    given: Option<Arc<dyn HttpClient>>,
    elsewhere: Option<Arc<dyn HttpClient>>,
    on_loopback: Option<Arc<dyn HttpClient>>,
}

impl DefaultClients {
    pub(crate) const fn new(given: Option<Arc<dyn HttpClient>>) -> Self {
        Self { given, elsewhere: None, on_loopback: None }
    }

    /// Returns the transport for an issuer that is configured.
    pub(crate) fn of(&mut self, issuer: &Issuer) -> Result<Transport, ConfigError> {
        let (made, make): (_, fn() -> _) = if issuer.is_loopback() {
            (&mut self.on_loopback, own::on_loopback)
        } else {
            (&mut self.elsewhere, own::elsewhere)
        };
        let http = match (&self.given, made) {
            (Some(given), _) => Arc::clone(given),
            (None, Some(made)) => Arc::clone(made),
            (None, made) => Arc::clone(made.insert(make()?)),
        };
        Ok(Transport { http, addresses: PermittedAddresses::All })
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
    use super::{Arc, ConfigError, HttpClient, PrivateHosts};
    use crate::transport::reqwest::Reqwest;

    pub(super) fn elsewhere() -> Result<Arc<dyn HttpClient>, ConfigError> {
        Ok(Arc::new(Reqwest::new()?))
    }

    pub(super) fn on_loopback() -> Result<Arc<dyn HttpClient>, ConfigError> {
        Ok(Arc::new(Reqwest::on_loopback()?))
    }

    pub(super) fn guarded(private: PrivateHosts) -> Result<Arc<dyn HttpClient>, ConfigError> {
        Ok(Arc::new(Reqwest::guarded(private)?))
    }
}

#[cfg(not(feature = "__reqwest"))]
mod own {
    use super::{Arc, ConfigError, HttpClient, PrivateHosts};

    pub(super) fn elsewhere() -> Result<Arc<dyn HttpClient>, ConfigError> {
        Err(ConfigError::new(
            "there is no HTTP client to fetch keys with. Turn on the feature \"reqwest\" of auth0-core, \
             or set a client with .http_client(…)",
        ))
    }

    pub(super) use elsewhere as on_loopback;

    pub(super) fn guarded(_: PrivateHosts) -> Result<Arc<dyn HttpClient>, ConfigError> {
        elsewhere()
    }
}
