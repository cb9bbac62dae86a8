//! The command, in processes of its own.
#![allow(clippy::unwrap_used, clippy::string_slice, reason = "helpers of tests are tests")]
mod clients;
mod decide;
mod drill;
mod inspect;
mod kit;
mod login;
mod proof;
mod refusals;
mod revocation;
mod serve;
mod token;
