//! The issuers that a verifier trusts: configured, or found by a resolver.
mod config;
pub(crate) mod registry;
pub(crate) mod resolver;
mod trusted;
mod trusted_issuer;

pub(crate) use config::{IssuerConfig, IssuerDefaults};
pub(crate) use registry::IssuerRegistry;
pub(crate) use trusted::{IssuerSettings, Trusted};
pub use trusted_issuer::TrustedIssuer;
