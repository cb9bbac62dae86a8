//! WebSocket connections that end with their token.
mod graphql;
mod halves;
mod offered;
mod socket;

pub use graphql::GraphqlUpgrade;
pub use offered::take_offered_token;
pub use socket::TokenSocket;

use crate::{body::AuthBody, rejection::refusal};
use auth0_core::{
    Lease,
    adapter::websocket::{SEND_LIMIT, Session},
};
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum_core::response::Response;
use halves::{Receiving, Sending, split};
use std::{fmt, future::Future, time::Duration};

/// Upgrades to a WebSocket that ends with its token: at the end it is closed with the code `4401`, whatever the client
/// and the handler do.
///
/// - A newer token of the same user and client extends the [`Lease`]: see [`Lease::renew`].
/// - A client that does not read, sends pings without end, or has closed its half only, is dropped two seconds after
///   the end. A message waits for 30 seconds, unless [`send_limit`](Self::send_limit) sets another limit.
/// - When the handler returns, the connection closes with the code `1000`.
/// - Pings are answered, and a Close frame of the client is. The handler has text and binary messages.
///
/// ```
/// use auth0_axum::{AccessToken, Auth0, TokenUpgrade};
/// use axum::{Router, extract::{State, ws::WebSocketUpgrade}, response::Response, routing::get};
/// use std::time::Duration;
///
/// async fn echo(State(auth): State<Auth0>, token: AccessToken, upgrade: WebSocketUpgrade) -> Response {
///     TokenUpgrade::new(upgrade, auth.lease(&token))
///         .warn_before(Duration::from_secs(30), "the token ends soon")
///         .on_upgrade(async |mut socket| {
///             while let Some(message) = socket.recv().await {
///                 if socket.send(message).await.is_err() {
///                     return;
///                 }
///             }
///         })
/// }
/// # fn app(auth: Auth0) -> Router {
/// Router::new().route("/echo", get(echo)).with_state(auth)
/// # }
/// ```
#[must_use = "the connection is not upgraded without a handler"]
pub struct TokenUpgrade {
    upgrade: WebSocketUpgrade,
    lease: Lease,
    warning: Option<(Duration, String)>,
    send_limit: Duration,
}

impl TokenUpgrade {
    /// Creates the upgrade of a connection that was opened with the token of the lease: see [`Auth0::lease`].
    ///
    /// [`Auth0::lease`]: auth0_core::Auth0::lease
    pub fn new(upgrade: WebSocketUpgrade, lease: Lease) -> Self {
        Self { upgrade, lease, warning: None, send_limit: SEND_LIMIT }
    }

    /// Sends a text message this long before the end, so that the client can renew the lease.
    pub fn warn_before(mut self, time: Duration, text: impl Into<String>) -> Self {
        self.warning = Some((time, text.into()));
        self
    }

    /// Limits how long a message waits for a client that does not read. Then the connection is dropped.
    pub fn send_limit(mut self, limit: Duration) -> Self {
        self.send_limit = limit;
        self
    }

    /// Returns the response, and runs the handler after the upgrade. It stops at the end of the lease. If the token does not
    /// meet the requirement of the lease, the response is the refusal.
    pub fn on_upgrade<H, F>(self, handler: H) -> Response
    where
        H: FnOnce(TokenSocket) -> F + Send + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let Self { upgrade, lease, warning, send_limit } = self;
        if let Err(error) = lease.check() {
            return refusal(error).map(AuthBody::into_axum);
        }
        let session = Session::new(lease.clone()).send_limit(send_limit);
        let session = match warning {
            Some((time, text)) => session.warning(time, text),
            None => session,
        };
        upgrade.on_upgrade(async move |socket: WebSocket| {
            run(session, lease, split(socket), None, handler).await;
        })
    }
}

/// Runs a handler. The first message is one that was read before.
async fn run<H, F>(
    session: Session,
    lease: Lease,
    (receiving, sending): (Receiving, Sending),
    first: Option<Message>,
    handler: H,
) where
    H: FnOnce(TokenSocket) -> F,
    F: Future<Output = ()>,
{
    let (socket, to_handler, from_handler) = TokenSocket::new(lease);
    if let Some(first) = first {
        // The channel is empty.
        let _ = to_handler.try_send(first);
    }
    // The connection is dropped in any case.
    let _ = session.run(receiving, sending, to_handler, from_handler, handler(socket)).await;
}

impl fmt::Debug for TokenUpgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenUpgrade")
            .field("lease", &self.lease)
            .field("send_limit", &self.send_limit)
            .finish_non_exhaustive()
    }
}
