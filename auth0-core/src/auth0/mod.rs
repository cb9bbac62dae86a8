//! The handle of a verifier.
mod authorization;
mod builder;
mod environment;
mod key_maintenance;
mod pending;
mod pipeline;
mod token_cache;
mod verifier;

pub use builder::Builder;

use crate::{
    config_error::ConfigError,
    error::Error,
    possession::dpop::Replay,
    request::{Credentials, RequestView},
    token::VerifiedToken,
};
use std::{fmt, sync::Arc};
use verifier::Verifier;

/// Verifies access tokens of an Auth0 tenant, or of [several issuers](crate::TrustedIssuer). A
/// cheap handle: clones share keys and settings.
///
/// ```
/// use auth0_core::Auth0;
///
/// let auth = Auth0::builder()
///     .domain("acme.eu.auth0.com")
///     .audience("https://api.acme.com")
///     .build()?;
/// # let _ = auth;
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
///
/// Building one fetches nothing; the first request does, or [`warm_up`](Self::warm_up). Keys are
/// fetched on one thread of the process, `auth0-fetch`, so that the futures of this type can be awaited on
/// any runtime, and without one.
#[derive(Clone)]
pub struct Auth0(Arc<Verifier>);

impl Auth0 {
    /// Starts a configuration. It needs a domain (or an issuer, or a resolver) and an audience.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Creates a verifier from the environment: `AUTH0_DOMAIN` (or `AUTH0_ISSUER`, a full issuer URL)
    /// and `AUTH0_AUDIENCE`, one of each or several with commas between them. If they are set, also
    /// `AUTH0_DPOP` (`allowed`, `required` or `disabled`: see [`Dpop`](crate::Dpop)), `AUTH0_PUBLIC_URL`
    /// (see [`Builder::public_url`]) and `AUTH0_TRUSTED_PROXIES` (see [`Builder::trusted_proxies`]), with
    /// commas between them.
    ///
    /// # Errors
    /// A variable is missing or cannot work; the text says what to write instead.
    pub fn from_env() -> Result<Self, ConfigError> {
        Builder::from_env()?.build()
    }

    /// Verifies the credentials of a request.
    ///
    /// With the issuer's keys in memory, which is nearly always, the future is ready when it is
    /// first polled.
    ///
    /// # Errors
    /// See [`ErrorCode`](crate::ErrorCode) for all of them. [`Error::challenge`] is the answer to each.
    pub async fn authenticate(&self, request: &RequestView<'_>) -> Result<VerifiedToken, Error> {
        self.0.verify(self.credentials(request)).await
    }

    fn credentials<'a>(&self, request: &RequestView<'a>) -> Result<Credentials<'a>, Error> {
        Credentials::parse(request, self.0.schemes, self.0.max_token_bytes)
    }

    /// Verifies without waiting. Returns `None` if there are no keys in memory, or not the one that the
    /// token names, or if used proofs are remembered elsewhere, or a
    /// [resolver](crate::resolver::IssuerResolver) has to be asked. Nothing has happened then, nothing is
    /// fetched, logged or counted: go on with [`authenticate`](Self::authenticate), which asks the issuer.
    /// Code that never does so refuses the tokens of a new key until the next refresh in the background.
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
        let credentials = self.credentials(request);
        // The proof would be checked twice, once here and once where the store is asked.
        if let (Ok(Credentials { proof: Some(_), .. }), Replay::Store(_)) =
            (&credentials, &self.0.dpop.replay)
        {
            return None;
        }
        self.0.verify_now(credentials)
    }

    /// Verifies a token that did not come in a header: in a message of a queue, in the metadata of
    /// a call. It is verified like a bearer token.
    ///
    /// # Errors
    /// As for [`authenticate`](Self::authenticate).
    pub async fn verify(&self, token: &str) -> Result<VerifiedToken, Error> {
        let Verifier { schemes, max_token_bytes, .. } = &*self.0;
        self.0.verify(Credentials::bearer(token.as_bytes(), *schemes, *max_token_bytes)).await
    }

    /// Returns whether the token is in the verifier's cache (see
    /// [`Builder::token_cache`](crate::Builder::token_cache)), so that verifying it again is cheap. For
    /// adapters, which need not keep such a token for the rest of a request. The token of a resolved issuer
    /// does not count: a middleware may change the request that it depends on.
    pub(crate) fn has_cached(&self, token: &VerifiedToken) -> bool {
        !self.0.tokens.is_off() && token.is_cached() && !token.accepted_by().is_resolved
    }

    /// Returns whether two handles are clones of one verifier. A verdict of one verifier about a request
    /// must not be used for another: they may trust different audiences.
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
