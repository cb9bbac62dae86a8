//! A WebSocket that ends with its lease, whatever client and handler do.
use super::Lease;
use crate::{
    auth0::Auth0,
    error::{Error, ErrorKind},
};
use std::{
    future::{Future, pending},
    pin::pin,
    time::{Duration, SystemTime},
};
use tokio::sync::mpsc::{Receiver, Sender};

/// The close code after the end of a token, and for one that is refused: `Unauthorized` of graphql-transport-ws, in
/// the range that RFC 6455 §7.4.2 leaves to applications.
pub const UNAUTHORIZED: u16 = 4401;

/// How long the closing handshake (RFC 6455 §7.1.2) may take. Then the connection is dropped.
pub(super) const CLOSING: Duration = Duration::from_secs(2);

/// How long a message waits for a client that does not read.
pub const SEND_LIMIT: Duration = Duration::from_secs(30);

/// The code and the reason of a Close frame (RFC 6455 §5.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Close {
    /// The status code (RFC 6455 §7.4).
    pub code: u16,
    /// A sentence, of 123 bytes or fewer.
    pub reason: &'static str,
}

impl Close {
    /// Creates a code with its reason.
    #[must_use]
    pub const fn new(code: u16, reason: &'static str) -> Self {
        Self { code, reason }
    }

    /// The end of a handler: `1000`.
    pub const NORMAL: Self = Self::new(1000, "");

    /// The end of a token: `4401`.
    pub const TOKEN_ENDED: Self = Self::new(UNAUTHORIZED, "The access token has expired.");

    /// Returns how a WebSocket closes for a refusal: `4403` for a token that does not meet the requirement, `1013`
    /// (try again later) if it cannot be verified now, `1011` for a wrong configuration, and otherwise `4401`.
    #[must_use]
    pub fn for_error(error: &Error) -> Self {
        let code = match error.kind() {
            ErrorKind::Forbidden => 4403,
            ErrorKind::Unavailable => 1013,
            ErrorKind::Misconfigured => 1011,
            _ => UNAUTHORIZED,
        };
        let description = error.code().description();
        // The longest says after a semicolon what a first message cannot have.
        Self::new(code, description.split(';').next().unwrap_or(description))
    }
}

/// The receiving half of a WebSocket.
pub trait Receive {
    /// A message of the framework.
    type Message;

    /// Returns the next message; `None` after the Close frame of the client, and if the connection is broken.
    fn receive(&mut self) -> impl Future<Output = Option<Self::Message>>;

    /// Returns the kind of a message.
    fn kind(message: &Self::Message) -> MessageKind<'_>;
}

/// The kind of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there are no other cases")]
pub enum MessageKind<'a> {
    /// A text message.
    Text(&'a str),
    /// A binary message.
    Binary,
    /// A control frame, which the framework or the adapter answers.
    Control,
}

/// The sending half of a WebSocket.
pub trait Transmit {
    /// A message of the framework.
    type Message;

    /// Sends a message. Returns whether the connection is still good.
    fn transmit(&mut self, message: Self::Message) -> impl Future<Output = bool>;

    /// Sends a text message. Returns whether the connection is still good.
    fn text(&mut self, text: &str) -> impl Future<Output = bool>;

    /// Sends a Close frame. Returns whether the connection is still good.
    fn close(&mut self, close: Close) -> impl Future<Output = bool>;
}

/// Settings of a WebSocket that ends with its lease.
#[derive(Debug)]
#[must_use]
pub struct Session {
    lease: Lease,
    warning: Option<(Duration, String)>,
    send_limit: Duration,
}

impl Session {
    /// Creates the session of a connection.
    pub const fn new(lease: Lease) -> Self {
        Self { lease, warning: None, send_limit: SEND_LIMIT }
    }

    /// Sets a text message that is sent this long before the end.
    pub fn warning(mut self, time: Duration, text: String) -> Self {
        self.warning = Some((time, text));
        self
    }

    /// Limits how long a message waits for a client that does not read.
    pub const fn send_limit(mut self, limit: Duration) -> Self {
        self.send_limit = limit;
        self
    }

