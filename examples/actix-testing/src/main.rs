//! How to test your own API. The tests are the point: see `tests.rs` beside this file.
//!
//! They need no network, no account and no waiting: `cargo test -p actix-testing`. What makes them
//! possible is that the routes are registered by a function, and the verifier beside it.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400       # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run -p actix-testing                      # in another
//!
//! curl -i http://127.0.0.1:3000/messages -X DELETE -H "Authorization: Bearer $(cargo run -q \
//!     -p auth0-local -- token --audience https://api.local.test --permission messages:purge)"
//! ```
use actix_web::{App, HttpResponse, HttpServer, Responder, delete, get, web};
use auth0_actix::{AccessToken, Auth0, Authorized, policy::*};
use std::{env, error::Error};

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
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let server = HttpServer::new(move || App::new().app_data(auth.clone()).configure(routes));
    Ok(server.bind(("127.0.0.1", port))?.run().await?)
}

#[cfg(test)]
mod tests;
