//! A response body without an end.
use crate::running::RunningTenant;
use axum::body::{Bytes, HttpBody};
use http_body::Frame;
use std::{
    convert::Infallible,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

const BEGINNING: &str = "{\"keys\":[";
const MEMBER: &str = "{\"kty\":\"RSA\",\"use\":\"sig\",\"alg\":\"RS256\",\"kid\":\"huge\",\
                      \"e\":\"AQAB\",\"n\":\"AQAB\"},";

/// About 16 KiB at a time: few iterations, and little memory.
const MEMBERS_AT_ONCE: usize = 200;

/// A key set without an end. It stores one chunk and sends it repeatedly, as fast as the client
/// reads.
pub(super) struct Endless {
    next: Bytes,
    members: Bytes,
    running: RunningTenant,
}

impl Endless {
    pub(super) fn new(running: RunningTenant) -> Self {
        let members = MEMBER.repeat(MEMBERS_AT_ONCE).into();
        Self { next: Bytes::from_static(BEGINNING.as_bytes()), members, running }
    }
}

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.running.has_stopped() {
            return Poll::Ready(None);
        }
        let members = self.members.clone();
        let next = mem::replace(&mut self.next, members);
        Poll::Ready(Some(Ok(Frame::data(next))))
    }
}
