//! Shows what a route can require: scopes, permissions, and combinations of both.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400 # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run --bin actix-permissions         # in another
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
use actix_web::{App, HttpResponse, HttpServer, Responder, delete, get, web};
use auth0_actix::{Auth0, Authorized, Requirement, policy::*, require};
use std::{env, error::Error};

// As a type: the signature of a handler shows what it requires.
policy!(ReadMessages = scope("read:messages"));
policy!(PurgeMessages = all_of![scope("write:messages"), permission("messages:purge")]);
// A check in code has a name, which the log and tests show.
policy!(Employee = check("employee", |token| token.subject().starts_with("waad|")));

/// As a value: for handlers that do not read the token.
const READ_REPORTS: Requirement = any_of![scope("read:reports"), permission("reports:read")];

#[get("/messages")]
async fn list(token: Authorized<ReadMessages>) -> impl Responder {
    format!("messages of {}", token.subject())
}

#[delete("/messages")]
async fn purge(_: Authorized<PurgeMessages>) -> impl Responder {
    HttpResponse::NoContent()
}

/// Requires both policies.
#[get("/canteen")]
async fn canteen(token: Authorized<(Employee, ReadMessages)>) -> impl Responder {
    format!("lunch for {}", token.subject())
}

#[get("/reports", wrap = "require(READ_REPORTS)")]
async fn reports() -> impl Responder {
    "reports"
}

async fn export() -> impl Responder {
    "reports"
}

fn routes(region: &str) -> impl FnOnce(&mut web::ServiceConfig) {
    // This permission's name is known only at run time.
    let in_region =
        permission("reports:export").and(Requirement::permission_named(format!("region:{region}")));
    let export = web::resource("/export").wrap(require(in_region)).get(export);
    move |config| {
        config.service(list).service(purge).service(canteen).service(reports).service(export);
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let auth = Auth0::from_env()?;
    let region = env::var("REGION").unwrap_or_else(|_| "eu".into());
    let server =
        HttpServer::new(move || App::new().app_data(auth.clone()).configure(routes(&region)));
    Ok(server.bind(auth0_local::address()?)?.run().await?)
}

#[cfg(test)]
mod tests;
