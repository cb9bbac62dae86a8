//! The halves of a WebSocket of axum, for the core.
use auth0_core::adapter::websocket::{Close, Receive, Received, Transmit};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use std::error::Error;

pub(super) struct Receiving {
    half: SplitStream<WebSocket>,
    has_ended: bool,
}

pub(super) struct Sending {
    half: SplitSink<WebSocket, Message>,
    /// Whether a Close frame was sent.
    is_closed: bool,
}

pub(super) fn split(socket: WebSocket) -> (Receiving, Sending) {
    let (sending, receiving) = socket.split();
    (Receiving { half: receiving, has_ended: false }, Sending { half: sending, is_closed: false })
}

impl Receive for Receiving {
    type Message = Message;

    async fn receive(&mut self) -> Received<Message> {
        if self.has_ended {
            return Received::Broken;
        }
        let received = match self.half.next().await {
            Some(Ok(message @ Message::Text(_))) => return Received::Text(message),
            Some(Ok(message @ Message::Binary(_))) => return Received::Binary(message),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => return Received::Control,
            Some(Ok(Message::Close(_))) => Received::Closed,
            Some(Err(error)) if is_refused(&error) => Received::Refused(Close::NOT_VALID),
            Some(Err(_)) | None => Received::Broken,
        };
        self.has_ended = true;
        received
    }

    fn text(message: &Message) -> &str {
        message.to_text().unwrap_or_default()
    }
}

/// Returns whether the client is at fault, and not the connection.
fn is_refused(error: &axum::Error) -> bool {
    let mut cause = error.source();
    while let Some(known) = cause {
        if known.is::<std::io::Error>() {
            return false;
        }
        cause = known.source();
    }
    true
}

impl Transmit for Sending {
    type Message = Message;

    async fn transmit(&mut self, mut message: Message) -> bool {
        if let Message::Close(Some(frame)) = &mut message {
            shorten(&mut frame.reason);
        }
        self.is_closed |= matches!(message, Message::Close(_));
        self.half.send(message).await.is_ok()
    }

    async fn text(&mut self, text: &str) -> bool {
        self.transmit(Message::Text(text.into())).await
    }

    async fn close(&mut self, close: Close) -> bool {
        if self.is_closed {
            return true;
        }
        let Close { code, reason, .. } = close;
        let reason = Utf8Bytes::from_static(reason);
        self.transmit(Message::Close(Some(CloseFrame { code, reason }))).await
    }

    /// The library has the answer ready.
    async fn acknowledge(&mut self) -> bool {
        self.half.flush().await.is_ok()
    }
}

/// Shortens the reason of a Close frame to 123 bytes (RFC 6455 §5.5).
fn shorten(reason: &mut Utf8Bytes) {
    if reason.len() > MAX_REASON {
        let end = (0..=MAX_REASON).rev().find(|end| reason.is_char_boundary(*end));
        *reason = reason.get(..end.unwrap_or(0)).unwrap_or_default().into();
    }
}

const MAX_REASON: usize = 123;
