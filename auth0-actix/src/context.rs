//! What a requirement may ask of a request.
use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use auth0_core::RequestContext;
use std::{
    borrow::Cow,
    collections::HashMap,
    pin::pin,
    task::{Context, Poll, Waker},
};

/// A request of actix-web's, as far as a requirement asks for it.
pub(crate) struct Asked<'a> {
    request: &'a HttpRequest,
    parameters: HashMap<String, String>,
}

impl<'a> Asked<'a> {
    pub(crate) fn of(request: &'a HttpRequest) -> Self {
        Self { request, parameters: path_parameters(request).unwrap_or_default() }
    }
}

/// Those of the route so far, decoded as a handler's `Path` sees them.
fn path_parameters(request: &HttpRequest) -> Option<HashMap<String, String>> {
    let extraction = pin!(web::Path::from_request(request, &mut Payload::None));
    // It reads what the router has found, and has nothing to wait for.
    match extraction.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(parameters) => parameters.ok().map(web::Path::into_inner),
        Poll::Pending => None,
    }
}

impl RequestContext for Asked<'_> {
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        self.parameters.get(name).map(|value| Cow::Borrowed(value.as_str()))
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        let mut lines = self.request.headers().get_all(name);
        match (lines.next(), lines.next()) {
            (Some(line), None) => Some(line.as_bytes()),
            _ => None,
        }
    }
}
