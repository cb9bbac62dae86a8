//! Anonymous is fine, invalid is not.
//!
//! `None` means that no credentials came at all. An expired or forged token is refused, as it is
//! everywhere: the client believes that it is logged in, and should hear that it is not.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400       # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run -p axum-optional                      # in another
//!
//! curl -i http://127.0.0.1:3000/feed
//! curl -i http://127.0.0.1:3000/feed -H "Authorization: Bearer $(cargo run -q -p auth0-local -- \
//!     token --audience https://api.local.test --subject 'auth0|ann')"
//! ```
use auth0_axum::{AccessToken, Auth0, AuthLayer};
use axum::{Router, routing::get};
use std::{env, error::Error};
use tokio::net::TcpListener;

async fn feed(token: Option<AccessToken>) -> String {
    match token {
        Some(token) => format!("what {} likes", token.subject()),
        None => "what everybody likes".into(),
    }
}

/// Behind the layer, too, the token is at hand. It is not verified a second time.
async fn page(token: Option<AccessToken>) -> String {
    format!("a page for {}", token.as_ref().map_or("everybody", |token| token.subject()))
}

async fn about() -> &'static str {
    "about"
}

fn app(auth: Auth0) -> Router {
    // For a whole subtree, whether its handlers look at the token or not.
    let pages = Router::new()
        .route("/page", get(page))
        .route("/about", get(about))
        .layer(AuthLayer::new(auth.clone()).optional());
    Router::new().route("/feed", get(feed)).nest("/pages", pages).with_state(auth)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let auth = Auth0::from_env()?;
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    Ok(axum::serve(listener, app(auth)).await?)
}

#[cfg(test)]
mod tests;
