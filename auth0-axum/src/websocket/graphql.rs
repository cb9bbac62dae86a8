//! GraphQL over WebSocket, whose token is in the first message.
use super::{TokenSocket, halves::split, run};
use auth0_core::{
    Auth0, Requirement,
    adapter::{
        OpeningRequest,
        graphql::{
            GRAPHQL_TRANSPORT_WS, INIT_LIMIT, MAX_INIT_BYTES, SUBPROTOCOL_UNACCEPTABLE, open,
        },
        websocket::{Ending, Session, refuse},
    },
    policy::authenticated,
};
use axum::extract::ws::WebSocketUpgrade;
use axum_core::response::Response;
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
/// use auth0_axum::{Auth0, GraphqlUpgrade, TokenSocket, policy::scope};
/// use axum::{extract::{State, ws::WebSocketUpgrade}, response::Response};
///
/// async fn subscriptions(State(auth): State<Auth0>, upgrade: WebSocketUpgrade) -> Response {
///     GraphqlUpgrade::new(upgrade, auth).require(scope("read:messages")).on_upgrade(serve)
/// }
///
/// async fn serve(socket: TokenSocket) {
///     let token = socket.token(); // for the resolvers
///     // async-graphql: GraphQLWebSocket::new(socket, schema, protocol).with_data(data).serve().await
/// #   let _ = (socket, token);
/// }
/// # let _ = subscriptions;
/// ```
#[must_use = "the connection is not upgraded without a handler"]
pub struct GraphqlUpgrade {
    upgrade: WebSocketUpgrade,
    auth: Auth0,
    requirement: Requirement,
    opening: Option<OpeningRequest>,
    init_limit: Duration,
    max_message_bytes: usize,
}

impl GraphqlUpgrade {
    /// Creates an upgrade that requires a valid token.
    pub fn new(upgrade: WebSocketUpgrade, auth: Auth0) -> Self {
        let upgrade = upgrade.protocols([GRAPHQL_TRANSPORT_WS]);
        Self {
            upgrade,
            auth,
            requirement: authenticated(),
            opening: None,
            init_limit: INIT_LIMIT,
            max_message_bytes: MAX_MESSAGE_BYTES,
        }
    }

    /// Adds a requirement for the token.
    pub fn require(mut self, requirement: Requirement) -> Self {
        self.requirement = self.requirement.and(requirement);
        self
    }

    /// Sets the request that opened the connection, if the issuers of a token or the requirement depend on it: an
    /// [`OpeningRequest`](crate::OpeningRequest).
    pub fn opened_by(mut self, request: impl Into<OpeningRequest>) -> Self {
        self.opening = Some(request.into());
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
    pub fn on_upgrade<H, F>(self, handler: H) -> Response
    where
        H: FnOnce(TokenSocket) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { upgrade, auth, requirement, opening, init_limit, max_message_bytes } = self;
        let is_acceptable = upgrade.selected_protocol().is_some();
        let limit = max_message_bytes.max(MAX_INIT_BYTES);
        // Also that of a frame: it is kept until it is whole.
        let upgrade = upgrade.max_message_size(limit).max_frame_size(limit);
        upgrade.on_upgrade(async move |socket| {
            let (mut receiving, mut sending) = split(socket);
            let opened = match is_acceptable {
                true => {
                    let halves = (&mut receiving, &mut sending);
                    open(&auth, requirement, opening, init_limit, halves).await
                }
                false => Err(Ending::Close(SUBPROTOCOL_UNACCEPTABLE)),
            };
            match opened {
                Ok((lease, init)) => {
                    let session = Session::new(lease.clone());
                    run(session, lease, (receiving, sending), Some(init), handler).await;
                }
                Err(ending) => {
                    // The connection is dropped in any case.
                    let _ = refuse(&auth, &mut receiving, &mut sending, ending).await;
                }
            }
        })
    }
}

/// A query is text that a person or a program has written.
const MAX_MESSAGE_BYTES: usize = 256 * 1024;

impl fmt::Debug for GraphqlUpgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphqlUpgrade")
            .field("auth", &self.auth)
            .field("requirement", &self.requirement)
            .finish_non_exhaustive()
    }
}
