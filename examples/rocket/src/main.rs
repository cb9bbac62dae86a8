//! Shows an adapter of one's own, for rocket, out of `auth0_core::adapter` alone: the API of the quickstart, and a route
//! with optional authentication. `adapter.rs` is the adapter.
//!
//! ```sh
//! cargo run -p rocket-adapter
//! ```
//!
//! It starts with a local tenant of its own and prints `curl` commands to try. For your own tenant, set `AUTH0_DOMAIN`
//! and `AUTH0_AUDIENCE`, in the environment or in `.env`. It listens on `HOST` (127.0.0.1) and `PORT` (3000).
mod adapter;
#[cfg(test)]
mod tests;

use adapter::{AccessToken, Authorized, MaybeAccessToken, protect};
use auth0_core::{Auth0, policy::*};
use rocket::{Build, Config, Rocket, get, routes};
use std::error::Error;
use tracing_subscriber::EnvFilter;

policy!(pub ReadMessages = scope("read:messages"));

#[get("/public")]
fn public(token: MaybeAccessToken) -> String {
    let reader = token.0.map_or("everybody".into(), |token| token.subject().to_owned());
    format!("for {reader}\n")
}

#[get("/private")]
fn private(token: AccessToken) -> String {
    format!("{}\n", token.0.subject())
}

#[get("/private-scoped")]
fn private_scoped(token: Authorized<ReadMessages>) -> String {
    format!("messages of {}\n", token.0.subject())
}

fn app(auth: Auth0, config: Config) -> Rocket<Build> {
    let routes = routes![public, private, private_scoped];
    rocket::custom(config).attach(protect(auth)).mount("/api", routes)
}

#[rocket::main]
async fn main() -> Result<(), Box<dyn Error>> {
    auth0_local::load_env_file()?;
    let log = EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(log).init();
    let address = auth0_local::address()?;
    println!("listening on http://{address}");

    // In your own program, write: Auth0::from_env()?
    let auth = auth0_local::quickstart(address).await?;
    let config = Config { address: address.ip(), port: address.port(), ..Config::default() };
    app(auth, config).launch().await?;
    Ok(())
}
