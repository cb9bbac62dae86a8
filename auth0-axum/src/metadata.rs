//! The routes of the metadata of a protected resource (RFC 9728).
use auth0_core::ResourceMetadata;
use axum::{
    Router,
    body::Body,
    extract::OriginalUri,
    response::{IntoResponse, Response},
    routing::any,
};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use std::sync::Arc;

/// Returns the routes that publish the metadata of the API: at the well-known path of its resource, and at
/// that of its origin. Merge them *after* the layers of the application, because clients that have no token
/// yet must reach them.
///
/// ```
/// use auth0_axum::{Auth0, AuthLayer, metadata_routes, policy::scope};
/// use axum::{Router, routing::post};
///
/// # async fn mcp() {}
/// # fn main() -> Result<(), auth0_axum::ConfigError> {
/// let auth = Auth0::builder()
///     .domain("acme.eu.auth0.com")
///     .resource("https://api.acme.com/mcp")
///     .build()?;
/// let metadata = auth.resource_metadata()?.requirement(&scope("mcp:read"));
/// let app: Router = Router::new()
///     .route("/mcp", post(mcp))
///     .layer(AuthLayer::new(auth).require(scope("mcp:read")))
///     .merge(metadata_routes(metadata));
/// # let _ = app;
/// # Ok(())
/// # }
/// ```
///
/// Of several resources of one origin, one alone can be at the path of the origin: call
/// [`ResourceMetadata::without_origin`] for the others. Otherwise axum panics when the routes are merged.
///
/// `GET` and `HEAD` are answered to every origin (CORS) and may be cached for an hour; other methods get `405`.
pub fn metadata_routes<S: Clone + Send + Sync + 'static>(metadata: ResourceMetadata) -> Router<S> {
    let metadata = Arc::new(metadata);
    let paths: Arc<[String]> = metadata.paths().into();
    let mut patterns: Vec<String> = paths.iter().map(|path| pattern(path)).collect();
    patterns.sort_unstable();
    patterns.dedup();
    patterns.into_iter().fold(Router::new(), |router, pattern| {
        let (metadata, paths) = (Arc::clone(&metadata), Arc::clone(&paths));
        let answer = any(move |method: Method, OriginalUri(uri): OriginalUri| async move {
            match paths.iter().any(|path| uri.path().ends_with(&**path)) {
                true => response(&metadata, &method),
                false => StatusCode::NOT_FOUND.into_response(),
            }
        });
        router.route(&pattern, answer)
    })
}

/// Returns a pattern that this path matches. axum accepts no segment that begins with `:` or `*`, so such a segment may
/// be any.
fn pattern(path: &str) -> String {
    let segments = path.split('/').enumerate().map(|(number, segment)| match segment {
        segment if segment.starts_with([':', '*']) => format!("{{segment{number}}}"),
        segment => segment.replace('{', "{{").replace('}', "}}"),
    });
    segments.collect::<Vec<_>>().join("/")
}

fn response(metadata: &ResourceMetadata, method: &Method) -> Response {
    let answer = metadata.respond(method.as_str());
    let mut response = Response::new(());
    *response.status_mut() =
        StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers() {
        let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
        response.headers_mut().insert(name, value);
    }
    response.map(|()| Body::from(answer.into_body()))
}
