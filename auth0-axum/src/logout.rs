//! The route of back-channel logout.
use crate::whole_body::whole_form;
use auth0_core::BackchannelLogout;
use axum::{
    body::Body,
    extract::Request,
    response::Response,
    routing::{MethodRouter, any},
};
use http::{HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE};

/// Returns the route to which the issuer sends its logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.5). It needs no
/// access token: put it outside the layers that require one.
///
/// ```
/// use auth0_axum::{Auth0, AuthLayer, BackchannelLogout, Revocations, backchannel_logout};
/// use axum::{Router, routing::get};
///
/// # async fn private() {}
/// # fn main() -> Result<(), auth0_axum::ConfigError> {
/// let revocations = Revocations::in_memory();
/// let auth = Auth0::builder()
///     .domain("acme.eu.auth0.com")
///     .audience("https://api.acme.com")
///     .revocations(&revocations)
///     .build()?;
/// let logout = BackchannelLogout::new(&auth, ["the client id of the web application"])?;
/// let app: Router = Router::new()
///     .route("/api/private", get(private))
///     .layer(AuthLayer::new(auth))
///     .route("/backchannel-logout", backchannel_logout(logout));
/// # let _ = app;
/// # Ok(())
/// # }
/// ```
///
/// The answer is 200, or 400 for a token that is not valid or was used before, or 503 while the keys of the issuer or the
/// store of revocations are not available, so that the issuer tries again. It is not stored by caches.
pub fn backchannel_logout<S: Clone + Send + Sync + 'static>(
    logout: BackchannelLogout,
) -> MethodRouter<S> {
    any(move |request: Request| async move { respond(&logout, request).await })
}

async fn respond(logout: &BackchannelLogout, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = whole_form(&parts.method, body, logout.body_limit()).await;
    let content_type = parts.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let answer = logout.respond(parts.method.as_str(), content_type, body.as_deref()).await;
    let mut response = Response::new(());
    *response.status_mut() =
        StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in answer.headers() {
        let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
        response.headers_mut().insert(name, value);
    }
    response.map(|()| Body::from(answer.into_body()))
}
