//! The body of a request, read to its end within a limit.
use crate::unread_body::UnreadBody;
use actix_web::{
    HttpRequest,
    dev::Payload,
    http::{
        Method,
        header::{CONTENT_LENGTH, HeaderMap, HeaderValue, TRANSFER_ENCODING, UPGRADE},
    },
    web::{self, Bytes, BytesMut},
};
use futures_core::Stream;
use std::{future::poll_fn, mem, pin::Pin};

/// The reason why a body was not read to its end.
pub(crate) enum Unread {
    TooLarge,
    Incomplete,
}

/// Returns whether the body has no end, because the connection becomes another protocol: actix-http reads it until the
/// client closes the connection, whatever `Connection` and `Content-Length` say.
fn is_endless(request: &HttpRequest) -> bool {
    let is_websocket =
        |name: &HeaderValue| name.as_bytes().trim_ascii().eq_ignore_ascii_case(b"websocket");
    let headers = request.headers();
    !headers.contains_key(TRANSFER_ENCODING)
        && (request.method() == Method::CONNECT || headers.get_all(UPGRADE).any(is_websocket))
}

/// Reads the form of a request: `None` if it is longer than the limit, and an empty one if it does not arrive, or if the
/// method has no form. The response keeps the body that was not read to its end.
pub(crate) async fn whole_form(
    request: &HttpRequest,
    payload: web::Payload,
    limit: usize,
) -> (Option<Bytes>, Option<UnreadBody>) {
    let mut payload = payload.into_inner();
    if request.method() != Method::POST || is_endless(request) {
        return (Some(Bytes::new()), UnreadBody::take(payload));
    }
    match whole_body(request.headers(), &mut payload, limit).await {
        Ok(body) => (Some(body), None),
        Err(Unread::TooLarge) => (None, UnreadBody::take(payload)),
        Err(Unread::Incomplete) => (Some(Bytes::new()), None),
    }
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
