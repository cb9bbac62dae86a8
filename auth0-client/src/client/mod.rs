//! The client of one tenant.
mod builder;
mod environment;

pub use builder::ClientBuilder;

use crate::{
    cache::{Outcome, TokenCache},
    error::{Error, ErrorKind},
    secret::Secret,
    server::{Call, Deadline, Server},
    token::{Expected, Tokens, read},
};
use auth0_core::{
    ConfigError,
    support::fetch_thread::{self, Task},
    transport::HttpResponse,
};
use std::{fmt, sync::Arc, time::Duration};

/// Requests tokens from the Authentication API of a tenant. Clones are cheap, and share the tokens in memory.
///
/// | for | call |
/// |---|---|
/// | this service itself | [`machine`](Self::machine) |
/// | the caller of this API, at another API | [`delegation`](Self::delegation) |
/// | the caller's account at another provider (Token Vault) | [`connection`](Self::connection) |
/// | a token of another system | [`exchange`](Self::exchange) |
/// | a user who approves on another device | [`backchannel`](Self::backchannel), [`device`](Self::device) |
/// | a user with a code by e-mail or SMS | [`passwordless`](Self::passwordless) |
/// | a user who has to pass another factor | [`mfa`](Self::mfa) |
/// | a session | [`refresh`](Self::refresh), [`revoke`](Self::revoke) |
/// | a login that starts with a pushed request | [`authorization_request`](Self::authorization_request) |
/// | any other grant | [`grant`](Self::grant) |
///
/// `build` sends nothing. Requests run on the thread `auth0-fetch` of the process, so all futures can be awaited on
/// any runtime.
///
/// ```
/// use auth0_client::Client;
///
/// let client = Client::builder()
///     .domain("acme.eu.auth0.com")
///     .client_id("reporting")
///     .client_secret("secret")
///     .build()?;
/// let orders = client.machine("https://orders.acme.com").build()?;
/// # drop(orders);
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct Client(pub(crate) Arc<Shared>);

/// What all handles of a client share.
pub(crate) struct Shared {
    pub(crate) server: Arc<Server>,
    pub(crate) cache: Arc<TokenCache>,
    pub(crate) deadline: Duration,
}

impl Client {
    /// Starts a configuration. It needs a domain (or an issuer), a client id, and a way to authenticate.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::new()
    }

    /// Creates a client from environment variables:
    ///
    /// | variable | meaning |
    /// |---|---|
    /// | `AUTH0_DOMAIN` or `AUTH0_ISSUER` | the tenant |
    /// | `AUTH0_CLIENT_ID` | the application |
    /// | `AUTH0_CLIENT_SECRET` | its secret; or |
    /// | `AUTH0_CLIENT_ASSERTION_SIGNING_KEY` | its private key: PEM, or the path of a file with PEM |
    /// | `AUTH0_CLIENT_ASSERTION_SIGNING_ALG` | the algorithm of the key; `RS256` by default |
    /// | `AUTH0_CLIENT_DPOP` | `required`: all tokens are bound to a DPoP key. `disabled` by default |
    /// | `AUTH0_DPOP_PRIVATE_KEY` | this key, if several instances share it: PEM, or a path |
    /// | `AUTH0_ALLOW_HTTP_HOSTS` | hosts that may be reached over http, for development |
    ///
    /// # Errors
    /// A variable is missing or not valid. The text says what to write instead.
    pub fn from_env() -> Result<Self, ConfigError> {
        ClientBuilder::from_env()?.build()
    }

    /// Returns the issuer of the tenant.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.0.server.issuer.as_str()
    }

    /// Returns the id of the application.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.0.server.client_id
    }

    /// Returns the thumbprint of the DPoP key, if tokens are bound to one: `dpop_jkt` of an authorization request.
    #[must_use]
    pub fn dpop_thumbprint(&self) -> Option<String> {
        self.0.server.prover.as_ref().map(|prover| prover.key.thumbprint())
    }

    /// Removes all tokens from memory. A [`TokenSource`](crate::TokenSource) keeps its own.
    pub fn clear(&self) {
        self.0.cache.clear();
    }
}

impl Shared {
    /// Requests tokens. Must be called on the thread `auth0-fetch`.
    pub(crate) async fn tokens(
        &self,
        call: &Call,
        scope: &str,
        subject_ends_at: Option<Duration>,
        refresh_token: Option<&Secret>,
        deadline: &Deadline,
    ) -> Outcome {
        let requested_at = self.server.clock.moment();
        let answer = self.server.call(call, deadline).await;
        let answer = answer.map_err(|error| error.with_scope(scope))?;
        let expected = Expected {
            requested_at,
            scope,
            subject_ends_at,
            prover: self.server.prover.as_ref().filter(|_| call.is_bound),
            has_certificate: self.server.has_certificate() && call.is_bound,
            refresh_token,
        };
        let held =
            read(answer.body(), &expected).map_err(|error| error.with_status(answer.status()));
        held.map(Arc::new).inspect_err(|error| self.server.log(call, error))
    }

    /// Requests the tokens of a user, once. The request is cancelled if the future is dropped.
    pub(crate) async fn tokens_once(
        self: &Arc<Self>,
        call: Call,
        scope: String,
        refresh_token: Option<Secret>,
        limit: Duration,
    ) -> Result<Tokens, Error> {
        let shared = Arc::clone(self);
        self.on_thread(async move {
            let deadline = Deadline::after(limit, &*shared.server.clock);
            shared.tokens(&call, &scope, None, refresh_token.as_ref(), &deadline).await.map(Tokens)
        })
        .await
    }

    /// Sends a request whose answer has no tokens.
    pub(crate) async fn answer(
        self: &Arc<Self>,
        call: Call,
        limit: Duration,
    ) -> Result<HttpResponse, Error> {
        let shared = Arc::clone(self);
        self.on_thread(async move {
            let deadline = Deadline::after(limit, &*shared.server.clock);
            shared.server.call(&call, &deadline).await
        })
        .await
    }

    /// Returns the issuer in the spelling of its metadata, to which signed requests are addressed.
    pub(crate) async fn issuer(&self, limit: Duration) -> Result<String, Error> {
        let server = Arc::clone(&self.server);
        self.on_thread(async move {
            let deadline = Deadline::after(limit, &*server.clock);
            Ok(server.metadata(&deadline).await?.issuer().as_str().to_owned())
        })
        .await
    }

    /// Runs work on the thread `auth0-fetch`, until the caller does not wait any more.
    pub(crate) async fn on_thread<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, Error>> + Send + 'static,
    ) -> Result<T, Error> {
        let unavailable = |cause: String| Error::new(ErrorKind::Unavailable, cause);
        let task = fetch_thread::spawn(work).map_err(|error| unavailable(error.to_string()))?;
        match Task::new(task).await {
            Ok(result) => result,
            Err(_) => Err(unavailable("The request panicked".into())),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("issuer", &self.issuer())
            .field("client_id", &self.client_id())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.server.fmt(f)
    }
}
