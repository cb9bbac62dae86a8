//! Shows an API that refuses the tokens of users who have logged out, or are blocked: at the next request, and on open
//! streams, in all instances.
//!
//! ```sh
//! cargo run -p axum-revocation
//! curl -N http://127.0.0.1:3000/api/stream -H "Authorization: Bearer $TOKEN"
//! ```
//!
//! | route | |
//! |---|---|
//! | `GET /api/private` | the user of the token |
//! | `GET /api/stream` | server-sent events, one a second, until the token ends or is revoked |
//! | `POST /backchannel-logout` | receives logout tokens: its URL is the *Back-Channel Logout URI* of the application |
//!
//! It starts with a tenant of its own, and prints commands. For your own tenant, set these variables, in the environment
//! or in `.env`:
//!
//! | variable | |
//! |---|---|
//! | `AUTH0_DOMAIN` or `AUTH0_ISSUER`, `AUTH0_AUDIENCE` | the tenant, and the identifier of this API |
//! | `AUTH0_LOGOUT_CLIENT_IDS` | the client ids of the applications with which users log in, with commas between them |
//! | `AUTH0_SID_CLAIM` | the claim into which an Action copies the id of the session; without it, the logout of one session ends the tokens of all |
//! | `REDIS_URL` | shares revocations between the instances; without it, there can be one instance, and a restart forgets them |
//! | `AUTH0_EVENTS_URL`, `AUTH0_EVENTS_TOKEN` | the Events API (`https://acme.eu.auth0.com/api/v2/events`, or without this path), and a token for it with the scope `read:events` |
//!
//! It listens on `HOST` (127.0.0.1) and `PORT` (3000).
use auth0_axum::{AccessToken, Auth0, AuthLayer, BackchannelLogout, TcpPeer, backchannel_logout};
use axum::{
    Json, Router,
    response::{Sse, sse::Event},
    routing::get,
};
use futures_util::{Stream, stream};
use serde_json::{Value, json};
use std::{convert::Infallible, error::Error, time::Duration};
use tokio::{
    net::TcpListener,
    time::{Interval, interval},
};
use tracing_subscriber::EnvFilter;

/// The layer ends each response with its token. A logout token comes without an access token.
fn app(auth: Auth0, logout: BackchannelLogout) -> Router {
    Router::new()
        .route("/api/private", get(private))
        .route("/api/stream", get(stream))
        .layer(AuthLayer::new(auth.clone()).end_responses_with_token())
        .route("/backchannel-logout", backchannel_logout(logout))
        .with_state(auth)
}

async fn private(token: AccessToken) -> Json<Value> {
    Json(json!({ "sub": token.subject() }))
}

async fn stream() -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let second = interval(Duration::from_secs(1));
    Sse::new(stream::unfold((second, 0), async |(mut second, count): (Interval, u64)| {
        second.tick().await;
        Some((Ok(Event::default().data(count.to_string())), (second, count + 1)))
    }))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    auth0_local::load_env_file()?;
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()))
        .init();
    let listener = TcpListener::bind(auth0_local::address()?).await?;
    let address = listener.local_addr()?;
    let settings = revocation_service::settings(address).await?;

    let revocations = settings.revocations()?;
    let auth = settings.verifier.clone().revocations(&revocations).build()?;
    let logout = settings.logout(&auth)?;
    if let Some(subscriber) = settings.subscriber(&auth, &revocations)? {
        tokio::spawn(subscriber.run());
    }
    println!("listening on http://{address}");
    // Lets the layer end the response to a client that does not read.
    let service = app(auth, logout).into_make_service_with_connect_info::<TcpPeer>();
    Ok(axum::serve(listener, service).await?)
}
