#![doc = include_str!("../README.md")]

mod context;
mod error;
mod extract;
mod middleware;
mod once;
mod request;

pub use auth0_core;
pub use auth0_core::{
    Algorithm, Auth0, Builder, Challenge, ConfigError, Connection, Dpop, DpopMode, DpopNonces,
    Error, ErrorCode, ErrorKind, Health, InMemoryReplayStore, IssuerResolver, Policy, RefusalBody,
    ReplayStore, Requirement, ResolvedIssuers, ResolverContext, TrustedIssuer, UnverifiedIssuer,
    all_of, any_of, policy,
};
pub use error::AuthError;
pub use extract::{AccessToken, Authorized, Extraction, Issuer, MaybeAccessToken, Organization};
pub use middleware::{RequireAuth, RequireAuthFuture, RequireAuthService, require};

/// The token without the extractor around it: what a named function for
/// [`policy::check`] takes, and what code takes that knows no framework.
pub use auth0_core::AccessToken as VerifiedToken;

/// Remembers used DPoP proofs for several instances.
#[cfg(feature = "redis")]
pub use auth0_core::{OnUnreachable, RedisReplayStore};

/// A tenant in the process, for tests of your own API.
#[cfg(feature = "testing")]
pub use auth0_core::testing;
