//! Signature algorithms, and sets of them.
use crate::config_error::ConfigError;
use serde::{Deserialize, Deserializer, de::Error};
use std::{borrow::Cow, fmt, str::FromStr};

/// A signature algorithm that can be accepted (RFC 7518 §3.1, RFC 8037 §3.1).
///
/// Symmetric algorithms (`HS256` and the like) and `none` are not among them: they cannot be configured,
/// and a token that names one is refused.
///
/// ```
/// use auth0_core::Algorithm;
///
/// assert_eq!("RS256".parse::<Algorithm>()?, Algorithm::RS256);
/// assert!("HS256".parse::<Algorithm>().is_err());
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256: Auth0's default.
    RS256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    RS384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    RS512,
    /// RSASSA-PSS with SHA-256: Auth0's other choice.
    PS256,
    /// RSASSA-PSS with SHA-384.
    PS384,
    /// RSASSA-PSS with SHA-512.
    PS512,
    /// ECDSA on P-256 with SHA-256.
    ES256,
    /// ECDSA on P-384 with SHA-384.
    ES384,
    /// Ed25519. It is also accepted under the name `Ed25519`, with which RFC 9864 replaces `EdDSA`.
    EdDSA,
}

impl Algorithm {
    /// Lists every algorithm that can be configured.
    pub const ALL: [Self; 9] = [
        Self::RS256,
        Self::RS384,
        Self::RS512,
        Self::PS256,
        Self::PS384,
        Self::PS512,
        Self::ES256,
        Self::ES384,
        Self::EdDSA,
    ];

    /// Returns the name as the `alg` member has it, for example `RS256`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RS256 => "RS256",
            Self::RS384 => "RS384",
            Self::RS512 => "RS512",
            Self::PS256 => "PS256",
            Self::PS384 => "PS384",
            Self::PS512 => "PS512",
            Self::ES256 => "ES256",
            Self::ES384 => "ES384",
            Self::EdDSA => "EdDSA",
        }
    }

    /// Returns whether the SHA-256 of the message is signed, so that one state can serve both the
    /// signature and the [`TokenHash`](super::TokenHash).
    pub(super) const fn signs_sha256(self) -> bool {
        matches!(self, Self::RS256 | Self::PS256 | Self::ES256)
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        if name == "Ed25519" {
            return Some(Self::EdDSA);
        }
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }

    /// Returns the algorithm of a published key, whose issuer may have written `rs256`.
    pub(crate) fn named_in_any_case(name: &str) -> Option<Self> {
        if name.eq_ignore_ascii_case("Ed25519") {
            return Some(Self::EdDSA);
        }
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Parses the name in the `alg` member.
impl FromStr for Algorithm {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, ConfigError> {
        Self::named(name.trim()).ok_or_else(|| {
            let known = Self::ALL.map(Self::as_str).join(", ");
            ConfigError::new(format!(
                "{name:?} is not an algorithm that can be accepted. Write one of {known}"
            ))
        })
    }
}

/// Reads the name from a configuration file.
impl<'de> Deserialize<'de> for Algorithm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The algorithms that are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AlgorithmSet(u16);

impl AlgorithmSet {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) const fn contains(self, algorithm: Algorithm) -> bool {
        self.0 & (1 << algorithm as u16) != 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Algorithm> {
        Algorithm::ALL.into_iter().filter(move |algorithm| self.contains(*algorithm))
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(crate) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl FromIterator<Algorithm> for AlgorithmSet {
    fn from_iter<I: IntoIterator<Item = Algorithm>>(algorithms: I) -> Self {
        Self(algorithms.into_iter().fold(0, |set, algorithm| set | 1 << algorithm as u16))
    }
}
