#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;
mod description;
mod error;
mod key_file;
mod organization;
mod quickstart;
mod server;
mod tenant;

pub use builder::{Builder, DEFAULT_AUDIENCE};
pub use error::LocalError;
pub use quickstart::quickstart;
pub use tenant::LocalTenant;
