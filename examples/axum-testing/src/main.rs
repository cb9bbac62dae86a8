//! How to test your own API. The tests are the point: see `tests.rs` beside this file.
//!
//! They need no network, no account and no waiting: `cargo test -p axum-testing`. What makes them
//! possible is that the routes are made by a function that takes the verifier.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400       # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run -p axum-testing                       # in another
//!
//! curl -i http://127.0.0.1:3000/messages -X DELETE -H "Authorization: Bearer $(cargo run -q \
//!     -p auth0-local -- token --audience https://api.local.test --permission messages:purge)"
//! ```
use auth0_axum::{AccessToken, Auth0, Authorized, policy::*};
use axum::{
    Router,
    http::StatusCode,
    routing::{delete, get},
};
use std::{env, error::Error};
use tokio::net::TcpListener;

policy!(PurgeMessages = permission("messages:purge"));

async fn me(token: AccessToken) -> String {
    token.subject().to_owned()
}

async fn purge(_: Authorized<PurgeMessages>) -> StatusCode {
    StatusCode::NO_CONTENT
}

fn app(auth: Auth0) -> Router {
    Router::new().route("/me", get(me)).route("/messages", delete(purge)).with_state(auth)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let auth = Auth0::from_env()?;
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    Ok(axum::serve(listener, app(auth)).await?)
}

#[cfg(test)]
mod tests;
