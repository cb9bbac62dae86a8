//! The route of back-channel logout.
use crate::{unread_body::keep_unread, whole_body::whole_form};
use actix_web::{
    HttpRequest, HttpResponse, Route,
    body::BoxBody,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, HeaderName, HeaderValue},
    },
    web::{self, Payload},
};
use auth0_core::BackchannelLogout;

/// Returns the route to which the issuer sends its logout tokens (OpenID Connect Back-Channel Logout 1.0 §2.5). It needs no
/// access token: register it outside every scope with a middleware that requires one.
///
/// ```
/// use actix_web::{App, web};
/// use auth0_actix::{Auth0, BackchannelLogout, Revocations, backchannel_logout};
///
/// # fn main() -> Result<(), auth0_actix::ConfigError> {
/// let revocations = Revocations::in_memory();
/// let auth = Auth0::builder()
///     .domain("acme.eu.auth0.com")
///     .audience("https://api.acme.com")
///     .revocations(&revocations)
///     .build()?;
/// let logout = BackchannelLogout::new(&auth, ["the client id of the web application"])?;
/// let app = App::new()
///     .app_data(auth)
///     .route("/backchannel-logout", backchannel_logout(logout));
/// # let _ = app;
/// # Ok(())
/// # }
/// ```
///
/// The answer is 200, or 400 for a token that is not valid or was used before, or 503 while the keys of the issuer or the
/// store of revocations are not available, so that the issuer tries again. It is not stored by caches.
#[must_use = "a route is registered with `App::route`"]
pub fn backchannel_logout(logout: BackchannelLogout) -> Route {
    web::route().to(move |request: HttpRequest, payload: Payload| {
        let logout = logout.clone();
        async move { respond(&logout, &request, payload).await }
    })
}

async fn respond(
    logout: &BackchannelLogout,
    request: &HttpRequest,
    payload: Payload,
) -> HttpResponse<BoxBody> {
    let (body, unread) = whole_form(request, payload, logout.body_limit()).await;
    let content_type = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let answer = logout.respond(request.method().as_str(), content_type, body.as_deref()).await;
    let status = StatusCode::from_u16(answer.status());
    let mut response = HttpResponse::new(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    for (name, value) in answer.headers() {
        let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
        response.headers_mut().insert(name, value);
    }
    keep_unread(response.set_body(BoxBody::new(answer.into_body())), unread.as_ref())
}
