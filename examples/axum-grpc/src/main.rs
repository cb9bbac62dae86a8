//! Shows gRPC services and HTTP routes on one port. Of the health service, `Check` needs a token, and `Watch` the scope
//! `read:messages`. `GET /api/private` needs a token, and answers in JSON. Calls may come as grpc-web, too.
//!
//! ```sh
//! cargo run -p axum-grpc
//! curl -O https://raw.githubusercontent.com/grpc/grpc-proto/master/grpc/health/v1/health.proto
//! grpcurl -plaintext -proto health.proto -H "authorization: Bearer $TOKEN" 127.0.0.1:50051 grpc.health.v1.Health/Check
//! ```
//!
//! It starts with a local tenant of its own, and prints a command for `TOKEN`. For your own tenant, set `AUTH0_DOMAIN`
//! and `AUTH0_AUDIENCE`, in the environment or in `.env`. It listens on `HOST` (127.0.0.1) and `PORT` (50051).
use auth0_axum::{AccessToken, Auth0, AuthLayer, GrpcMethods, policy::*};
use axum::{Router, routing::get};
use std::error::Error;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tonic_web::GrpcWebLayer;
use tracing_subscriber::EnvFilter;

const COMMANDS: [(&str, &str); 4] = [
    (
        "OK",
        "grpcurl -plaintext -proto health.proto -H \"authorization: Bearer $TOKEN\" {address} grpc.health.v1.Health/Check",
    ),
    (
        "Unauthenticated",
        "grpcurl -plaintext -proto health.proto {address} grpc.health.v1.Health/Check",
    ),
    (
        "PermissionDenied: the token lacks read:messages",
        "grpcurl -plaintext -proto health.proto -H \"authorization: Bearer $TOKEN\" {address} grpc.health.v1.Health/Watch",
    ),
    ("in JSON", "curl -i http://{address}/api/private -H \"Authorization: Bearer $TOKEN\""),
];

async fn private(token: AccessToken) -> String {
    format!("{{\"subject\":{:?}}}\n", token.subject())
}

fn app(auth: Auth0) -> Router {
    let (_, health) = tonic_health::server::health_reporter();
    let methods = GrpcMethods::new().method("/grpc.health.v1.Health/Watch", scope("read:messages"));
    // A service of your own finds the token with request.extensions().get::<AccessToken>().
    let grpc = Routes::new(health).prepare().into_axum_router();
    // A stream ends with its token.
    let protect = AuthLayer::new(auth.clone()).grpc_methods(methods).end_responses_with_token();
    let grpc = grpc.layer(protect);
    // Browsers speak grpc-web, which is translated before the check.
    let grpc = grpc.layer(GrpcWebLayer::new());
    Router::new().route("/api/private", get(private)).with_state(auth).merge(grpc)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    auth0_local::load_env_file()?;
    let log = EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(log).init();
    let address = auth0_local::address_or(50051)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use auth0_axum::testing::Tenant;
    use tonic::{Code, Request, transport::Endpoint};
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

    #[tokio::test]
    async fn each_method_requires_what_it_says() -> Result<(), Box<dyn Error>> {
        let tenant = Tenant::new();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let app = app(tenant.auth0());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let mut client = HealthClient::new(Endpoint::new(url)?.connect().await?);
        let plain = tenant.token().mint();
        let reader = tenant.token().scope("read:messages").mint();
        for (token, check, watch) in [
            ("", Code::Unauthenticated, Code::Unauthenticated),
            (&plain, Code::Ok, Code::PermissionDenied),
            (&reader, Code::Ok, Code::Ok),
        ] {
            let request = || -> Result<_, Box<dyn Error>> {
                let mut request = Request::new(HealthCheckRequest::default());
                if !token.is_empty() {
                    let header = format!("Bearer {token}").parse()?;
                    request.metadata_mut().insert("authorization", header);
                }
                Ok(request)
            };
            let code =
                client.check(request()?).await.map_or_else(|status| status.code(), |_| Code::Ok);
            assert_eq!(code, check);
            let code =
                client.watch(request()?).await.map_or_else(|status| status.code(), |_| Code::Ok);
            assert_eq!(code, watch);
        }
        Ok(())
    }

    #[tokio::test]
    async fn a_stream_ends_with_its_token() -> Result<(), Box<dyn Error>> {
        let tenant = Tenant::new();
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let app = app(tenant.auth0());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let mut client = HealthClient::new(Endpoint::new(url)?.connect().await?);
        let header = format!("Bearer {}", tenant.token().scope("read:messages").mint());
        let mut request = Request::new(HealthCheckRequest::default());
        request.metadata_mut().insert("authorization", header.parse()?);
        let mut watch = client.watch(request).await?.into_inner();
        assert!(watch.message().await?.is_some());
        tenant.clock().advance(std::time::Duration::from_secs(2 * 24 * 60 * 60));
        let status = watch.message().await.map_or_else(|status| status.code(), |_| Code::Ok);
        assert_eq!(status, Code::Unauthenticated);
        Ok(())
    }
}
