//! The verifier as a whole: how it is configured, and which tokens it remembers.
mod authorization_server;
mod builder;
mod clock;
mod environment;
mod large_token;
mod token_cache;
