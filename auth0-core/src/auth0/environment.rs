//! The configuration from environment variables.
use super::Builder;
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
        Self::from_variables(|name| match std::env::var(name) {
            Ok(value) => Ok(Some(value)),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(ConfigError::new(format!("the environment variable {name} is not Unicode")))
            }
        })
    }

    fn from_variables(
        variable: impl Fn(&str) -> Result<Option<String>, ConfigError>,
    ) -> Result<Self, ConfigError> {
        // Compose files pass a variable that is not set as an empty value.
        let variable = |name| Ok(variable(name)?.filter(|value| !value.trim().is_empty()));
        let (domains, issuers) = (variable("AUTH0_DOMAIN")?, variable("AUTH0_ISSUER")?);
        if domains.is_none() && issuers.is_none() {
            return Err(ConfigError::new(
                "the environment variable AUTH0_DOMAIN is not set, or empty. Set it to the domain \
                 of your tenant, for example AUTH0_DOMAIN=acme.eu.auth0.com",
            ));
        }
        let Some(audience) = variable("AUTH0_AUDIENCE")? else {
            return Err(ConfigError::new(
                "the environment variable AUTH0_AUDIENCE is not set, or empty. Set it to the \
                 identifier of your API, for example AUTH0_AUDIENCE=https://api.acme.com; for \
                 several APIs, put commas between them",
            ));
        };
        let mut builder = Self::new().audiences(entries("AUTH0_AUDIENCE", &audience)?);
        for domain in entries("AUTH0_DOMAIN", domains.as_deref().unwrap_or_default())? {
            builder = builder.domain(domain);
        }
        for issuer in entries("AUTH0_ISSUER", issuers.as_deref().unwrap_or_default())? {
            builder = builder.issuer(TrustedIssuer::new(issuer));
        }
        let http_hosts = variable("AUTH0_ALLOW_HTTP_HOSTS")?.unwrap_or_default();
        let http_hosts = entries("AUTH0_ALLOW_HTTP_HOSTS", &http_hosts)?;
        builder = builder.allow_http_hosts(http_hosts.iter().copied());
        if let (Some(domains), Some(issuers)) = (domains, issuers) {
            same_issuers(&domains, &issuers, &PlainHttp::parse(&http_hosts)?)?;
        }
        if let Some(mode) = variable("AUTH0_DPOP")? {
            let mode = mode.parse();
            builder = builder
                .dpop(mode.map_err(|error| ConfigError::new(format!("AUTH0_DPOP: {error}")))?);
        }
        if let Some(url) = variable("AUTH0_PUBLIC_URL")? {
            builder = builder.public_url(url);
        }
        if let Some(proxies) = variable("AUTH0_TRUSTED_PROXIES")? {
            builder = builder.trusted_proxies(proxies.split(','));
        }
        Ok(builder)
    }
}

/// Splits a variable that is a list.
fn entries<'a>(name: &str, list: &'a str) -> Result<Vec<&'a str>, ConfigError> {
    let entries: Vec<&str> = list.split(',').map(str::trim).collect();
    match entries.as_slice() {
        [""] => Ok(Vec::new()),
        entries if entries.contains(&"") => Err(ConfigError::new(format!(
            "an entry of {name}={list:?} is empty. Put one comma between two of them, and none at \
             the end"
        ))),
        _ => Ok(entries),
    }
}

/// Checks that `AUTH0_DOMAIN` and `AUTH0_ISSUER` mean the same issuers.
fn same_issuers(domains: &str, issuers: &str, plain_http: &PlainHttp) -> Result<(), ConfigError> {
    let of_domains = domains.split(',').map(|domain| Ok(domain.parse::<Domain>()?.issuer()));
    let of_domains = of_domains.collect::<Result<HashSet<Issuer>, ConfigError>>()?;
    let issuers = issuers.split(',').map(|issuer| Issuer::parse(issuer, plain_http));
    let issuers = issuers.collect::<Result<HashSet<Issuer>, _>>()?;
    if of_domains == issuers {
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
