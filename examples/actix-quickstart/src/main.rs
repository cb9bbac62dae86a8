//! Shows an API with a public route, a private route, and a route that needs a scope.
//!
//! ```sh
//! cargo run -p actix-quickstart
//! ```
//!
//! It starts with a local tenant of its own and prints `curl` commands to try. For your own tenant,
//! set `AUTH0_DOMAIN` and `AUTH0_AUDIENCE`, in the environment or in `.env`. It listens on `HOST`
//! (127.0.0.1) and `PORT` (3000).
use actix_web::{App, HttpServer, Responder, get, web};
use auth0_actix::{AccessToken, Authorized, policy::*};
use std::{error::Error, net::TcpListener};
use tracing_subscriber::EnvFilter;

policy!(pub ReadMessages = scope("read:messages"));

#[get("/api/public")]
async fn public() -> impl Responder {
    "for everybody\n"
}

#[get("/api/private")]
async fn private(token: AccessToken) -> impl Responder {
    format!("{}\n", token.subject())
}

#[get("/api/private-scoped")]
async fn private_scoped(token: Authorized<ReadMessages>) -> impl Responder {
    format!("messages of {}\n", token.subject())
}

fn routes(config: &mut web::ServiceConfig) {
    config.service(public).service(private).service(private_scoped);
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
    let auth = auth0_local::quickstart(address).await?;
    let server = HttpServer::new(move || App::new().app_data(auth.clone()).configure(routes));
    Ok(server.listen(listener)?.run().await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::{TestRequest, call_service, init_service};
    use auth0_actix::testing::Tenant;

    #[actix_web::test]
    async fn each_route_requires_what_it_says() {
        let tenant = Tenant::new();
        let app = init_service(App::new().app_data(tenant.auth0()).configure(routes)).await;
        let plain = tenant.token().mint();
        let reader = tenant.token().scope("read:messages").mint();
        for (path, token, status) in [
            ("/api/private", "", 401),
            ("/api/private-scoped", &plain, 403),
            ("/api/private-scoped", &reader, 200),
        ] {
            let mut request = TestRequest::get().uri(path);
            if !token.is_empty() {
                request = request.insert_header(("authorization", format!("Bearer {token}")));
            }
            let response = call_service(&app, request.to_request()).await;
            assert_eq!(response.status(), status, "{path}");
        }
    }
}
