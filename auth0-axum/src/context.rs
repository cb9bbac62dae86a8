//! The values of a request that a requirement may need.
use crate::request::RequestAdapter;
use auth0_core::adapter::{HttpParts, RequestContext, only};
use axum::extract::{FromRequestParts, RawPathParams, rejection::RawPathParamsRejection};
use http::{HeaderValue, request::Parts};
use std::{
    borrow::Cow,
    pin::pin,
    task::{Context, Poll, Waker},
};

/// A request of axum, as a requirement sees it.
pub(crate) struct ContextAdapter<'a> {
    request: RequestAdapter<'a>,
    parameters: Parameters,
}

enum Parameters {
    Read(RawPathParams),
    /// A parameter is not text.
    Unreadable,
    /// No route was matched yet.
    Unknown,
}

impl<'a> ContextAdapter<'a> {
    pub(crate) fn new(parts: &'a mut Parts) -> Self {
        let parameters = path_parameters(parts);
        Self { request: RequestAdapter(parts), parameters }
    }
}

/// Returns the parameters of the route, decoded as a handler's `Path` sees them.
fn path_parameters(parts: &mut Parts) -> Parameters {
    let extraction = pin!(RawPathParams::from_request_parts(parts, &()));
    // It reads the extensions, and waits for nothing.
    match extraction.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(parameters)) => Parameters::Read(parameters),
        Poll::Ready(Err(RawPathParamsRejection::InvalidUtf8InPathParam(_))) => {
            Parameters::Unreadable
        }
        _ => Parameters::Unknown,
    }
}

/// Returns the names and values of the parameters of the route. `None` if one of them is not text.
pub(crate) fn path_parameters_of(parts: &mut Parts) -> Option<Vec<(String, String)>> {
    match path_parameters(parts) {
        Parameters::Read(all) => {
            Some(all.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
        }
        Parameters::Unreadable => None,
        Parameters::Unknown => Some(Vec::new()),
    }
}

impl RequestContext for ContextAdapter<'_> {
    fn path_parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        match &self.parameters {
            Parameters::Read(parameters) => {
                let values = parameters.iter().filter(|(known, _)| *known == name);
                only(values).map(|(_, value)| Cow::Borrowed(value))
            }
            Parameters::Unreadable => Some(Cow::Borrowed("")), // no organization has this name
            Parameters::Unknown => None,
        }
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        only(self.request.0.headers.get_all(name)).map(HeaderValue::as_bytes)
    }

    fn request_line(&self) -> Option<(&str, &str)> {
        Some((self.request.method(), self.request.path()))
    }
}
