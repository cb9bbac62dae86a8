//! Shows how to read custom claims into a type of your own.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400 # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run --bin actix-custom-claims       # in another
//!
//! curl -i http://127.0.0.1:3000/me -H "Authorization: Bearer $(cargo run -q -p auth0-local -- \
//!     token --audience https://api.local.test --claim 'https://acme.com/roles=["admin"]')"
//! ```
//!
//! An Action of your tenant adds them:
//! `api.accessToken.setCustomClaim("https://acme.com/roles", …)`. A `Deserialize` type says which
//! claims a handler needs, and which may be absent.
use actix_web::{App, HttpServer, Responder, get, web};
use auth0_actix::{AccessToken, Auth0, Authorized, auth0_core, policy::*};
use serde::{Deserialize, Serialize};
use std::error::Error;

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

#[get("/me")]
async fn me(token: AccessToken<Claims>) -> impl Responder {
    let claims = token.claims();
    web::Json(Profile {
        subject: token.subject().to_owned(),
        roles: claims.roles.clone(),
        plan: claims.plan.clone().unwrap_or_else(|| "free".into()),
    })
}

/// Requires a policy and reads custom claims.
#[get("/admin")]
async fn admin(token: Authorized<Admin, Claims>) -> impl Responder {
    format!("{} is {}", token.subject(), token.claims().roles.join(" and "))
}

fn routes(config: &mut web::ServiceConfig) {
    config.service(me).service(admin);
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let auth = Auth0::from_env()?;
    let server = HttpServer::new(move || App::new().app_data(auth.clone()).configure(routes));
    Ok(server.bind(auth0_local::address()?)?.run().await?)
}

#[cfg(test)]
mod tests;
