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

    /// A message or frame that is not valid: `1002`.
    pub const NOT_VALID: Self = Self::new(1002, "The message is not valid.");

    /// A message that is too long: `1009`.
    pub const TOO_LONG: Self = Self::new(1009, "The message is too long.");

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

/// What a client has sent.
#[derive(Debug)]
#[allow(clippy::exhaustive_enums, reason = "there are no other cases")]
pub enum Received<M> {
    /// A text message.
    Text(M),
    /// A binary message.
    Binary(M),
    /// A ping, which is answered, or a pong.
    Control,
    /// A Close frame, which is to be answered. Nothing comes after it.
    Closed,
    /// Something that is refused by closing. Nothing comes after it.
    Refused(Close),
    /// The end of the connection.
    Broken,
}

/// The receiving half of a WebSocket.
pub trait Receive {
    /// A message of the framework.
    type Message;

    /// Returns what comes next. The future may be dropped without loss.
    fn receive(&mut self) -> impl Future<Output = Received<Self::Message>>;

    /// Returns the text of a text message.
    fn text(message: &Self::Message) -> &str;
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

    /// Answers the client's Close frame (RFC 6455 §5.5.1).
    fn acknowledge(&mut self) -> impl Future<Output = bool>;
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

    /// Runs a handler until it returns, the client leaves, or the lease ends. Then it closes the connection. Returns
    /// whether that was in time: otherwise the client does not read.
    ///
    /// The handler has the other halves of the two channels. Dropping the sending one closes the connection.
    pub async fn run<M, R, T, H>(
        self,
        receive: R,
        transmit: T,
        to_handler: Sender<M>,
        from_handler: Receiver<M>,
        handler: H,
    ) -> bool
    where
        R: Receive<Message = M>,
        T: Transmit<Message = M>,
        H: Future<Output = ()>,
    {
        let mut halves = Some((receive, transmit));
        let mut is_in_time = true;
        let has_ended = {
            let exchange = async {
                let Some((receive, transmit)) = &mut halves else { return };
                // Both stop when one has ended.
                let ending = tokio::select! {
                    biased;
                    ending = self.send(transmit, from_handler) => ending,
                    ending = forward(receive, to_handler) => ending,
                };
                let limit = self.lease.passed(CLOSING);
                is_in_time = close_within(receive, transmit, ending, limit).await;
                // A handler that works on does not keep the connection.
                halves = None;
            };
            let work = async { tokio::join!(handler, exchange) };
            tokio::select! {
                biased;
                () = self.lease.ended() => true,
                _ = work => false,
            }
        };
        match &mut halves {
            Some((receive, transmit)) if has_ended => {
                let ending = Ending::Close(Close::TOKEN_ENDED);
                close_within(receive, transmit, ending, self.lease.passed(CLOSING)).await
            }
            _ => is_in_time,
        }
    }

    /// Sends what the handler sends, and the warning. Returns how to end the connection.
    async fn send<T: Transmit>(
        &self,
        transmit: &mut T,
        mut from_handler: Receiver<T::Message>,
    ) -> Ending {
        let mut warning = pin!(self.next_warning(None));
        loop {
            let is_good = tokio::select! {
                message = from_handler.recv() => match message {
                    Some(message) => self.limited(transmit.transmit(message)).await,
                    None => return Ending::Close(Close::NORMAL),
                },
                (text, end) = &mut warning => {
                    warning.set(self.next_warning(Some(end)));
                    self.limited(transmit.text(text)).await
                }
            };
            if !is_good {
                return Ending::Drop;
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

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "there are no other cases")]
pub enum Ending {
    /// With a Close frame.
    Close(Close),
    /// With the answer to that of the client.
    Acknowledge,
    /// Without one, because the connection is broken or the client does not read.
    Drop,
}

/// Ends a WebSocket that was not accepted. Returns whether that was in time: otherwise the client does not read.
pub async fn refuse<R: Receive, T: Transmit>(
    auth: &Auth0,
    receive: &mut R,
    transmit: &mut T,
    ending: Ending,
) -> bool {
    close_within(receive, transmit, ending, auth.passed(CLOSING)).await
}

async fn close_within<R: Receive, T: Transmit>(
    receive: &mut R,
    transmit: &mut T,
    ending: Ending,
    limit: impl Future<Output = ()>,
) -> bool {
    let closing = async {
        match ending {
            Ending::Close(close) if transmit.close(close).await => {
                // If something is unread when the connection is dropped, the client may not get the Close frame.
                let mut pause = Pause::default();
                while let Received::Text(_) | Received::Binary(_) | Received::Control =
                    receive.receive().await
                {
                    pause.after_one().await;
                }
                true
            }
            Ending::Acknowledge => {
                transmit.acknowledge().await;
                true
            }
            Ending::Close(_) | Ending::Drop => false,
        }
    };
    tokio::select! {
        // First, because a client that sends without end keeps the other busy.
        biased;
        () = limit => false,
        is_closed = closing => is_closed,
    }
}

/// Lets timers and other tasks run while a client sends without end.
#[derive(Default)]
pub(super) struct Pause {
    messages: u8,
}

impl Pause {
    /// How many messages are read in one go.
    const AFTER: u8 = 32;

    pub(super) async fn after_one(&mut self) {
        self.messages += 1;
        if self.messages >= Self::AFTER {
            self.messages = 0;
            tokio::task::yield_now().await;
        }
    }
}

/// Gives the handler what the client sends. While the handler does not read a message, none after it is read.
async fn forward<R: Receive>(receive: &mut R, to_handler: Sender<R::Message>) -> Ending {
    let mut pause = Pause::default();
    loop {
        match receive.receive().await {
            Received::Text(message) | Received::Binary(message) => {
                // A handler that has dropped its socket does not read.
                let _ = to_handler.send(message).await;
            }
            Received::Control => {}
            Received::Closed => return Ending::Acknowledge,
            Received::Refused(close) => return Ending::Close(close),
            Received::Broken => return Ending::Drop,
        }
        pause.after_one().await;
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
