//! What fetches: a client of the application's, or one of our own for each kind of issuer.
use crate::{
    builder::ConfigError,
    domain::Issuer,
    http::HttpClient,
    jwks::Transport,
    reach::{PrivateHosts, Reach},
};
use std::sync::Arc;

pub(crate) struct Transports {
    given: Option<Arc<dyn HttpClient>>,
    elsewhere: Option<Arc<dyn HttpClient>>,
    on_loopback: Option<Arc<dyn HttpClient>>,
}

impl Transports {
    pub(crate) const fn new(given: Option<Arc<dyn HttpClient>>) -> Self {
        Self { given, elsewhere: None, on_loopback: None }
    }

    /// For an issuer that is configured.
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
        Ok(Transport { http, reach: Reach::Anywhere })
    }

    /// For those that a resolver finds.
    pub(crate) fn guarded(&self, private: PrivateHosts) -> Result<Transport, ConfigError> {
        let http = match &self.given {
            Some(given) => Arc::clone(given),
            None => own::guarded(private.clone())?,
        };
        Ok(Transport { http, reach: Reach::Public(private) })
    }
}

#[cfg(feature = "reqwest")]
mod own {
    use super::{Arc, ConfigError, HttpClient, PrivateHosts};
    use crate::http::Reqwest;

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

#[cfg(not(feature = "reqwest"))]
mod own {
    use super::{Arc, ConfigError, HttpClient, PrivateHosts};

    pub(super) fn elsewhere() -> Result<Arc<dyn HttpClient>, ConfigError> {
        Err(ConfigError::new(
            "there is no HTTP client to fetch keys with. Turn on the feature \"reqwest\" of auth0-core, \
             or bring a client with .http_client(…)",
        ))
    }

    pub(super) use elsewhere as on_loopback;

    pub(super) fn guarded(_: PrivateHosts) -> Result<Arc<dyn HttpClient>, ConfigError> {
        elsewhere()
    }
}
