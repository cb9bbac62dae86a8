//! Shows connections that end with their token: server-sent events, and a WebSocket whose token can be renewed.
//!
//! ```sh
//! cargo run -p actix-streams
//! curl -N http://127.0.0.1:3000/sse -H "Authorization: Bearer $TOKEN"
//! ```
//!
//! `GET /sse` sends an event a second, and `GET /ws` a text frame a second. The token is in the header `Authorization`,
//! or a browser offers it: `new WebSocket("ws://127.0.0.1:3000/ws", ["bearer", token])`. A client of the WebSocket may
//! send `{"renew":"<token>"}`.
//!
//! It starts with a local tenant of its own, and prints a command for `TOKEN`. For your own tenant, set `AUTH0_DOMAIN`
//! and `AUTH0_AUDIENCE`, in the environment or in `.env`. It listens on `HOST` (127.0.0.1) and `PORT` (3000).
mod renewal;

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    middleware::from_fn,
    web::{self, Bytes},
};
use actix_ws::AggregatedMessage;
use auth0_actix::{
    AccessToken, RequireAuth, TokenSocket, TokenUpgrade, keep_tcp_handle, take_offered_token,
};
use futures_util::stream;
use std::{convert::Infallible, error::Error, net::TcpListener, time::Duration};
use tokio::time::{Interval, interval};
use tracing_subscriber::EnvFilter;

const COMMANDS: [(&str, &str); 2] = [
    (
        "an event a second, until the token ends",
        "curl -N http://{address}/sse -H \"Authorization: Bearer $TOKEN\"",
    ),
    (
        "a frame a second; send {\"renew\":\"…\"} with a newer token",
        "npx wscat -c ws://{address}/ws -H \"Authorization: Bearer $TOKEN\"",
    ),
];

const SECOND: Duration = Duration::from_secs(1);

/// How long before the end the client of a WebSocket is warned.
const WARNING: Duration = Duration::from_secs(30);

/// The middleware ends each response with its token.
fn routes(config: &mut web::ServiceConfig) {
    let protected = web::scope("")
        .route("/sse", web::get().to(sse))
        .route("/ws", web::get().to(websocket))
        .wrap(RequireAuth::new().end_responses_with_token())
        .wrap(from_fn(take_offered_token));
    config.service(protected);
}

async fn sse() -> HttpResponse {
    let events =
        stream::unfold((interval(SECOND), 0), async |(mut second, count): (Interval, u64)| {
            second.tick().await;
            let event = Ok::<_, Infallible>(Bytes::from(format!("data: {count}\n\n")));
            Some((event, (second, count + 1)))
        });
    HttpResponse::Ok().content_type("text/event-stream").streaming(events)
}

async fn websocket(
    token: AccessToken,
    request: HttpRequest,
    body: web::Payload,
) -> actix_web::Result<HttpResponse> {
    TokenUpgrade::new(&request, body, &token)
        .protocols(&["bearer"])
        .warn_before(WARNING, r#"{"warning":"the access token ends soon"}"#)
        .on_upgrade(count)
}

async fn count(mut socket: TokenSocket) {
    let mut second = interval(SECOND);
    let mut count = 0;
    loop {
        let answer = tokio::select! {
            _ = second.tick() => {
                count += 1;
                format!(r#"{{"count":{count}}}"#)
            }
            message = socket.recv() => match message {
                Some(AggregatedMessage::Text(text)) => renewal::answer(socket.lease(), &text).await,
                Some(_) => continue,
                None => return,
            },
        };
        if socket.text(answer).await.is_err() {
            return;
        }
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    auth0_local::load_env_file()?;
    let log = EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(log).init();
    let address = auth0_local::address()?;
    let listener = TcpListener::bind(address).map_err(|error| {
        format!(
            "cannot listen on {address}: {error}. Set HOST and PORT to another address and port"
        )
    })?;
    let address = listener.local_addr()?;
    println!("listening on http://{address}");

    // In your own program, write: Auth0::from_env()?
    let auth = auth0_local::quickstart_with(address, &COMMANDS).await?;
    let server = HttpServer::new(move || App::new().app_data(auth.clone()).configure(routes));
    // Ends the response to a client that does not read.
    Ok(server.on_connect(keep_tcp_handle).listen(listener)?.run().await?)
}
