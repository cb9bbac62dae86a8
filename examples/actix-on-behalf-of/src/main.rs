//! Shows an API that calls another one: on behalf of its caller, as itself, and with the caller's Google account.
//!
//! ```sh
//! cargo run -p actix-on-behalf-of
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
use actix_web::{App, HttpResponse, HttpServer, get, http::header::CONTENT_TYPE, web};
use auth0_actix::{
    AccessToken, ConfigError,
    client::{CallError, Connection, Delegation, TokenSource},
};
use downstream::Settings;
use serde::Deserialize;
use std::{error::Error, net::TcpListener};
use tracing_subscriber::EnvFilter;

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
    async fn get(&self, path: &str, tokens: &TokenSource) -> Result<HttpResponse, CallError> {
        let request = self.http.get(format!("{}{path}", self.url));
        let answer = tokens.send(&self.http, request).await?;
        let mut response = HttpResponse::Ok();
        if let Some(content_type) = answer.headers().get(CONTENT_TYPE.as_str()) {
            response.insert_header((CONTENT_TYPE, content_type.as_bytes()));
        }
        Ok(response.streaming(answer.bytes_stream()))
    }
}

#[derive(Deserialize)]
struct Account {
    account: Option<String>,
}

#[get("/report")]
async fn report(
    caller: AccessToken,
    api: web::Data<Downstream>,
) -> Result<HttpResponse, CallError> {
    api.get("/report", &api.on_behalf.on_behalf_of(&caller)).await
}

#[get("/inventory")]
async fn inventory(_: AccessToken, api: web::Data<Downstream>) -> Result<HttpResponse, CallError> {
    api.get("/inventory", &api.itself).await
}

#[get("/calendar")]
async fn calendar(
    caller: AccessToken,
    api: web::Data<Downstream>,
    query: web::Query<Account>,
) -> Result<HttpResponse, CallError> {
    let google = api.google.clone();
    let google = match query.into_inner().account {
        Some(account) => google.login_hint(account),
        None => google,
    };
    api.get("/calendar", &google.for_caller(&caller)).await
}

fn routes(config: &mut web::ServiceConfig) {
    config.service(report).service(inventory).service(calendar);
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    auth0_local::load_env_file()?;
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()))
        .init();
    let listener = TcpListener::bind(auth0_local::address()?)?;
    let address = listener.local_addr()?;
    let settings = downstream::settings(address).await?;
    let api = web::Data::new(Downstream::new(&settings)?);
    let auth = settings.auth;
    println!("listening on http://{address}");
    let app = move || App::new().app_data(auth.clone()).app_data(api.clone()).configure(routes);
    Ok(HttpServer::new(app).listen(listener)?.run().await?)
}
