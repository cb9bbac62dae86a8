//! The request that opened a connection.
use crate::{context::path_parameters_of, request::Head};
use auth0_core::adapter;
use axum::extract::FromRequestParts;
use http::request::Parts;
use std::convert::Infallible;

/// The request that opened a connection, as an extractor. Give it to [`Lease::opened_by`](auth0_core::Lease::opened_by) or
/// [`GraphqlUpgrade::opened_by`](crate::GraphqlUpgrade::opened_by) if an `IssuerResolver` reads the host, the path or a
/// header, or if the requirement of the connection compares a token with one: a token that comes later on the connection
/// is then verified as one of this request.
///
/// ```
/// use auth0_axum::{AccessToken, Auth0, OpeningRequest, TokenUpgrade, policy::organization_in_path};
/// use axum::{extract::{State, ws::WebSocketUpgrade}, response::Response};
///
/// async fn feed(
///     State(auth): State<Auth0>,
///     token: AccessToken,
///     request: OpeningRequest,
///     upgrade: WebSocketUpgrade,
/// ) -> Response {
///     let lease = auth.lease(&token).require(organization_in_path("org")).opened_by(request);
///     TokenUpgrade::new(upgrade, lease).on_upgrade(async |_socket| {})
/// }
/// # let _ = feed;
/// ```
#[derive(Clone, Debug)]
pub struct OpeningRequest(adapter::OpeningRequest);

impl<S: Sync> FromRequestParts<S> for OpeningRequest {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let parameters = path_parameters_of(&mut parts.extensions);
        let parameters = parameters.as_deref();
        let parameters = parameters.map(|all| all.iter().map(|(name, value)| (&**name, &**value)));
        let headers = parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        Ok(Self(adapter::OpeningRequest::new(&parts.adapter(), headers, parameters)))
    }
}

impl From<OpeningRequest> for adapter::OpeningRequest {
    fn from(OpeningRequest(request): OpeningRequest) -> Self {
        request
    }
}
