//! What the log says. A program of its own, because its subscriber is that of the whole process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]
mod application;
mod capture;
mod changes;
#[allow(dead_code, unused_imports, reason = "the other program needs more of it")]
#[path = "../it/common/mod.rs"]
mod common;
mod content;
mod warnings;
