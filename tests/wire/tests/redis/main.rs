//! Instances of a service that share their used proofs and their revocations in Redis, which is reachable, down, suspended, or
//! not what it should be.
mod connections;
mod contents;
mod events;
mod instances;
mod log;
mod once;
mod outages;
mod revocation_outages;
mod revocation_size;
mod revocations;
mod service;
mod tls;
