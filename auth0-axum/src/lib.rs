#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
#[cfg(feature = "client")]
pub mod client;
mod context;
mod extract;
mod grpc;
mod layer;
#[cfg(feature = "login")]
pub mod login;
mod logout;
#[cfg(feature = "mcp")]
mod mcp;
mod metadata;
mod opening_request;
mod rejection;
mod request;
mod tcp;
#[cfg(feature = "testing")]
pub mod testing;
mod verdict;
#[cfg(feature = "websocket")]
mod websocket;
mod whole_body;

pub use auth0_core;
pub use auth0_core::{
    Algorithm, Auth0, BackchannelLogout, Builder, Challenge, ConfigError, Dpop, DpopMode, Error,
    ErrorCode, ErrorKind, Health, Lease, Policy, RefusalBody, Requirement, ResourceMetadata,
    Revocations, TrustedIssuer, VerifiedToken,
    adapter::{Connection, TcpHandle},
    all_of, any_of, dpop, policy, resolver, revocation,
};
pub use body::AuthBody;
pub use extract::{AccessToken, Authorized, Issuer, Organization};
pub use grpc::GrpcMethods;
pub use layer::{AuthFuture, AuthLayer, AuthService};
pub use logout::backchannel_logout;
#[cfg(feature = "mcp")]
pub use mcp::{McpSessions, McpSessionsService, McpTools, McpToolsService};
pub use metadata::metadata_routes;
pub use opening_request::OpeningRequest;
pub use rejection::AuthRejection;
pub use tcp::TcpPeer;
#[cfg(feature = "websocket")]
pub use websocket::{GraphqlUpgrade, TokenSocket, TokenUpgrade, take_offered_token};
