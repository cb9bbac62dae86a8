//! Issuers that are found for each request, on the wire of all three servers.
mod customers;
mod failures;
mod lifetimes;
mod selection;
mod trust;
mod world;
