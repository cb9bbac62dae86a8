#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod address;
mod administration;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
mod directory;
mod endpoint;
mod env_file;
mod error;
mod events;
mod fault;
mod file;
mod inspect;
mod jws;
mod logout;
mod mfa_answer;
mod mtls_edge;
mod pending;
mod proofs;
mod quickstart;
mod recent;
mod running;
mod secret;
mod server;
mod stats;
mod store;
mod tenant;
mod token;
mod token_requests;
mod totp;

pub use address::{address, address_or};
pub use auth0_testing::Document;
pub use directory::{
    Api, Client, ClientGrant, ClientKey, ConnectedAccount, Factor, Membership, Quota,
    TokenExchangeProfile, User,
};
pub use endpoint::Endpoint;
pub use env_file::load_env_file;
pub use error::LocalError;
pub use fault::{Fault, Throttle};
pub use logout::{LogoutDelivery, LogoutTokenBuilder};
pub use mfa_answer::MfaAnswer;
pub use pending::PendingRequest;
pub use quickstart::{mcp_quickstart, openapi_quickstart, quickstart, quickstart_with};
pub use stats::{Requests, Stats};
pub use store::{Channel, LoginAnswer, Message, RequestKind, VaultAccount};
pub use tenant::{Builder, DEFAULT_AUDIENCE, Events, LocalTenant};
pub use token_requests::{TokenRequest, TokenRequests};
