//! The body of a response of the inner service or of a refusal.
use crate::grpc::Form;
use auth0_core::{Ended, adapter::CloseGuard};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

pin_project! {
    /// The response body of a service behind [`AuthLayer`](crate::AuthLayer): that of the inner service, or
    /// that of a refusal. It has no bounds on the inner body, so that the layer fits any tower stack.
    #[derive(Debug)]
    pub struct AuthBody<B> {
        #[pin]
        kind: Kind<B>,
        // The end of the token, if the body ends with it.
        end: Option<Box<End>>,
    }
}

/// How a body ends with its token.
#[derive(Debug)]
struct End {
    token: Ended,
    /// Decides what a client reads at the end.
    form: Form,
    is_past: bool,
    _guard: Option<CloseGuard>,
}

pin_project! {
    #[project = KindProjection]
    #[derive(Debug)]
    enum Kind<B> {
        Inner { #[pin] body: B },
        Refusal { bytes: Option<Bytes> },
    }
}

impl<B> AuthBody<B> {
    pub(crate) const fn inner(body: B) -> Self {
        Self { kind: Kind::Inner { body }, end: None }
    }

    /// Cuts the body when the token ends.
    pub(crate) fn ending_with(
        mut self,
        token: Ended,
        form: Form,
        guard: Option<CloseGuard>,
    ) -> Self {
        self.end = Some(Box::new(End { token, form, is_past: false, _guard: guard }));
        self
    }

    pub(crate) fn refusal(bytes: Vec<u8>) -> Self {
        Self { kind: Kind::Refusal { bytes: Some(bytes.into()) }, end: None }
    }
}

impl<B> AuthBody<B> {
    pub(crate) const fn empty() -> Self {
        Self { kind: Kind::Refusal { bytes: None }, end: None }
    }
}

/// The default of the inner body, which outer layers (CORS, timeouts) need for their own responses.
impl<B: Default> Default for AuthBody<B> {
    fn default() -> Self {
        Self::inner(B::default())
    }
}

impl AuthBody<axum_core::body::Body> {
    pub(crate) fn into_axum(self) -> axum_core::body::Body {
        match self.kind {
            Kind::Inner { body } => body,
            Kind::Refusal { bytes } => bytes.unwrap_or_default().into(),
        }
    }
}

impl<B: Body<Data = Bytes>> Body for AuthBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        if let Some(end) = this.end
            && (end.is_past || Pin::new(&mut end.token).poll(context).is_ready())
        {
            let is_first = !std::mem::replace(&mut end.is_past, true);
            let trailers = is_first.then(|| end.form.end_of_token(&end.token)).flatten();
            return Poll::Ready(trailers.map(|trailers| Ok(Frame::trailers(trailers))));
        }
        match this.kind.project() {
            KindProjection::Inner { body } => body.poll_frame(context),
            KindProjection::Refusal { bytes } => {
                Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        if self.end.as_ref().is_some_and(|end| end.is_past) {
            return true;
        }
        match &self.kind {
            Kind::Inner { body } => body.is_end_stream(),
            Kind::Refusal { bytes } => bytes.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Inner { body } => body.size_hint(),
            Kind::Refusal { bytes } => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
        }
    }
}
