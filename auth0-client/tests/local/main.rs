//! What the client does over real sockets, against a tenant on this machine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that fails panics"
)]

mod authentication;
mod authorization_request;
mod browser;
mod concurrency;
mod delegation;
mod details;
mod dpop;
mod exchange;
mod faults;
mod kit;
mod machine;
mod mfa;
mod mtls;
mod passwordless;
mod polling;
mod process;
mod refresh;
mod vault;
