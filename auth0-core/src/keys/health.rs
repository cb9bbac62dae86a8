//! The state of an issuer's keys, for operators.
use std::time::Duration;

/// The state of an issuer's keys: see [`Auth0::health`](crate::Auth0::health).
///
/// ```
/// # use auth0_testing::Tenant;
/// use auth0_core::Health;
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let auth = Tenant::new().auth0();
/// assert_eq!(auth.health(), Health::Idle);
/// auth.warm_up().await?;
/// assert!(matches!(auth.health(), Health::Ready { .. }));
/// # Ok::<(), auth0_core::Error>(())
/// # }).unwrap()
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Health {
    /// No request has needed the keys yet, so that none were fetched.
    Idle,
    /// Tokens are verified with keys that the issuer gave less than ten minutes ago, or that the next
    /// request asks it for.
    #[non_exhaustive]
    Ready {
        /// The time since the issuer gave the keys.
        age: Duration,
    },
    /// The issuer fails, and tokens are verified with the last keys that it gave.
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
    /// Orders several by how bad they are.
    pub(crate) const fn severity(&self) -> u8 {
        match self {
            Self::Idle => 0,
            Self::Ready { .. } => 1,
            Self::Stale { .. } => 2,
            Self::Unavailable { .. } => 3,
        }
    }

    /// Returns whether tokens can be verified without waiting for the issuer.
    #[must_use]
    pub const fn is_available(&self) -> bool {
        matches!(self, Self::Ready { .. } | Self::Stale { .. })
    }
}
