//! The halves of a WebSocket of actix-ws, for the core.
use actix_web::{
    HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    error::PayloadError,
    web::Bytes,
};
use actix_ws::{
    AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, MessageStream,
    ProtocolError, Session,
};
use auth0_core::adapter::websocket::{Close, Receive, Received, Transmit};
use std::{
    cell::Cell,
    io::ErrorKind,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};
use tokio::sync::oneshot;

pub(super) struct Halves {
    pub(super) receiving: Receiving,
    pub(super) sending: Sending,
}

pub(super) struct Receiving {
    messages: AggregatedMessageStream,
    /// To answer pings.
    session: Session,
    has_ended: bool,
}

pub(super) struct Sending {
    session: Session,
    /// Whether a Close frame was sent.
    is_closed: bool,
    ended: Ended,
}

/// Splits a connection. A message, and so a frame, may have this many bytes; without it, as actix-ws allows.
pub(super) fn split(
    session: Session,
    messages: MessageStream,
    ended: Ended,
    max_message_bytes: Option<usize>,
) -> Halves {
    let messages = match max_message_bytes {
        Some(limit) => {
            messages.max_frame_size(limit).aggregate_continuations().max_continuation_size(limit)
        }
        None => messages.aggregate_continuations(),
    };
    let receiving = Receiving { messages, session: session.clone(), has_ended: false };
    Halves { receiving, sending: Sending { session, is_closed: false, ended } }
}

impl Receive for Receiving {
    type Message = AggregatedMessage;

    async fn receive(&mut self) -> Received<AggregatedMessage> {
        if self.has_ended {
            return Received::Broken;
        }
        let received = match self.messages.recv().await {
            Some(Ok(message @ AggregatedMessage::Text(_))) => return Received::Text(message),
            Some(Ok(message @ AggregatedMessage::Binary(_))) => return Received::Binary(message),
            Some(Ok(AggregatedMessage::Pong(_))) => return Received::Control,
            Some(Ok(AggregatedMessage::Ping(bytes))) => {
                if self.session.pong(&bytes).await.is_ok() {
                    return Received::Control;
                }
                Received::Broken
            }
            Some(Ok(AggregatedMessage::Close(_))) => Received::Closed,
            Some(Err(error)) => closing(&error).map_or(Received::Broken, Received::Refused),
            None => Received::Broken,
        };
        self.has_ended = true;
        received
    }

    fn text(message: &AggregatedMessage) -> &str {
        match message {
            AggregatedMessage::Text(text) => text,
            _ => "",
        }
    }
}

/// Returns how to close after an error. `None` if the connection is broken.
fn closing(error: &ProtocolError) -> Option<Close> {
    match error {
        ProtocolError::Overflow => Some(Close::TOO_LONG),
        ProtocolError::Io(error) if error.kind() == ErrorKind::InvalidData => {
            Some(Close::NOT_VALID)
        }
        ProtocolError::Io(error) => {
            // actix-ws also wraps the errors of the connection.
            let is_broken = match error.get_ref() {
                Some(inner) => inner
                    .downcast_ref()
                    .is_some_and(|error| !matches!(error, PayloadError::Overflow)),
                None => true,
            };
            (!is_broken && error.kind() == ErrorKind::Other).then_some(Close::TOO_LONG)
        }
        _ => Some(Close::NOT_VALID),
    }
}

impl Transmit for Sending {
    type Message = AggregatedMessage;

    async fn transmit(&mut self, message: AggregatedMessage) -> bool {
        let Self { session, is_closed, .. } = self;
        *is_closed |= matches!(message, AggregatedMessage::Close(_));
        let sent = match message {
            AggregatedMessage::Text(text) => session.text(text).await,
            AggregatedMessage::Binary(bytes) => session.binary(bytes).await,
            AggregatedMessage::Ping(bytes) => session.ping(&bytes).await,
            AggregatedMessage::Pong(bytes) => session.pong(&bytes).await,
            AggregatedMessage::Close(reason) => session.clone().close(reason).await,
        };
        sent.is_ok()
    }

    async fn text(&mut self, text: &str) -> bool {
        self.session.text(text).await.is_ok()
    }

    async fn close(&mut self, close: Close) -> bool {
        if self.is_closed {
            return true;
        }
        let Close { code, reason, .. } = close;
        let description = (!reason.is_empty()).then(|| reason.to_owned());
        let reason = CloseReason { code: CloseCode::from(code), description };
        self.ended.set((close == Close::TOKEN_ENDED).then_some(close));
        self.transmit(AggregatedMessage::Close(Some(reason))).await
    }

    async fn acknowledge(&mut self) -> bool {
        self.close(Close::NORMAL).await
    }
}

/// The Close frame after the end of the token, before which nothing that waits is sent.
pub(super) type Ended = Rc<Cell<Option<Close>>>;

/// The body of the response, which shows that it is dropped: the server has sent it, or the connection is broken.
pub(super) struct TrackedBody {
    body: BoxBody,
    ended: Ended,
    has_ended: bool,
    _dropped: oneshot::Sender<()>,
}

impl TrackedBody {
    pub(super) fn track(response: HttpResponse) -> (HttpResponse, Ended, oneshot::Receiver<()>) {
        let (sender, is_dropped) = oneshot::channel();
        let ended = Ended::default();
        let body =
            |body| Self { body, ended: Rc::clone(&ended), has_ended: false, _dropped: sender };
        let response = response.map_body(|_, inner| body(inner).boxed());
        (response, ended, is_dropped)
    }
}

impl MessageBody for TrackedBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if self.has_ended {
            return Poll::Ready(None);
        }
        match self.ended.get() {
            Some(close) => {
                self.has_ended = true;
                Poll::Ready(Some(Ok(frame(close))))
            }
            None => Pin::new(&mut self.body).poll_next(context),
        }
    }
}

/// Writes a Close frame of the server (RFC 6455 §5.2). Its reason has 123 bytes or fewer.
fn frame(close: Close) -> Bytes {
    let length = u8::try_from(2 + close.reason.len()).unwrap_or_default();
    let head = [0x88, length];
    [&head[..], &close.code.to_be_bytes(), close.reason.as_bytes()].concat().into()
}
