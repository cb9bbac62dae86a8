//! Shows optional authentication: a missing token is allowed, an invalid one is rejected.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400 # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run --bin axum-optional             # in another
//!
//! curl -i http://127.0.0.1:3000/feed
//! curl -i http://127.0.0.1:3000/feed -H "Authorization: Bearer $(cargo run -q -p auth0-local -- \
//!     token --audience https://api.local.test --subject 'auth0|ann')"
//! ```
//!
//! `None` means that the request has no credentials at all. An expired or forged token is refused,
//! as on any other route: its client believes that the user is logged in, and must learn that this
//! has ended.
use auth0_axum::{AccessToken, Auth0, AuthLayer};
use axum::{Router, routing::get};
use std::{error::Error, net::SocketAddr};
use tokio::net::TcpListener;

async fn feed(token: Option<AccessToken>) -> String {
    match token {
        Some(token) => format!("what {} likes", token.subject()),
        None => "what everybody likes".into(),
    }
}

/// Reads the token that the layer has verified. It is not verified a second time.
async fn page(token: Option<AccessToken>) -> String {
    format!("a page for {}", token.as_ref().map_or("everybody", |token| token.subject()))
}

async fn about() -> &'static str {
    "about"
}

fn app(auth: Auth0) -> Router {
    // The layer covers a whole subtree, including handlers that do not read the token.
    let pages = Router::new()
        .route("/page", get(page))
        .route("/about", get(about))
        .layer(AuthLayer::new(auth.clone()).optional());
    Router::new().route("/feed", get(feed)).nest("/pages", pages).with_state(auth)
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
