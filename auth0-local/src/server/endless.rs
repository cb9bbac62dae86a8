use crate::drill::Drill;
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

/// About 16 KiB at a time: few enough turns, and little to hold.
const MEMBERS_AT_ONCE: usize = 200;

/// A key set without an end. All that it holds is one piece, which is sent again and again, as fast
/// as the client takes it.
pub(super) struct Endless {
    next: Bytes,
    members: Bytes,
    drill: Drill,
}

impl Endless {
    pub(super) fn new(drill: Drill) -> Self {
        let members = MEMBER.repeat(MEMBERS_AT_ONCE).into();
        Self { next: Bytes::from_static(BEGINNING.as_bytes()), members, drill }
    }
}

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.drill.has_stopped() {
            return Poll::Ready(None);
        }
        let members = self.members.clone();
        let next = mem::replace(&mut self.next, members);
        Poll::Ready(Some(Ok(Frame::data(next))))
    }
}
