//! The transport of a tenant, and its failures.
use super::{Tenant, settle};
use auth0_core::{
    BoxFuture,
    transport::{HttpClient, HttpError, HttpRequest, HttpResponse},
};
use std::{future, time::Duration};

/// A document that an issuer publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Document {
    /// The metadata, at `/.well-known/openid-configuration`.
    Metadata,
    /// The key set, at `/.well-known/jwks.json`.
    KeySet,
}

/// The way in which a fetch fails: see [`Tenant::fail`].
///
/// ```
/// use auth0_testing::{Failure, Tenant};
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let tenant = Tenant::new();
/// tenant.fail(Failure::Status(500));
/// assert_eq!(tenant.auth0().warm_up().await.unwrap_err().status(), 503);
/// # })
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Failure {
    /// There is no connection.
    Unreachable,
    /// There is a connection and no answer. A fetch ends after five seconds of the tenant's clock or of real
    /// time: advance the clock, so that a test does not wait.
    Hang,
    /// The answer has this status code.
    Status(u16),
    /// The answer has the status 429 and this `Retry-After`.
    RateLimited(Duration),
    /// The answer is this one.
    Answer(HttpResponse),
}

/// How often each document was requested.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fetches {
    /// Requests of the metadata.
    pub metadata: usize,
    /// Requests of the key set.
    pub key_set: usize,
}

/// The transport to these tenants without a socket. It reaches no other hosts.
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
            // Other tasks run while the request and while the answer is under way.
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
