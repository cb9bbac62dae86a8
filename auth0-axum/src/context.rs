//! What a requirement may ask of a request.
use auth0_core::RequestContext;
use axum::extract::{FromRequestParts, RawPathParams};
use http::{HeaderMap, request::Parts};
use std::{
    borrow::Cow,
    pin::pin,
    task::{Context, Poll, Waker},
};

/// A request of axum's, as far as a requirement asks for it.
pub(crate) struct Asked<'a> {
    headers: &'a HeaderMap,
    parameters: Option<RawPathParams>,
}

impl<'a> Asked<'a> {
    pub(crate) fn of(parts: &'a mut Parts) -> Self {
        let parameters = path_parameters(parts);
        Self { headers: &parts.headers, parameters }
    }
}

/// Those of the route, decoded as a handler's `Path` sees them. None where no route was matched yet.
fn path_parameters(parts: &mut Parts) -> Option<RawPathParams> {
    let extraction = pin!(RawPathParams::from_request_parts(parts, &()));
    // It looks into the extensions, and has nothing to wait for.
    match extraction.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(parameters) => parameters.ok(),
        Poll::Pending => None,
    }
}

impl RequestContext for Asked<'_> {
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut parameters = self.parameters.as_ref()?.iter();
        parameters.find(|(known, _)| *known == name).map(|(_, value)| Cow::Borrowed(value))
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        let mut lines = self.headers.get_all(name).into_iter();
        match (lines.next(), lines.next()) {
            (Some(line), None) => Some(line.as_bytes()),
            _ => None,
        }
    }
}
