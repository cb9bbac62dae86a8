//! Shows the API of the quickstart as a function of AWS Lambda, behind an HTTP API of API Gateway or a function URL.
//!
//! ```sh
//! cargo run -p axum-lambda                         # on this machine, as a server with a local tenant
//! cargo lambda build --release -p axum-lambda      # for AWS Lambda, with cargo-lambda
//! ```
//!
//! In AWS Lambda, set `AUTH0_DOMAIN` and `AUTH0_AUDIENCE` in the configuration of the function: without them, it does
//! not start. On this machine they are optional, and it listens on `HOST` (127.0.0.1) and `PORT` (3000).
mod gateway;
#[cfg(test)]
mod tests;

use auth0_axum::{AccessToken, Auth0, Authorized, policy::*};
use axum::{Router, routing::get};
use std::{env, net::SocketAddr};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

policy!(pub ReadMessages = scope("read:messages"));

async fn public() -> &'static str {
    "for everybody\n"
}

async fn private(token: AccessToken) -> String {
    format!("{}\n", token.subject())
}

async fn private_scoped(token: Authorized<ReadMessages>) -> String {
    format!("messages of {}\n", token.subject())
}

fn app(auth: Auth0) -> Router {
    Router::new()
        .route("/api/public", get(public))
        .route("/api/private", get(private))
        .route("/api/private-scoped", get(private_scoped))
        .with_state(auth)
}

#[tokio::main]
async fn main() -> Result<(), lambda_http::Error> {
    auth0_local::load_env_file()?;
    let log = EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    let is_lambda = env::var_os("AWS_LAMBDA_RUNTIME_API").is_some();
    tracing_subscriber::fmt().with_env_filter(log).with_ansi(!is_lambda).init();
    if is_lambda { run_in_lambda().await } else { serve().await }
}

/// Everything before `run` is the init phase, which happens once for each copy of the function.
async fn run_in_lambda() -> Result<(), lambda_http::Error> {
    let auth = Auth0::from_env()?;
    // The log has the reason of a failure. Requests get 503 until the keys can be fetched.
    let _ = auth.warm_up().await;
    lambda_http::run(gateway::function(app(auth))).await
}

/// Serves the same API on this machine, so that `curl` is enough to try it.
async fn serve() -> Result<(), lambda_http::Error> {
    let address = auth0_local::address()?;
    let listener = TcpListener::bind(address).await.map_err(|error| {
        format!(
            "cannot listen on {address}: {error}. Set HOST and PORT to another address and port"
        )
    })?;
    let address = listener.local_addr()?;
    println!(
        "AWS_LAMBDA_RUNTIME_API is not set, so this is not AWS Lambda: a server takes its place"
    );
    println!("listening on http://{address}");
    let auth = auth0_local::quickstart(address).await?;
    let service = app(auth).into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).await?)
}
