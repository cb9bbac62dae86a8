//! The API that other examples call, and their settings: from the environment, or a tenant and this API in the process.
mod api;
mod environment;
mod local;

pub use local::{Local, start};

use auth0_axum::{Auth0, ConfigError};
use auth0_client::Client;
use auth0_local::LocalTenant;
use reqwest::redirect::Policy;
use std::{error::Error, net::SocketAddr, sync::Arc};

/// What an example needs to call this API.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Verifies the tokens of callers: `Auth0::from_env()?` in a service of yours.
    pub auth: Auth0,
    /// Requests tokens: `Client::from_env()?` in a service of yours.
    pub client: Client,
    /// Sends requests to the other API. It follows no redirect, so that neither a token nor a proof is sent elsewhere.
    pub http: reqwest::Client,
    /// The URL of the other API, without a slash at its end.
    pub url: String,
    /// The identifier of the other API.
    pub audience: String,
}

/// Returns a client for requests with tokens to an API at this URL. A proxy cannot reach an API on loopback.
fn http_client(url: &str) -> Result<reqwest::Client, ConfigError> {
    let builder = reqwest::Client::builder().redirect(Policy::none());
    let is_local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let builder = match is_local.iter().any(|start| url.starts_with(start)) {
        true => builder.no_proxy(),
        false => builder,
    };
    builder.build().map_err(|error| ConfigError::new(format!("no HTTP client: {error}")))
}

/// What a service needs to call this API as itself.
#[derive(Debug)]
pub struct ServiceSettings {
    /// Requests tokens: `Client::from_env()?` in a service of yours.
    pub client: Client,
    /// Sends requests to the API: see [`Settings::http`].
    pub http: reqwest::Client,
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
        let (client, http) = (Client::from_env()?, http_client(&url)?);
        return Ok(ServiceSettings { client, http, url, audience, tenant: None });
    }
    let local = start().await?;
    let Settings { client, http, url, audience, .. } = local.settings()?;
    Ok(ServiceSettings { client, http, url, audience, tenant: Some(local.tenant) })
}

/// The commands for an example with the routes `/report`, `/inventory` and `/calendar`.
const COMMANDS: [(&str, &str); 6] = [
    ("a token of Ann", "TOKEN={token}'{\"subject\":\"auth0|ann\"}')"),
    (
        "200: the report of Ann, who is the subject of the second token",
        "curl -i http://{address}/report -H \"Authorization: Bearer $TOKEN\"",
    ),
    (
        "200: the inventory, which this API requests as itself",
        "curl -i http://{address}/inventory -H \"Authorization: Bearer $TOKEN\"",
    ),
    (
        "200: the calendar of one of Ann's accounts",
        "curl -i \"http://{address}/calendar?account=ann@home.test\" -H \"Authorization: Bearer $TOKEN\"",
    ),
    (
        "403: Ann has not connected this account",
        "curl -i \"http://{address}/calendar?account=other@acme.test\" -H \"Authorization: Bearer $TOKEN\"",
    ),
    ("401: without a token", "curl -i http://{address}/report"),
];

/// Returns the settings of the environment. If nothing is set, starts a tenant and the API on free ports, and prints
/// commands for another terminal.
///
/// # Errors
/// A variable is missing or not valid.
pub async fn settings(server: SocketAddr) -> Result<Settings, Box<dyn Error + Send + Sync>> {
    if environment::is_configured() {
        return Ok(environment::settings()?);
    }
    let local = start().await?;
    local.tenant.print_commands(server, &COMMANDS);
    Ok(local.settings()?)
}
