//! The body of a request, read to its end within a limit.
use actix_web::{
    dev::Payload,
    http::header::{CONTENT_LENGTH, HeaderMap},
    web::{Bytes, BytesMut},
};
use futures_core::Stream;
use std::{future::poll_fn, mem, pin::Pin};

/// The reason why a body was not read to its end.
pub(crate) enum Unread {
    TooLarge,
    Incomplete,
}

/// Reads the whole body.
pub(crate) async fn whole_body(
    headers: &HeaderMap,
    payload: &mut Payload,
    limit: usize,
) -> Result<Bytes, Unread> {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if length.and_then(|length| length.parse().ok()).is_some_and(|length: usize| length > limit) {
        return Err(Unread::TooLarge);
    }
    let (mut first, mut all) = (Bytes::new(), BytesMut::new());
    while let Some(chunk) = poll_fn(|context| Pin::new(&mut *payload).poll_next(context)).await {
        let chunk = chunk.map_err(|_| Unread::Incomplete)?;
        if first.len() + all.len() + chunk.len() > limit {
            return Err(Unread::TooLarge);
        }
        // Most bodies are one chunk, which needs no copy.
        match first.is_empty() && all.is_empty() {
            true => first = chunk,
            false => {
                all.extend_from_slice(&mem::take(&mut first));
                all.extend_from_slice(&chunk);
            }
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}
