//! Shows an API for browsers: CORS, and WebSocket.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400 # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run --bin actix-cors-websocket      # in another
//!
//! curl -i http://127.0.0.1:3000/api/me -H "Origin: https://app.acme.com" \
//!     -H "Authorization: Bearer $(cargo run -q -p auth0-local -- token \
//!         --audience https://api.local.test)"
//! ```
//!
//! 1. The CORS middleware goes *outside* the auth middleware. A preflight carries no token and must
//!    not need one. A page can read a refusal only if it has CORS headers.
//! 2. A browser cannot set `Authorization` on a WebSocket, but it can offer subprotocols:
//!    `new WebSocket(url, ["bearer", token])`. `take_offered_token` turns that into the header.
use actix_cors::Cors;
use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer, Responder, get, http::header::*,
    middleware::from_fn, web,
};
use actix_ws::AggregatedMessage;
use auth0_actix::{
    AccessToken, Auth0, RequireAuth, TokenSocket, TokenUpgrade, keep_tcp_handle, take_offered_token,
};
use std::error::Error;

/// The origin of the pages that may call this API.
const FRONTEND: &str = "https://app.acme.com";

fn routes(config: &mut web::ServiceConfig) {
    let cors = Cors::default()
        .allowed_origin(FRONTEND)
        .allowed_methods(["GET"])
        .allowed_headers([AUTHORIZATION])
        // Without this, a page sees the 401, but not its reason.
        .expose_headers([WWW_AUTHENTICATE, RETRY_AFTER]);
    let api = web::scope("/api")
        .service(me)
        .service(echo)
        // A request passes the middleware in reverse order: the last `wrap` comes first.
        .wrap(RequireAuth::new())
        .wrap(from_fn(take_offered_token))
        .wrap(cors);
    config.service(api);
}

#[get("/me")]
async fn me(token: AccessToken) -> impl Responder {
    token.subject().to_owned()
}

/// The connection ends with its token.
#[get("/echo")]
async fn echo(
    token: AccessToken,
    request: HttpRequest,
    body: web::Payload,
) -> actix_web::Result<HttpResponse> {
    TokenUpgrade::new(&request, body, &token).protocols(&["bearer"]).on_upgrade(exchange)
}

async fn exchange(mut socket: TokenSocket) {
    while let Some(message) = socket.recv().await {
        let is_text = matches!(message, AggregatedMessage::Text(_));
        if is_text && socket.send(message).await.is_err() {
            return;
        }
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let auth = Auth0::from_env()?;
    let server = HttpServer::new(move || App::new().app_data(auth.clone()).configure(routes));
    Ok(server.on_connect(keep_tcp_handle).bind(auth0_local::address()?)?.run().await?)
}

#[cfg(test)]
mod tests;
