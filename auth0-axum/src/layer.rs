//! A tower layer that verifies requests before they reach the inner service.
use crate::{
    body::AuthBody,
    context::ContextAdapter,
    extract::{AccessToken, verified_now},
    grpc::{Form, GrpcMethods},
    rejection::refusal_in,
    request::Head,
    tcp::TcpPeer,
    verdict::{Verdict, verify_waiting},
};
use auth0_core::{
    Auth0, Ended, Error, Requirement, VerifiedToken,
    adapter::{self, CloseGuard},
    policy::authenticated,
};
use http::{HeaderName, HeaderValue, Request, Response, Uri, Version};
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
/// - [`Router::layer`] also covers paths that no route matches. [`Router::route_layer`] does not: an unknown
///   path is then `404` without a token.
/// - Put a CORS layer *outside* this one (add it after this one). Otherwise a browser's preflight, which has
///   no token, is refused.
/// - A refusal is a response, not an error of the service, so layers outside see it. The
///   [`Error`](crate::Error) is in its extensions.
/// - An extractor behind the layer does not verify again.
/// - A refusal of a gRPC call (content type `application/grpc`) is a status in the headers of a response without a
///   body: `UNAUTHENTICATED`, `PERMISSION_DENIED`, `UNAVAILABLE`, with the challenges and `error-code` as metadata.
/// - If proofs need a nonce ([`Dpop::nonces`](crate::Dpop::nonces)), the layer also sends the next nonce
///   before that of the client expires. An extractor cannot send it.
/// - A service without extractors finds the [`AccessToken`] in the request's extensions. A handler should use
///   the extractor instead, which also protects the route if the layer is missing.
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
    methods: Option<GrpcMethods>,
    ends_responses: bool,
}

impl AuthLayer {
    /// Creates a layer that requires a valid token.
    pub fn new(auth: Auth0) -> Self {
        let requirement = authenticated();
        Self(Arc::new(Settings {
            auth,
            requirement,
            optional: false,
            methods: None,
            ends_responses: false,
        }))
    }

    /// Returns a layer with one more requirement. `self` does not change, so it can protect other routes.
    pub fn require(&self, requirement: Requirement) -> Self {
        let requirement = self.0.requirement.clone().and(requirement);
        Self(Arc::new(Settings { requirement, ..Settings::clone(&self.0) }))
    }

    /// Returns a layer that knows the methods of gRPC services. Put only these services behind it: to it, every
    /// path is that of a method.
    pub fn grpc_methods(&self, methods: GrpcMethods) -> Self {
        Self(Arc::new(Settings { methods: Some(methods), ..Settings::clone(&self.0) }))
    }

    /// Returns a layer that ends the body of each response with the token: when `exp` and the leeway are past, no
    /// further byte is sent. For server-sent events, downloads and streams of gRPC, which end with the status
    /// `UNAUTHENTICATED`. With [`TcpPeer`], also if the client does not read.
    pub fn end_responses_with_token(&self) -> Self {
        Self(Arc::new(Settings { ends_responses: true, ..Settings::clone(&self.0) }))
    }

    /// Returns a layer with optional authentication: a missing token is allowed, even with a requirement. An
    /// invalid token is rejected, as is a token that does not meet the requirement.
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
    /// Returns whether a request is a call of a method that needs no token.
    fn is_open(&self, uri: &Uri) -> bool {
        self.methods.as_ref().is_some_and(|all| all.requirement(uri.path()).is_none())
    }

    /// Admits a request, or returns the refusal. There is a value if the response must be changed.
    fn admit(
        &self,
        (verdict, header): (Verdict, Option<HeaderValue>),
        head: &mut impl Head,
    ) -> Result<Option<Box<Admission>>, Error> {
        let Self { auth, requirement, optional, methods, ends_responses } = self;
        let path = head.adapter().uri.path();
        let of_method = methods.as_ref().and_then(|all| all.requirement(path));
        let all = of_method.map(|of_method| requirement.clone().and(of_method.into_owned()));
        let requirement = all.as_ref().unwrap_or(requirement);
        let token =
            adapter::admit(auth, verdict, requirement, *optional, || ContextAdapter::new(head))?;
        #[cfg(feature = "mcp")]
        head.extensions_mut().insert(crate::mcp::VerifiedBy(auth.clone()));
        let Some(token) = token else { return Ok(None) };
        let is_usual = token.next_dpop_nonce().is_none() && !ends_responses;
        let admission = (!is_usual).then(|| Box::new(self.admission(&token, head)));
        head.extensions_mut().insert(AccessToken::new(token, header));
        Ok(admission)
    }

