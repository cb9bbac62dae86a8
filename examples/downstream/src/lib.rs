//! The API that other examples call, and their settings: from the environment, or a tenant and this API in the process.
mod api;
mod environment;
mod local;

pub use local::{Local, start};

use auth0_axum::Auth0;
use auth0_client::Client;
use auth0_local::LocalTenant;
use std::{error::Error, net::SocketAddr, sync::Arc};

/// What an example needs to call this API.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Verifies the tokens of callers: `Auth0::from_env()?` in a service of yours.
    pub auth: Auth0,
    /// Requests tokens: `Client::from_env()?` in a service of yours.
    pub client: Client,
    /// The URL of the other API, without a slash at its end.
    pub url: String,
    /// The identifier of the other API.
    pub audience: String,
}

/// What a service needs to call this API as itself.
#[derive(Debug)]
pub struct ServiceSettings {
    /// Requests tokens: `Client::from_env()?` in a service of yours.
    pub client: Client,
    /// The URL of the API, without a slash at its end.
    pub url: String,
    /// The identifier of the API.
    pub audience: String,
    tenant: Option<Arc<LocalTenant>>,
}

impl ServiceSettings {
    /// Returns how many tokens were requested of the tenant in the process, if there is one.
    #[must_use]
    pub fn token_requests(&self) -> Option<u64> {
        self.tenant.as_ref().map(|tenant| tenant.token_requests().of("client_credentials"))
    }
}

/// Returns the settings of the environment. If nothing is set, starts a tenant and the API on free ports.
///
/// # Errors
/// A variable is missing or not valid.
pub async fn service_settings() -> Result<ServiceSettings, Box<dyn Error + Send + Sync>> {
    if environment::is_configured() {
        let (url, audience) = environment::downstream()?;
        return Ok(ServiceSettings { client: Client::from_env()?, url, audience, tenant: None });
    }
    let local = start().await?;
    let Settings { client, url, audience, .. } = local.settings()?;
    Ok(ServiceSettings { client, url, audience, tenant: Some(local.tenant) })
}

/// Returns the settings of the environment. If nothing is set, starts a tenant and the API on free ports, and prints
/// these commands for another terminal.
///
/// # Errors
/// A variable is missing or not valid.
pub async fn settings(
    server: SocketAddr,
    commands: &[(&str, &str)],
) -> Result<Settings, Box<dyn Error + Send + Sync>> {
    if environment::is_configured() {
        return Ok(environment::settings()?);
    }
    let local = start().await?;
    local.tenant.print_commands(server, commands);
    Ok(local.settings()?)
}
