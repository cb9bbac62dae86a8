//! One table of requests and answers, and three servers to run it against: axum, actix-web and a
//! plain tower service. What a client sees must be the same bytes.
pub mod client;
pub mod network;
pub mod redis_server;
pub mod servers;
