//! Shows an API that refuses the tokens of users who have logged out, or are blocked: at the next request, and on open
//! streams, in all instances.
//!
//! ```sh
//! cargo run -p actix-revocation
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
use actix_web::{
    App, HttpResponse, HttpServer,
    web::{self, Bytes, Json},
};
use auth0_actix::{
    AccessToken, Auth0, BackchannelLogout, RequireAuth, backchannel_logout, keep_tcp_handle,
};
use futures_util::stream;
use serde_json::{Value, json};
use std::{convert::Infallible, error::Error, net::TcpListener, time::Duration};
use tokio::time::{Interval, interval};
use tracing_subscriber::EnvFilter;

/// The middleware ends each response with its token. A logout token comes without an access token.
fn routes(auth: Auth0, logout: BackchannelLogout) -> impl FnOnce(&mut web::ServiceConfig) {
    let api = web::scope("/api")
        .route("/private", web::get().to(private))
        .route("/stream", web::get().to(stream))
        .wrap(RequireAuth::new().end_responses_with_token());
    move |config| {
        config.app_data(auth).service(api);
        config.route("/backchannel-logout", backchannel_logout(logout));
    }
}

async fn private(token: AccessToken) -> Json<Value> {
    Json(json!({ "sub": token.subject() }))
}

async fn stream() -> HttpResponse {
    let second = interval(Duration::from_secs(1));
    let events = stream::unfold((second, 0), async |(mut second, count): (Interval, u64)| {
        second.tick().await;
        let event = Ok::<_, Infallible>(Bytes::from(format!("data: {count}\n\n")));
        Some((event, (second, count + 1)))
    });
    HttpResponse::Ok().content_type("text/event-stream").streaming(events)
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    auth0_local::load_env_file()?;
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()))
        .init();
    let listener = TcpListener::bind(auth0_local::address()?)?;
    let address = listener.local_addr()?;
    let settings = revocation_service::settings(address).await?;

    let revocations = settings.revocations()?;
    let auth = settings.verifier.clone().revocations(&revocations).build()?;
    let logout = settings.logout(&auth)?;
    if let Some(subscriber) = settings.subscriber(&auth, &revocations)? {
        tokio::spawn(subscriber.run());
    }
    println!("listening on http://{address}");
    let app = move || App::new().configure(routes(auth.clone(), logout.clone()));
    // Ends the response to a client that does not read.
    Ok(HttpServer::new(app).on_connect(keep_tcp_handle).listen(listener)?.run().await?)
}
