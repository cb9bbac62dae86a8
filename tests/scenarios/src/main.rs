//! What the adapters do under floods, rotations and outages, measured over loopback against a
//! tenant of auth0-local.
//!
//! ```sh
//! cargo run --release -p scenarios -- keys     # the table of docs/keys-and-caching.md
//! cargo run --release -p scenarios -- soak     # a minute of everything at once
//! cargo run --release -p scenarios -- connections token # the figures of docs/streams.md
//! cargo run --release -p scenarios -- subjects # the figures of docs/calling-apis.md
//! ```
mod api;
mod connections;
mod keys;
mod load;
mod soak;
mod subjects;

use clap::Parser;
use std::{error::Error, process::ExitCode};

/// Measures what the adapters do under floods, rotations and outages.
#[derive(Parser)]
enum Scenario {
    /// Fetches and delays: cold start, made-up keys, rotation, dead issuer.
    Keys,
    /// Full speed, rotation every two seconds, the issuer failing half of the time.
    Soak {
        /// How long, in seconds.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// Memory of the tokens that are kept for callers.
    Subjects {
        /// How many callers.
        #[arg(long, default_value_t = 10_000)]
        count: usize,
        /// The limit, in bytes.
        #[arg(long, default_value_t = 32 * 1024 * 1024)]
        cache_bytes: usize,
    },
    /// Memory of connections that wait for the end of their token, and how they end in one tick.
    Connections {
        /// What each awaits.
        awaited: connections::Awaited,
        /// How many.
        #[arg(long, default_value_t = 10_000)]
        count: u64,
    },
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let passed = match Scenario::parse() {
        Scenario::Keys => keys::run().await?,
        Scenario::Soak { seconds } => soak::run(seconds).await?,
        Scenario::Subjects { count, cache_bytes } => subjects::run(count, cache_bytes).await?,
        Scenario::Connections { awaited, count } => connections::run(awaited, count).await?,
    };
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
