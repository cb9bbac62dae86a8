//! The configuration from environment variables.
use super::ClientBuilder;
use crate::key::{ProofKey, SigningKey, text_or_file};
use auth0_core::{
    ConfigError,
    support::{one_variable, variables},
};
use std::env::{self, VarError};
use zeroize::Zeroizing;

impl ClientBuilder {
    /// Starts a configuration with the environment: see [`Client::from_env`](crate::Client::from_env).
    ///
    /// # Errors
    /// A variable is missing, or is not valid.
    pub fn from_env() -> Result<Self, ConfigError> {
        let mut builder = Self::new();
        match (tenant("AUTH0_DOMAIN")?, tenant("AUTH0_ISSUER")?) {
            (None, None) => {
                return Err(ConfigError::new(
                    "the environment variable AUTH0_DOMAIN is not set, or empty. Set it to the domain of \
                     your tenant, for example AUTH0_DOMAIN=acme.eu.auth0.com",
                ));
            }
            (domain, issuer) => {
                if let Some(domain) = domain {
                    builder = builder.domain(domain);
                }
                if let Some(issuer) = issuer {
                    builder = builder.issuer(issuer);
                }
            }
        }
        let Some(client_id) = one_variable("AUTH0_CLIENT_ID")? else {
            return Err(ConfigError::new(
                "the environment variable AUTH0_CLIENT_ID is not set, or empty. Set it to the client id of \
                 Dashboard > Applications > Settings",
            ));
        };
        builder =
            builder.client_id(client_id).allow_http_hosts(variables("AUTH0_ALLOW_HTTP_HOSTS")?);
        if let Some(secret) = secret("AUTH0_CLIENT_SECRET")? {
            builder = builder.client_secret(&**secret);
        }
        const KEY: &str = "AUTH0_CLIENT_ASSERTION_SIGNING_KEY";
        const ALGORITHM: &str = "AUTH0_CLIENT_ASSERTION_SIGNING_ALG";
        let algorithm = one_variable(ALGORITHM)?;
        if let Some(value) = secret(KEY)? {
            let mut key = SigningKey::from_pem(&text_or_file(KEY, &value)?)?;
            if let Some(name) = algorithm {
                let parsed = name.parse().map_err(|_| {
                    ConfigError::new(format!("{ALGORITHM} is {name:?}. Use RS256, RS384 or PS256"))
                })?;
                key = key.algorithm(parsed)?;
            }
            builder = builder.signing_key(key);
        } else if algorithm.is_some() {
            return Err(ConfigError::new(format!(
                "{ALGORITHM} is set, and {KEY} is not. Set both, or neither"
            )));
        }
        builder.with_dpop_of_env()
    }

    fn with_dpop_of_env(self) -> Result<Self, ConfigError> {
        const KEY: &str = "AUTH0_DPOP_PRIVATE_KEY";
        let key = match secret(KEY)? {
            Some(value) => Some(ProofKey::from_pem(&text_or_file(KEY, &value)?)?),
            None => None,
        };
        match (one_variable("AUTH0_CLIENT_DPOP")?.as_deref(), key) {
            (Some("required"), Some(key)) => Ok(self.dpop(key)),
            (Some("required"), None) => Ok(self.dpop_with_own_key()),
            (None | Some("disabled"), None) => Ok(self),
            (None | Some("disabled"), Some(_)) => Err(ConfigError::new(format!(
                "{KEY} is set, and DPoP is not required. Set AUTH0_CLIENT_DPOP=required, or leave the key out"
            ))),
            (Some(other), _) => Err(ConfigError::new(format!(
                "AUTH0_CLIENT_DPOP is {other:?}. Write required or disabled"
            ))),
        }
    }
}

/// Reads the tenant, which is one: a verifier may trust several, a client belongs to one.
fn tenant(name: &str) -> Result<Option<String>, ConfigError> {
    let values = variables(name)?;
    let count = values.len();
    if count > 1 {
        return Err(ConfigError::new(format!(
            "{name} has {count} values, and a client belongs to one tenant. Create one for each with \
             Client::builder()"
        )));
    }
    Ok(values.into_iter().next())
}

/// Reads a variable that no error quotes.
fn secret(name: &str) -> Result<Option<Zeroizing<String>>, ConfigError> {
    let text = match env::var(name) {
        Ok(text) => Zeroizing::new(text),
        Err(VarError::NotPresent) => return Ok(None),
        Err(VarError::NotUnicode(_)) => {
            return Err(ConfigError::new(format!(
                "the environment variable {name} is not Unicode"
            )));
        }
    };
    let bare = text.trim();
    let bare = ['"', '\'']
        .into_iter()
        .find_map(|mark| bare.strip_prefix(mark)?.strip_suffix(mark))
        .unwrap_or(bare);
    Ok((!bare.is_empty()).then(|| Zeroizing::new(bare.to_owned())))
}
