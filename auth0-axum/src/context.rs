//! What a requirement may ask of a request.
use auth0_core::RequestContext;
use axum::extract::{FromRequestParts, RawPathParams, rejection::RawPathParamsRejection};
use http::{HeaderMap, request::Parts};
use std::{
    borrow::Cow,
    pin::pin,
    task::{Context, Poll, Waker},
};

/// A request of axum's, as far as a requirement asks for it.
pub(crate) struct Asked<'a> {
    headers: &'a HeaderMap,
    parameters: Parameters,
}

enum Parameters {
    Read(RawPathParams),
    /// One of them is no text.
    Unreadable,
    /// No route was matched yet.
    Unknown,
}

impl<'a> Asked<'a> {
    pub(crate) fn of(parts: &'a mut Parts) -> Self {
        let parameters = path_parameters(parts);
        Self { headers: &parts.headers, parameters }
    }
}

/// Those of the route, decoded as a handler's `Path` sees them.
fn path_parameters(parts: &mut Parts) -> Parameters {
    let extraction = pin!(RawPathParams::from_request_parts(parts, &()));
    // It looks into the extensions, and has nothing to wait for.
    match extraction.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(parameters)) => Parameters::Read(parameters),
        Poll::Ready(Err(RawPathParamsRejection::InvalidUtf8InPathParam(_))) => {
            Parameters::Unreadable
        }
        _ => Parameters::Unknown,
    }
}

impl RequestContext for Asked<'_> {
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let parameters = match &self.parameters {
            Parameters::Read(parameters) => parameters,
            Parameters::Unreadable => return Some(Cow::Borrowed("")), // what nobody is called
            Parameters::Unknown => return None,
        };
        let mut values = parameters.iter().filter(|(known, _)| *known == name);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(Cow::Borrowed(value)),
            // Of several, nobody knows which one the handler reads.
            _ => None,
        }
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        let mut lines = self.headers.get_all(name).into_iter();
        match (lines.next(), lines.next()) {
            (Some(line), None) => Some(line.as_bytes()),
            _ => None,
        }
    }
}
