//! What a requirement may ask of a request.
use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use auth0_core::RequestContext;
use std::{
    borrow::Cow,
    pin::pin,
    task::{Context, Poll, Waker},
};

/// A request of actix-web's, as far as a requirement asks for it.
pub(crate) struct Asked<'a> {
    request: &'a HttpRequest,
    parameters: Vec<(&'a str, String)>,
}

impl<'a> Asked<'a> {
    pub(crate) fn of(request: &'a HttpRequest) -> Self {
        Self { request, parameters: path_parameters(request) }
    }
}

/// Those of the route so far, decoded as a handler's `Path` sees them, which does not tell their names.
fn path_parameters(request: &HttpRequest) -> Vec<(&str, String)> {
    let extraction = pin!(web::Path::<Vec<String>>::from_request(request, &mut Payload::None));
    // It reads what the router has found, and has nothing to wait for.
    match extraction.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(values)) => {
            request.match_info().iter().map(|(name, _)| name).zip(values.into_inner()).collect()
        }
        _ => Vec::new(),
    }
}

impl RequestContext for Asked<'_> {
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut values = self.parameters.iter().filter(|(known, _)| *known == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(Cow::Borrowed(value)),
            // Of several, nobody knows which one the handler reads.
            _ => None,
        }
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        let mut lines = self.request.headers().get_all(name);
        match (lines.next(), lines.next()) {
            (Some(line), None) => Some(line.as_bytes()),
            _ => None,
        }
    }
}
