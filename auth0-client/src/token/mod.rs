//! Tokens: what Auth0 has issued, how long it is used, and the headers of a request with it.
mod answer;
mod held;
mod lifetime;
mod subject;

pub(crate) use answer::{Expected, read};
pub(crate) use held::{Held, Marks};
pub(crate) use lifetime::{Freshness, Lifetime};
pub use subject::Caller;
pub(crate) use subject::expiry;

use crate::error::{Error, ErrorKind};
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};
use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The headers of a proof, and of the nonce for the next one (RFC 9449 §4.1, §8.1).
pub(crate) const DPOP: HeaderName = HeaderName::from_static("dpop");
#[cfg(any(feature = "send", feature = "tower"))]
pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// An access token for calling another API. Clones are cheap. `Debug` omits the text.
///
/// ```
/// # #[allow(dead_code)]
/// # mod doc { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/doc/tenant.rs")); }
/// # use doc::{run, service};
/// # run(async {
/// let client = service();
/// let token = client.machine("https://orders.acme.com").build()?.token().await?;
/// let headers = token.headers_for("GET", "https://orders.acme.com/orders")?;
/// assert_eq!(headers["authorization"], format!("Bearer {}", token.encoded()));
/// # Ok(())
/// # });
/// ```
#[derive(Clone)]
pub struct Token(pub(crate) Arc<Held>);

impl Token {
    /// Returns the encoded token. It is a secret until it expires, and must not reach a log.
    #[must_use]
    pub fn encoded(&self) -> &str {
        &self.0.access_token
    }

    /// Returns whether the token is sent with the scheme `DPoP`: it is bound to the client's DPoP key, so that each request
    /// needs a proof (RFC 9449 §7), or to its certificate, without a proof.
    #[must_use]
    pub fn is_dpop(&self) -> bool {
        self.0.is_dpop
    }

    /// Returns whether each request with the token needs a proof.
    #[cfg(feature = "tower")]
    pub(crate) fn needs_proof(&self) -> bool {
        self.is_dpop() && self.0.prover.is_some()
    }

    /// Returns the scopes of the token: those of the answer or, if it names none, those that were requested
    /// (RFC 6749 §5.1).
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.0.scope.split_ascii_whitespace()
    }

    /// Returns whether the token has a scope.
    #[must_use]
    pub fn has_scope(&self, name: &str) -> bool {
        self.scopes().any(|scope| scope == name)
    }

    /// Returns the time at which the token expires; for an exchanged token, that of its subject token if that is
    /// earlier. `None` if the answer does not say it: such a token is used once and not kept.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(self.0.lifetime.as_ref()?.ends_at())
    }

    /// Returns the headers of a request with this method and absolute URL: `Authorization` and, for a bound token,
    /// `DPoP` with a proof for this one request. The values are marked as sensitive.
    ///
    /// # Errors
    /// The token is bound, and the URL is not an absolute one.
    pub fn headers_for(&self, method: &str, url: &str) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::with_capacity(2);
        let scheme = if self.is_dpop() { "DPoP" } else { "Bearer" };
        headers.insert(AUTHORIZATION, sensitive(&format!("{scheme} {}", self.encoded()))?);
        if let Some(prover) = self.0.prover.as_ref().filter(|_| self.is_dpop()) {
            headers.insert(DPOP, sensitive(&prover.prove(method, url, Some(self.encoded()))?)?);
        }
        Ok(headers)
    }

    /// Keeps the nonce that an API has sent in `DPoP-Nonce`, for the next proof to its origin: also that of a good answer.
    /// A request that was refused with `use_dpop_nonce` is worth repeating once. The helpers for reqwest and tower do all
    /// of that.
    pub fn keep_nonce(&self, url: &str, nonce: &str) {
        if let Some(prover) = &self.0.prover {
            prover.keep_nonce(url, nonce);
        }
    }
}

fn sensitive(text: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| Error::new(ErrorKind::Malformed, "The token cannot be sent in a header"))?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("is_dpop", &self.is_dpop())
            .field("scope", &self.0.scope)
            .field("expires_at", &self.expires_at())
            .finish_non_exhaustive()
    }
}

/// The tokens of a user: an access token, and those that come with it. Clones are cheap. `Debug` omits all texts.
#[derive(Clone)]
pub struct Tokens(pub(crate) Arc<Held>);

impl Tokens {
    /// Returns the access token.
    #[must_use]
    pub fn access_token(&self) -> Token {
        Token(Arc::clone(&self.0))
    }

    /// Returns the refresh token, which is a secret. After a refresh without a new one, it is the one that was used.
    #[must_use]
    pub fn refresh_token(&self) -> Option<&str> {
        self.0.refresh_token.as_deref()
    }

    /// Returns the ID token. It is not verified: this client received it from the token endpoint itself (OpenID
    /// Connect Core §3.1.3.7, rule 6).
    #[must_use]
    pub fn id_token(&self) -> Option<&str> {
        self.0.id_token.as_deref()
    }

    /// Returns what kind of token the access token is (RFC 8693 §3), for example that of a session transfer.
    #[must_use]
    pub fn issued_token_type(&self) -> Option<&str> {
        self.0.issued_token_type.as_deref()
    }

    /// Returns `authorization_details` as JSON (RFC 9396 §7).
    #[must_use]
    pub fn authorization_details(&self) -> Option<&str> {
        self.0.authorization_details.as_deref()
    }

    /// Returns the recovery code that replaces the one that was used.
    #[must_use]
    pub fn recovery_code(&self) -> Option<&str> {
        self.0.recovery_code.as_deref()
    }

    /// Returns how long the access token is valid, as of the answer.
    #[must_use]
    pub fn expires_in(&self) -> Option<Duration> {
        self.0.lifetime.as_ref().map(Lifetime::total)
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("access_token", &self.access_token())
            .field("has_refresh_token", &self.0.refresh_token.is_some())
            .field("has_id_token", &self.0.id_token.is_some())
            .finish_non_exhaustive()
    }
}
