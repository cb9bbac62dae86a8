//! The WebSocket that a handler has.
use actix_ws::{AggregatedMessage, Closed};
use auth0_core::{Lease, VerifiedToken};
use futures_core::Stream;
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// How many messages wait between the handler and the connection.
const WAITING: usize = 1;

/// A WebSocket that ends with its token: see [`TokenUpgrade`](crate::TokenUpgrade). It is also a stream of messages.
pub struct TokenSocket {
    lease: Lease,
    incoming: Receiver<AggregatedMessage>,
    outgoing: Sender<AggregatedMessage>,
}

impl TokenSocket {
    pub(super) fn new(
        lease: Lease,
    ) -> (Self, Sender<AggregatedMessage>, Receiver<AggregatedMessage>) {
        let (to_handler, incoming) = mpsc::channel(WAITING);
        let (outgoing, from_handler) = mpsc::channel(WAITING);
        (Self { lease, incoming, outgoing }, to_handler, from_handler)
    }

    /// Returns the lease of the connection.
    #[must_use]
    pub const fn lease(&self) -> &Lease {
        &self.lease
    }

    /// Returns the token that the connection has now.
    #[must_use]
    pub fn token(&self) -> VerifiedToken {
        self.lease.token()
    }

    /// Returns the next message. `None` after that of the end, or if the connection is broken.
    pub async fn recv(&mut self) -> Option<AggregatedMessage> {
        self.incoming.recv().await
    }

    /// Sends a message.
    ///
    /// # Errors
    /// The connection is closed.
    pub async fn send(&mut self, message: AggregatedMessage) -> Result<(), Closed> {
        self.outgoing.send(message).await.map_err(|_| Closed)
    }

    /// Sends a text message.
    ///
    /// # Errors
    /// The connection is closed.
    pub async fn text(&mut self, text: impl Into<String>) -> Result<(), Closed> {
        self.send(AggregatedMessage::Text(text.into().into())).await
    }
}

impl Stream for TokenSocket {
    type Item = AggregatedMessage;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.incoming.poll_recv(context)
    }
}

impl fmt::Debug for TokenSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSocket").field("lease", &self.lease).finish_non_exhaustive()
    }
}
