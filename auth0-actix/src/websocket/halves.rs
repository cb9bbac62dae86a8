//! The halves of a WebSocket of actix-ws, for the core.
use actix_web::{
    HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    web::Bytes,
};
use actix_ws::{
    AggregatedMessage, AggregatedMessageStream, CloseCode, CloseReason, MessageStream, Session,
};
use auth0_core::adapter::websocket::{Close, MessageKind, Receive, Transmit};
use std::{
    pin::Pin,
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
}

pub(super) fn split(session: Session, messages: MessageStream) -> Halves {
    let messages = messages.aggregate_continuations();
    let receiving = Receiving { messages, session: session.clone(), has_ended: false };
    Halves { receiving, sending: Sending { session, is_closed: false } }
}

impl Receive for Receiving {
    type Message = AggregatedMessage;

    async fn receive(&mut self) -> Option<AggregatedMessage> {
        while !self.has_ended {
            let message = self.messages.recv().await.and_then(Result::ok);
            if let Some(AggregatedMessage::Ping(bytes)) = &message {
                self.has_ended = self.session.pong(bytes).await.is_err();
                continue;
            }
            self.has_ended = matches!(message, None | Some(AggregatedMessage::Close(_)));
            return message;
        }
        None
    }

    fn kind(message: &AggregatedMessage) -> MessageKind<'_> {
        match message {
            AggregatedMessage::Text(text) => MessageKind::Text(text),
            AggregatedMessage::Binary(_) => MessageKind::Binary,
            AggregatedMessage::Ping(_)
            | AggregatedMessage::Pong(_)
            | AggregatedMessage::Close(_) => MessageKind::Control,
        }
    }
}

impl Transmit for Sending {
    type Message = AggregatedMessage;

    async fn transmit(&mut self, message: AggregatedMessage) -> bool {
        let Self { session, is_closed } = self;
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
        self.transmit(AggregatedMessage::Close(Some(reason))).await
    }
}

/// The body of the response, which shows that it is dropped: the server has sent it, or the connection is broken.
pub(super) struct TrackedBody {
    body: BoxBody,
    _dropped: oneshot::Sender<()>,
}

impl TrackedBody {
    pub(super) fn track(response: HttpResponse) -> (HttpResponse, oneshot::Receiver<()>) {
        let (sender, is_dropped) = oneshot::channel();
        let response = response.map_body(|_, body| Self { body, _dropped: sender }.boxed());
        (response, is_dropped)
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
        Pin::new(&mut self.body).poll_next(context)
    }
}
