//! The configuration from environment variables.
use super::{Builder, pasted};
use crate::{
    config_error::ConfigError,
    identifier::{Domain, Issuer, PlainHttp},
    issuer::TrustedIssuer,
};
use std::collections::HashSet;

impl Builder {
    /// Starts a configuration with the environment: see
    /// [`Auth0::from_env`](crate::Auth0::from_env).
    ///
    /// # Errors
    /// A variable is missing or is not Unicode.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_variables(of_process)
    }

    fn from_variables(
        variable: impl Fn(&str) -> Result<Option<String>, ConfigError>,
    ) -> Result<Self, ConfigError> {
        // Compose files pass a variable that is not set as an empty value.
        let variable = |name| Ok(variable(name)?.filter(|value| !value.trim().is_empty()));
        let many = |name| match variable(name)? {
            Some(text) => pasted::many(name, &text),
            None => Ok(Vec::new()),
        };
        let one = |name| match variable(name)? {
            Some(text) => pasted::one(name, &text),
            None => Ok(None),
        };
        let (domains, issuers) = (many("AUTH0_DOMAIN")?, many("AUTH0_ISSUER")?);
        if domains.is_empty() && issuers.is_empty() {
            return Err(ConfigError::new(
                "the environment variable AUTH0_DOMAIN is not set, or empty. Set it to the domain \
                 of your tenant, for example AUTH0_DOMAIN=acme.eu.auth0.com",
            ));
        }
        let (audiences, resource) = (many("AUTH0_AUDIENCE")?, one("AUTH0_RESOURCE")?);
        if audiences.is_empty() && resource.is_none() {
            return Err(ConfigError::new(
                "the environment variable AUTH0_AUDIENCE is not set, or empty. Set it to the \
                 identifier of your API, for example AUTH0_AUDIENCE=https://api.acme.com; for \
                 several APIs, put commas between them. For an MCP server, set AUTH0_RESOURCE instead",
            ));
        }
        let http_hosts = many("AUTH0_ALLOW_HTTP_HOSTS")?;
        if !domains.is_empty() && !issuers.is_empty() {
            same_issuers(&domains, &issuers, &PlainHttp::parse(&http_hosts)?)?;
        }
        let mut builder =
            Self::new().audiences(audiences).domains(domains).allow_http_hosts(http_hosts);
        if let Some(url) = resource {
            builder = builder.resource(url);
        }
        for issuer in issuers {
            builder = builder.issuer(TrustedIssuer::new(issuer));
        }
        if let Some(mode) = one("AUTH0_DPOP")? {
            let mode = mode.parse();
            builder = builder
                .dpop(mode.map_err(|error| ConfigError::new(format!("AUTH0_DPOP: {error}")))?);
        }
        if let Some(url) = one("AUTH0_PUBLIC_URL")? {
            builder = builder.public_url(url);
        }
        Ok(match many("AUTH0_TRUSTED_PROXIES")? {
            proxies if proxies.is_empty() => builder,
            proxies => builder.trusted_proxies(proxies),
        })
    }
}

/// Returns the values of a variable that is a list; empty if the variable is not set.
///
/// # Errors
/// The variable is not a list of texts.
pub fn variables(name: &str) -> Result<Vec<String>, ConfigError> {
    match of_process(name)? {
        Some(text) if !text.trim().is_empty() => pasted::many(name, &text),
        _ => Ok(Vec::new()),
    }
}

/// Returns the only value of a variable that is no secret.
///
/// # Errors
/// The variable has several values.
pub fn one_variable(name: &str) -> Result<Option<String>, ConfigError> {
    match of_process(name)? {
        Some(text) if !text.trim().is_empty() => pasted::one(name, &text),
        _ => Ok(None),
    }
}

fn of_process(name: &str) -> Result<Option<String>, ConfigError> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(ConfigError::new(format!("the environment variable {name} is not Unicode")))
        }
    }
}

/// Checks that `AUTH0_DOMAIN` and `AUTH0_ISSUER` mean the same issuers.
fn same_issuers(
    domains: &[String],
    issuers: &[String],
    plain_http: &PlainHttp,
) -> Result<(), ConfigError> {
    let of_domains = domains.iter().map(|domain| Ok(domain.parse::<Domain>()?.issuer()));
    let of_domains = of_domains.collect::<Result<HashSet<Issuer>, ConfigError>>()?;
    let issuers = issuers.iter().map(|issuer| Issuer::parse(issuer, plain_http));
    let issuers = issuers.collect::<Result<HashSet<Issuer>, _>>()?;
    // The metadata settles the slash at the end.
    let bare = |set: &HashSet<Issuer>| -> HashSet<String> {
        set.iter().map(|issuer| issuer.as_str().trim_end_matches('/').to_owned()).collect()
    };
    if bare(&of_domains) == bare(&issuers) {
        return Ok(());
    }
    let list = |set: &HashSet<Issuer>| {
        let mut names: Vec<&str> = set.iter().map(Issuer::as_str).collect();
        names.sort_unstable();
        names.join(", ")
    };
    Err(ConfigError::new(format!(
        "AUTH0_DOMAIN means {}, and AUTH0_ISSUER is {}. Set only the one that matches the iss claim of \
         your tokens, and leave the other out",
        list(&of_domains),
        list(&issuers)
    )))
}
