//! Shows step-up (RFC 9470): a sensitive action needs a stronger and more recent login.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400 # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run --bin actix-step-up             # in another
//!
//! token="Authorization: Bearer $(cargo run -q -p auth0-local -- token \
//!     --audience https://api.local.test --scope 'read:balance write:transfers')"
//! curl -i http://127.0.0.1:3000/balance -H "$token"             # 200
//! curl -i http://127.0.0.1:3000/transfers -X POST -H "$token"   # 401, with acr_values and max_age
//! ```
//!
//! The client sends the user to `/authorize` with the `acr_values` and the `max_age` of the
//! challenge, and comes back with a token of the new login.
use actix_web::{App, HttpServer, Responder, get, post, web};
use auth0_actix::{Auth0, Authorized, policy::*};
use std::error::Error;

policy!(ReadBalance = scope("read:balance"));
// Several factors, in the last five minutes. A missing scope is reported first, because another
// login would not add it.
policy!(Transfer = all_of![scope("write:transfers"), acr(MFA), max_age(300)]);

#[get("/balance")]
async fn balance(token: Authorized<ReadBalance>) -> impl Responder {
    format!("balance of {}", token.subject())
}

#[post("/transfers")]
async fn transfer(token: Authorized<Transfer>) -> impl Responder {
    let login = token.authentication();
    format!("transferred by {}, {}", token.subject(), login.acr().unwrap_or_default())
}

fn routes(auth: Auth0) -> impl FnOnce(&mut web::ServiceConfig) {
    move |config| {
        config.app_data(auth).service(balance).service(transfer);
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let auth = Auth0::from_env()?;
    let server = HttpServer::new(move || App::new().configure(routes(auth.clone())));
    Ok(server.bind(auth0_local::address()?)?.run().await?)
}

#[cfg(test)]
mod tests;
