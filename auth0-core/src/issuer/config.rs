//! The checked configuration of one issuer.
use super::trusted_issuer::{Keys, Name, TrustedIssuer};
use crate::{
    config_error::ConfigError,
    error::DpopMode,
    identifier::{Audience, Domain, Issuer, PlainHttp},
    jose::AlgorithmSet,
    keys::{Discovered, KeySource},
    policy::{Requirement, authenticated},
    token::{Validation, claim_mapping::ClaimPath},
};
use std::{
    collections::{HashMap, hash_map::Entry},
    time::Duration,
};

/// A longer leeway would extend the lifetime of every token noticeably.
const MAX_LEEWAY: Duration = Duration::from_secs(60);

/// What a list has, and what to write instead of an entry that is empty.
const ISSUERS: [&str; 2] = ["issuers", "the domain of a tenant, for example \"acme.eu.auth0.com\""];
const AUDIENCES: [&str; 2] =
    ["audiences", "the identifier of your API, for example \"https://api.acme.com\""];

/// The values of a verifier that its issuers inherit.
#[derive(Clone)]
pub(crate) struct IssuerDefaults {
    pub(crate) audiences: Vec<String>,
    /// The spellings of the protected resource, which every issuer may name as the audience.
    pub(crate) resource: Vec<String>,
    pub(crate) algorithms: AlgorithmSet,
    pub(crate) leeway: Duration,
    pub(crate) rfc9068_only: bool,
    pub(crate) dpop: DpopMode,
    pub(crate) session_claim: ClaimPath,
}

/// The checked configuration of an issuer, with the source of its keys.
pub(crate) struct IssuerConfig {
    pub(crate) validation: Validation,
    pub(crate) dpop: DpopMode,
    pub(crate) requirement: Option<Requirement>,
    pub(crate) key_source: KeySource,
    /// Whether it is a tenant of Auth0: it is configured by its domain, or is at `auth0.com`.
    pub(crate) is_auth0: bool,
}

impl TrustedIssuer {
    /// Checks the configuration. Unset options take the defaults.
    pub(crate) fn check(
        self,
        defaults: &IssuerDefaults,
        plain_http: &PlainHttp,
    ) -> Result<IssuerConfig, ConfigError> {
        let issuer = match &self.name {
            Name::Domain(domain) => domain.parse::<Domain>()?.issuer(),
            // Without discovery the name is only compared.
            Name::Url(name) if self.keys != Keys::Discovered => Issuer::named(name)?,
            Name::Url(url) => Issuer::parse(url, plain_http)?,
        };
        let is_auth0 = matches!(self.name, Name::Domain(_)) || issuer.is_of_auth0();
        let mut audiences = match self.audiences.is_empty() {
            true => defaults.audiences.clone(),
            false => self.audiences,
        };
        no_empty_entry(audiences.iter().map(String::as_str), AUDIENCES)?;
        for audience in &defaults.resource {
            if !audiences.contains(audience) {
                audiences.push(audience.clone());
            }
        }
        if audiences.is_empty() && self.client_ids.is_empty() {
            return Err(ConfigError::new(
                "no audience is set. Add .audience(\"https://api.acme.com\"), with the identifier \
                 of your API (Dashboard > Applications > APIs > Identifier)",
            ));
        }
        if self.client_ids.iter().any(|client| client.trim().is_empty()) {
            return Err(ConfigError::new(format!(
                "a client id of {issuer} is empty. Leave it out, or write the client's id"
            )));
        }
        let algorithms: AlgorithmSet = match self.algorithms {
            Some(algorithms) => algorithms.into_iter().collect(),
            None => defaults.algorithms,
        };
        if algorithms.is_empty() {
            return Err(ConfigError::new(
                "no signature algorithm is accepted. Leave .algorithms(…) out for Auth0's, RS256 \
                 and PS256",
            ));
        }
        let leeway = self.leeway.unwrap_or(defaults.leeway);
        if leeway > MAX_LEEWAY {
            return Err(ConfigError::new(format!(
                "the leeway of {leeway:?} is more than 60 s, which would keep expired tokens alive. \
                 Correct the clocks instead"
            )));
        }
        if self.requirement.needs_request() {
            return Err(ConfigError::new(format!(
                "the requirement for every token of {issuer} needs a value of the request. Put it on the \
                 routes instead"
            )));
        }
        let key_source = match self.keys {
            Keys::Discovered => {
                let discovered = Discovered {
                    same_origin: self.same_origin_keys,
                    plain_http: plain_http.clone(),
                };
                KeySource::discovered(issuer.clone(), discovered, algorithms)
            }
            Keys::At(url) => KeySource::at(issuer.clone(), &url, plain_http, algorithms)?,
            Keys::Fixed(json) => KeySource::fixed(issuer.clone(), &json, algorithms)?,
        };
        let mut mapping = self.mapping;
        if mapping.session.is_default() {
            mapping.session.clone_from(&defaults.session_claim);
        }
        let is_plain = self.requirement == authenticated();
        Ok(IssuerConfig {
            validation: Validation {
                audiences: audiences
                    .iter()
                    .map(|audience| audience.parse())
                    .collect::<Result<Vec<Audience>, _>>()?,
                client_ids: self.client_ids,
                algorithms,
                leeway,
                rfc9068_only: self.rfc9068_only.unwrap_or(defaults.rfc9068_only),
                refuses_likely_id_tokens: self.refuses_likely_id_tokens,
                subject_kinds: self.subject_kinds,
                mapping: (!mapping.is_default()).then(|| Box::new(mapping)),
                issuer,
            },
            dpop: self.dpop.unwrap_or(defaults.dpop),
            requirement: (!is_plain).then_some(self.requirement),
            key_source,
            is_auth0,
        })
    }
}

