//! A middleware: requests are judged before they reach the wrapped service.
use crate::{
    AccessToken, AuthError,
    once::{authorize, verifier, verify_once, verify_once_now},
};
use actix_web::{
    Error, HttpMessage,
    body::EitherBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::header::{HeaderName, HeaderValue},
};
use auth0_core::{AccessToken as Verified, Auth0, ErrorCode, Requirement, policy::authenticated};
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
/// The verifier is the one registered with `app_data`, so that this can also stand in an
/// attribute:
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
/// - A CORS middleware goes *outside* this one (wrapped after it), or a browser's preflight, which
///   carries no token, is refused.
/// - A refusal is a response, not an `Err`, so middleware outside sees it. The core
///   [`Error`](crate::Error) is in its extensions.
/// - An extractor behind it does not verify again.
/// - Where proofs need a nonce ([`Dpop::nonces`](crate::Dpop::nonces)), this also sends the next one before
///   the client's ends, which an extractor cannot.
/// - Code without extractors finds the [`AccessToken`] in the request's extensions. A handler should
///   take the extractor instead: it also protects where the middleware was forgotten.
#[derive(Clone, Debug)]
#[must_use]
pub struct RequireAuth {
    requirement: Requirement,
    optional: bool,
}

impl RequireAuth {
    /// Any valid token.
    pub const fn new() -> Self {
        Self { requirement: authenticated(), optional: false }
    }

    /// The same with one more requirement.
    pub fn require(mut self, requirement: Requirement) -> Self {
        self.requirement = self.requirement.and(requirement);
        self
    }

    /// The same, but a request without any credentials passes, whatever is required. One with
    /// credentials is judged as before: an invalid token, or one that does not meet the
    /// requirement, is refused and never taken for an anonymous request.
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

/// Short for a [`RequireAuth`] with a requirement.
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

/// The service that [`RequireAuth`] makes.
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
                let judged = Box::pin(async move {
                    match settings.judge(&request).await {
                        Ok(nonce) => Ok(admitted(service.call(request).await?, nonce)),
                        Err(error) => Ok(refused(request, error)),
                    }
                });
                Step::Waiting { judged }
            }
        };
        RequireAuthFuture { step }
    }
}

impl RequireAuth {
    async fn judge(
        &self,
        request: &ServiceRequest,
    ) -> Result<Option<HeaderValue>, auth0_core::Error> {
        let auth = verifier(request.request())?;
        // The clone of the request is gone when this returns: actix needs the only one to route.
        let verdict = verify_once(&auth, request.request().clone()).await;
        self.admit(&auth, verdict, request)
    }

    /// Lets a request through, or says why not. What it answers is a nonce for the client.
    fn admit(
        &self,
        auth: &Auth0,
        verdict: Result<Verified, auth0_core::Error>,
        request: &ServiceRequest,
    ) -> Result<Option<HeaderValue>, auth0_core::Error> {
        match verdict {
            Ok(token) => {
                authorize(auth, &token, &self.requirement, request.request())?;
                let nonce =
                    token.next_dpop_nonce().and_then(|text| HeaderValue::from_str(text).ok());
                request.extensions_mut().insert(AccessToken::from(token));
                Ok(nonce)
            }
            Err(error) if self.optional && error.code() == ErrorCode::TokenMissing => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The wrapped service's answer, with a nonce for the client whose own is about to end (RFC 9449 §8.2).
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

fn refused<B>(request: ServiceRequest, error: auth0_core::Error) -> ServiceResponse<EitherBody<B>> {
    request.error_response(AuthError::from(error)).map_into_right_body()
}

type Judged<B> = Pin<Box<dyn Future<Output = Result<ServiceResponse<EitherBody<B>>, Error>>>>;

pin_project! {
    /// The response of a service behind [`RequireAuth`]. With the issuer's keys at hand, which is
    /// nearly always, the verdict costs no allocation of its own.
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
        Waiting { judged: Judged<B> },
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
            // Polled again after its end, against the contract of futures: it has no end then.
            StepProjection::Refused { response } => {
                response.take().map_or(Poll::Pending, |response| Poll::Ready(Ok(response)))
            }
            StepProjection::Waiting { judged } => judged.as_mut().poll(context),
        }
    }
}

impl<F, B> fmt::Debug for RequireAuthFuture<F, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireAuthFuture").finish_non_exhaustive()
    }
}
