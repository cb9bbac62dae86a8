//! The body of a request that is answered before it was read.
//!
//! After a response, actix-http reads the rest of a chunked body however long it is, if the application has
//! dropped the body; it closes the connection if the application still has it. So such a response keeps the body
//! until it is sent. The connection of a request whose body has arrived in full stays open.
use actix_web::{
    HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    dev::Payload,
    error::PayloadError,
    web::Bytes,
};
use futures_core::Stream;
use std::{
    cell::RefCell,
    error::Error,
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

/// The body of a response, with that of its request.
struct WithRequest {
    response: BoxBody,
    _request: UnreadBody,
}

/// Keeps the body of a request until its response is sent.
pub(crate) fn keep_unread(response: HttpResponse, request: Option<&UnreadBody>) -> HttpResponse {
    let Some(request) = request.cloned() else { return response };
    response.map_body(|_, response| BoxBody::new(WithRequest { response, _request: request }))
}

impl MessageBody for WithRequest {
    type Error = Box<dyn Error>;

    fn size(&self) -> BodySize {
        self.response.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Box<dyn Error>>>> {
        Pin::new(&mut self.response).poll_next(context)
    }
}
