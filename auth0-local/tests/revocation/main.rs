//! The end of logins: logout tokens, blocked and deleted users, and the Events API.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of tests are tests"
)]
mod administration;
mod connections;
mod delivery;
mod drills;
mod events;
#[allow(dead_code, reason = "the tests of logins use the rest")]
#[path = "../login/kit.rs"]
mod kit;
mod logout;
mod logout_token;
mod reader;
mod receiver;
