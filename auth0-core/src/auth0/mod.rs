//! The handle of a verifier.
mod authorization;
mod authorization_server;
mod backchannel_logout;
mod builder;
mod completion;
mod environment;
mod id_token;
mod issued_signature;
mod key_maintenance;
mod large_token;
mod limits;
mod logout_token;
mod pasted;
mod pending;
mod pipeline;
mod refusal_log;
mod refusal_watch;
mod resource_metadata;
mod revocation_check;
mod token_cache;
mod verifier;

pub use authorization_server::AuthorizationServer;
pub use backchannel_logout::{
    BackchannelLogout, LogoutResponse, LogoutSink, backchannel_logout_with, use_of,
};
pub use builder::Builder;
pub use environment::{one_variable, variables};
pub use id_token::{IdTokenError, user_of_session, verify_id_token, without_introduction};
pub use logout_token::{LogoutToken, LogoutTokenError};
pub use refusal_watch::RefusalWatch;
pub use resource_metadata::{MetadataResponse, ResourceMetadata};
pub use revocation_check::is_revoked_by_id;

use crate::{
    config_error::ConfigError,
    error::{Error, ErrorCode},
    policy::RequestContext,
    request::{Credentials, HttpParts, RequestView},
    runtime::fetch_thread::passed,
    token::{Binding, VerifiedToken},
};
use std::{fmt, future::Future, sync::Arc, time::Duration};
use verifier::Verifier;

/// Verifies access tokens of an Auth0 tenant, or of [several issuers](crate::TrustedIssuer). Clones are
/// cheap, and share keys and settings.
///
/// ```
/// use auth0_core::Auth0;
///
/// let auth = Auth0::builder()
///     .domain("acme.eu.auth0.com")
///     .audience("https://api.acme.com")
///     .build()?;
/// assert_eq!(auth.issuers().collect::<Vec<_>>(), ["https://acme.eu.auth0.com/"]);
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
///
/// `build` fetches nothing: the first request fetches the keys, or [`warm_up`](Self::warm_up). Fetches run on
/// one thread of the process, `auth0-fetch`, so the futures of this type can be awaited on any runtime, and
/// without one.
#[derive(Clone)]
pub struct Auth0(Arc<Verifier>);

impl Auth0 {
    /// Starts a configuration. It needs a domain (or an issuer, or a resolver) and an audience.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Creates a verifier from environment variables: `AUTH0_DOMAIN` (or `AUTH0_ISSUER`, a full issuer URL)
    /// and `AUTH0_AUDIENCE`, each with one value or several separated by commas, or `AUTH0_RESOURCE` instead of
    /// the audience or beside it (see [`Builder::resource`]). Optional are `AUTH0_DPOP`
    /// (`allowed`, `required` or `disabled`: see [`Dpop`](crate::Dpop)), `AUTH0_PUBLIC_URL` (see
    /// [`Builder::public_url`]) and `AUTH0_TRUSTED_PROXIES` (see [`Builder::trusted_proxies`]), separated
    /// by commas. Quotation marks around a value and a JSON array of strings are read as they are meant.
    ///
    /// # Errors
    /// A variable is missing or not valid. The text says what to write instead.
    pub fn from_env() -> Result<Self, ConfigError> {
        Builder::from_env()?.build()
    }

    /// Verifies the credentials of a request.
    ///
    /// With the issuer's keys in memory, which is nearly always so, the future is ready at its first poll.
    ///
    /// # Errors
    /// See [`ErrorCode`](crate::ErrorCode) for all of them. [`Error::challenge`] returns the response to
    /// each.
    pub async fn authenticate(&self, request: &RequestView<'_>) -> Result<VerifiedToken, Error> {
        self.0.verify(self.credentials(request), request.parts).await
    }

