//! Shows step-up (RFC 9470): a sensitive action needs a stronger and more recent login.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400 # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run --bin axum-step-up              # in another
//!
//! token="Authorization: Bearer $(cargo run -q -p auth0-local -- token \
//!     --audience https://api.local.test --scope 'read:balance write:transfers')"
//! curl -i http://127.0.0.1:3000/balance -H "$token"             # 200
//! curl -i http://127.0.0.1:3000/transfers -X POST -H "$token"   # 401, with acr_values and max_age
//! ```
//!
//! The client sends the user to `/authorize` with the `acr_values` and the `max_age` of the
//! challenge, and comes back with a token of the new login.
use auth0_axum::{Auth0, Authorized, policy::*};
use axum::{
    Router,
    routing::{get, post},
};
use std::{error::Error, net::SocketAddr};
use tokio::net::TcpListener;

policy!(ReadBalance = scope("read:balance"));
// Several factors, in the last five minutes. A missing scope is reported first, because another
// login would not add it.
policy!(Transfer = all_of![scope("write:transfers"), acr(MFA), max_age(300)]);

async fn balance(token: Authorized<ReadBalance>) -> String {
    format!("balance of {}", token.subject())
}

async fn transfer(token: Authorized<Transfer>) -> String {
    let login = token.authentication();
    format!("transferred by {}, {}", token.subject(), login.acr().unwrap_or_default())
}

fn app(auth: Auth0) -> Router {
    Router::new()
        .route("/balance", get(balance))
        .route("/transfers", post(transfer))
        .with_state(auth)
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
