//! Shows how to test your own API: see `tests.rs` beside this file.
//!
//! ```sh
//! cargo test --bin axum-testing                 # needs no network and no account
//!
//! cargo run -p auth0-local -- serve --port 4400 # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run --bin axum-testing              # in another
//!
//! curl -i http://127.0.0.1:3000/messages -X DELETE -H "Authorization: Bearer $(cargo run -q \
//!     -p auth0-local -- token --audience https://api.local.test --permission messages:purge)"
//! ```
//!
//! A function makes the routes, and takes the verifier as its argument: so a test can pass its own.
use auth0_axum::{AccessToken, Auth0, Authorized, policy::*};
use axum::{
    Router,
    http::StatusCode,
    routing::{delete, get},
};
use std::{error::Error, net::SocketAddr};
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
    let listener = TcpListener::bind(auth0_local::address()?).await?;
    let service = app(auth).into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).await?)
}

#[cfg(test)]
mod tests;