    #[inline(never)] // so that the path of usual responses is short
    fn admission(&self, token: &VerifiedToken, head: &impl Head) -> Admission {
        let request = head.adapter();
        let nonce = token.next_dpop_nonce().and_then(|text| HeaderValue::from_str(text).ok());
        let end = self.ends_responses.then(|| {
            let handle = TcpPeer::of(request.extensions).and_then(TcpPeer::handle);
            let is_shared =
                request.version == Version::HTTP_2 && adapter::is_from_proxy(&self.auth, &request);
            let handle = handle.filter(|_| !is_shared);
            EndOfToken {
                token: token.ended(),
                form: Form::of(request.method, request.headers),
                guard: handle.map(|handle| handle.close_after(token)),
            }
        });
        Admission { nonce, end }
    }
}

/// What the response of an admitted request is given.
struct Admission {
    /// A nonce, if that of the client expires soon (RFC 9449 §8.2).
    nonce: Option<HeaderValue>,
    end: Option<EndOfToken>,
}

struct EndOfToken {
    token: Ended,
    form: Form,
    /// Kept until the body is dropped.
    guard: Option<CloseGuard>,
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> AuthService<S> {
        AuthService { inner, layer: self.clone() }
    }
}

/// The service that [`AuthLayer`] creates.
#[derive(Clone, Debug)]
pub struct AuthService<S> {
    inner: S,
    layer: AuthLayer,
}

impl<S, B, R> Service<Request<B>> for AuthService<S>
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

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let settings = &self.layer.0;
        if settings.is_open(request.uri()) {
            let inner = self.inner.call(request);
            return AuthFuture { step: Step::Admitted { inner, admission: None } };
        }
        if let Some(verdict) = verified_now(&settings.auth, &mut request) {
            let step = match settings.admit(verdict, &mut request) {
                Ok(admission) => Step::Admitted { inner: self.inner.call(request), admission },
                Err(error) => {
                    let form = Form::of(request.method(), request.headers());
                    Step::Refused { error: Some(error), form }
                }
            };
            return AuthFuture { step };
        }
        // The clone was not polled ready, the original was: call that one.
        let clone = self.inner.clone();
        let mut inner = mem::replace(&mut self.inner, clone);
        let settings = Arc::clone(settings);
        let (mut parts, body) = request.into_parts();
        let verified = Box::pin(async move {
            let verdict = verify_waiting(&settings.auth, &mut parts).await;
            match settings.admit(verdict, &mut parts) {
                Ok(admission) => {
                    let response = inner.call(Request::from_parts(parts, body)).await?;
                    Ok(admitted(response, admission))
                }
                Err(error) => Ok(refusal_in(Form::of(&parts.method, &parts.headers), error)),
            }
        });
        AuthFuture { step: Step::Waiting { verified } }
    }
}

type Verified<R, E> = Pin<Box<dyn Future<Output = Result<Response<AuthBody<R>>, E>> + Send>>;

pin_project! {
    /// The response future of a service behind [`AuthLayer`]. With the issuer's keys in memory, which is
    /// nearly always so, the verdict costs no additional allocation.
    pub struct AuthFuture<F, R, E> {
        #[pin]
        step: Step<F, R, E>,
    }
}

pin_project! {
    #[project = StepProjection]
    enum Step<F, R, E> {
        Admitted { #[pin] inner: F, admission: Option<Box<Admission>> },
        Refused { error: Option<Error>, form: Form },
        Waiting { verified: Verified<R, E> },
    }
}

impl<F, R, E> Future for AuthFuture<F, R, E>
where
    F: Future<Output = Result<Response<R>, E>>,
{
    type Output = Result<Response<AuthBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().step.project() {
            StepProjection::Admitted { inner, admission } => {
                Poll::Ready(Ok(admitted(ready!(inner.poll(context))?, admission.take())))
            }
            // A future must not be polled after its end. If it is, it stays pending.
            StepProjection::Refused { error, form } => error
                .take()
                .map_or(Poll::Pending, |error| Poll::Ready(Ok(refusal_in(*form, error)))),
            StepProjection::Waiting { verified } => verified.as_mut().poll(context),
        }
    }
}

/// Returns the inner service's response.
fn admitted<R>(response: Response<R>, admission: Option<Box<Admission>>) -> Response<AuthBody<R>> {
    let mut response = response.map(AuthBody::inner);
    let Some(Admission { nonce, end }) = admission.map(|admission| *admission) else {
        return response;
    };
    if let Some(nonce) = nonce {
        response.headers_mut().insert(HeaderName::from_static("dpop-nonce"), nonce);
    }
    match end {
        Some(EndOfToken { token, form, guard }) => {
            response.map(|body| body.ending_with(token, form, guard))
        }
        None => response,
    }
}

impl<F, R, E> fmt::Debug for AuthFuture<F, R, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthFuture").finish_non_exhaustive()
    }
}
