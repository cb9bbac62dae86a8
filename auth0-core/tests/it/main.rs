//! What the verifier does, room by room. The rooms are those of `src`, from the ground up.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]
mod common;

mod auth0;
mod identifier;
mod issuer;
mod jose;
mod keys;
#[cfg(feature = "mcp")]
mod mcp;
mod policy;
mod possession;
mod request;
mod revocation;
mod runtime;
mod token;
mod transport;
