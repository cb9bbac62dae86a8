#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod address;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
mod directory;
mod endpoint;
mod env_file;
mod error;
mod fault;
mod file;
mod jws;
mod mfa_answer;
mod pending;
mod quickstart;
mod running;
mod secret;
mod server;
mod stats;
mod store;
mod tenant;
mod token;
mod totp;

pub use address::{address, address_or};
pub use auth0_testing::Document;
pub use directory::{Api, Client, ClientKey, Factor, Membership, User};
pub use endpoint::Endpoint;
pub use env_file::load_env_file;
pub use error::LocalError;
pub use fault::Fault;
pub use mfa_answer::MfaAnswer;
pub use pending::PendingRequest;
pub use quickstart::{mcp_quickstart, openapi_quickstart, quickstart, quickstart_with};
pub use stats::{Requests, Stats};
pub use store::{Channel, LoginAnswer, Message, RequestKind};
pub use tenant::{Builder, DEFAULT_AUDIENCE, LocalTenant};