    fn credentials<'a>(&self, request: &RequestView<'a>) -> Result<Credentials<'a>, Error> {
        Credentials::parse(request, self.0.schemes, self.0.max_token_bytes)
    }

    /// Verifies the credentials of a request without waiting. Returns `None` if the key that the token
    /// names is not in memory, if used proofs are remembered in another process, or if a
    /// [resolver](crate::resolver::IssuerResolver) must be called. Nothing was fetched, logged or counted
    /// then: continue with [`authenticate`](Self::authenticate), which waits. Code that does not continue
    /// refuses the tokens of a new key until the next refresh in the background.
    ///
    /// ```
    /// # use auth0_testing::Tenant;
    /// use auth0_core::adapter::RequestView;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let tenant = Tenant::new();
    /// let auth = tenant.auth0();
    /// let header = format!("Bearer {}", tenant.token().mint());
    /// let request = RequestView::new().authorization([header.as_bytes()]);
    ///
    /// assert!(auth.authenticate_now(&request).is_none()); // the keys are not fetched yet
    /// auth.warm_up().await?;
    /// assert!(auth.authenticate_now(&request).is_some_and(|verdict| verdict.is_ok()));
    /// # Ok::<(), auth0_core::Error>(())
    /// # }).unwrap()
    /// ```
    ///
    /// # Errors
    /// As for [`authenticate`](Self::authenticate).
    #[must_use]
    pub fn authenticate_now(
        &self,
        request: &RequestView<'_>,
    ) -> Option<Result<VerifiedToken, Error>> {
        self.0.verify_now(self.credentials(request), request.parts)
    }

    /// Verifies a token that did not come in a header, for example in a message of a queue or in the
    /// metadata of a call. It is verified like a bearer token.
    ///
    /// # Errors
    /// As for [`authenticate`](Self::authenticate).
    pub async fn verify(&self, token: &str) -> Result<VerifiedToken, Error> {
        let Verifier { schemes, max_token_bytes, .. } = &*self.0;
        let credentials = Credentials::bearer(token.as_bytes(), *schemes, *max_token_bytes);
        self.0.verify(credentials, None).await
    }

    /// Verifies a token that renews a connection, which was opened with another. The client has proven on this
    /// connection that it holds what the other is bound to: the new one must be bound to the same.
    pub(crate) async fn verify_renewal(
        &self,
        token: &str,
        opened_with: &VerifiedToken,
        opened_by: Option<&(impl HttpParts + RequestContext)>,
    ) -> Result<VerifiedToken, Error> {
        let (scheme, limit) = (opened_with.scheme(), self.0.max_token_bytes);
        let parts = opened_by.map(|request| request as &dyn HttpParts);
        let credentials = Credentials::renewal(token.as_bytes(), scheme, parts, limit);
        let token = self.0.verify(credentials, parts).await?;
        if Binding::is_same(token.binding(), opened_with.binding()) {
            return Ok(token);
        }
        let error = Error::new(ErrorCode::TokenBindingMismatch)
            .because("the token is not bound as that of the connection is")
            .expecting(
                "the key or certificate of the token that the connection was opened with, or none",
            )
            .advising("Let the client request a token for the same key, or connect again")
            .with_scheme(scheme);
        Err(self.refuse_for(Some(&token), error, || opened_by))
    }

    /// Returns a future that is ready after this long, on the clock or in real time.
    pub(crate) fn passed(&self, time: Duration) -> impl Future<Output = ()> + Send + use<> {
        passed(&*self.0.clock, time)
    }

    /// Returns whether the token is in the token cache (see [`Builder::token_cache`]), so that verifying it
    /// again is cheap. Adapters need not keep such a token for the rest of a request. The token of a
    /// resolved issuer does not count, because a middleware may change the request that it depends on.
    pub(crate) fn has_cached(&self, token: &VerifiedToken) -> bool {
        !self.0.tokens.is_off() && token.is_cached() && token.accepted_by().position.is_some()
    }

    /// Returns whether a token was verified by this verifier, and of an issuer that is configured.
    pub(crate) fn has_verified(&self, token: &VerifiedToken) -> bool {
        self.0.issuers.that_accepted(token.accepted_by()).is_some()
    }

    pub(crate) fn is_from_proxy(&self, request: &dyn HttpParts) -> bool {
        self.0.origin.is_trusted_proxy(request)
    }

    /// Returns whether two values are clones of one verifier. A verdict of one verifier must not be used for
    /// another, because they may trust different audiences.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl From<Verifier> for Auth0 {
    fn from(verifier: Verifier) -> Self {
        Self(Arc::new(verifier))
    }
}

impl fmt::Debug for Auth0 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Auth0");
        match self.0.issuers.only() {
            Some(only) => {
                debug.field("issuer", &only.name()).field("audiences", &only.validation.audiences)
            }
            None => debug.field("issuers", &self.0.issuers),
        };
        debug.finish_non_exhaustive()
    }
}
