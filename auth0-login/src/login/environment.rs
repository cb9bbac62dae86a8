//! The configuration from environment variables.
use super::LoginBuilder;
use auth0_client::ClientBuilder;
use auth0_core::{
    ConfigError,
    support::{one_variable, variables},
};
use std::env;
use zeroize::Zeroizing;

impl LoginBuilder {
    /// Starts a configuration with the environment: see [`Login::from_env`](crate::Login::from_env).
    ///
    /// # Errors
    /// A variable is missing, or is not valid.
    pub fn from_env() -> Result<Self, ConfigError> {
        let client = ClientBuilder::from_env()?;
        let mut builder =
            Self::with_client(client).allow_http_hosts(variables("AUTH0_ALLOW_HTTP_HOSTS")?);
        for secret in secrets()? {
            builder.secrets.push(secret);
        }
        if let Some(url) = one_variable("APP_BASE_URL")? {
            builder = builder.base_url(url);
        }
        if let Some(audience) = one_variable("AUTH0_LOGIN_AUDIENCE")? {
            builder = builder.audience(audience);
        }
        if let Some(scopes) = one_variable("AUTH0_SCOPE")? {
            builder = builder.scopes(scopes.split_ascii_whitespace());
        }
        Ok(builder)
    }
}

/// Reads the secrets, which no error quotes. An entry that is empty is an entry that is too short.
fn secrets() -> Result<Vec<Zeroizing<String>>, ConfigError> {
    let text = match env::var("AUTH0_SECRET") {
        Ok(text) => Zeroizing::new(text),
        Err(env::VarError::NotPresent) => return Ok(Vec::new()),
        Err(env::VarError::NotUnicode(_)) => {
            return Err(ConfigError::new("the environment variable AUTH0_SECRET is not Unicode"));
        }
    };
    let bare = text.trim();
    if bare.is_empty() {
        return Ok(Vec::new());
    }
    let unquoted =
        ['"', '\''].into_iter().find_map(|mark| bare.strip_prefix(mark)?.strip_suffix(mark));
    let entries = unquoted.unwrap_or(bare).split(',');
    Ok(entries.map(|entry| Zeroizing::new(entry.trim().to_owned())).collect())
}
