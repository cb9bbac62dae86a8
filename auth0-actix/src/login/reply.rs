//! Responses of a login.
use crate::unread_body::{UnreadBody, keep_unread};
use actix_web::{
    HttpRequest, HttpResponse, Responder, ResponseError,
    body::BoxBody,
    http::{
        StatusCode,
        header::{HOST, HeaderName, HeaderValue},
    },
};
use auth0_login::{Error, Reply, Request};
use std::fmt;

/// The response to a request whose user has to log in, or may not do this: a redirect to the login, a page, or JSON for a
/// script. `?` converts an [`Error`] to it.
///
/// That of an extractor keeps the body of the request until the response is sent. If the body was not read, the connection
/// is closed then.
#[derive(Clone, Debug)]
pub struct LoginError {
    error: Error,
    body: Option<UnreadBody>,
}

impl LoginError {
    /// Returns the reason.
    #[must_use]
    pub const fn error(&self) -> &Error {
        &self.error
    }

    /// Keeps the body of the request until the response is sent.
    pub(super) fn with_body(mut self, body: Option<UnreadBody>) -> Self {
        self.body = body;
        self
    }
}

impl From<Error> for LoginError {
    fn from(error: Error) -> Self {
        Self { error, body: None }
    }
}

impl fmt::Display for LoginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for LoginError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl ResponseError for LoginError {
    fn status_code(&self) -> StatusCode {
        status(self.error.reply().status())
    }

    fn error_response(&self) -> HttpResponse {
        keep_unread(response(self.error.reply()), self.body.as_ref())
    }
}

/// A response of the login itself, such as that of [`Session::connect_account`](auth0_login::Session::connect_account) or
/// [`Login::start_with`](auth0_login::Login::start_with), as the response of a handler.
#[derive(Clone, Debug)]
pub struct LoginReply(pub Reply);

impl From<Reply> for LoginReply {
    fn from(reply: Reply) -> Self {
        Self(reply)
    }
}

impl Responder for LoginReply {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        response(self.0)
    }
}

/// Returns a response of the login as one of actix-web.
pub(super) fn response(reply: Reply) -> HttpResponse {
    let mut response = HttpResponse::new(status(reply.status()));
    for (name, value) in reply.headers() {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    response.set_body(BoxBody::new(reply.into_body()))
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Returns what a login reads of a request.
pub(super) fn request(asked: &HttpRequest) -> Request {
    let target = asked.uri().path_and_query().map_or("/", |target| target.as_str());
    let request = Request::new(asked.method().as_str(), target);
    // Over HTTP/2 the host is a part of the URI.
    let request = match asked.uri().authority() {
        Some(authority) if !asked.headers().contains_key(HOST) => {
            request.header("host", authority.as_str().as_bytes())
        }
        _ => request,
    };
    let headers = asked.headers().iter();
    headers.fold(request, |request, (name, value)| request.header(name.as_str(), value.as_bytes()))
}
