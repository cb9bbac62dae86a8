//! What the examples of revocation share: their settings, from the environment or for a tenant in the process.
mod environment;
mod local;

use auth0_core::{Auth0, BackchannelLogout, Builder, ConfigError, Revocations};
use auth0_events::EventSubscriber;
use auth0_redis::{RedisEventStore, RedisRevocationStore};
use std::{error::Error, fmt, net::SocketAddr};

/// What a service needs to refuse tokens of users who have logged out, or are blocked.
#[derive(Debug)]
pub struct Settings {
    /// The verifier, without revocations: `Auth0::builder()` in a service of yours.
    pub verifier: Builder,
    /// The applications whose logout tokens are accepted, by client id: those of the environment without it.
    client_id: Option<&'static str>,
    /// The Redis that all instances share.
    redis_url: Option<String>,
    events: Option<Events>,
    /// The hosts that may be reached over http, besides this machine.
    http_hosts: Vec<String>,
}

/// Where the events of the tenant are, and the token for them.
struct Events {
    url: String,
    token: String,
}

impl Settings {
    /// Creates the endpoint for the logout tokens of the applications with which users log in.
    ///
    /// # Errors
    /// `AUTH0_LOGOUT_CLIENT_IDS` is not valid.
    pub fn logout(&self, auth: &Auth0) -> Result<BackchannelLogout, ConfigError> {
        match self.client_id {
            Some(client_id) => BackchannelLogout::new(auth, [client_id]),
            None => BackchannelLogout::from_env(auth),
        }
    }

    /// Creates the revocations of all instances with the same Redis, or else of this process.
    ///
    /// # Errors
    /// `REDIS_URL` is not valid.
    pub fn revocations(&self) -> Result<Revocations, ConfigError> {
        Ok(match &self.redis_url {
            Some(url) => Revocations::with_store(RedisRevocationStore::new(url).map_err(of_redis)?),
            None => Revocations::in_memory(),
        })
    }

    /// Creates the subscriber of the tenant's events, if there is a URL for them. It revokes the tokens of all issuers of
    /// the verifier.
    ///
    /// # Errors
    /// `AUTH0_EVENTS_URL` or `AUTH0_EVENTS_TOKEN` is not valid.
    pub fn subscriber(
        &self,
        auth: &Auth0,
        revocations: &Revocations,
    ) -> Result<Option<EventSubscriber>, ConfigError> {
        let Some(Events { url, token }) = &self.events else { return Ok(None) };
        let mut builder = EventSubscriber::builder()
            .url(url)
            .token(token)
            .issuers(auth.issuers())
            .allow_http_hosts(&self.http_hosts)
            .revocations(revocations);
        if let Some(issuer) = auth.issuers().next() {
            builder = builder.issuer(issuer);
        }
        if let Some(url) = &self.redis_url {
            builder = builder.store(RedisEventStore::new(url).map_err(of_redis)?);
        }
        let subscriber = builder.build().map_err(|error| {
            ConfigError::new(format!("AUTH0_EVENTS_URL or AUTH0_EVENTS_TOKEN: {error}"))
        })?;
        Ok(Some(subscriber))
    }
}

fn of_redis(error: ConfigError) -> ConfigError {
    ConfigError::new(format!("REDIS_URL: {error}"))
}

/// Returns the settings of the environment. If nothing is set, starts a tenant on a free port, which sends its logout
/// tokens to this server, and prints commands for another terminal.
///
/// # Errors
/// A variable is missing or not valid.
pub async fn settings(server: SocketAddr) -> Result<Settings, Box<dyn Error + Send + Sync>> {
    match environment::is_configured() {
        true => Ok(environment::settings()?),
        false => Ok(local::start(server).await?),
    }
}

/// Omits the token.
impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("url", &self.url).finish_non_exhaustive()
    }
}
