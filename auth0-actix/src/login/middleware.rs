//! The middleware that gives each request its session.
use super::{
    extract::Session,
    reply::{request, response},
};
use actix_web::{
    Error, HttpMessage,
    body::EitherBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::header::{CACHE_CONTROL, HeaderName, HeaderValue, SET_COOKIE},
};
use auth0_login::Login;
use std::{
    future::{Future, Ready, ready},
    pin::Pin,
    rc::Rc,
};

/// Gives each request its session, and sets the cookies of a session that has changed. Wrap the app, or a scope with all routes
/// that have an extractor of this module.
///
/// A session is read when a handler needs it. A response that sets a cookie is not cached: its `Cache-Control` is replaced.
/// One of a handler that has read the session, and has no `Cache-Control`, gets `private`; both get `Vary: Cookie`.
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
            let mut answer = answer.await?;
            // A login or a logout has set the session that counts.
            let is_set = |line: &HeaderValue| session.is_set_by(line.as_bytes());
            if answer.headers().get_all(SET_COOKIE).any(is_set) {
                return Ok(answer.map_into_left_body());
            }
            match session.finish().await {
                Ok(headers) => {
                    let sets_cookies = headers.iter().any(|(name, _)| *name == SET_COOKIE.as_str());
                    let is_kept = !sets_cookies && answer.headers().contains_key(CACHE_CONTROL);
                    for (name, value) in headers {
                        let Ok(value) = HeaderValue::from_str(&value) else { continue };
                        let name = HeaderName::from_static(name);
                        if name == CACHE_CONTROL {
                            if !is_kept {
                                answer.headers_mut().insert(name, value);
                            }
                        } else {
                            answer.headers_mut().append(name, value);
                        }
                    }
                    Ok(answer.map_into_left_body())
                }
                Err(error) => {
                    Ok(answer.into_response(response(error.reply())).map_into_right_body())
                }
            }
        })
    }
}
