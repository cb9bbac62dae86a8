//! The authorization server: its endpoints, and requests to them with deadline, repetition and limits.
//!
//! All of this runs on the thread `auth0-fetch`.
mod attempt;
mod call;
mod deadline;
mod endpoint;
mod metadata;
mod sending;

pub(crate) use call::{Body, Call, Repeat};
pub(crate) use deadline::Deadline;
pub(crate) use endpoint::Endpoint;

use crate::{authentication::Authentication, error::Error, key::SigningKey, proof::Prover};
use auth0_core::{
    Issuer,
    support::{PlainHttp, ServerMetadata},
    time::Clock,
    transport::{HttpClient, HttpResponse},
};
use metadata::KnownMetadata;
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::Semaphore;

/// Requests that are sent at once. Others wait within their deadline: each has a connection of its own.
const MAX_CONCURRENT: usize = 64;

/// The settings of a client that requests depend on.
pub(crate) struct Server {
    pub(crate) issuer: Issuer,
    /// Whether it is a tenant of Auth0, which was given by its domain.
    is_auth0: bool,
    pub(crate) plain_http: PlainHttp,
    pub(crate) http: Arc<dyn HttpClient>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) client_id: Box<str>,
    pub(crate) authentication: Authentication,
    /// The DPoP key, if tokens must be bound to one.
    pub(crate) prover: Option<Arc<Prover>>,
    /// The header `Auth0-Client`.
    pub(crate) telemetry: Option<String>,
    request_key: Option<SigningKey>,
    state: State,
}

struct State {
    metadata: KnownMetadata,
    permits: Semaphore,
    /// The end of each endpoint's rate limit, on the monotonic clock.
    stopped_until: Mutex<HashMap<Endpoint, Duration>>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            metadata: KnownMetadata::default(),
            permits: Semaphore::new(MAX_CONCURRENT),
            stopped_until: Mutex::default(),
        }
    }
}

/// What a [`Server`] is made of.
pub(crate) struct ServerParts {
    pub(crate) issuer: Issuer,
    pub(crate) is_auth0: bool,
    pub(crate) plain_http: PlainHttp,
    pub(crate) http: Arc<dyn HttpClient>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) client_id: Box<str>,
    pub(crate) authentication: Authentication,
    pub(crate) prover: Option<Arc<Prover>>,
    pub(crate) telemetry: Option<String>,
    /// The key of signed requests, if the client authenticates in another way.
    pub(crate) request_key: Option<SigningKey>,
}

impl Server {
    pub(crate) fn new(parts: ServerParts) -> Arc<Self> {
        let ServerParts {
            issuer,
            is_auth0,
            plain_http,
            http,
            clock,
            client_id,
            authentication,
            prover,
            telemetry,
            request_key,
        } = parts;
        let state = State::default();
        Arc::new(Self {
            issuer,
            is_auth0,
            plain_http,
            http,
            clock,
            client_id,
            authentication,
            prover,
            telemetry,
            request_key,
            state,
        })
    }

    /// Returns the URL of a path at the issuer.
    pub(crate) fn at(&self, path: &str) -> String {
        endpoint::below(self.issuer.as_str(), path)
    }

    /// Returns whether the server is a tenant of Auth0, which may have been given as an issuer with a domain of its own: it
    /// has the paths of one then.
    pub(crate) fn is_of_auth0(&self, metadata: &ServerMetadata) -> bool {
        let has = |name: &str, path: &str| {
            let named = metadata.endpoint(name);
            named.is_some_and(|url| url == endpoint::below(metadata.issuer().as_str(), path))
        };
        self.is_auth0
            || has("authorization_endpoint", "authorize") && has("token_endpoint", "oauth/token")
    }

    /// Sends a request, repeats it as far as its rules permit, and returns the answer if it is a success.
    ///
    /// Must be called on the thread `auth0-fetch`.
    pub(crate) async fn call(
        self: &Arc<Self>,
        call: &Call,
        deadline: &Deadline,
    ) -> Result<HttpResponse, Error> {
        deadline.watch(&*self.clock, sending::send(self, call, deadline)).await
    }

    /// Returns the metadata of the issuer.
    pub(crate) async fn metadata(
        self: &Arc<Self>,
        deadline: &Deadline,
    ) -> Result<Arc<ServerMetadata>, Error> {
        deadline.watch(&*self.clock, self.state.metadata.get(self, deadline)).await
    }

    /// Returns the key of signed requests.
    pub(crate) fn signing_key(&self) -> Option<&SigningKey> {
        self.request_key.as_ref().or(self.authentication.signing_key())
    }

    pub(crate) const fn has_certificate(&self) -> bool {
        matches!(self.authentication, Authentication::Certificate)
    }

    /// Logs the failure of a request.
    pub(crate) fn log(&self, call: &Call, error: &Error) {
        sending::log(self, call, error);
    }

    /// Returns the URL of an endpoint that the application's users visit.
    pub(crate) fn url(
        &self,
        endpoint: Endpoint,
        metadata: &ServerMetadata,
    ) -> Result<String, Error> {
        endpoint.url(metadata, false, self.is_auth0)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}
