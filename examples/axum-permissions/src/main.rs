//! What a route requires: scopes, permissions, and both put together.
//!
//! A *scope* is what the client was granted. A *permission* (role-based access control) is what the
//! user may do: turn on "Add Permissions in the Access Token" for your API to have it in the token.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400       # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run -p axum-permissions                   # in another
//!
//! curl -i http://127.0.0.1:3000/messages -X DELETE -H "Authorization: Bearer $(cargo run -q \
//!     -p auth0-local -- token --audience https://api.local.test \
//!     --scope write:messages --permission messages:purge)"
//! ```
use auth0_axum::{Auth0, AuthLayer, Authorized, Requirement, policy::*};
use axum::{Router, http::StatusCode, routing::get};
use std::{env, error::Error};
use tokio::net::TcpListener;

// By type: whoever reads a handler's signature knows who gets in.
policy!(ReadMessages = scope("read:messages"));
policy!(PurgeMessages = all_of![scope("write:messages"), permission("messages:purge")]);
// What only code can tell has a name, for the log and for tests.
policy!(Employee = check("employee", |token| token.subject().starts_with("waad|")));

/// By value: for handlers that do not look at the token.
const READ_REPORTS: Requirement = any_of![scope("read:reports"), permission("reports:read")];

async fn list(token: Authorized<ReadMessages>) -> String {
    format!("messages of {}", token.subject())
}

async fn purge(_: Authorized<PurgeMessages>) -> StatusCode {
    StatusCode::NO_CONTENT
}

/// All of them.
async fn canteen(token: Authorized<(Employee, ReadMessages)>) -> String {
    format!("lunch for {}", token.subject())
}

async fn reports() -> &'static str {
    "reports"
}

fn app(auth: Auth0, region: &str) -> Router {
    let protect = AuthLayer::new(auth.clone());
    // A name that is only known at run time.
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
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    Ok(axum::serve(listener, app(auth, &region)).await?)
}

#[cfg(test)]
mod tests;
