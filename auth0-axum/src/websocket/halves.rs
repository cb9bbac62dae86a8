//! The halves of a WebSocket of axum, for the core.
use auth0_core::adapter::websocket::{Close, MessageKind, Receive, Transmit};
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};

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

    async fn receive(&mut self) -> Option<Message> {
        if self.has_ended {
            return None;
        }
        let message = self.half.next().await.and_then(Result::ok);
        self.has_ended = matches!(message, None | Some(Message::Close(_)));
        message
    }

    fn kind(message: &Message) -> MessageKind<'_> {
        match message {
            Message::Text(text) => MessageKind::Text(text),
            Message::Binary(_) => MessageKind::Binary,
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => MessageKind::Control,
        }
    }
}

impl Transmit for Sending {
    type Message = Message;

    async fn transmit(&mut self, message: Message) -> bool {
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
}
