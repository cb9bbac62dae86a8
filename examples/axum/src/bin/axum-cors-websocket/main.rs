//! Shows an API for browsers: CORS, and WebSocket.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400 # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run --bin axum-cors-websocket       # in another
//!
//! curl -i http://127.0.0.1:3000/me -H "Origin: https://app.acme.com" \
//!     -H "Authorization: Bearer $(cargo run -q -p auth0-local -- token \
//!         --audience https://api.local.test)"
//! ```
//!
//! 1. The CORS layer goes *outside* the auth layer. A preflight carries no token and must not need
//!    one. A page can read a refusal only if it has CORS headers.
//! 2. A browser cannot set `Authorization` on a WebSocket, but it can offer subprotocols:
//!    `new WebSocket(url, ["bearer", token])`. `take_offered_token` turns that into the header.
use auth0_axum::{AccessToken, Auth0, AuthLayer, TokenSocket, TokenUpgrade, take_offered_token};
use axum::{
    Router,
    extract::{State, WebSocketUpgrade, ws},
    http::{HeaderValue, Method, header::*},
    middleware,
    response::Response,
    routing::get,
};
use std::{error::Error, net::SocketAddr};
use tokio::net::TcpListener;
use tower_http::cors::CorsLayer;

/// The origin of the pages that may call this API.
const FRONTEND: HeaderValue = HeaderValue::from_static("https://app.acme.com");

fn app(auth: Auth0) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(FRONTEND)
        .allow_methods([Method::GET])
        .allow_headers([AUTHORIZATION])
        // Without this, a page sees the 401, but not its reason.
        .expose_headers([WWW_AUTHENTICATE, RETRY_AFTER]);
    Router::new()
        .route("/me", get(me))
        .route("/echo", get(echo))
        // A request passes the layers in reverse order: the last one added comes first.
        .layer(AuthLayer::new(auth.clone()))
        .layer(middleware::map_request(take_offered_token))
        .layer(cors)
        .with_state(auth)
}

async fn me(token: AccessToken) -> String {
    token.subject().to_owned()
}

/// The connection ends with its token.
async fn echo(
    State(auth): State<Auth0>,
    token: AccessToken,
    upgrade: WebSocketUpgrade,
) -> Response {
    TokenUpgrade::new(upgrade.protocols(["bearer"]), auth.lease(&token)).on_upgrade(exchange)
}

async fn exchange(mut socket: TokenSocket) {
    while let Some(message) = socket.recv().await {
        if matches!(message, ws::Message::Text(_)) && socket.send(message).await.is_err() {
            return;
        }
    }
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
