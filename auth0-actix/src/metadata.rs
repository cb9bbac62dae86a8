//! The service of the metadata of a protected resource (RFC 9728).
use crate::unread_body::{UnreadBody, keep_unread};
use actix_web::{
    HttpRequest, HttpResponse, Resource,
    dev::HttpServiceFactory,
    guard::fn_guard,
    http::{
        StatusCode,
        header::{HeaderName, HeaderValue},
    },
    web::Payload,
};
use auth0_core::ResourceMetadata;
use std::sync::Arc;

/// Returns a service that publishes the metadata of the API: at the well-known path of its resource, and at
/// that of its origin. Register it on the `App` itself, outside every scope with a middleware, because
/// clients that have no token yet must reach it.
///
/// ```
/// use actix_web::{App, web};
/// use auth0_actix::{Auth0, metadata_service, policy::scope, require};
///
/// # async fn mcp() -> &'static str { "" }
/// # fn main() -> Result<(), auth0_actix::ConfigError> {
/// let auth = Auth0::builder()
///     .domain("acme.eu.auth0.com")
///     .resource("https://api.acme.com/mcp")
///     .build()?;
/// let metadata = auth.resource_metadata()?.requirement(&scope("mcp:read"));
/// let app = App::new().app_data(auth).service(metadata_service(metadata)).service(
///     web::resource("/mcp").wrap(require(scope("mcp:read"))).route(web::post().to(mcp)),
/// );
/// # let _ = app;
/// # Ok(())
/// # }
/// ```
///
/// Of several resources of one origin, one alone can be at the path of the origin: call
/// [`ResourceMetadata::without_origin`] for the others.
///
/// `GET` and `HEAD` are answered to every origin (CORS) and may be cached for an hour; other methods get `405`.
#[must_use = "a service is registered with `App::service`"]
pub fn metadata_service(metadata: ResourceMetadata) -> impl HttpServiceFactory {
    let (paths, metadata) = (metadata.paths(), Arc::new(metadata));
    // Compared as text: a path of the resource may contain the signs of a pattern.
    let is_its_path = move |path: &str| paths.iter().any(|known| known == path);
    Resource::new("/{path:.*}")
        .guard(fn_guard(move |context| is_its_path(context.head().uri.path())))
        .to(move |request: HttpRequest, payload: Payload| {
            let metadata = Arc::clone(&metadata);
            async move {
                let unread = UnreadBody::take(payload.into_inner());
                keep_unread(response(&metadata, &request), unread.as_ref())
            }
        })
}

fn response(metadata: &ResourceMetadata, request: &HttpRequest) -> HttpResponse {
    let answer = metadata.respond(request.method().as_str());
    let status = StatusCode::from_u16(answer.status());
    let mut response = HttpResponse::new(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    for (name, value) in answer.headers() {
        let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
        response.headers_mut().insert(name, value);
    }
    response.set_body(answer.into_body()).map_into_boxed_body()
}
