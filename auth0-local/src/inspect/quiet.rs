//! A future whose work leaves nothing in the log: a verifier logs its refusals, and this one verifies for a person who
//! looks at a token, in a process that may be a service.
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};
use tracing::dispatcher::{Dispatch, with_default};

pub(super) fn quietly<F: Future>(future: F) -> Quiet<F> {
    Quiet(Box::pin(future))
}

pub(super) struct Quiet<F>(Pin<Box<F>>);

impl<F: Future> Future for Quiet<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        with_default(&Dispatch::none(), || self.0.as_mut().poll(context))
    }
}
