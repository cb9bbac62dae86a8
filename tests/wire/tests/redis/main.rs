//! Instances of a service that share their used proofs in Redis, which is reachable, down, suspended, or
//! not what it should be.
mod connections;
mod contents;
mod log;
mod once;
mod outages;
mod service;
mod tls;
