//! Shows how to read custom claims into a type of your own.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400 # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run --bin axum-custom-claims        # in another
//!
//! curl -i http://127.0.0.1:3000/me -H "Authorization: Bearer $(cargo run -q -p auth0-local -- \
//!     token --audience https://api.local.test --claim 'https://acme.com/roles=["admin"]')"
//! ```
//!
//! An Action of your tenant adds them:
//! `api.accessToken.setCustomClaim("https://acme.com/roles", …)`. A `Deserialize` type says which
//! claims a handler needs, and which may be absent.
use auth0_axum::{AccessToken, Auth0, Authorized, auth0_core, policy::*};
use axum::{Json, Router, routing::get};
use serde::{Deserialize, Serialize};
use std::{error::Error, net::SocketAddr};
use tokio::net::TcpListener;

/// A token without `roles`, or with roles that are not a list of strings, is refused with
/// `401 claims_invalid`. A token without `plan` is accepted.
#[derive(Deserialize)]
struct Claims {
    #[serde(rename = "https://acme.com/roles")]
    roles: Vec<String>,
    #[serde(rename = "https://acme.com/plan")]
    plan: Option<String>,
}

// A check gets the token without the handler's claims, and reads the claim that it needs.
policy!(Admin = check("admin", is_admin));

fn is_admin(token: &auth0_core::VerifiedToken) -> bool {
    let roles = token.claim::<Vec<String>>("https://acme.com/roles");
    matches!(roles, Ok(Some(roles)) if roles.iter().any(|role| role == "admin"))
}

#[derive(Serialize)]
struct Profile {
    subject: String,
    roles: Vec<String>,
    plan: String,
}

async fn me(token: AccessToken<Claims>) -> Json<Profile> {
    let claims = token.claims();
    Json(Profile {
        subject: token.subject().to_owned(),
        roles: claims.roles.clone(),
        plan: claims.plan.clone().unwrap_or_else(|| "free".into()),
    })
}

/// Requires a policy and reads custom claims.
async fn admin(token: Authorized<Admin, Claims>) -> String {
    format!("{} is {}", token.subject(), token.claims().roles.join(" and "))
}

fn app(auth: Auth0) -> Router {
    Router::new().route("/me", get(me)).route("/admin", get(admin)).with_state(auth)
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
