//! The settings of the environment.
use crate::{Events, Settings};
use auth0_core::{Builder, ConfigError};
use std::env;
use url::Url;

/// The variables of which each means that the example is configured.
const VARIABLES: [&str; 9] = [
    "AUTH0_DOMAIN",
    "AUTH0_ISSUER",
    "AUTH0_AUDIENCE",
    "AUTH0_RESOURCE",
    "AUTH0_LOGOUT_CLIENT_IDS",
    "AUTH0_SID_CLAIM",
    "REDIS_URL",
    "AUTH0_EVENTS_URL",
    "AUTH0_EVENTS_TOKEN",
];

pub(crate) fn is_configured() -> bool {
    VARIABLES.into_iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}

pub(crate) fn settings() -> Result<Settings, ConfigError> {
    let mut verifier = Builder::from_env()?;
    if let Some(claim) = variable("AUTH0_SID_CLAIM")? {
        verifier = verifier.session_claim([claim]);
    }
    if list("AUTH0_LOGOUT_CLIENT_IDS")?.is_empty() {
        return Err(missing(
            "AUTH0_LOGOUT_CLIENT_IDS",
            "the client ids of the applications with which users log in, with commas between them (Dashboard > \
             Applications > Settings > Client ID)",
        ));
    }
    Ok(Settings {
        verifier,
        client_id: None,
        redis_url: variable("REDIS_URL")?,
        events: events()?,
        http_hosts: list("AUTH0_ALLOW_HTTP_HOSTS")?,
    })
}

fn events() -> Result<Option<Events>, ConfigError> {
    match (variable("AUTH0_EVENTS_URL")?, variable("AUTH0_EVENTS_TOKEN")?) {
        (Some(url), Some(token)) => Ok(Some(Events { url: endpoint(url), token })),
        (None, None) => Ok(None),
        (Some(_), None) => Err(missing(
            "AUTH0_EVENTS_TOKEN",
            "a token for the Management API with the scope read:events, or unset AUTH0_EVENTS_URL, too",
        )),
        (None, Some(_)) => Err(missing(
            "AUTH0_EVENTS_URL",
            "the URL of the Events API, for example https://acme.eu.auth0.com/api/v2/events, or unset \
             AUTH0_EVENTS_TOKEN, too",
        )),
    }
}

/// Returns the URL of the Events API. For a URL without a path, this is Auth0's path there.
fn endpoint(url: String) -> String {
    match Url::parse(&url) {
        Ok(mut url) if url.path() == "/" => {
            url.set_path("/api/v2/events");
            url.into()
        }
        _ => url,
    }
}

fn list(name: &str) -> Result<Vec<String>, ConfigError> {
    let text = variable(name)?.unwrap_or_default();
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    Ok(items.map(str::to_owned).collect())
}

/// Returns the value of a variable. An empty one is not set.
fn variable(name: &str) -> Result<Option<String>, ConfigError> {
    match env::var(name) {
        Ok(value) => Ok(Some(value.trim().to_owned()).filter(|value| !value.is_empty())),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => {
            Err(ConfigError::new(format!("the environment variable {name} is not Unicode")))
        }
    }
}

fn missing(name: &str, meaning: &str) -> ConfigError {
    ConfigError::new(format!(
        "the environment variable {name} is not set, or empty. Set it to {meaning}"
    ))
}
