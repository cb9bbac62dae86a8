//! Shows how to test your own API: see `tests.rs` beside this file.
//!
//! ```sh
//! cargo test --bin actix-testing                # needs no network and no account
//!
//! cargo run -p auth0-local -- serve --port 4400 # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run --bin actix-testing             # in another
//!
//! curl -i http://127.0.0.1:3000/messages -X DELETE -H "Authorization: Bearer $(cargo run -q \
//!     -p auth0-local -- token --audience https://api.local.test --permission messages:purge)"
//! ```
//!
//! A function registers the routes, and the verifier is set beside it: so a test can set its own.
use actix_web::{App, HttpResponse, HttpServer, Responder, delete, get, web};
use auth0_actix::{AccessToken, Auth0, Authorized, policy::*};
use std::error::Error;

policy!(PurgeMessages = permission("messages:purge"));

#[get("/me")]
async fn me(token: AccessToken) -> impl Responder {
    token.subject().to_owned()
}

#[delete("/messages")]
async fn purge(_: Authorized<PurgeMessages>) -> impl Responder {
    HttpResponse::NoContent()
}

fn routes(config: &mut web::ServiceConfig) {
    config.service(me).service(purge);
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let auth = Auth0::from_env()?;
    let server = HttpServer::new(move || App::new().app_data(auth.clone()).configure(routes));
    Ok(server.bind(auth0_local::address()?)?.run().await?)
}

#[cfg(test)]
mod tests;
