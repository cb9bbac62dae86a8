//! The body of a request, read to its end within a limit.
use axum_core::body::Body;
use bytes::{Bytes, BytesMut};
use http::Method;
use http_body::Body as _;
use std::{future::poll_fn, mem, pin::Pin};

/// The reason why a body was not read to its end.
pub(crate) enum Unread {
    TooLarge,
    Incomplete,
}

/// Reads the form of a request: `None` if it is longer than the limit, and an empty one if it does not arrive, or if the
/// method has no form.
pub(crate) async fn whole_form(method: &Method, body: Body, limit: usize) -> Option<Bytes> {
    if method != Method::POST {
        return Some(Bytes::new());
    }
    match whole_body(body, limit).await {
        Ok(body) => Some(body),
        Err(Unread::TooLarge) => None,
        Err(Unread::Incomplete) => Some(Bytes::new()),
    }
}

/// Reads the whole body.
pub(crate) async fn whole_body(mut body: Body, limit: usize) -> Result<Bytes, Unread> {
    if body.size_hint().lower() > limit as u64 {
        return Err(Unread::TooLarge);
    }
    let (mut first, mut all) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(chunk) = frame.map_err(|_| Unread::Incomplete)?.into_data() else { continue };
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
