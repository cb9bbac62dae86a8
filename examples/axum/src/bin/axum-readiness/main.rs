//! Shows probes for Kubernetes: when an instance may receive requests, and when it must restart.
//!
//! ```sh
//! cargo run -p auth0-local -- serve --port 4400 # in one terminal
//! AUTH0_ISSUER=http://127.0.0.1:4400/ AUTH0_AUDIENCE=https://api.local.test \
//!     cargo run --bin axum-readiness            # in another
//!
//! curl -i http://127.0.0.1:3000/readyz
//! cargo run -q -p auth0-local -- fault jwks=500       # cached keys stay in use: still ready
//! ```
//!
//! ```yaml
//! livenessProbe:  { httpGet: { path: /livez,  port: 3000 } }
//! readinessProbe: { httpGet: { path: /readyz, port: 3000 }, periodSeconds: 5, timeoutSeconds: 6 }
//! ```
use auth0_axum::{AccessToken, Auth0, Health};
use axum::{Router, extract::State, http::StatusCode, routing::get};
use std::{error::Error, net::SocketAddr};
use tokio::net::TcpListener;

async fn me(token: AccessToken) -> String {
    token.subject().to_owned()
}

/// Says that the process runs. An outage of the issuer is no reason to restart it: a restart would
/// throw away the cached keys.
async fn livez() -> StatusCode {
    StatusCode::OK
}

/// Says whether tokens can be verified. `warm_up` asks the issuer only if there are no keys, and no
/// more often than its back-off allows. So a new instance becomes ready before its first request.
async fn readyz(State(auth): State<Auth0>) -> (StatusCode, String) {
    let status = match auth.warm_up().await {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let text = match auth.health() {
        Health::Ready { age, .. } => format!("ready: keys of {} s ago\n", age.as_secs()),
        Health::Stale { age, .. } => format!("ready: old keys, of {} s ago\n", age.as_secs()),
        _ => "not ready: no keys\n".to_owned(),
    };
    (status, text)
}

fn app(auth: Auth0) -> Router {
    Router::new()
        .route("/me", get(me))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .with_state(auth)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let auth = Auth0::from_env()?;
    let listener = TcpListener::bind(auth0_local::address()?).await?;
    let service = app(auth).into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).await?)
}

#[cfg(test)]
mod tests;
