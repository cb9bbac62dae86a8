//! The page at the tenant's root, over HTTP. `tests/clients/page.mjs` uses it with a browser.
#![allow(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::indexing_slicing,
    reason = "helpers of tests are tests"
)]
#[path = "../common/mod.rs"]
mod common;
mod forms;
mod guard;
mod kit;
mod texts;
