//! Logins: `/authorize`, the grants of users, sessions, logout.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of tests are tests"
)]
mod authorize;
mod backchannel;
mod bounds;
mod client;
mod code;
mod cors;
mod device;
mod dpop;
mod fault;
mod interactive;
mod kit;
mod logout;
mod metadata;
mod mfa;
mod parallel;
mod passwordless;
mod pushed;
mod refresh;
mod register;
mod request_object;
mod resource;
mod revoke;
mod session;
mod user_info;
