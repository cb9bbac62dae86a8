//! One table of requests and responses, and three servers to run it against: axum, actix-web and a
//! plain tower service. All three must send the same bytes.
pub mod client;
pub mod failing_store;
pub mod network;
pub mod redis_server;
pub mod refusals;
pub mod servers;