    /// Runs a handler until it returns, the client leaves, or the lease ends. Then it closes the connection.
    ///
    /// The handler has the other halves of the two channels. Dropping the sending one closes the connection.
    pub async fn run<M, R, T, H>(
        self,
        receive: R,
        transmit: T,
        to_handler: Sender<M>,
        from_handler: Receiver<Outgoing<M>>,
        handler: H,
    ) where
        R: Receive<Message = M>,
        T: Transmit<Message = M>,
        H: Future<Output = ()>,
    {
        let mut halves = Some((receive, transmit));
        let close = {
            let exchange = async {
                let (receive, transmit) = halves.as_mut()?;
                // Both stop when one has ended.
                let close = tokio::select! {
                    biased;
                    close = self.send(transmit, from_handler) => close,
                    () = forward(receive, to_handler) => None,
                };
                if close.is_none() {
                    // A handler that works on does not keep a broken connection.
                    halves = None;
                }
                close
            };
            let work = async { tokio::join!(handler, exchange).1 };
            tokio::select! {
                biased;
                () = self.lease.ended() => Some(Close::TOKEN_ENDED),
                close = work => close,
            }
        };
        let (Some(close), Some((receive, transmit))) = (close, &mut halves) else { return };
        close_within(receive, transmit, close, self.lease.passed(CLOSING)).await;
    }

    /// Sends what the handler sends, and the warning. Returns how to close; `None` if the connection is broken.
    async fn send<T: Transmit>(
        &self,
        transmit: &mut T,
        mut from_handler: Receiver<Outgoing<T::Message>>,
    ) -> Option<Close> {
        let mut warning = pin!(self.next_warning(None));
        loop {
            let is_good = tokio::select! {
                outgoing = from_handler.recv() => match outgoing {
                    Some(Outgoing::Message(message)) => self.limited(transmit.transmit(message)).await,
                    Some(Outgoing::Close(close)) => return Some(close),
                    None => return Some(Close::NORMAL),
                },
                (text, end) = &mut warning => {
                    warning.set(self.next_warning(Some(end)));
                    self.limited(transmit.text(text)).await
                }
            };
            if !is_good {
                return None;
            }
        }
    }

    /// Limits a `send`. The timer is created only if the client does not read.
    async fn limited(&self, sent: impl Future<Output = bool>) -> bool {
        tokio::select! {
            biased;
            is_good = sent => is_good,
            () = async { self.lease.passed(self.send_limit).await } => false,
        }
    }

    /// Returns the warning when it is due, and the end of which it warns. The end of the last one is not warned of
    /// again.
    async fn next_warning(&self, last: Option<SystemTime>) -> (&str, SystemTime) {
        let Some((time, text)) = &self.warning else { return pending().await };
        let end = self.lease.ending_in(*time, last).await;
        (text, end)
    }
}

/// Closes a WebSocket that was not accepted.
pub async fn refuse<R: Receive, T: Transmit>(
    auth: &Auth0,
    receive: &mut R,
    transmit: &mut T,
    close: Close,
) {
    close_within(receive, transmit, close, auth.passed(CLOSING)).await;
}

async fn close_within<R: Receive, T: Transmit>(
    receive: &mut R,
    transmit: &mut T,
    close: Close,
    limit: impl Future<Output = ()>,
) {
    let closing = async {
        if transmit.close(close).await {
            // If something is unread when the connection is dropped, the client may not get the Close frame.
            while receive.receive().await.is_some() {}
        }
    };
    tokio::select! {
        () = closing => {}
        () = limit => {}
    }
}

/// What a handler sends.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "there are no other cases")]
pub enum Outgoing<M> {
    /// A message.
    Message(M),
    /// The end of the connection.
    Close(Close),
}

/// Gives the handler what the client sends. Messages that it does not read are dropped, so that the client's Close
/// frame and pings are still read.
async fn forward<R: Receive>(receive: &mut R, to_handler: Sender<R::Message>) {
    while let Some(message) = receive.receive().await {
        let _ = to_handler.send(message).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;

    #[test]
    fn reasons_fit_into_a_close_frame() {
        for code in ErrorCode::ALL {
            let close = Close::for_error(&Error::new(code));
            assert!((1..=123).contains(&close.reason.len()), "{close:?}");
        }
    }
}
