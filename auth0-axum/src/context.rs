//! The values of a request that a requirement may need.
use crate::request::{Head, RequestAdapter};
use auth0_core::adapter::{HttpParts, RequestContext, only};
use axum::extract::{FromRequestParts, RawPathParams, rejection::RawPathParamsRejection};
use http::{Extensions, HeaderValue, Request};
use std::{
    borrow::Cow,
    mem,
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
    pub(crate) fn new(head: &'a mut impl Head) -> Self {
        let parameters = path_parameters(head.extensions_mut());
        Self { request: head.adapter(), parameters }
    }
}

/// Returns the parameters of the route, decoded as a handler's `Path` sees them.
fn path_parameters(extensions: &mut Extensions) -> Parameters {
    let (mut parts, ()) = Request::new(()).into_parts();
    mem::swap(&mut parts.extensions, extensions);
    let parameters = {
        let extraction = pin!(RawPathParams::from_request_parts(&mut parts, &()));
        // It reads the extensions, and waits for nothing.
        match extraction.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(parameters)) => Parameters::Read(parameters),
            Poll::Ready(Err(RawPathParamsRejection::InvalidUtf8InPathParam(_))) => {
                Parameters::Unreadable
            }
            _ => Parameters::Unknown,
        }
    };
    mem::swap(&mut parts.extensions, extensions);
    parameters
}

/// Returns the names and values of the parameters of the route. `None` if one of them is not text.
pub(crate) fn path_parameters_of(extensions: &mut Extensions) -> Option<Vec<(String, String)>> {
    match path_parameters(extensions) {
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
        only(self.request.headers.get_all(name)).map(HeaderValue::as_bytes)
    }

    fn request_line(&self) -> Option<(&str, &str)> {
        Some((self.request.method(), self.request.path()))
    }
}
