//! Nonces of the resource server (RFC 9449 §9), without state: the authentication tag of a period of time.
use crate::{config_error::ConfigError, jose::base64url};
use aws_lc_rs::{hmac, rand};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{fmt, sync::Arc, time::Duration};

/// Short enough that a proof that was created in advance soon becomes useless.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(300);
const LONGEST_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The length that a key of HMAC-SHA256 should have (RFC 2104 §3).
const SECRET_LEN: usize = 32;

/// Half of a tag is as hard to guess as a key of 128 bits.
const TAG_LEN: usize = 16;

/// Nonces that proofs must have, derived from a secret and the time: see
/// [`Dpop::nonces`](crate::Dpop::nonces).
///
/// Nothing is stored. A nonce is issued for one lifetime, and accepted for one more. Instances that share a
/// secret accept each other's nonces.
///
/// ```
/// use auth0_core::{Auth0, Dpop, dpop::DpopNonces};
///
/// let secret = [7; 32]; // from your secret store, the same on every instance
/// let auth = Auth0::builder()
///     .domain("acme.eu.auth0.com")
///     .audience("https://api.acme.com")
///     .dpop(Dpop::required().nonces(DpopNonces::with_secret(secret)))
///     .build()?;
/// # let _ = auth;
///
/// let short = Dpop::required().nonces(DpopNonces::with_secret("short"));
/// let error = Auth0::builder().domain("a.eu.auth0.com").audience("x").dpop(short).build().unwrap_err();
/// assert!(error.to_string().contains("32 bytes"));
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use]
pub struct DpopNonces {
    secret: Option<Arc<[u8]>>,
    key: Option<Arc<hmac::Key>>,
    lifetime: Duration,
}

/// The age of a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    Current,
    /// It is accepted until the end of this period.
    Ending,
    /// It is too old, or not a nonce of this service.
    Stale,
}

impl DpopNonces {
    /// Creates nonces for one process: each verifier has a random secret.
    pub const fn per_process() -> Self {
        Self { secret: None, key: None, lifetime: DEFAULT_LIFETIME }
    }

    /// Creates nonces that all instances with this secret share. The secret must have at least 32 bytes.
    pub fn with_secret(secret: impl AsRef<[u8]>) -> Self {
        Self { secret: Some(secret.as_ref().into()), ..Self::per_process() }
    }

    /// Sets how long one nonce is issued, in whole seconds (a fraction is dropped): 300 s by default, at
    /// most a day. It is accepted for the same time again.
    pub fn lifetime(mut self, time: Duration) -> Self {
        self.lifetime = time;
        self
    }

    pub(crate) fn checked(mut self) -> Result<Self, ConfigError> {
        if self.lifetime.as_secs() == 0 || self.lifetime > LONGEST_LIFETIME {
            return Err(ConfigError::new(format!(
                "a DPoP nonce cannot be valid for {:?}. Write 1 s to 24 h",
                self.lifetime
            )));
        }
        let mut made_up = [0; SECRET_LEN];
        let secret = match &self.secret {
            Some(secret) if secret.len() < SECRET_LEN => {
                return Err(ConfigError::new(format!(
                    "the secret of the DPoP nonces has {} bytes. Use at least {SECRET_LEN} bytes of randomness",
                    secret.len()
                )));
            }
            Some(secret) => secret,
            None => {
                rand::fill(&mut made_up)
                    .map_err(|_| ConfigError::new("the system has no randomness"))?;
                &made_up[..]
            }
        };
        self.key = Some(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, secret)));
        self.secret = None;
        Ok(self)
    }

    /// Returns the nonce that is issued now.
    pub(crate) fn current(&self, now: Duration) -> String {
        self.tag(self.period(now)).map_or_else(String::new, |tag| URL_SAFE_NO_PAD.encode(tag))
    }

    pub(crate) fn freshness(&self, nonce: &str, now: Duration) -> Freshness {
        let period = self.period(now);
        // Comparing in constant time is not needed, because every client knows the nonces.
        let is_of = |period| {
            base64url::decode(nonce)
                .is_some_and(|tag| Some(&*tag) == self.tag(period).as_ref().map(|tag| &tag[..]))
        };
        if is_of(period) {
            Freshness::Current
        } else if period.checked_sub(1).is_some_and(is_of) {
            Freshness::Ending
        } else {
            Freshness::Stale
        }
    }

    fn period(&self, now: Duration) -> u64 {
        now.as_secs() / self.lifetime.as_secs().max(1)
    }

    fn tag(&self, period: u64) -> Option<[u8; TAG_LEN]> {
        let tag = hmac::sign(self.key.as_deref()?, &period.to_be_bytes());
        tag.as_ref().first_chunk().copied()
    }
}

impl fmt::Debug for DpopNonces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DpopNonces").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}
