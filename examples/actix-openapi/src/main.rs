//! Shows an API whose services are guarded and documented in one call, with Swagger UI that logs in.
//!
//! ```sh
//! cargo run -p actix-openapi
//! ```
//!
//! Open <http://127.0.0.1:3000/docs/>. It starts with a local tenant of its own. For your own tenant, set
//! `AUTH0_DOMAIN`, `AUTH0_AUDIENCE` and `AUTH0_CLIENT_ID` (of a single-page application), in the environment or in
//! `.env`. It listens on `HOST` (127.0.0.1) and `PORT` (3000).
use actix_web::{App, HttpResponse, HttpServer, Responder, web};
use auth0_actix::{AccessToken, Auth0, Authorized, ConfigError, policy::*};
use auth0_openapi::{
    SecuritySchemes,
    actix::{Protect, routes},
    any_token, document, public,
};
use serde::Serialize;
use std::{collections::HashMap, error::Error, net::TcpListener};
use tracing_subscriber::EnvFilter;
use utoipa::{OpenApi, ToSchema, openapi};
use utoipa_actix_web::{AppExt, service_config::ServiceConfig};
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
async fn status() -> impl Responder {
    "up\n"
}

/// Says who sent the token.
#[utoipa::path(get, path = "/me", responses((status = OK, description = "The subject", body = String)))]
async fn me(token: AccessToken) -> impl Responder {
    format!("{}\n", token.subject())
}

/// Lists all messages.
#[utoipa::path(get, path = "/messages", responses((status = OK, description = "All messages", body = [Message])))]
async fn list() -> impl Responder {
    web::Json(vec![message(1)])
}

/// Reads one message.
#[utoipa::path(
    get,
    path = "/messages/{id}",
    params(("id" = u32, Path, description = "The number of the message")),
    responses((status = OK, description = "The message", body = Message))
)]
async fn read(id: web::Path<u32>) -> impl Responder {
    web::Json(message(*id))
}

/// Writes a message, and returns it.
#[utoipa::path(post, path = "/messages", responses((status = OK, description = "The message", body = Message)))]
async fn write() -> impl Responder {
    web::Json(message(2))
}

/// Deletes all messages.
#[utoipa::path(delete, path = "/messages", responses((status = NO_CONTENT, description = "They are deleted")))]
async fn purge(_: Authorized<PurgeMessages>) -> impl Responder {
    HttpResponse::NoContent()
}

fn services(config: &mut ServiceConfig<'_>) {
    let protect = Protect::new();
    let messages = utoipa_actix_web::scope("/api")
        .service(protect.routes(scope("read:messages"), routes!(list)))
        .service(protect.routes(any_scope(&["read:messages", "admin"]), routes!(read)))
        .service(protect.routes(scope("read:messages write:messages"), routes!(write)))
        .service(document::<PurgeMessages>().service(routes!(purge)));
    config
        .service(public().service(routes!(status)))
        .service(any_token().service(routes!(me)))
        .service(messages);
}

/// Returns the document.
fn api(auth: &Auth0) -> Result<openapi::OpenApi, ConfigError> {
    let app = App::new().into_utoipa_app().openapi(Api::openapi()).configure(services);
    let (_, mut api) = app.split_for_parts();
    SecuritySchemes::of(auth)
        .scope("read:messages", "Read messages")
        .scope("write:messages", "Write and delete messages")
        .scope("admin", "Read everything")
        .apply_to(&mut api)?;
    Ok(api)
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
    SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", api).oauth(login)
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

    // In your own program, write: Auth0::from_env()?, then warm_up()
    let (auth, client_id) =
        auth0_local::openapi_quickstart(address, "/docs/", "/docs/oauth2-redirect.html").await?;
    let page = page(&auth, &client_id, api(&auth)?);
    let server = HttpServer::new(move || {
        let app = App::new().into_utoipa_app().app_data(auth.clone()).configure(services);
        app.into_app().service(web::redirect("/docs", "/docs/")).service(page.clone())
    });
    Ok(server.listen(listener)?.run().await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::{
        http::Method,
        test::{TestRequest, call_service, init_service},
    };
    use auth0_actix::testing::Tenant;
    use serde_json::{Value, json};

    #[actix_web::test]
    async fn each_operation_needs_what_its_document_says() {
        let tenant = Tenant::new();
        let app = App::new().into_utoipa_app().app_data(tenant.auth0()).configure(services);
        let app = init_service(app.into_app()).await;
        let api: Value = serde_json::to_value(api(&tenant.auth0()).unwrap()).unwrap();
        let plain = tenant.token();
        let reader = tenant.token().scope("read:messages");
        let admin = tenant.token().scope("admin");
        let writer = tenant.token().scope("read:messages write:messages");
        let purger = writer.clone().permissions(["messages:purge"]);
        for (method, path, documented, security, accepted) in [
            (Method::GET, "/status", "/status", json!([]), 5),
            (Method::GET, "/me", "/me", json!([[]]), 5),
            (Method::GET, "/api/messages", "/api/messages", json!([["read:messages"]]), 3),
            (
                Method::GET,
                "/api/messages/1",
                "/api/messages/{id}",
                json!([["read:messages"], ["admin"]]),
                4,
            ),
            (
                Method::POST,
                "/api/messages",
                "/api/messages",
                json!([["read:messages", "write:messages"]]),
                2,
            ),
            (Method::DELETE, "/api/messages", "/api/messages", json!([["write:messages"]]), 1),
        ] {
            let operation = &api["paths"][documented][method.as_str().to_ascii_lowercase()];
            for (place, scopes) in security.as_array().unwrap().iter().enumerate() {
                assert_eq!(operation["security"][2 * place], json!({ "auth0": scopes }), "{path}");
            }
            let mut count = 0;
            for token in [&plain, &reader, &admin, &writer, &purger] {
                let request = TestRequest::with_uri(path).method(method.clone());
                let bearer = format!("Bearer {}", token.mint());
                let request = request.insert_header(("authorization", bearer)).to_request();
                count += usize::from(call_service(&app, request).await.status().is_success());
            }
            assert_eq!(count, accepted, "{method} {path}");
        }
    }
}
