//! What the log says about refusals, on every adapter. A program of its own, because its subscriber is that of
//! the whole process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]
mod dropped;
mod flood;
mod log;
mod parts;
mod start;
