#![doc = include_str!("../README.md")]

mod body;
mod context;
mod extract;
mod layer;
mod once;
mod rejection;
mod request;

pub use auth0_core;
pub use auth0_core::{
    Algorithm, Auth0, Builder, Challenge, ConfigError, Connection, Dpop, DpopMode, DpopNonces,
    Error, ErrorCode, ErrorKind, Health, InMemoryReplayStore, IssuerResolver, Policy, RefusalBody,
    ReplayStore, Requirement, ResolvedIssuers, ResolverContext, TrustedIssuer, UnverifiedIssuer,
    all_of, any_of, policy,
};
pub use body::AuthBody;
pub use extract::{AccessToken, Authorized, Issuer, Organization};
pub use layer::{Auth, AuthFuture, AuthLayer};
pub use rejection::AuthRejection;

/// The token without the extractor around it: what a named function for
/// [`policy::check`] takes, and what code takes that knows no framework.
pub use auth0_core::AccessToken as VerifiedToken;

/// Remembers used DPoP proofs for several instances.
#[cfg(feature = "redis")]
pub use auth0_core::{OnUnreachable, RedisReplayStore};

/// A tenant in the process, for tests of your own API.
#[cfg(feature = "testing")]
pub use auth0_core::testing;
