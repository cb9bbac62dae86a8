//! The state of an issuer's keys, for operators.
use super::schedule::{FRESH, Failure};
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
    /// No request has needed the keys yet, so none were fetched.
    Idle,
    /// Tokens are verified with keys that were fetched less than ten minutes ago. Older keys are fetched
    /// again with the next request.
    #[non_exhaustive]
    Ready {
        /// The time since the keys were fetched.
        age: Duration,
    },
    /// The issuer fails, and tokens are verified with the keys that were fetched last.
    #[non_exhaustive]
    Stale {
        /// The time since the keys were fetched.
        age: Duration,
        /// The reason why there are no newer keys. For the log and for operators, not for clients.
        error: String,
    },
    /// There are no keys: requests with a token get `503`.
    #[non_exhaustive]
    Unavailable {
        /// The reason. For the log and for operators, not for clients.
        error: String,
        /// The time until the next fetch, if a request needs the keys.
        retry_in: Duration,
    },
}

impl Health {
    /// Returns the state of keys of this age, if there are any, after this failure of the last fetch.
    pub(super) fn of(
        age: Option<Duration>,
        failure: Option<Failure>,
        stale: Duration,
        now: Duration,
    ) -> Self {
        match (age, failure) {
            (Some(age), None) => Self::Ready { age },
            (Some(age), Some(_)) if age < FRESH => Self::Ready { age },
            (Some(age), Some(failure)) if age < stale => {
                Self::Stale { age, error: failure.cause.to_string() }
            }
            (_, Some(failure)) => Self::Unavailable {
                error: failure.cause.to_string(),
                retry_in: failure.retry_at.saturating_sub(now),
            },
            (None, None) => Self::Idle,
        }
    }

    /// Returns a rank for finding the worst of several states.
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
