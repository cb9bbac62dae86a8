#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "actix")]
pub mod actix;
mod alternative;
mod alternatives;
#[cfg(feature = "axum")]
pub mod axum;
mod documentation;
mod operation;
mod refusals;
mod scheme;
mod security_schemes;
mod sentence;

pub use documentation::{Documentation, any_token, document, public};
pub use operation::EXTENSION;
pub use security_schemes::SecuritySchemes;
