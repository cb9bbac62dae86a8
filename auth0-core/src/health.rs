//! How it stands with an issuer's keys.
use std::time::Duration;

/// How it stands with the keys of an issuer: see [`Auth0::health`](crate::Auth0::health).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// Tokens are judged by keys that the issuer gave less than ten minutes ago, or that it will be
    /// asked about with the next request.
    #[non_exhaustive]
    Ready {
        /// The time since the issuer gave the keys.
        age: Duration,
    },
    /// The issuer fails, and tokens are judged by the last keys that it gave.
    #[non_exhaustive]
    Stale {
        /// The time since the issuer gave the keys.
        age: Duration,
        /// Why there are no newer ones. For the log and for operators, not for clients.
        error: String,
    },
    /// There are no keys: requests with a token get `503`.
    #[non_exhaustive]
    Unavailable {
        /// Why. For the log and for operators, not for clients.
        error: String,
        /// The time until the issuer is asked again, if a request needs it.
        retry_in: Duration,
    },
}

impl Health {
    /// For the worst of several.
    pub(crate) fn gravity(&self) -> u8 {
        match self {
            Self::Ready { .. } => 0,
            Self::Stale { .. } => 1,
            Self::Unavailable { .. } => 2,
        }
    }

    /// Whether tokens can be judged.
    #[must_use]
    pub const fn is_available(&self) -> bool {
        matches!(self, Self::Ready { .. } | Self::Stale { .. })
    }
}
