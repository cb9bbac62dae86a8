//! Shows an API for browsers: CORS, and WebSocket.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400       # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run -p actix-examples --bin cors-websocket # in another
//!
//! curl -i http://127.0.0.1:3000/api/me -H "Origin: https://app.acme.com" \
//!     -H "Authorization: Bearer $(cargo run -q -p auth0-local -- token \
//!         --audience https://api.local.test)"
//! ```
//!
//! 1. The CORS middleware goes *outside* the auth middleware. A preflight carries no token and must
//!    not need one. A page can read a refusal only if it has CORS headers.
//! 2. A browser cannot set `Authorization` on a WebSocket, but it can offer subprotocols:
//!    `new WebSocket(url, ["bearer", token])`. A middleware turns that into the header.
mod offered_token;

use actix_cors::Cors;
use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer, Responder, get, http::header::*,
    middleware::from_fn, rt, web,
};
use actix_ws::{Message, MessageStream, Session};
use auth0_actix::{AccessToken, Auth0, RequireAuth};
use offered_token::{BEARER, take_offered_token};
use std::{error::Error, time::SystemTime};

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

#[get("/echo")]
async fn echo(
    token: AccessToken,
    request: HttpRequest,
    body: web::Payload,
) -> actix_web::Result<HttpResponse> {
    let (response, session, messages) = actix_ws::handle_with_protocols(&request, body, &[BEARER])?;
    let left = token.expires_at().duration_since(SystemTime::now()).unwrap_or_default();
    rt::spawn(async move {
        // The token is not verified again, so the connection ends when the token expires.
        let _ = rt::time::timeout(left, exchange(session.clone(), messages)).await;
        let _ = session.close(None).await;
    });
    Ok(response)
}

async fn exchange(mut session: Session, mut messages: MessageStream) {
    while let Some(Ok(message)) = messages.recv().await {
        let sent = match message {
            Message::Text(text) => session.text(text).await,
            Message::Ping(bytes) => session.pong(&bytes).await,
            Message::Close(_) => return,
            _ => Ok(()),
        };
        if sent.is_err() {
            return;
        }
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let auth = Auth0::from_env()?;
    let server = HttpServer::new(move || App::new().app_data(auth.clone()).configure(routes));
    Ok(server.bind(auth0_local::address()?)?.run().await?)
}

#[cfg(test)]
mod tests;
