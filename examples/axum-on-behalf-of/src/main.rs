//! Shows an API that calls another one: on behalf of its caller, as itself, and with the caller's Google account.
//!
//! ```sh
//! cargo run -p axum-on-behalf-of
//! curl -i http://127.0.0.1:3000/report -H "Authorization: Bearer $TOKEN"
//! ```
//!
//! | route | calls | with |
//! |---|---|---|
//! | `GET /report` | `DOWNSTREAM_URL/report` | a token on behalf of the caller |
//! | `GET /inventory` | `DOWNSTREAM_URL/inventory` | a token of this API itself |
//! | `GET /calendar?account=…` | `DOWNSTREAM_URL/calendar` | the caller's token of `google-oauth2` in Token Vault, for this account if there is one |
//!
//! It starts with a tenant and a second API of its own, and prints commands. For your own tenant, set `AUTH0_DOMAIN`,
//! `AUTH0_AUDIENCE`, `AUTH0_CLIENT_ID`, `AUTH0_CLIENT_SECRET` (or `AUTH0_CLIENT_ASSERTION_SIGNING_KEY`), `DOWNSTREAM_URL` and
//! `DOWNSTREAM_AUDIENCE`, in the environment or in `.env`. With `AUTH0_CLIENT_DPOP=required`, its tokens are bound to a
//! key. It listens on `HOST` (127.0.0.1) and `PORT` (3000).
use auth0_axum::{
    AccessToken, Auth0, ConfigError,
    client::{CallError, Connection, Delegation, TokenSource},
};
use axum::{
    Router,
    body::Body,
    extract::{FromRef, Query, State},
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
    routing::get,
};
use downstream::Settings;
use serde::Deserialize;
use std::error::Error;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

#[derive(Clone, FromRef)]
struct App {
    auth: Auth0,
    downstream: Downstream,
}

/// The other API, and the tokens for it.
#[derive(Clone)]
struct Downstream {
    http: reqwest::Client,
    url: String,
    on_behalf: Delegation,
    itself: TokenSource,
    google: Connection,
}

impl Downstream {
    /// Creates each source once: the tokens are kept there.
    fn new(settings: &Settings) -> Result<Self, ConfigError> {
        let Settings { client, http, url, audience, .. } = settings;
        Ok(Self {
            http: http.clone(),
            url: url.clone(),
            on_behalf: client.delegation(audience).build()?,
            itself: client.machine(audience).build()?,
            google: client.connection("google-oauth2"),
        })
    }

    /// Requests a path with a token, and hands the body on.
    async fn get(&self, path: &str, tokens: &TokenSource) -> Result<Response, CallError> {
        let request = self.http.get(format!("{}{path}", self.url));
        let answer = tokens.send(&self.http, request).await?;
        let content_type = answer.headers().get(CONTENT_TYPE).cloned();
        let mut response = Body::from_stream(answer.bytes_stream()).into_response();
        response.headers_mut().extend(content_type.map(|value| (CONTENT_TYPE, value)));
        Ok(response)
    }
}

#[derive(Deserialize)]
struct Account {
    account: Option<String>,
}

async fn report(caller: AccessToken, State(api): State<Downstream>) -> Result<Response, CallError> {
    api.get("/report", &api.on_behalf.on_behalf_of(&caller)).await
}

async fn inventory(_: AccessToken, State(api): State<Downstream>) -> Result<Response, CallError> {
    api.get("/inventory", &api.itself).await
}

async fn calendar(
    caller: AccessToken,
    State(api): State<Downstream>,
    Query(Account { account }): Query<Account>,
) -> Result<Response, CallError> {
    let google = api.google.clone();
    let google = match account {
        Some(account) => google.login_hint(account),
        None => google,
    };
    api.get("/calendar", &google.for_caller(&caller)).await
}

fn app(settings: &Settings) -> Result<Router, ConfigError> {
    let app = App { auth: settings.auth.clone(), downstream: Downstream::new(settings)? };
    let routes = Router::new()
        .route("/report", get(report))
        .route("/inventory", get(inventory))
        .route("/calendar", get(calendar));
    Ok(routes.with_state(app))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    auth0_local::load_env_file()?;
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()))
        .init();
    let listener = TcpListener::bind(auth0_local::address()?).await?;
    let settings = downstream::settings(listener.local_addr()?).await?;
    let app = app(&settings)?;
    println!("listening on http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, app).await?)
}
