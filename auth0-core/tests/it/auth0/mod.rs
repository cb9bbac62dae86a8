//! The verifier as a whole: how it is configured, and which tokens it remembers.
mod builder;
mod environment;
mod token_cache;
