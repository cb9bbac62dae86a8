//! The settings of the environment.
use crate::{Settings, http_client};
use auth0_axum::{Auth0, ConfigError};
use auth0_client::Client;
use std::env;
use url::Url;

/// The variables of which each means that the example is configured.
const VARIABLES: [&str; 8] = [
    "AUTH0_DOMAIN",
    "AUTH0_ISSUER",
    "AUTH0_AUDIENCE",
    "AUTH0_CLIENT_ID",
    "AUTH0_CLIENT_SECRET",
    "AUTH0_CLIENT_ASSERTION_SIGNING_KEY",
    "DOWNSTREAM_URL",
    "DOWNSTREAM_AUDIENCE",
];

pub(crate) fn is_configured() -> bool {
    VARIABLES.into_iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

pub(crate) fn settings() -> Result<Settings, ConfigError> {
    let (url, audience) = downstream()?;
    let http = http_client(&url)?;
    Ok(Settings { auth: Auth0::from_env()?, client: Client::from_env()?, http, url, audience })
}

/// Returns the URL and the audience of the other API.
pub(crate) fn downstream() -> Result<(String, String), ConfigError> {
    let url = variable(
        "DOWNSTREAM_URL",
        "the URL of the other API, for example https://billing.acme.com",
    )?;
    let audience = variable(
        "DOWNSTREAM_AUDIENCE",
        "the identifier of the other API (Dashboard > Applications > APIs)",
    )?;
    let refused = |why: &str| {
        ConfigError::new(format!(
            "DOWNSTREAM_URL {why}. Write the URL of the other API, for example https://billing.acme.com"
        ))
    };
    let parsed = Url::parse(&url).map_err(|_| refused("is not a URL"))?;
    if !matches!(parsed.scheme(), "https" | "http") {
        return Err(refused("is neither https nor http"));
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(refused("has user information in it"));
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err(refused("has a query or a fragment in it"));
    }
    let is_local = matches!(parsed.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if parsed.scheme() == "http" && !is_local {
        tracing::warn!(
            "DOWNSTREAM_URL is plain http: each machine on the way can read the tokens that are sent to it"
        );
    }
    Ok((url.trim_end_matches('/').to_owned(), audience))
}

fn variable(name: &str, meaning: &str) -> Result<String, ConfigError> {
    match env::var(name) {
        Ok(value) if !value.trim().is_empty() => Ok(value.trim().to_owned()),
        _ => Err(ConfigError::new(format!(
            "the environment variable {name} is not set, or empty. Set it to {meaning}"
        ))),
    }
}
