//! Shows optional authentication: a missing token is allowed, an invalid one is rejected.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400 # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run --bin actix-optional            # in another
//!
//! curl -i http://127.0.0.1:3000/feed
//! curl -i http://127.0.0.1:3000/feed -H "Authorization: Bearer $(cargo run -q -p auth0-local -- \
//!     token --audience https://api.local.test --subject 'auth0|ann')"
//! ```
//!
//! `None` means that the request has no credentials at all. An expired or forged token is refused,
//! as on any other route: its client believes that the user is logged in, and must learn that this
//! has ended.
use actix_web::{App, HttpServer, Responder, get, web};
use auth0_actix::{Auth0, MaybeAccessToken, RequireAuth};
use std::error::Error;

/// Takes `MaybeAccessToken`, and never `Option<AccessToken>`: actix's own `Option<T>` is `None`
/// after *any* error of the extractor. A forged token would pass as anonymous, and while the issuer
/// is down every user would seem to be logged out.
#[get("/feed")]
async fn feed(MaybeAccessToken(token): MaybeAccessToken) -> impl Responder {
    match token {
        Some(token) => format!("what {} likes", token.subject()),
        None => "what everybody likes".into(),
    }
}

/// Reads the token that the middleware has verified. It is not verified a second time.
#[get("/page")]
async fn page(MaybeAccessToken(token): MaybeAccessToken) -> impl Responder {
    format!("a page for {}", token.as_ref().map_or("everybody", |token| token.subject()))
}

#[get("/about")]
async fn about() -> impl Responder {
    "about"
}

fn routes(config: &mut web::ServiceConfig) {
    // The middleware covers a whole scope, including handlers that do not read the token.
    let pages =
        web::scope("/pages").service(page).service(about).wrap(RequireAuth::new().optional());
    config.service(feed).service(pages);
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let auth = Auth0::from_env()?;
    let server = HttpServer::new(move || App::new().app_data(auth.clone()).configure(routes));
    Ok(server.bind(auth0_local::address()?)?.run().await?)
}

#[cfg(test)]
mod tests;
