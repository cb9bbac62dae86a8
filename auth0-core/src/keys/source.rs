//! The source of an issuer's keys.
use super::{discovery, key_set::KeySet};
use crate::{
    config_error::ConfigError,
    identifier::{Issuer, PlainHttp},
    jose::{AlgorithmSet, jwk::JwkOrigin},
};
use std::borrow::Cow;
use url::Url;

/// An issuer whose keys may be fetched, and their location. Only the checked constructors create one, from
/// a configured or resolved issuer: the content of a token never becomes a source.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KeySource {
    issuer: Issuer,
    location: Location,
    algorithms: AlgorithmSet,
    origin: JwkOrigin,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Location {
    /// A URL that the issuer's metadata names.
    Discovered(Discovered),
    At(Box<str>),
    /// A key set in JSON.
    Fixed(Box<str>),
}

/// The rules for the URL that the issuer's metadata names.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Discovered {
    /// Whether it must have the origin of the issuer.
    pub(crate) same_origin: bool,
    pub(crate) plain_http: PlainHttp,
}

impl KeySource {
    const fn new(issuer: Issuer, location: Location, algorithms: AlgorithmSet) -> Self {
        Self { issuer, location, algorithms, origin: JwkOrigin::Configured }
    }

    /// Returns the source of an issuer that a resolver has found.
    pub(crate) fn of_resolver(self) -> Self {
        Self { origin: JwkOrigin::Resolved, ..self }
    }

    /// Returns the source with another spelling of the issuer's name.
    pub(crate) fn spelt(self, issuer: Issuer) -> Self {
        Self { issuer, ..self }
    }

    /// Reads a key set of this source.
    pub(super) fn parse(&self, json: &[u8]) -> Option<KeySet> {
        KeySet::parse(json, self.algorithms, self.origin)
    }

    /// Creates a source that the issuer's metadata names.
    pub(crate) const fn discovered(
        issuer: Issuer,
        rules: Discovered,
        algorithms: AlgorithmSet,
    ) -> Self {
        Self::new(issuer, Location::Discovered(rules), algorithms)
    }

    /// Creates a source at a URL.
    pub(crate) fn at(
        issuer: Issuer,
        url: &str,
        plain_http: &PlainHttp,
        algorithms: AlgorithmSet,
    ) -> Result<Self, ConfigError> {
        match discovery::configured_key_set_uri(url, &issuer, plain_http) {
            Ok(url) => Ok(Self::new(issuer, Location::At(url), algorithms)),
            Err(why) => Err(ConfigError::new(format!(
                "the key set URL of {issuer}: {why}{}. Write an https URL, for example \
                 https://id.acme.com/keys",
                http_advice(url, plain_http)
            ))),
        }
    }

    /// Creates a source from a key set in JSON.
    pub(crate) fn fixed(
        issuer: Issuer,
        json: &str,
        algorithms: AlgorithmSet,
    ) -> Result<Self, ConfigError> {
        let set = KeySet::parse(json.as_bytes(), algorithms, JwkOrigin::Configured);
        if set.as_ref().is_none_or(KeySet::is_unusable) {
            let why: Vec<String> =
                set.iter().flat_map(KeySet::unusable).map(ToString::to_string).collect();
            let why = if why.is_empty() { String::new() } else { format!(" ({})", why.join("; ")) };
            return Err(ConfigError::new(format!(
                "the key set of {issuer} has no key that can be used{why}. Write the JSON of a key set \
                 (RFC 7517 §5), with a public key for an accepted algorithm"
            )));
        }
        Ok(Self::new(issuer, Location::Fixed(json.into()), algorithms))
    }

    pub(crate) const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Returns the other spelling that the issuer may have, until its metadata has settled it.
    pub(crate) fn other_spelling(&self) -> Option<Issuer> {
        match self.location {
            Location::Discovered(_) => self.issuer.other_spelling(),
            Location::At(_) | Location::Fixed(_) => None,
        }
    }

    /// Returns the URL of the document that is fetched first; `None` if the keys are fixed.
    pub(crate) fn first_url(&self) -> Option<Cow<'_, str>> {
        match &self.location {
            Location::Discovered(_) => Some(self.issuer.metadata_url().into()),
            Location::At(url) => Some((&**url).into()),
            Location::Fixed(_) => None,
        }
    }

    /// Returns the URL of the issuer's metadata, if its keys are discovered.
    pub(crate) fn metadata_url(&self) -> Option<String> {
        matches!(self.location, Location::Discovered(_)).then(|| self.issuer.metadata_url())
    }

    /// Returns whether the keys are fixed, so that nothing is fetched.
    pub(crate) const fn is_fixed(&self) -> bool {
        matches!(self.location, Location::Fixed(_))
    }

    pub(super) const fn location(&self) -> &Location {
        &self.location
    }
}

/// Returns what to do about a URL that is plain http.
fn http_advice(url: &str, plain_http: &PlainHttp) -> String {
    let url = Url::parse(url).ok().filter(|url| url.scheme() == "http");
    url.map(|url| plain_http.advice(&url)).unwrap_or_default()
}
