//! One table of requests and answers, and three servers to run it against: axum, actix-web and a
//! plain tower service. What a client sees must be the same bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "it is all for tests")]

pub mod client;
pub mod servers;
