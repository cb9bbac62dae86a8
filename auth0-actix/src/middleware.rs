//! A middleware that verifies requests before they reach the wrapped service.
use crate::{
    context::ContextAdapter,
    error::AuthError,
    extract::{AccessToken, of_middleware},
    token_body::{End, EndsItself, TokenBody},
    unread_body::UnreadBody,
    verdict::{Verdict, only_header, verify_once, verify_once_now},
    verifier::verifier,
};
use actix_web::{
    Error, HttpMessage,
    body::EitherBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::header::{HeaderName, HeaderValue},
};
use auth0_core::{Auth0, Requirement, adapter, policy::authenticated};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::{Future, Ready, ready},
    mem,
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
    ends_responses: bool,
}

impl RequireAuth {
    /// Creates a middleware that requires a valid token.
    pub const fn new() -> Self {
        require(authenticated())
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

    /// Ends the body of each response with the token: when `exp` and the leeway are past, no further byte is
    /// sent. For server-sent events and downloads. With [`keep_tcp_handle`](crate::keep_tcp_handle), also if the
    /// client does not read.
    pub const fn end_responses_with_token(mut self) -> Self {
        self.ends_responses = true;
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
    RequireAuth { requirement, optional: false, ends_responses: false }
}

impl<S, B> Transform<S, ServiceRequest> for RequireAuth
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<TokenBody<B>>>;
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
    type Response = ServiceResponse<EitherBody<TokenBody<B>>>;
    type Error = Error;
    type Future = RequireAuthFuture<S::Future, B>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let verdict = match verifier(request.request()) {
            Ok(auth) => {
                let header = only_header(request.request());
                of_middleware(&auth, request.request(), header)
                    .map(Ok)
                    .or_else(|| verify_once_now(&auth, request.request(), header))
                    .map(|verdict| self.settings.admit(&auth, verdict, &request, header))
            }
            Err(error) => Some(Err(error)),
        };
        let step = match verdict {
            Some(Ok(admission)) => Step::Admitted { inner: self.service.call(request), admission },
            Some(Err(error)) => Step::Refused { response: Some(refused(request, error)) },
            None => {
                let service = Rc::clone(&self.service);
                let settings = Rc::clone(&self.settings);
                let verified = Box::pin(async move {
                    match settings.verify(&request).await {
                        Ok(admission) => Ok(admitted(service.call(request).await?, admission)),
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
    async fn verify(&self, request: &ServiceRequest) -> Result<Admission, auth0_core::Error> {
        let auth = verifier(request.request())?;
        // The clone of the request is dropped when this returns, because actix needs the only one for
        // routing.
        let verdict = verify_once(&auth, request.request().clone()).await;
        self.admit(&auth, verdict, request, only_header(request.request()))
    }

    /// Admits a request, or returns the refusal.
    fn admit(
        &self,
        auth: &Auth0,
        verdict: Verdict,
        request: &ServiceRequest,
        header: Option<&HeaderValue>,
    ) -> Result<Admission, auth0_core::Error> {
        let Self { requirement, optional, ends_responses } = self;
        let context = || ContextAdapter::new(request.request());
        let token = adapter::admit(auth, verdict, requirement, *optional, context)?;
        #[cfg(feature = "mcp")]
        request.extensions_mut().insert(crate::mcp::Verified);
        let Some(token) = token else { return Ok(Admission::default()) };
        let nonce = token.next_dpop_nonce().and_then(|text| HeaderValue::from_str(text).ok());
        let end = ends_responses.then(|| End::of(auth, &token, request.request()));
        request.extensions_mut().insert(AccessToken::new(token, header.cloned()));
        Ok(Admission { nonce, end })
    }
}

/// What the response of an admitted request is given.
#[derive(Default)]
struct Admission {
    /// A nonce, if that of the client expires soon (RFC 9449 §8.2).
    nonce: Option<HeaderValue>,
    end: Option<Box<End>>,
}

/// Returns the wrapped service's response.
fn admitted<B>(
    response: ServiceResponse<B>,
    admission: Admission,
) -> ServiceResponse<EitherBody<TokenBody<B>>> {
    let Admission { nonce, end } = admission;
    let end = end.filter(|_| response.response().extensions().get::<EndsItself>().is_none());
    let mut response = response.map_body(|_, body| EitherBody::left(TokenBody::new(body, end)));
    if let Some(nonce) = nonce {
        response.headers_mut().insert(HeaderName::from_static("dpop-nonce"), nonce);
    }
    response
}

fn refused<B>(
    mut request: ServiceRequest,
    error: auth0_core::Error,
) -> ServiceResponse<EitherBody<TokenBody<B>>> {
    let body = UnreadBody::take(request.take_payload());
    request.error_response(AuthError::from(error).with_body(body)).map_into_right_body()
}

type Verified<B> =
    Pin<Box<dyn Future<Output = Result<ServiceResponse<EitherBody<TokenBody<B>>>, Error>>>>;

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
        Admitted { #[pin] inner: F, admission: Admission },
        Refused { response: Option<ServiceResponse<EitherBody<TokenBody<B>>>> },
        Waiting { verified: Verified<B> },
    }
}

impl<F, B> Future for RequireAuthFuture<F, B>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
{
    type Output = Result<ServiceResponse<EitherBody<TokenBody<B>>>, Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().step.project() {
            StepProjection::Admitted { inner, admission } => {
                let response = task::ready!(inner.poll(context))?;
                Poll::Ready(Ok(admitted(response, mem::take(admission))))
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
