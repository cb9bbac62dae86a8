//! Shows a service that calls an API as itself: ten requests with one token.
//!
//! ```sh
//! cargo run -p service-to-service
//! ```
//!
//! It starts a tenant and the API in its own process, and ends. For your own tenant, set `AUTH0_DOMAIN`,
//! `AUTH0_CLIENT_ID`, `AUTH0_CLIENT_SECRET` (or `AUTH0_CLIENT_ASSERTION_SIGNING_KEY`), `DOWNSTREAM_URL` and
//! `DOWNSTREAM_AUDIENCE`, in the environment or in `.env`: it requests `DOWNSTREAM_URL/inventory`. With
//! `AUTH0_CLIENT_DPOP=required`, the token is bound to a key.
use std::{error::Error, process::ExitCode};
use tracing_subscriber::EnvFilter;

const REQUESTS: usize = 10;

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    auth0_local::load_env_file()?;
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()))
        .init();
    let api = downstream::service_settings().await?;
    let inventory = api.client.machine(&api.audience).build()?;
    for number in 1..=REQUESTS {
        let request = api.http.get(format!("{}/inventory", api.url));
        match inventory.send(&api.http, request).await {
            Ok(answer) => println!("{number}: {}", answer.text().await?),
            Err(error) => {
                eprintln!("{number}: {error}");
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    if let Some(count) = api.token_requests() {
        println!("{count} request for a token");
    }
    Ok(ExitCode::SUCCESS)
}
