//! Shows GraphQL with async-graphql: queries, a field that needs a scope, and subscriptions that end with their token.
//!
//! ```sh
//! cargo run -p axum-graphql
//! curl http://127.0.0.1:3000/graphql -H "Authorization: Bearer $TOKEN" \
//!     -H "Content-Type: application/json" -d '{"query":"{ me }"}'
//! ```
//!
//! `{ me }` needs a token, and `{ secret }` the scope `read:messages`. `/graphql/ws` speaks `graphql-transport-ws`, with
//! the token in `connection_init`, as `{"authorization":"Bearer …"}`; its subscription is `subscription { ticks }`.
//!
//! It starts with a local tenant of its own, and prints a command for `TOKEN`. For your own tenant, set `AUTH0_DOMAIN`
//! and `AUTH0_AUDIENCE`, in the environment or in `.env`. It listens on `HOST` (127.0.0.1) and `PORT` (3000).
mod schema;

use async_graphql::{
    Data,
    http::{WebSocket, WebSocketProtocols, WsMessage},
};
use async_graphql_axum::{GraphQLRequest, GraphQLResponse};
use auth0_axum::{AccessToken, Auth0, GraphqlUpgrade, TokenSocket, VerifiedToken};
use axum::{
    Router,
    extract::{
        FromRef, State, WebSocketUpgrade,
        ws::{CloseFrame, Message},
    },
    response::Response,
    routing::{get, post},
};
use futures_util::StreamExt;
use schema::Schema;
use std::{error::Error, future::ready};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

const COMMANDS: [(&str, &str); 3] = [
    (
        "the subject of the token",
        "curl http://{address}/graphql -H \"Authorization: Bearer $TOKEN\" -H content-type:application/json -d \
         '{\"query\":\"{ me }\"}'",
    ),
    (
        "an error: the token lacks read:messages",
        "curl http://{address}/graphql -H \"Authorization: Bearer $TOKEN\" -H content-type:application/json -d \
         '{\"query\":\"{ secret }\"}'",
    ),
    (
        "the token has read:messages",
        "curl http://{address}/graphql -H \"Authorization: Bearer $READER\" -H content-type:application/json -d \
         '{\"query\":\"{ secret }\"}'",
    ),
];

#[derive(Clone, FromRef)]
struct AppState {
    auth: Auth0,
    schema: Schema,
}

fn app(auth: Auth0) -> Router {
    Router::new()
        .route("/graphql", post(query))
        .route("/graphql/ws", get(subscriptions))
        .with_state(AppState { auth, schema: schema::new() })
}

async fn query(
    State(AppState { auth, schema }): State<AppState>,
    token: AccessToken,
    request: GraphQLRequest,
) -> GraphQLResponse {
    let token = VerifiedToken::clone(&token);
    schema.execute(request.into_inner().data(auth).data(token)).await.into()
}

/// The token is in the first message, not in a header.
async fn subscriptions(
    State(AppState { auth, schema }): State<AppState>,
    upgrade: WebSocketUpgrade,
) -> Response {
    GraphqlUpgrade::new(upgrade, auth).on_upgrade(move |socket| serve(schema, socket))
}

async fn serve(schema: Schema, socket: TokenSocket) {
    let mut data = Data::default();
    data.insert(socket.lease().auth().clone());
    data.insert(socket.token());
    let (sink, messages) = socket.split();
    // What is no text is no message of the protocol either.
    let texts = messages.filter_map(|message| ready(message.ok().map(Message::into_data)));
    let answers =
        WebSocket::new(schema, texts, WebSocketProtocols::GraphQLWS).connection_data(data);
    let answers = answers.map(|answer| match answer {
        WsMessage::Text(text) => Ok(Message::Text(text.into())),
        // Its reason has text of the client, and the code of the protocol is another.
        WsMessage::Close(1002, _) => Ok(closing(4400, "Not a message of graphql-transport-ws")),
        WsMessage::Close(code, reason) => Ok(closing(code, &reason)),
    });
    // An error is the end of the connection.
    let _ = answers.forward(sink).await;
}

fn closing(code: u16, reason: &str) -> Message {
    Message::Close(Some(CloseFrame { code, reason: reason.into() }))
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
    Ok(axum::serve(listener, app(auth)).await?)
}
