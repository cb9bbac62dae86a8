#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
mod description;
mod drill;
mod env_file;
mod error;
mod fault;
mod faults;
mod key_file;
mod organization;
mod pem;
mod quickstart;
mod server;
mod stats;
mod tenant;

pub use auth0_core::testing::Document;
pub use builder::{Builder, DEFAULT_AUDIENCE};
pub use env_file::load_env_file;
pub use error::LocalError;
pub use fault::Fault;
pub use quickstart::quickstart;
pub use stats::{Requests, Stats};
pub use tenant::LocalTenant;
