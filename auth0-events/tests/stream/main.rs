//! The subscriber with a tenant on this machine, and with servers that disturb it, on a clock that the tests advance.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod builder;
mod connections;
mod handler;
mod hostile;
mod instances;
mod kit;
mod offsets;
mod revoking;
mod server;
mod tokens;
mod transcript;
