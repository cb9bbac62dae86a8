//! The body of a request that is refused before it was read.
//!
//! After a response, actix-http reads the rest of a chunked body however long it is, if the application has
//! dropped the body; it closes the connection if the application still has it. So a refusal keeps the body
//! until the response is sent. The connection of a request whose body has arrived in full stays open.
use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    dev::Payload,
    error::PayloadError,
    web::Bytes,
};
use futures_core::Stream;
use std::{
    cell::RefCell,
    convert::Infallible,
    fmt,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

/// The body of a request. Extractors may still read it, because a handler may take a refusal as a `Result`.
#[derive(Clone)]
pub(crate) struct UnreadBody(Rc<RefCell<Payload>>);

impl UnreadBody {
    /// Returns the body of a request, if there is one, and leaves the same body there for extractors.
    pub(crate) fn share(payload: &mut Payload) -> Option<Self> {
        let body = Self::take(payload.take())?;
        *payload = Payload::Stream { payload: Box::pin(body.clone()) };
        Some(body)
    }

    pub(crate) fn take(payload: Payload) -> Option<Self> {
        match payload {
            Payload::None => None,
            payload => Some(Self(Rc::new(RefCell::new(payload)))),
        }
    }
}

impl Stream for UnreadBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(context)
    }
}

impl fmt::Debug for UnreadBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnreadBody").finish_non_exhaustive()
    }
}

/// The body of a refusal, with that of its request.
struct RefusalBody {
    text: Bytes,
    is_sent: bool,
    _request: UnreadBody,
}

/// Returns the body of a refusal.
pub(crate) fn refusal_body(text: Bytes, request: Option<&UnreadBody>) -> BoxBody {
    match request {
        Some(request) => {
            BoxBody::new(RefusalBody { text, is_sent: false, _request: request.clone() })
        }
        None => BoxBody::new(text),
    }
}

impl MessageBody for RefusalBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.text.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Infallible>>> {
        if std::mem::replace(&mut self.is_sent, true) {
            return Poll::Ready(None);
        }
        Poll::Ready(Some(Ok(self.text.clone())))
    }
}
