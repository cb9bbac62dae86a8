//! Shows what a route can require: scopes, permissions, and combinations of both.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400 # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run --bin axum-permissions          # in another
//!
//! curl -i http://127.0.0.1:3000/messages -X DELETE -H "Authorization: Bearer $(cargo run -q \
//!     -p auth0-local -- token --audience https://api.local.test \
//!     --scope write:messages --permission messages:purge)"
//! ```
//!
//! A *scope* is what the client was granted. A *permission* (role-based access control) is what the
//! user may do. Turn on "Add Permissions in the Access Token" for your API, or the token has none.
//!
//! `REGION` (default `eu`) is the region whose permission `/export` requires.
use auth0_axum::{Auth0, AuthLayer, Authorized, Requirement, policy::*};
use axum::{Router, http::StatusCode, routing::get};
use std::{env, error::Error, net::SocketAddr};
use tokio::net::TcpListener;

// As a type: the signature of a handler shows what it requires.
policy!(ReadMessages = scope("read:messages"));
policy!(PurgeMessages = all_of![scope("write:messages"), permission("messages:purge")]);
// A check in code has a name, which the log and tests show.
policy!(Employee = check("employee", |token| token.subject().starts_with("waad|")));

/// As a value: for handlers that do not read the token.
const READ_REPORTS: Requirement = any_of![scope("read:reports"), permission("reports:read")];

async fn list(token: Authorized<ReadMessages>) -> String {
    format!("messages of {}", token.subject())
}

async fn purge(_: Authorized<PurgeMessages>) -> StatusCode {
    StatusCode::NO_CONTENT
}

/// Requires both policies.
async fn canteen(token: Authorized<(Employee, ReadMessages)>) -> String {
    format!("lunch for {}", token.subject())
}

async fn reports() -> &'static str {
    "reports"
}

fn app(auth: Auth0, region: &str) -> Router {
    let protect = AuthLayer::new(auth.clone());
    // This permission's name is known only at run time.
    let in_region =
        permission("reports:export").and(Requirement::permission_named(format!("region:{region}")));
    Router::new()
        .route("/messages", get(list).delete(purge))
        .route("/canteen", get(canteen))
        .route("/reports", get(reports).layer(protect.require(READ_REPORTS)))
        .route("/export", get(reports).layer(protect.require(in_region)))
        .with_state(auth)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let auth = Auth0::from_env()?;
    let region = env::var("REGION").unwrap_or_else(|_| "eu".into());
    let listener = TcpListener::bind(auth0_local::address()?).await?;
    let service = app(auth, &region).into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).await?)
}

#[cfg(test)]
mod tests;
