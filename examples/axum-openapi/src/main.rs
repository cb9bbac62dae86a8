//! Shows an API whose routes are guarded and documented in one call, with Swagger UI that logs in.
//!
//! ```sh
//! cargo run -p axum-openapi
//! ```
//!
//! Open <http://127.0.0.1:3000/docs/>. It starts with a local tenant of its own. For your own tenant, set
//! `AUTH0_DOMAIN`, `AUTH0_AUDIENCE` and `AUTH0_CLIENT_ID` (of a single-page application), in the environment or in
//! `.env`. It listens on `HOST` (127.0.0.1) and `PORT` (3000).
use auth0_axum::{AccessToken, Auth0, Authorized, ConfigError, policy::*};
use auth0_openapi::{SecuritySchemes, any_token, axum::Protect, document, public};
use axum::{Json, Router, extract::Path};
use serde::Serialize;
use std::{collections::HashMap, error::Error, net::SocketAddr};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;
use utoipa::{OpenApi, ToSchema, openapi};
use utoipa_axum::{router::OpenApiRouter, routes};
use utoipa_swagger_ui::{SwaggerUi, oauth};

policy!(pub PurgeMessages = all_of![scope("write:messages"), permission("messages:purge")]);

#[derive(OpenApi)]
#[openapi(info(title = "Messages", description = "An API that Auth0 protects."))]
struct Api;

#[derive(Serialize, ToSchema)]
struct Message {
    id: u32,
    text: String,
}

fn message(id: u32) -> Message {
    Message { id, text: "Hello".to_owned() }
}

/// Says that the API is up.
#[utoipa::path(get, path = "/status", responses((status = OK, description = "It is up", body = String)))]
async fn status() -> &'static str {
    "up\n"
}

/// Says who sent the token.
#[utoipa::path(get, path = "/me", responses((status = OK, description = "The subject", body = String)))]
async fn me(token: AccessToken) -> String {
    format!("{}\n", token.subject())
}

/// Lists all messages.
#[utoipa::path(get, path = "/messages", responses((status = OK, description = "All messages", body = [Message])))]
async fn list() -> Json<Vec<Message>> {
    Json(vec![message(1)])
}

/// Reads one message.
#[utoipa::path(
    get,
    path = "/messages/{id}",
    params(("id" = u32, Path, description = "The number of the message")),
    responses((status = OK, description = "The message", body = Message))
)]
async fn read(Path(id): Path<u32>) -> Json<Message> {
    Json(message(id))
}

/// Writes a message, and returns it.
#[utoipa::path(post, path = "/messages", responses((status = OK, description = "The message", body = Message)))]
async fn write() -> Json<Message> {
    Json(message(2))
}

/// Deletes all messages.
#[utoipa::path(delete, path = "/messages", responses((status = NO_CONTENT, description = "They are deleted")))]
async fn purge(_: Authorized<PurgeMessages>) -> axum::http::StatusCode {
    axum::http::StatusCode::NO_CONTENT
}

/// Returns the API and its document.
fn app(auth: Auth0) -> Result<(Router, openapi::OpenApi), ConfigError> {
    let protect = Protect::new(auth.clone());
    let messages = OpenApiRouter::new()
        .routes(protect.routes(scope("read:messages"), routes!(list)))
        .routes(protect.routes(any_scope(&["read:messages", "admin"]), routes!(read)))
        .routes(protect.routes(scope("read:messages write:messages"), routes!(write)))
        .routes(document::<PurgeMessages>().routes(routes!(purge)));
    let (router, mut api) = OpenApiRouter::with_openapi(Api::openapi())
        .routes(public().routes(routes!(status)))
        .routes(any_token().routes(routes!(me)))
        .nest("/api", messages)
        .split_for_parts();
    SecuritySchemes::of(&auth)
        .scope("read:messages", "Read messages")
        .scope("write:messages", "Write and delete messages")
        .scope("admin", "Read everything")
        .apply_to(&mut api)?;
    Ok((router.with_state(auth), api))
}

/// Returns the page that logs in as this client, for the API of the verifier.
fn page(auth: &Auth0, client_id: &str, api: openapi::OpenApi) -> SwaggerUi {
    // Without an audience, Auth0 issues a token that no API can read.
    let audience = auth
        .authorization_servers()
        .flat_map(|server| server.audiences().map(str::to_owned).collect::<Vec<_>>())
        .next();
    let audience = audience.map(|audience| ("audience".to_owned(), audience));
    let login = oauth::Config::new()
        .client_id(client_id)
        .use_pkce_with_authorization_code_grant(true)
        .additional_query_string_params(HashMap::from_iter(audience));
    SwaggerUi::new("/docs").url("/openapi.json", api).oauth(login)
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

    // In your own program, write: Auth0::from_env()?, then warm_up()
    let (auth, client_id) =
        auth0_local::openapi_quickstart(address, "/docs/", "/docs/oauth2-redirect.html").await?;
    let (router, api) = app(auth.clone())?;
    let service = router.merge(page(&auth, &client_id, api));
    let service = service.into_make_service_with_connect_info::<SocketAddr>();
    Ok(axum::serve(listener, service).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use auth0_axum::testing::Tenant;
    use axum::{body::Body, http::Request};
    use serde_json::{Value, json};
    use tower::ServiceExt;

    #[tokio::test]
    async fn each_operation_needs_what_its_document_says() {
        let tenant = Tenant::new();
        let (app, api) = app(tenant.auth0()).unwrap();
        let api: Value = serde_json::to_value(api).unwrap();
        let plain = tenant.token();
        let reader = tenant.token().scope("read:messages");
        let admin = tenant.token().scope("admin");
        let writer = tenant.token().scope("read:messages write:messages");
        let purger = writer.clone().permissions(["messages:purge"]);
        for (method, path, documented, security, accepted) in [
            ("GET", "/status", "/status", json!([]), 5),
            ("GET", "/me", "/me", json!([[]]), 5),
            ("GET", "/api/messages", "/api/messages", json!([["read:messages"]]), 3),
            (
                "GET",
                "/api/messages/1",
                "/api/messages/{id}",
                json!([["read:messages"], ["admin"]]),
                4,
            ),
            (
                "POST",
                "/api/messages",
                "/api/messages",
                json!([["read:messages", "write:messages"]]),
                2,
            ),
            ("DELETE", "/api/messages", "/api/messages", json!([["write:messages"]]), 1),
        ] {
            let operation = &api["paths"][documented][method.to_ascii_lowercase()];
            for (place, scopes) in security.as_array().unwrap().iter().enumerate() {
                assert_eq!(operation["security"][2 * place], json!({ "auth0": scopes }), "{path}");
            }
            let mut count = 0;
            for token in [&plain, &reader, &admin, &writer, &purger] {
                let request = Request::builder().method(method).uri(path);
                let request = request.header("authorization", format!("Bearer {}", token.mint()));
                let request = request.body(Body::empty()).unwrap();
                let response = app.clone().oneshot(request).await.unwrap();
                count += usize::from(response.status().is_success());
            }
            assert_eq!(count, accepted, "{method} {path}");
        }
    }
}
