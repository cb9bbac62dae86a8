//! The WebSocket that a handler has.
use auth0_core::{Lease, VerifiedToken};
use axum::{Error, extract::ws::Message};
use futures_core::Stream;
use futures_sink::Sink;
use std::{
    fmt, io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio_util::sync::PollSender;

/// How many messages wait between the handler and the connection.
const WAITING: usize = 1;

/// A WebSocket that ends with its token: see [`TokenUpgrade`](crate::TokenUpgrade). It is also a stream of messages,
/// and a sink for them.
pub struct TokenSocket {
    lease: Lease,
    incoming: Receiver<Message>,
    outgoing: PollSender<Message>,
}

impl TokenSocket {
    pub(super) fn new(lease: Lease) -> (Self, Sender<Message>, Receiver<Message>) {
        let (to_handler, incoming) = mpsc::channel(WAITING);
        let (outgoing, from_handler) = mpsc::channel(WAITING);
        let outgoing = PollSender::new(outgoing);
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
    pub async fn recv(&mut self) -> Option<Message> {
        self.incoming.recv().await
    }

    /// Sends a message.
    ///
    /// # Errors
    /// The connection is closed.
    pub async fn send(&mut self, message: impl Into<Message>) -> Result<(), Error> {
        let sender = self.outgoing.get_ref().ok_or_else(closed)?;
        sender.send(message.into()).await.map_err(|_| closed())
    }
}

fn closed() -> Error {
    Error::new(io::Error::new(io::ErrorKind::BrokenPipe, "the WebSocket is closed"))
}

impl Stream for TokenSocket {
    type Item = Result<Message, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.incoming.poll_recv(context).map(|message| message.map(Ok))
    }
}

impl Sink<Message> for TokenSocket {
    type Error = Error;

    fn poll_ready(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.outgoing.poll_reserve(context).map_err(|_| closed())
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.outgoing.send_item(message).map_err(|_| closed())
    }

    /// A message is sent as soon as the connection takes it.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.outgoing.close();
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for TokenSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSocket").field("lease", &self.lease).finish_non_exhaustive()
    }
}