impl IssuerConfig {
    /// Checks every issuer. An issuer that is there twice with the same settings counts once, also if the slash at
    /// its end is there once only and the metadata settles it.
    pub(crate) fn all_checked(
        issuers: Vec<TrustedIssuer>,
        defaults: &IssuerDefaults,
        plain_http: &PlainHttp,
    ) -> Result<Vec<Self>, ConfigError> {
        let mut places: HashMap<Issuer, usize> = HashMap::with_capacity(issuers.len());
        let mut all: Vec<Self> = Vec::with_capacity(issuers.len());
        no_empty_entry(issuers.iter().map(TrustedIssuer::text), ISSUERS)?;
        for issuer in issuers {
            let mut config = issuer.check(defaults, plain_http)?;
            let other = config.key_source.other_spelling();
            let other = other.and_then(|other| all.get(*places.get(&other)?));
            if let Some(known) = other.filter(|known| known.key_source.other_spelling().is_some()) {
                config = config.spelt(known.validation.issuer.clone());
            }
            match places.entry(config.validation.issuer.clone()) {
                Entry::Vacant(place) => {
                    place.insert(all.len());
                    all.push(config);
                }
                Entry::Occupied(place) => match all.get_mut(*place.get()) {
                    Some(known) if known.is_same(&config) => known.is_auth0 |= config.is_auth0,
                    _ => {
                        return Err(ConfigError::new(format!(
                            "the issuer {} is configured twice, in different ways. Leave one out",
                            place.key()
                        )));
                    }
                },
            }
        }
        Ok(all)
    }

    /// Returns the configuration with another spelling of its name.
    pub(super) fn spelt(self, issuer: Issuer) -> Self {
        let key_source = self.key_source.spelt(issuer.clone());
        Self { validation: Validation { issuer, ..self.validation }, key_source, ..self }
    }

    /// Returns the configuration of an issuer that a resolver has found.
    pub(crate) fn of_resolver(self) -> Self {
        Self { key_source: self.key_source.of_resolver(), ..self }
    }

    /// Returns whether both configurations are the same, also if only one is by the domain of a tenant.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.validation == other.validation
            && self.dpop == other.dpop
            && same_requirement(self.requirement.as_ref(), other.requirement.as_ref())
            && self.key_source == other.key_source
    }
}

pub(crate) fn same_requirement(one: Option<&Requirement>, other: Option<&Requirement>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.is_same(other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// Refuses an empty entry of several, as a stray comma leaves it in a list that was split. One that is alone has a
/// text of its own.
fn no_empty_entry<'a>(
    entries: impl ExactSizeIterator<Item = &'a str>,
    [what, instead]: [&str; 2],
) -> Result<(), ConfigError> {
    let count = entries.len();
    match count > 1 && entries.into_iter().any(|entry| entry.trim().is_empty()) {
        true => Err(ConfigError::new(format!(
            "one of the {count} {what} is empty. Leave it out, or write {instead}. If the list was split at its \
             commas, put one comma between two of them, and none at the end"
        ))),
        false => Ok(()),
    }
}
