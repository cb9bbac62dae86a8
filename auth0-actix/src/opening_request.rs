//! The request that opened a connection.
use crate::{context::path_parameters, request::RequestAdapter};
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use auth0_core::adapter;
use std::{
    convert::Infallible,
    future::{Ready, ready},
};

/// The request that opened a connection, as an extractor. Give it to [`Lease::opened_by`](auth0_core::Lease::opened_by)
/// if an `IssuerResolver` reads the host, the path or a header, or if the requirement of the connection compares a token
/// with one: a token that comes later on the connection is then verified as one of this request.
/// [`TokenUpgrade`](crate::TokenUpgrade) and [`GraphqlUpgrade`](crate::GraphqlUpgrade) do so themselves.
///
/// ```
/// use auth0_actix::{AccessToken, Auth0, Lease, OpeningRequest, policy::organization_in_path};
///
/// /// Returns the lease of a stream that a handler with these extractors sends.
/// fn lease(auth: &Auth0, token: &AccessToken, request: OpeningRequest) -> Lease {
///     auth.lease(token).require(organization_in_path("org")).opened_by(request)
/// }
/// # let _ = lease;
/// ```
#[derive(Clone, Debug)]
pub struct OpeningRequest(adapter::OpeningRequest);

impl OpeningRequest {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let parameters = path_parameters(request);
        let parameters = parameters.iter().map(|(name, value)| (*name, &**value));
        let headers = request.headers().iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
        let parts = RequestAdapter::new(request);
        Self(adapter::OpeningRequest::new(&parts, headers, Some(parameters)))
    }
}

impl FromRequest for OpeningRequest {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

impl From<OpeningRequest> for adapter::OpeningRequest {
    fn from(OpeningRequest(request): OpeningRequest) -> Self {
        request
    }
}
