//! The transport of a tenant, and how it fails.
use super::{Tenant, settle};
use auth0_core::{
    BoxFuture,
    transport::{HttpClient, HttpError, HttpRequest, HttpResponse},
};
use std::{future, time::Duration};

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
    /// A connection and no answer. A fetch gives up after five seconds of the tenant's clock, or of real
    /// time: advance the clock, so that a test does not wait.
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
    fn send<'a>(
        &'a self,
        request: HttpRequest<'a>,
    ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
        settle::note_thread();
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
            let failure = tenant.asked_for(document);
            tenant.released().await;
            let answer = match failure {
                None => Ok(HttpResponse::json(match document {
                    Document::Metadata => tenant.metadata_json(),
                    Document::KeySet => tenant.key_set_json(),
                })),
                Some(Failure::Unreachable) => Err(HttpError::new("connection refused")),
                Some(Failure::Hang) => future::pending().await,
                Some(Failure::Status(status)) => Ok(HttpResponse::new(status, [])),
                Some(Failure::RateLimited(delay)) => {
                    let seconds = delay.as_secs().to_string();
                    Ok(HttpResponse::new(429, []).with_header("retry-after", seconds))
                }
                Some(Failure::Answer(answer)) => Ok(answer),
            };
            tokio::task::yield_now().await;
            answer
        })
    }
}
