//! The source of an issuer's keys.
use super::{discovery, key_set::KeySet};
use crate::{config_error::ConfigError, identifier::Issuer, jose::AlgorithmSet};

/// An issuer whose keys may be fetched, and their location. Only the checked constructors create one, from
/// a configured or resolved issuer: the content of a token never becomes a source.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KeySource {
    issuer: Issuer,
    location: Location,
    algorithms: AlgorithmSet,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Location {
    /// A URL that the issuer's metadata names.
    Discovered {
        /// Whether the URL must have the origin of the issuer.
        same_origin: bool,
    },
    At(Box<str>),
    /// A key set in JSON.
    Fixed(Box<str>),
}

impl KeySource {
    /// Creates a source that the issuer's metadata names.
    pub(crate) const fn discovered(
        issuer: Issuer,
        same_origin: bool,
        algorithms: AlgorithmSet,
    ) -> Self {
        Self { issuer, location: Location::Discovered { same_origin }, algorithms }
    }

    /// Creates a source at a URL.
    pub(crate) fn at(
        issuer: Issuer,
        url: &str,
        algorithms: AlgorithmSet,
    ) -> Result<Self, ConfigError> {
        match discovery::key_set_uri(url, &issuer, false) {
            Ok(url) => Ok(Self { issuer, location: Location::At(url), algorithms }),
            Err(why) => Err(ConfigError::new(format!(
                "the key set URL of {issuer}: {why}. Write an https URL, for example \
                 https://id.acme.com/keys"
            ))),
        }
    }

    /// Creates a source from a key set in JSON.
    pub(crate) fn fixed(
        issuer: Issuer,
        json: &str,
        algorithms: AlgorithmSet,
    ) -> Result<Self, ConfigError> {
        if KeySet::parse(json.as_bytes(), algorithms).is_none_or(|set| set.is_unusable()) {
            return Err(ConfigError::new(format!(
                "the key set of {issuer} has no key that can be used. Write the JSON of a key set \
                 (RFC 7517 §5), with a public key for an accepted algorithm"
            )));
        }
        Ok(Self { issuer, location: Location::Fixed(json.into()), algorithms })
    }

    pub(crate) const fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    pub(crate) const fn algorithms(&self) -> AlgorithmSet {
        self.algorithms
    }

    /// Returns whether the keys are fixed, so that nothing is fetched.
    pub(crate) const fn is_fixed(&self) -> bool {
        matches!(self.location, Location::Fixed(_))
    }

    pub(super) const fn location(&self) -> &Location {
        &self.location
    }
}
