//! What the client sends, keeps and returns, on a clock that the tests advance.
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
mod builder;
mod delegation;
mod dpop;
mod errors;
mod exchange;
mod kit;
mod limits;
mod machine;
mod mfa;
mod outgoing;
mod polling;
mod refresh;
mod secrets;
mod simulation;
mod support;
mod vault;
