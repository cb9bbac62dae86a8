//! A middleware that verifies requests before they reach the wrapped service.
use crate::{
    context::ContextAdapter,
    error::AuthError,
    extract::AccessToken,
    unread_body::UnreadBody,
    verdict::{only_header, verify_once, verify_once_now},
    verifier::verifier,
};
use actix_web::{
    Error, HttpMessage,
    body::EitherBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::header::{HeaderName, HeaderValue},
};
use auth0_core::{Auth0, Requirement, VerifiedToken, adapter, policy::authenticated};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::{Future, Ready, ready},
    pin::Pin,
    rc::Rc,
    task::{self, Context, Poll},
};

/// Protects an app, a scope, a resource or a handler: a request without a valid token does not
/// reach it.
///
/// The verifier is registered with `app_data`, so the middleware can also be written in an attribute:
///
/// ```
/// use actix_web::{App, Responder, get, web};
/// use auth0_actix::{Auth0, RequireAuth, policy::*, require};
///
/// const READ_REPORTS: Requirement = scope("read:reports");
///
/// #[get("/reports", wrap = "require(READ_REPORTS)")]
/// async fn reports() -> impl Responder {
///     "reports"
/// }
///
/// # fn app(auth: Auth0) {
/// App::new()
///     .app_data(auth.clone())
///     .service(reports)
///     .service(web::scope("/internal").wrap(RequireAuth::new()))
/// # ; }
/// ```
///
/// - Put a CORS middleware *outside* this one (wrap it after this one). Otherwise a browser's preflight, which
///   has no token, is refused.
/// - A refusal is a response, not an `Err`, so middleware outside sees it. The core
///   [`Error`](crate::Error) is in its extensions.
/// - An extractor behind the middleware does not verify again.
/// - If proofs need a nonce ([`Dpop::nonces`](crate::Dpop::nonces)), the middleware also sends the next nonce
///   before that of the client expires. An extractor cannot send it.
/// - Code without extractors finds the [`AccessToken`] in the request's extensions. A handler should use the
///   extractor instead, which also protects the route if the middleware is missing.
#[derive(Clone, Debug)]
#[must_use]
pub struct RequireAuth {
    requirement: Requirement,
    optional: bool,
}

impl RequireAuth {
    /// Creates a middleware that requires a valid token.
    pub const fn new() -> Self {
        Self { requirement: authenticated(), optional: false }
    }

    /// Adds a requirement.
    pub fn require(mut self, requirement: Requirement) -> Self {
        self.requirement = self.requirement.and(requirement);
        self
    }

    /// Makes authentication optional: a missing token is allowed, even with a requirement. An invalid token
    /// is rejected, as is a token that does not meet the requirement.
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }
}

impl Default for RequireAuth {
    fn default() -> Self {
        Self::new()
    }
}

/// Creates a [`RequireAuth`] with a requirement.
#[doc(alias = "require_scope")]
#[doc(alias = "require_scopes")]
#[doc(alias = "require_permissions")]
pub const fn require(requirement: Requirement) -> RequireAuth {
    RequireAuth { requirement, optional: false }
}

impl<S, B> Transform<S, ServiceRequest> for RequireAuth
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type InitError = ();
    type Transform = RequireAuthService<S>;
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(RequireAuthService { service: Rc::new(service), settings: Rc::new(self.clone()) }))
    }
}

/// The service that [`RequireAuth`] creates.
#[derive(Debug)]
pub struct RequireAuthService<S> {
    service: Rc<S>,
    settings: Rc<RequireAuth>,
}

