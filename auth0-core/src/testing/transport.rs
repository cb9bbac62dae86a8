use crate::http::{BoxFuture, HttpClient, HttpError, HttpRequest, HttpResponse};
use std::{future, time::Duration};

use super::Tenant;

/// What an issuer publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Document {
    /// The metadata, at `/.well-known/openid-configuration`.
    Metadata,
    /// The key set, at `/.well-known/jwks.json`.
    KeySet,
}

/// How a fetch goes wrong.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Failure {
    /// No connection.
    Unreachable,
    /// A connection and no answer. A fetch gives up after five seconds of tokio's timer; a test with
    /// `#[tokio::test(start_paused = true)]` does not wait for them.
    Hang,
    /// A status code.
    Status(u16),
    /// Status 429 with a `Retry-After`.
    RateLimited(Duration),
    /// Any answer at all.
    Answer(HttpResponse),
}

/// How often each document was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetches {
    /// The metadata.
    pub metadata: usize,
    /// The key set.
    pub key_set: usize,
}

/// The transport that reaches these tenants without a socket, and nothing else.
#[derive(Clone, Debug)]
pub(crate) struct InProcess(pub(crate) Vec<Tenant>);

impl HttpClient for InProcess {
    fn get<'a>(
        &'a self,
        request: HttpRequest<'a>,
    ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
        Box::pin(async move {
            let path_at =
                |tenant: &Tenant| request.url.strip_prefix(tenant.issuer()).map(str::to_owned);
            let Some((tenant, path)) =
                self.0.iter().find_map(|tenant| Some((tenant, path_at(tenant)?)))
            else {
                return Err(HttpError::new("the test kit reaches no other host"));
            };
            let document = match &*path {
                ".well-known/openid-configuration" => Document::Metadata,
                path if path == tenant.key_set_path() => Document::KeySet,
                _ => return Ok(HttpResponse::new(404, [])),
            };
            // Others get to run while the question and while the answer is on its way.
            tokio::task::yield_now().await;
            let answer = match tenant.asked_for(document) {
                None => Ok(HttpResponse::json(match document {
                    Document::Metadata => tenant.metadata_json(),
                    Document::KeySet => tenant.key_set_json(),
                })),
                Some(Failure::Unreachable) => Err(HttpError::new("connection refused")),
                Some(Failure::Hang) => future::pending().await,
                Some(Failure::Status(status)) => Ok(HttpResponse::new(status, [])),
                Some(Failure::RateLimited(delay)) => {
                    let mut answer = HttpResponse::new(429, []);
                    answer.retry_after = Some(delay);
                    Ok(answer)
                }
                Some(Failure::Answer(answer)) => Ok(answer),
            };
            tokio::task::yield_now().await;
            answer
        })
    }
}
