//! The layer that gives each request its session.
use super::{
    extract::Session,
    reply::{request, response},
};
use auth0_login::Login;
use axum::response::{IntoResponse, Response};
use http::{
    HeaderName, HeaderValue, Request,
    header::{CACHE_CONTROL, SET_COOKIE},
};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use tower_layer::Layer;
use tower_service::Service;

/// Gives each request its session, and sets the cookies of a session that has changed. Put it around all routes that have an
/// extractor of this module.
///
/// A session is read when a handler needs it. A response that sets a cookie is not cached: its `Cache-Control` is replaced.
/// One of a handler that has read the session, and has no `Cache-Control`, gets `private`; both get `Vary: Cookie`.
#[derive(Clone, Debug)]
pub struct LoginLayer(Login);

impl LoginLayer {
    /// Creates the layer.
    #[must_use]
    pub fn new(login: &Login) -> Self {
        Self(login.clone())
    }
}

impl<S> Layer<S> for LoginLayer {
    type Service = LoginService<S>;

    fn layer(&self, inner: S) -> LoginService<S> {
        LoginService { inner, login: self.0.clone() }
    }
}

/// The service that [`LoginLayer`] creates.
#[derive(Clone)]
pub struct LoginService<S> {
    inner: S,
    login: Login,
}

impl<S, B> Service<Request<B>> for LoginService<S>
where
    S: Service<Request<B>> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send + 'static,
    B: Send + 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, inner_request: Request<B>) -> Self::Future {
        let (mut parts, body) = inner_request.into_parts();
        let session = self.login.session(request(&parts));
        parts.extensions.insert(Session(session.clone()));
        // The clone takes the place of the service that was polled ready.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        Box::pin(async move {
            let mut answer = inner.call(Request::from_parts(parts, body)).await?.into_response();
            // A login or a logout has set the session that counts.
            let is_set = |line: &HeaderValue| session.is_set_by(line.as_bytes());
            if answer.headers().get_all(SET_COOKIE).iter().any(is_set) {
                return Ok(answer);
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
                    Ok(answer)
                }
                Err(error) => Ok(response(error.reply())),
            }
        })
    }
}

impl<S> fmt::Debug for LoginService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginService").field("login", &self.login).finish_non_exhaustive()
    }
}
