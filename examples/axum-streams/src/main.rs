//! Shows connections that end with their token: server-sent events, and a WebSocket whose token can be renewed.
//!
//! ```sh
//! cargo run -p axum-streams
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

use auth0_axum::{
    AccessToken, Auth0, AuthLayer, TcpPeer, TokenSocket, TokenUpgrade, take_offered_token,
};
use axum::{
    Router,
    extract::{State, WebSocketUpgrade, ws::Message},
    middleware::map_request,
    response::{
        Response, Sse,
        sse::{Event, KeepAlive},
    },
    routing::get,
};
use futures_util::{Stream, stream};
use std::{convert::Infallible, error::Error, time::Duration};
use tokio::{
    net::TcpListener,
    time::{Interval, interval},
};
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

/// The layer ends each response with its token.
fn app(auth: Auth0) -> Router {
    Router::new()
        .route("/sse", get(sse))
        .route("/ws", get(websocket))
        .layer(AuthLayer::new(auth.clone()).end_responses_with_token())
        .layer(map_request(take_offered_token))
        .with_state(auth)
}

async fn sse() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let events =
        stream::unfold((interval(SECOND), 0), async |(mut second, count): (Interval, u64)| {
            second.tick().await;
            Some((Ok(Event::default().data(count.to_string())), (second, count + 1)))
        });
    Sse::new(events).keep_alive(KeepAlive::default())
}

async fn websocket(
    State(auth): State<Auth0>,
    token: AccessToken,
    upgrade: WebSocketUpgrade,
) -> Response {
    TokenUpgrade::new(upgrade.protocols(["bearer"]), auth.lease(&token))
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
                Some(Message::Text(text)) => renewal::answer(socket.lease(), &text).await,
                Some(_) => continue,
                None => return,
            },
        };
        if socket.send(answer).await.is_err() {
            return;
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    auth0_local::load_env_file()?;
    let log = EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(log).init();
    let address = auth0_local::address()?;
    let listener = TcpListener::bind(address).await.map_err(|error| {
        format!(
            "cannot listen on {address}: {error}. Set HOST and PORT to another address and port"
        )
    })?;
    let address = listener.local_addr()?;
    println!("listening on http://{address}");

    // In your own program, write: Auth0::from_env()?
    let auth = auth0_local::quickstart_with(address, &COMMANDS).await?;
    // Lets the layer end the response to a client that does not read.
    let service = app(auth).into_make_service_with_connect_info::<TcpPeer>();
    Ok(axum::serve(listener, service).await?)
}
