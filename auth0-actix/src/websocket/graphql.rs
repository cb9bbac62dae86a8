//! GraphQL over WebSocket, whose token is in the first message.
use super::{TokenSocket, halves::Halves, run, upgrade};
use crate::{
    error::AuthError, opening_request::OpeningRequest, unread_body::UnreadBody, verifier::verifier,
};
use actix_web::{
    Error, HttpRequest, HttpResponse, http::header::SEC_WEBSOCKET_PROTOCOL, web::Payload,
};
use auth0_core::{
    Requirement,
    adapter::{
        self,
        graphql::{
            GRAPHQL_TRANSPORT_WS, INIT_LIMIT, MAX_INIT_BYTES, SUBPROTOCOL_UNACCEPTABLE, open,
        },
        websocket::{Ending, Session, refuse},
    },
    policy::authenticated,
};
use std::{fmt, future::Future, time::Duration};

/// Upgrades to a GraphQL connection over `graphql-transport-ws`, for any GraphQL server. The token is in the payload of
/// `connection_init`: `{"authorization":"Bearer …"}`.
///
/// | close code | when |
/// |---|---|
/// | `4401` | the token is missing or not valid, it has ended, or the client subscribes before it is acknowledged |
/// | `4403` | the token does not meet the requirement |
/// | `4408` | the client sends no `connection_init` in time: 3 seconds, or [`init_limit`](Self::init_limit) |
/// | `4400`, `4406`, `4429` | a message that is not one of the protocol, no such subprotocol, a second `connection_init` |
/// | `1013` | the token cannot be verified now: try again later |
///
/// The handler has a socket whose first message is `connection_init`, which the GraphQL server acknowledges.
///
/// ```
/// use actix_web::{HttpRequest, HttpResponse, web};
/// use auth0_actix::{GraphqlUpgrade, TokenSocket, policy::scope};
///
/// async fn subscriptions(
///     request: HttpRequest,
///     body: web::Payload,
/// ) -> actix_web::Result<HttpResponse> {
///     GraphqlUpgrade::new(&request, body).require(scope("read:messages")).on_upgrade(serve)
/// }
///
/// async fn serve(socket: TokenSocket) {
///     let token = socket.token(); // for the resolvers
///     // Give the messages of `socket` to the GraphQL server.
/// #   let _ = (socket, token);
/// }
/// # let _ = subscriptions;
/// ```
#[must_use = "the connection is not upgraded without a handler"]
pub struct GraphqlUpgrade<'a> {
    request: &'a HttpRequest,
    payload: Payload,
    requirement: Requirement,
    init_limit: Duration,
    max_message_bytes: usize,
}

/// A query is text that a person or a program has written.
const MAX_MESSAGE_BYTES: usize = 256 * 1024;

impl<'a> GraphqlUpgrade<'a> {
    /// Creates an upgrade that requires a valid token. The verifier is that of `app_data`.
    pub const fn new(request: &'a HttpRequest, payload: Payload) -> Self {
        Self {
            request,
            payload,
            requirement: authenticated(),
            init_limit: INIT_LIMIT,
            max_message_bytes: MAX_MESSAGE_BYTES,
        }
    }

    /// Adds a requirement for the token.
    pub fn require(mut self, requirement: Requirement) -> Self {
        self.requirement = self.requirement.and(requirement);
        self
    }

    /// Limits how long the client may take for its `connection_init`.
    pub const fn init_limit(mut self, limit: Duration) -> Self {
        self.init_limit = limit;
        self
    }

    /// Limits the size of a message, in bytes: 256 KiB if not set. Before the token is verified, the limit is 32 KiB.
    pub const fn max_message_bytes(mut self, limit: usize) -> Self {
        self.max_message_bytes = limit;
        self
    }

    /// Returns the response, and runs the handler after the token is verified. It stops at the end of the token.
    ///
    /// # Errors
    /// The request is not an upgrade to a WebSocket, or there is no verifier.
    pub fn on_upgrade<H, F>(self, handler: H) -> Result<HttpResponse, Error>
    where
        H: FnOnce(TokenSocket) -> F + 'static,
        F: Future<Output = ()> + 'static,
    {
        let Self { request, payload, requirement, init_limit, max_message_bytes } = self;
        let limit = Some(max_message_bytes.max(MAX_INIT_BYTES));
        let mut payload = payload.into_inner();
        let auth = verifier(request)
            .map_err(|error| AuthError::from(error).with_body(UnreadBody::share(&mut payload)))?;
        let is_acceptable = offers_graphql(request);
        let opening = adapter::OpeningRequest::from(OpeningRequest::of(request));
        let protocols = &[GRAPHQL_TRANSPORT_WS];
        upgrade(request, payload, protocols, limit, auth.clone(), async move |halves: Halves| {
            let Halves { mut receiving, mut sending } = halves;
            let opened = match is_acceptable {
                true => {
                    let halves = (&mut receiving, &mut sending);
                    open(&auth, requirement, Some(opening), init_limit, halves).await
                }
                false => Err(Ending::Close(SUBPROTOCOL_UNACCEPTABLE)),
            };
            match opened {
                Ok((lease, init)) => {
                    let (session, halves) =
                        (Session::new(lease.clone()), Halves { receiving, sending });
                    run(session, lease, halves, Some(init), handler).await
                }
                Err(ending) => refuse(&auth, &mut receiving, &mut sending, ending).await,
            }
        })
    }
}

fn offers_graphql(request: &HttpRequest) -> bool {
    request
        .headers()
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .any(|offered| offered.trim() == GRAPHQL_TRANSPORT_WS)
}

impl fmt::Debug for GraphqlUpgrade<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphqlUpgrade")
            .field("requirement", &self.requirement)
            .finish_non_exhaustive()
    }
}
