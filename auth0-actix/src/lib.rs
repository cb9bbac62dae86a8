#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "client")]
pub mod client;
mod context;
mod error;
mod extract;
mod extraction;
#[cfg(feature = "login")]
pub mod login;
mod logout;
#[cfg(feature = "mcp")]
mod mcp;
mod metadata;
mod middleware;
mod opening_request;
mod request;
mod tcp;
#[cfg(feature = "testing")]
pub mod testing;
mod token_body;
mod unread_body;
mod verdict;
mod verifier;
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
pub use error::AuthError;
pub use extract::{AccessToken, Authorized, Issuer, MaybeAccessToken, Organization};
pub use extraction::Extraction;
pub use logout::backchannel_logout;
#[cfg(feature = "mcp")]
pub use mcp::{McpSessions, McpSessionsService, McpTools, McpToolsService};
pub use metadata::metadata_service;
pub use middleware::{RequireAuth, RequireAuthFuture, RequireAuthService, require};
pub use opening_request::OpeningRequest;
pub use tcp::keep_tcp_handle;
pub use token_body::TokenBody;
#[cfg(feature = "websocket")]
pub use websocket::{GraphqlUpgrade, TokenSocket, TokenUpgrade, take_offered_token};
