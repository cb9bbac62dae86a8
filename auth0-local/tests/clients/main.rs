//! Clients: how they authenticate, what they may request, and which tokens they exchange.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "helpers of tests are tests"
)]
mod client_grants;
mod custom_exchange;
mod faults;
mod hostile;
#[allow(dead_code, reason = "the tests of logins use the rest")]
#[path = "../login/kit.rs"]
mod kit;
mod mtls;
mod on_behalf_of;
mod private_key_jwt;
mod quota;
mod recorded;
mod signed;
mod vault;
mod worker;
