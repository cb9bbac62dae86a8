//! The middleware that gives each request its session.
use super::{
    extract::Session,
    reply::{LoginError, request, response},
};
use actix_web::{
    Error, HttpMessage, HttpResponse, ResponseError,
    body::EitherBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::{
        StatusCode,
        header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, SET_COOKIE},
    },
};
use auth0_login::Login;
use std::{
    fmt,
    future::{Future, Ready, ready},
    pin::Pin,
    rc::Rc,
};

/// Gives each request its session, and sets the cookies of a session that has changed. Wrap the app, or a scope with all routes
/// that have an extractor of this module.
///
/// A session is read when a handler needs it. A response that sets a cookie is not cached: its `Cache-Control` is replaced.
/// One of a handler that has read the session, and has no `Cache-Control`, gets `private`; both get `Vary: Cookie`.
///
/// An error of a middleware inside becomes a [`MiddlewareError`], if its response needs such headers.
#[derive(Clone, Debug)]
pub struct LoginMiddleware(Login);

impl LoginMiddleware {
    /// Creates the middleware.
    #[must_use]
    pub fn new(login: &Login) -> Self {
        Self(login.clone())
    }
}

impl<S, B> Transform<S, ServiceRequest> for LoginMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type InitError = ();
    type Transform = LoginMiddlewareService<S>;
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(LoginMiddlewareService { service: Rc::new(service), login: self.0.clone() }))
    }
}

/// The service that [`LoginMiddleware`] creates.
#[derive(Debug)]
pub struct LoginMiddlewareService<S> {
    service: Rc<S>,
    login: Login,
}

impl<S, B> Service<ServiceRequest> for LoginMiddlewareService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    forward_ready!(service);

    fn call(&self, asked: ServiceRequest) -> Self::Future {
        let session = self.login.session(request(asked.request()));
        asked.extensions_mut().insert(Session(session.clone()));
        let answer = self.service.call(asked);
        Box::pin(async move {
            match answer.await {
                Ok(answer) if sets_session(&session, answer.headers()) => {
                    Ok(answer.map_into_left_body())
                }
                Ok(mut answer) => Ok(match lines_of(&session).await {
                    Ok(lines) => {
                        lines.add_to(answer.headers_mut());
                        answer.map_into_left_body()
                    }
                    Err(error) => {
                        answer.into_response(response(error.reply())).map_into_right_body()
                    }
                }),
                // Middleware has refused the request, and has not given it back.
                Err(error) => match lines_of(&session).await {
                    Ok(lines) if lines.0.is_empty() => Err(error),
                    Ok(lines) => Err(MiddlewareError { cause: error, session, lines }.into()),
                    Err(error) => Err(LoginError::from(error).into()),
                },
            }
        })
    }
}

/// An error of a middleware inside [`LoginMiddleware`]. Its response is that of the cause, with the headers that the session
/// needs.
///
/// Middleware outside finds the cause, such as a [`LoginError`]:
///
/// ```
/// use auth0_actix::login::{LoginError, MiddlewareError};
///
/// fn login_error(error: &actix_web::Error) -> Option<&LoginError> {
///     let passed = error.as_error::<MiddlewareError>();
///     passed.map_or(error, MiddlewareError::cause).as_error()
/// }
/// ```
pub struct MiddlewareError {
    cause: Error,
    session: auth0_login::Session,
    lines: Lines,
}

impl MiddlewareError {
    /// Returns the error of the middleware inside.
    #[must_use]
    pub const fn cause(&self) -> &Error {
        &self.cause
    }
}

impl fmt::Display for MiddlewareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

/// Shows no cookie.
impl fmt::Debug for MiddlewareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MiddlewareError").field("cause", &self.cause).finish_non_exhaustive()
    }
}

impl ResponseError for MiddlewareError {
    fn status_code(&self) -> StatusCode {
        self.cause.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.cause.error_response();
        if !sets_session(&self.session, response.headers()) {
            self.lines.add_to(response.headers_mut());
        }
        response
    }
}

/// The headers of a session that a response needs.
struct Lines(Vec<(HeaderName, HeaderValue)>);

/// Returns whether a response sets the session itself: that of a login or a logout counts.
fn sets_session(session: &auth0_login::Session, headers: &HeaderMap) -> bool {
    headers.get_all(SET_COOKIE).any(|line| session.is_set_by(line.as_bytes()))
}

/// Writes the session, and returns the headers that the response needs.
async fn lines_of(session: &auth0_login::Session) -> Result<Lines, auth0_login::Error> {
    let lines = session.finish().await?.into_iter().filter_map(|(name, value)| {
        Some((HeaderName::from_static(name), HeaderValue::from_str(&value).ok()?))
    });
    Ok(Lines(lines.collect()))
}

impl Lines {
    fn add_to(&self, headers: &mut HeaderMap) {
        let sets_cookies = self.0.iter().any(|(name, _)| *name == SET_COOKIE);
        let is_kept = !sets_cookies && headers.contains_key(CACHE_CONTROL);
        for (name, value) in &self.0 {
            if *name != CACHE_CONTROL {
                headers.append(name.clone(), value.clone());
            } else if !is_kept {
                headers.insert(name.clone(), value.clone());
            }
        }
    }
}
