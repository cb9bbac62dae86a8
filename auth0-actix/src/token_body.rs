//! The body of a response that ends with its token.
use crate::{request::RequestAdapter, tcp::tcp_handle};
use actix_web::{
    HttpRequest,
    body::{BodySize, MessageBody},
    http::Version,
    web::Bytes,
};
use auth0_core::{
    Auth0, Ended, VerifiedToken,
    adapter::{self, CloseGuard},
};
use pin_project_lite::pin_project;
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

pin_project! {
    /// The body of a service behind [`RequireAuth`](crate::RequireAuth).
    pub struct TokenBody<B> {
        #[pin]
        body: B,
        end: Option<Box<End>>,
    }
}

/// An extension of a response that ends with its token by itself, as it may be renewed.
pub(crate) struct EndsItself;

/// The end of a token, if the body ends with it.
pub(crate) struct End {
    token: Ended,
    is_past: bool,
    _guard: Option<CloseGuard>,
}

impl End {
    pub(crate) fn of(auth: &Auth0, token: &VerifiedToken, request: &HttpRequest) -> Box<Self> {
        let is_shared = request.version() == Version::HTTP_2
            && adapter::is_from_proxy(auth, &RequestAdapter::new(request));
        let handle = tcp_handle(request).filter(|_| !is_shared);
        let guard = handle.map(|handle| handle.close_after(token));
        Box::new(Self { token: token.ended(), is_past: false, _guard: guard })
    }
}

impl<B> TokenBody<B> {
    pub(crate) const fn new(body: B, end: Option<Box<End>>) -> Self {
        Self { body, end }
    }
}

impl<B: MessageBody> MessageBody for TokenBody<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, B::Error>>> {
        let this = self.project();
        if let Some(end) = this.end
            && (end.is_past || Pin::new(&mut end.token).poll(context).is_ready())
        {
            end.is_past = true;
            return Poll::Ready(None);
        }
        this.body.poll_next(context)
    }

    fn try_into_bytes(self) -> Result<Bytes, Self> {
        let Self { body, end } = self;
        body.try_into_bytes().map_err(|body| Self { body, end })
    }
}

impl<B> fmt::Debug for TokenBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenBody").field("ends", &self.end.is_some()).finish_non_exhaustive()
    }
}
