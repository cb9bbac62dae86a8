//! Where the verifier runs: on runtimes that end, are blocked, have no timers, or do not exist.
mod elsewhere;
#[cfg(feature = "reqwest")]
mod process;
#[cfg(feature = "reqwest")]
mod server;
#[cfg(feature = "reqwest")]
mod sockets;
