//! A tower layer: requests are judged before they reach the inner service.
use crate::{
    AccessToken, AuthBody,
    context::Asked,
    once::{ask, verify_once_now},
    rejection::refusal,
};
use auth0_core::{
    AccessToken as Verified, Auth0, Error, ErrorCode, Requirement, policy::authenticated,
};
use http::{HeaderName, HeaderValue, Request, Response, request::Parts};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
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
/// - Where proofs need a nonce ([`Dpop::nonces`](crate::Dpop::nonces)), this also sends the next one before
///   the client's ends, which an extractor cannot.
/// - A service without extractors finds the [`AccessToken`] in the request's extensions. A handler
///   should take the extractor instead: it also protects where the layer was forgotten.
///
/// [`Router::layer`]: https://docs.rs/axum/0.8/axum/struct.Router.html#method.layer
/// [`Router::route_layer`]: https://docs.rs/axum/0.8/axum/struct.Router.html#method.route_layer
#[derive(Clone)]
#[must_use]
pub struct AuthLayer(Arc<Settings>);

#[derive(Clone)]
struct Settings {
    auth: Auth0,
    requirement: Requirement,
    optional: bool,
}

impl AuthLayer {
    /// Any valid token.
    pub fn new(auth: Auth0) -> Self {
        Self(Arc::new(Settings { auth, requirement: authenticated(), optional: false }))
    }

    /// The same with one more requirement. `self` stays as it is, for other routes.
    pub fn require(&self, requirement: Requirement) -> Self {
        let requirement = self.0.requirement.clone().and(requirement);
        Self(Arc::new(Settings { requirement, ..Settings::clone(&self.0) }))
    }

    /// The same, but a request without any credentials passes, whatever is required. One with
    /// credentials is judged as before: an invalid token, or one that does not meet the
    /// requirement, is refused and never taken for an anonymous request.
    pub fn optional(&self) -> Self {
        Self(Arc::new(Settings { optional: true, ..Settings::clone(&self.0) }))
    }
}

impl fmt::Debug for AuthLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthLayer")
            .field("auth", &self.0.auth)
            .field("requirement", &self.0.requirement)
            .field("optional", &self.0.optional)
            .finish()
    }
}

impl Settings {
    /// Lets a request through, or says why not. What it answers is a nonce for the client.
    fn admit(
        &self,
        verdict: Result<Verified, Error>,
        parts: &mut Parts,
    ) -> Result<Option<HeaderValue>, Error> {
        match verdict {
            Ok(token) => {
                authorize(&self.auth, &token, &self.requirement, parts)?;
                let nonce =
                    token.next_dpop_nonce().and_then(|text| HeaderValue::from_str(text).ok());
                parts.extensions.insert(AccessToken::from(token));
                Ok(nonce)
            }
            Err(error) if self.optional && error.code() == ErrorCode::TokenMissing => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Asks the token, and the request where the requirement does.
pub(crate) fn authorize(
    auth: &Auth0,
    token: &Verified,
    requirement: &Requirement,
    parts: &mut Parts,
) -> Result<(), Error> {
    if requirement.needs_request() {
        auth.authorize_request(token, requirement, &Asked::of(parts))
    } else {
        auth.authorize(token, requirement)
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
    type Future = AuthFuture<S::Future, R, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        let settings = &self.layer.0;
        let verdict = verify_once_now(&settings.auth, &mut parts);
        if let Some(verdict) = verdict {
            let step = match settings.admit(verdict, &mut parts) {
                Ok(nonce) => {
                    let inner = self.inner.call(Request::from_parts(parts, body));
                    Step::Admitted { inner, nonce }
                }
                Err(error) => Step::Refused { error: Some(error) },
            };
            return AuthFuture { step };
        }
        // The clone was not polled ready, the original was: call that one.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let settings = Arc::clone(settings);
        let judged = Box::pin(async move {
            let verdict = ask(&settings.auth, &mut parts).await;
            match settings.admit(verdict, &mut parts) {
                Ok(nonce) => {
                    let response = inner.call(Request::from_parts(parts, body)).await?;
                    Ok(admitted(response, nonce))
                }
                Err(error) => Ok(refusal(error)),
            }
        });
        AuthFuture { step: Step::Waiting { judged } }
    }
}

type Judged<R, E> = Pin<Box<dyn Future<Output = Result<Response<AuthBody<R>>, E>> + Send>>;

pin_project! {
    /// The response of a service behind [`AuthLayer`]. With the issuer's keys at hand, which is
    /// nearly always, the verdict costs no allocation of its own.
    pub struct AuthFuture<F, R, E> {
        #[pin]
        step: Step<F, R, E>,
    }
}

pin_project! {
    #[project = StepProjection]
    enum Step<F, R, E> {
        Admitted { #[pin] inner: F, nonce: Option<HeaderValue> },
        Refused { error: Option<Error> },
        Waiting { judged: Judged<R, E> },
    }
}

impl<F, R, E> Future for AuthFuture<F, R, E>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<AuthBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().step.project() {
            StepProjection::Admitted { inner, nonce } => {
                Poll::Ready(Ok(admitted(ready!(inner.poll(context))?, nonce.take())))
            }
            // Polled again after its end, against the contract of futures: it has no end then.
            StepProjection::Refused { error } => {
                error.take().map_or(Poll::Pending, |error| Poll::Ready(Ok(refusal(error))))
            }
            StepProjection::Waiting { judged } => judged.as_mut().poll(context),
        }
    }
}

/// The inner service's answer, with a nonce for the client whose own is about to end (RFC 9449 §8.2).
fn admitted<R>(response: Response<R>, nonce: Option<HeaderValue>) -> Response<AuthBody<R>> {
    let mut response = response.map(AuthBody::inner);
    if let Some(nonce) = nonce {
        response.headers_mut().insert(HeaderName::from_static("dpop-nonce"), nonce);
    }
    response
}

impl<F, R, E> fmt::Debug for AuthFuture<F, R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthFuture").finish_non_exhaustive()
    }
}