impl<S, B> Service<ServiceRequest> for RequireAuthService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = RequireAuthFuture<S::Future, B>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let verdict = match verifier(request.request()) {
            Ok(auth) => verify_once_now(&auth, request.request())
                .map(|verdict| self.settings.admit(&auth, verdict, &request)),
            Err(error) => Some(Err(error)),
        };
        let step = match verdict {
            Some(Ok(nonce)) => Step::Admitted { inner: self.service.call(request), nonce },
            Some(Err(error)) => Step::Refused { response: Some(refused(request, error)) },
            None => {
                let service = Rc::clone(&self.service);
                let settings = Rc::clone(&self.settings);
                let verified = Box::pin(async move {
                    match settings.verify(&request).await {
                        Ok(nonce) => Ok(admitted(service.call(request).await?, nonce)),
                        Err(error) => Ok(refused(request, error)),
                    }
                });
                Step::Waiting { verified }
            }
        };
        RequireAuthFuture { step }
    }
}

impl RequireAuth {
    async fn verify(
        &self,
        request: &ServiceRequest,
    ) -> Result<Option<HeaderValue>, auth0_core::Error> {
        let auth = verifier(request.request())?;
        // The clone of the request is dropped when this returns, because actix needs the only one for
        // routing.
        let verdict = verify_once(&auth, request.request().clone()).await;
        self.admit(&auth, verdict, request)
    }

    /// Admits a request, or returns the refusal. The value is a nonce to send to the client.
    fn admit(
        &self,
        auth: &Auth0,
        verdict: Result<VerifiedToken, auth0_core::Error>,
        request: &ServiceRequest,
    ) -> Result<Option<HeaderValue>, auth0_core::Error> {
        let Self { requirement, optional } = self;
        let context = || ContextAdapter::new(request.request());
        let token = adapter::admit(auth, verdict, requirement, *optional, context)?;
        #[cfg(feature = "mcp")]
        request.extensions_mut().insert(crate::mcp::Verified);
        let Some(token) = token else { return Ok(None) };
        let nonce = token.next_dpop_nonce().and_then(|text| HeaderValue::from_str(text).ok());
        let header = only_header(request.request()).cloned();
        request.extensions_mut().insert(AccessToken::new(token, header));
        Ok(nonce)
    }
}

/// Returns the wrapped service's response, with a nonce if that of the client expires soon (RFC 9449 §8.2).
fn admitted<B>(
    response: ServiceResponse<B>,
    nonce: Option<HeaderValue>,
) -> ServiceResponse<EitherBody<B>> {
    let mut response = response.map_into_left_body();
    if let Some(nonce) = nonce {
        response.headers_mut().insert(HeaderName::from_static("dpop-nonce"), nonce);
    }
    response
}

fn refused<B>(
    mut request: ServiceRequest,
    error: auth0_core::Error,
) -> ServiceResponse<EitherBody<B>> {
    let body = UnreadBody::take(request.take_payload());
    request.error_response(AuthError::from(error).with_body(body)).map_into_right_body()
}

type Verified<B> = Pin<Box<dyn Future<Output = Result<ServiceResponse<EitherBody<B>>, Error>>>>;

pin_project! {
    /// The response future of a service behind [`RequireAuth`]. With the issuer's keys in memory, which is
    /// nearly always so, the verdict costs no additional allocation.
    pub struct RequireAuthFuture<F, B> {
        #[pin]
        step: Step<F, B>,
    }
}

pin_project! {
    #[project = StepProjection]
    enum Step<F, B> {
        Admitted { #[pin] inner: F, nonce: Option<HeaderValue> },
        Refused { response: Option<ServiceResponse<EitherBody<B>>> },
        Waiting { verified: Verified<B> },
    }
}

impl<F, B> Future for RequireAuthFuture<F, B>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
{
    type Output = Result<ServiceResponse<EitherBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().step.project() {
            StepProjection::Admitted { inner, nonce } => {
                let response = task::ready!(inner.poll(context))?;
                Poll::Ready(Ok(admitted(response, nonce.take())))
            }
            // A future must not be polled after its end. If it is, it stays pending.
            StepProjection::Refused { response } => {
                response.take().map_or(Poll::Pending, |response| Poll::Ready(Ok(response)))
            }
            StepProjection::Waiting { verified } => verified.as_mut().poll(context),
        }
    }
}

impl<F, B> fmt::Debug for RequireAuthFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireAuthFuture").finish_non_exhaustive()
    }
}
