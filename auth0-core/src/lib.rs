#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

// The rooms are in floors: a room imports only rooms that `docs/architecture.md` lists below it.
pub mod adapter;
mod auth0;
mod config_error;
mod error;
mod identifier;
mod issuer;
mod jose;
mod keys;
mod lease;
#[cfg(feature = "mcp")]
pub mod mcp;
pub mod policy;
mod possession;
mod request;
pub mod revocation;
mod runtime;
#[doc(hidden)]
pub mod support;
mod telemetry;
mod token;
pub mod transport;

pub use auth0::{
    Auth0, AuthorizationServer, BackchannelLogout, Builder, LogoutToken, LogoutTokenError,
    ResourceMetadata,
};
pub use config_error::ConfigError;
pub use error::{Challenge, DpopMode, Error, ErrorCode, ErrorKind, GrpcStatus, RefusalBody};
pub use identifier::{Audience, Domain, Issuer};
pub use issuer::TrustedIssuer;
pub use jose::Algorithm;
pub use keys::Health;
pub use lease::Lease;
pub use policy::{Policy, Requirement};
pub use possession::dpop::Dpop;
pub use revocation::Revocations;
pub use runtime::BoxFuture;
pub use token::{
    Actor, Authentication, Confirmation, Ended, Organization, SubjectKind, UntilEnded,
    VerifiedToken,
};

/// Proof of possession (RFC 9449): nonces, and stores of used proofs.
pub mod dpop {
    pub use crate::possession::dpop::{
        DpopNonces, InMemoryReplayStore, Insertion, ProofId, ProofVerifier, ReplayEntry,
        ReplayStore, ReplayStoreError,
    };
}

/// Issuers that the application finds for each request.
pub mod resolver {
    pub use crate::issuer::resolver::{
        IssuerResolver, ResolvedIssuers, ResolverContext, UnverifiedIssuer,
    };
}

/// The clock of a verifier.
pub mod time {
    pub use crate::runtime::{Clock, Moment};
}
