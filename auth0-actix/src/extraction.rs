//! The future of the extractors.
use crate::{
    error::AuthError,
    unread_body::UnreadBody,
    verdict::{Verdict, only_header, verify_once, verify_once_now},
    verifier::verifier,
};
use actix_web::{HttpRequest, dev::Payload, http::header::HeaderValue};
use auth0_core::{Auth0, Error, VerifiedToken};
use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

/// The future of an extractor. With the issuer's keys in memory, which is nearly always so, it is ready at
/// its first poll.
pub struct Extraction<T>(Step<T>);

/// Finds the token that a middleware has admitted, given the only `Authorization` header.
pub(crate) type Admitted = fn(&Auth0, &HttpRequest, Option<&HeaderValue>) -> Option<VerifiedToken>;

/// Converts a verdict about the only `Authorization` header to the argument of the handler.
pub(crate) type Extract<T> =
    fn(&Auth0, Verdict, &HttpRequest, Option<&HeaderValue>) -> Result<T, Error>;

enum Step<T> {
    /// The result, until it is taken.
    Ready(Option<Result<T, AuthError>>),
    Waiting(Pin<Box<dyn Future<Output = Result<T, AuthError>>>>),
}

impl<T: 'static> Extraction<T> {
    /// Creates the future.
    pub(crate) fn new(
        request: &HttpRequest,
        payload: &mut Payload,
        admitted: Admitted,
        extract: Extract<T>,
    ) -> Self {
        let auth = match verifier(request) {
            Ok(auth) => auth,
            Err(error) => {
                let body = UnreadBody::share(payload);
                return Self::ready(Err(AuthError::from(error).with_body(body)));
            }
        };
        let header = only_header(request);
        let admitted = admitted(&auth, request, header).map(Ok);
        if let Some(verdict) = admitted.or_else(|| verify_once_now(&auth, request, header)) {
            return Self::ready(extract(&auth, verdict, request, header).map_err(|error| {
                let refused = AuthError::of_extractor(&auth, error, request);
                refused.with_body(UnreadBody::share(payload))
            }));
        }
        let (request, body) = (request.clone(), UnreadBody::share(payload));
        Self(Step::Waiting(Box::pin(async move {
            let verdict = verify_once(&auth, request.clone()).await;
            extract(&auth, verdict, &request, only_header(&request))
                .map_err(|error| AuthError::of_extractor(&auth, error, &request).with_body(body))
        })))
    }

    const fn ready(result: Result<T, AuthError>) -> Self {
        Self(Step::Ready(Some(result)))
    }
}

// The extracted value is never pinned.
impl<T> Unpin for Extraction<T> {}

impl<T> Future for Extraction<T> {
    type Output = Result<T, AuthError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let result = match &mut self.0 {
            // A future must not be polled after its end. If it is, it stays pending.
            Step::Ready(result) => result.take().map_or(Poll::Pending, Poll::Ready),
            Step::Waiting(future) => future.as_mut().poll(context),
        };
        // Not earlier: actix drops the extractors that follow one that has failed.
        if let Poll::Ready(Err(error)) = &result {
            error.start_watch();
        }
        result
    }
}

impl<T> fmt::Debug for Extraction<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extraction").finish_non_exhaustive()
    }
}
