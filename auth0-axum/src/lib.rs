#![doc = include_str!("../README.md")]

mod body;
mod context;
mod extract;
mod grpc;
mod layer;
#[cfg(feature = "mcp")]
mod mcp;
mod metadata;
mod rejection;
mod request;
#[cfg(feature = "testing")]
pub mod testing;
mod verdict;

pub use auth0_core;
pub use auth0_core::{
    Algorithm, Auth0, Builder, Challenge, ConfigError, Dpop, DpopMode, Error, ErrorCode, ErrorKind,
    Health, Policy, RefusalBody, Requirement, ResourceMetadata, TrustedIssuer, VerifiedToken,
    adapter::Connection, all_of, any_of, dpop, policy, resolver,
};
pub use body::AuthBody;
pub use extract::{AccessToken, Authorized, Issuer, Organization};
pub use grpc::GrpcMethods;
pub use layer::{AuthFuture, AuthLayer, AuthService};
#[cfg(feature = "mcp")]
pub use mcp::{McpSessions, McpSessionsService, McpTools, McpToolsService};
pub use metadata::metadata_routes;
pub use rejection::AuthRejection;
