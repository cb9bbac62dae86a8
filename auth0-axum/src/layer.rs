//! A tower layer: requests are judged before they reach the inner service.
use crate::{AccessToken, AuthBody, once::verify_once, rejection::refusal};
use auth0_core::{Auth0, ErrorCode, Requirement, policy::authenticated};
use http::{Request, Response};
use std::{
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};
use tower_layer::Layer;
use tower_service::Service;

/// Protects a route, a router or any tower service: a request without a valid token does not
/// reach it.
///
/// ```
/// use auth0_axum::{Auth0, AuthLayer, policy::*};
/// use axum::{Router, routing::get};
///
/// # async fn reports() {}
/// # async fn status() {}
/// # fn app(auth: Auth0) -> Router {
/// let protect = AuthLayer::new(auth);
/// Router::new()
///     .route("/reports", get(reports).layer(protect.require(scope("read:reports"))))
///     .nest("/internal", Router::new().route("/status", get(status)).layer(protect))
/// # }
/// ```
///
/// - [`Router::layer`] also covers paths that no route matches, [`Router::route_layer`] does not:
///   an unknown path is then `404` without a token.
/// - A CORS layer goes *outside* this one (added after it), or a browser's preflight, which
///   carries no token, is refused.
/// - A refusal is a response, not an error of the service, so layers outside see it. The
///   [`Error`](crate::Error) is in its extensions.
/// - An extractor behind the layer does not verify again.
/// - A service without extractors finds the [`AccessToken`] in the request's extensions. A handler
///   should take the extractor instead: it also protects where the layer was forgotten.
///
/// [`Router::layer`]: https://docs.rs/axum/0.8/axum/struct.Router.html#method.layer
/// [`Router::route_layer`]: https://docs.rs/axum/0.8/axum/struct.Router.html#method.route_layer
#[derive(Clone, Debug)]
#[must_use]
pub struct AuthLayer {
    auth: Auth0,
    requirement: Requirement,
    optional: bool,
}

impl AuthLayer {
    /// Any valid token.
    pub const fn new(auth: Auth0) -> Self {
        Self { auth, requirement: authenticated(), optional: false }
    }

    /// The same with one more requirement. `self` stays as it is, for other routes.
    pub fn require(&self, requirement: Requirement) -> Self {
        Self { requirement: self.requirement.clone().and(requirement), ..self.clone() }
    }

    /// The same, but a request without any credentials passes, whatever is required. One with
    /// credentials is judged as before: an invalid token, or one that does not meet the
    /// requirement, is refused and never taken for an anonymous request.
    pub fn optional(&self) -> Self {
        Self { optional: true, ..self.clone() }
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = Auth<S>;

    fn layer(&self, inner: S) -> Auth<S> {
        Auth { inner, layer: self.clone() }
    }
}

/// The service that [`AuthLayer`] makes.
#[derive(Clone, Debug)]
pub struct Auth<S> {
    inner: S,
    layer: AuthLayer,
}

impl<S, B, R> Service<Request<B>> for Auth<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    B: Send + 'static,
{
    type Response = Response<AuthBody<R>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The clone was not polled ready, the original was: call that one.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let AuthLayer { auth, requirement, optional } = self.layer.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            let verdict = verify_once(&auth, &parts.headers, &mut parts.extensions)
                .await
                .and_then(|token| auth.authorize(&token, &requirement).map(|()| token));
            match verdict {
                Ok(token) => drop(parts.extensions.insert(AccessToken::from(token))),
                Err(error) if optional && error.code() == ErrorCode::TokenMissing => {}
                Err(error) => return Ok(refusal(error)),
            }
            let response = inner.call(Request::from_parts(parts, body)).await?;
            Ok(response.map(AuthBody::inner))
        })
    }
}
