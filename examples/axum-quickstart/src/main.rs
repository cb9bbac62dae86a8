//! Shows an API with a public route, a private route, and a route that needs a scope.
//!
//! ```sh
//! cargo run -p axum-quickstart
//! ```
//!
//! It starts with a local tenant of its own and prints `curl` commands to try. For your own tenant,
//! set `AUTH0_DOMAIN` and `AUTH0_AUDIENCE`, in the environment or in `.env`. It listens on `HOST`
//! (127.0.0.1) and `PORT` (3000).
use auth0_axum::{AccessToken, Auth0, Authorized, policy::*};
use axum::{Router, routing::get};
use std::{error::Error, net::SocketAddr};
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
    let auth = auth0_local::quickstart(address).await?;
    let service = app(auth).into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth0_axum::testing::Tenant;
    use axum::{body::Body, http::Request};
    use tower::ServiceExt;

    #[tokio::test]
    async fn each_route_requires_what_it_says() {
        let tenant = Tenant::new();
        let app = app(tenant.auth0());
        let plain = tenant.token().mint();
        let reader = tenant.token().scope("read:messages").mint();
        for (path, token, status) in [
            ("/api/private", "", 401),
            ("/api/private-scoped", &plain, 403),
            ("/api/private-scoped", &reader, 200),
        ] {
            let mut request = Request::get(path);
            if !token.is_empty() {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(response.status(), status, "{path}");
        }
    }
}
