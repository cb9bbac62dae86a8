//! Why a revocation has failed.
use crate::{config_error::ConfigError, telemetry::EscapedMessage};
use std::fmt;

/// The reason why tokens were not revoked, or not everywhere.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RevocationError {
    /// A name is empty, or the issuer is neither a domain nor a URL with https.
    Invalid(ConfigError),
    /// There are as many revocations as [`Revocations::capacity`](super::Revocations::capacity) permits.
    Full,
    /// The store cannot be reached: this instance alone refuses the tokens. The text is for the log.
    Unavailable(String),
}

impl fmt::Display for RevocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(error) => error.fmt(f),
            Self::Full => f.write_str(
                "there is no room for another revocation. Raise Revocations::capacity, or lower \
                 Revocations::max_token_lifetime",
            ),
            Self::Unavailable(cause) => {
                write!(f, "the store of revocations is not available: {}", EscapedMessage(cause))
            }
        }
    }
}

impl std::error::Error for RevocationError {}
