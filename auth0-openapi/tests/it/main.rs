//! What the document says, and that the guards do what it says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]
mod actix;
mod axum;
mod common;
mod document;
mod frameworks;
mod properties;
mod schemes;
