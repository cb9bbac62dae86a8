//! The values of a request that a requirement may need.
use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header::HeaderValue, web};
use auth0_core::adapter::{RequestContext, only};
use std::{
    borrow::Cow,
    pin::pin,
    task::{Context, Poll, Waker},
};

/// A request of actix-web, as a requirement sees it.
pub(crate) struct ContextAdapter<'a> {
    request: &'a HttpRequest,
    parameters: Vec<(&'a str, String)>,
}

impl<'a> ContextAdapter<'a> {
    pub(crate) fn new(request: &'a HttpRequest) -> Self {
        Self { request, parameters: path_parameters(request) }
    }
}

/// Returns the parameters of the route so far, decoded as a handler's `Path` sees them. `Path` itself has no
/// names.
pub(crate) fn path_parameters(request: &HttpRequest) -> Vec<(&str, String)> {
    let extraction = pin!(web::Path::<Vec<String>>::from_request(request, &mut Payload::None));
    // It reads what the router has found, and waits for nothing.
    match extraction.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(values)) => {
            request.match_info().iter().map(|(name, _)| name).zip(values.into_inner()).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns whether the pattern of the whole route has several parameters of this name. A middleware runs
/// before the scopes inside it are matched, so their parameters are only in the pattern.
fn is_repeated(request: &HttpRequest, name: &str) -> bool {
    let pattern = request.match_pattern().unwrap_or_default();
    let parameters = pattern.split('{').skip(1);
    let names = parameters.map(|rest| rest.split([':', '}']).next().unwrap_or_default());
    names.filter(|known| *known == name).count() > 1
}

impl RequestContext for ContextAdapter<'_> {
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        if is_repeated(self.request, name) {
            return None;
        }
        let values = self.parameters.iter().filter(|(known, _)| *known == name);
        only(values).map(|(_, value)| Cow::Borrowed(value.as_str()))
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        only(self.request.headers().get_all(name)).map(HeaderValue::as_bytes)
    }

    fn request_line(&self) -> Option<(&str, &str)> {
        Some((self.request.method().as_str(), self.request.uri().path()))
    }
}
