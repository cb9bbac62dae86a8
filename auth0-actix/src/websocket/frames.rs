//! The frames of a client, bounded before they are kept. actix-ws reads all that there is, keeps a frame until it is whole,
//! and looks at its length only then.
use actix_web::{dev::Payload, error::PayloadError, web::Bytes};
use futures_core::Stream;
use std::{
    pin::Pin,
    task::{Context, Poll},
};

/// The bytes of a connection, up to a frame that is too long. After each frame it is pending once, so that the frame is
/// handled before the next one is read.
pub(super) struct Frames {
    payload: Payload,
    limit: u64,
    /// What was received and not handed on.
    rest: Bytes,
    place: Place,
    /// Whether a frame was handed on whole, and nothing after it was asked for.
    has_ended_frame: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Head(Head),
    /// In a frame, of which this many bytes are missing.
    Body(u64),
    /// After a frame.
    Between,
    TooLong,
}

impl Frames {
    pub(super) fn new(payload: Payload, limit: usize) -> Self {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        Self { payload, limit, rest: Bytes::new(), place: Place::Between, has_ended_frame: false }
    }

    /// Returns what may be handed on: up to the end of a frame, or of what there is.
    fn take(&mut self) -> Bytes {
        let mut taken = 0;
        while let Some(byte) = self.rest.get(taken) {
            self.place = match self.place {
                Place::Between => Place::Head(Head::default().with(*byte)),
                Place::Head(head) => Place::Head(head.with(*byte)),
                Place::Body(_) | Place::TooLong => self.place,
            };
            match self.place {
                Place::Head(head) => {
                    taken += 1;
                    self.place = match head.length() {
                        None => self.place,
                        Some(0) => Place::Between,
                        Some(length) if length > self.limit => Place::TooLong,
                        Some(length) => Place::Body(length),
                    };
                }
                Place::Body(missing) => {
                    let there = u64::try_from(self.rest.len() - taken).unwrap_or(u64::MAX);
                    let part = missing.min(there);
                    taken += usize::try_from(part).unwrap_or(usize::MAX);
                    self.place = match missing - part {
                        0 => Place::Between,
                        missing => Place::Body(missing),
                    };
                }
                Place::Between | Place::TooLong => {}
            }
            if matches!(self.place, Place::Between | Place::TooLong) {
                break;
            }
        }
        self.rest.split_to(taken)
    }
}

impl Stream for Frames {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, PayloadError>>> {
        let this = &mut *self;
        if this.place == Place::TooLong {
            return Poll::Ready(Some(Err(PayloadError::Overflow)));
        }
        if std::mem::take(&mut this.has_ended_frame) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if this.rest.is_empty() {
            match Pin::new(&mut this.payload).poll_next(context) {
                Poll::Ready(Some(Ok(bytes))) => this.rest = bytes,
                other => return other,
            }
        }
        let taken = this.take();
        this.has_ended_frame = this.place == Place::Between;
        Poll::Ready(Some(Ok(taken)))
    }
}

/// The beginning of a frame (RFC 6455, section 5.2): its kind, its length, and the mask.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Head {
    bytes: [u8; 14],
    count: usize,
}

impl Head {
    fn with(mut self, byte: u8) -> Self {
        if let Some(next) = self.bytes.get_mut(self.count) {
            *next = byte;
            self.count += 1;
        }
        self
    }

    /// Returns the length of the frame, if the head is complete.
    fn length(self) -> Option<u64> {
        let [_, second, long @ ..] = self.bytes;
        let (is_masked, short) = (second & 0x80 != 0, second & 0x7f);
        let extended = match short {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let size = 2 + extended + if is_masked { 4 } else { 0 };
        if self.count < size {
            return None;
        }
        let long = long.iter().take(extended);
        Some(match extended {
            0 => u64::from(short),
            _ => long.fold(0, |length, byte| length << 8 | u64::from(*byte)),
        })
    }
}
