//! DPoP proofs, good and wrong.
use super::Tenant;
use crate::{
    draft::{Draft, setters},
    key::SigningKey,
};
use auth0_core::{Algorithm, time::Clock};
use aws_lc_rs::{digest, rand};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Builds a DPoP proof: begun by [`Tenant::proof`], ended by [`mint`](Self::mint).
///
/// It begins as a good proof of the tenant's [client key](Tenant::client_key), with a `jti` of its
/// own each time that it is minted. Each setter changes one thing:
///
/// ```
/// # use auth0_testing::Tenant;
/// let tenant = Tenant::new();
/// let token = tenant.token().bound_to(&tenant.client_key()).mint();
/// let proof = || tenant.proof("GET", "https://api.tenant.test/me").for_token(&token);
/// let good = proof().mint();
/// let stale = proof().aged(std::time::Duration::from_secs(301)).mint();
/// let forged = proof().signed_by(&tenant.unknown_key()).mint();
/// # assert!([good, stale, forged].iter().all(|t| t.split('.').count() == 3));
/// ```
#[derive(Clone, Debug)]
#[must_use = "a proof is made by `mint`"]
pub struct ProofBuilder {
    draft: Draft,
    jwk: Value,
    now: Duration,
}

impl ProofBuilder {
    /// Begins a proof of any key for a request with this method and URL, made at this time.
    /// [`Tenant::proof`] takes the time from the tenant's clock.
    pub fn new(key: &SigningKey, method: &str, url: &str, now: SystemTime) -> Self {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { draft: Draft::new(key.clone()), jwk: key.bare_jwk(), now }
            .claim("htm", method)
            .claim("htu", url)
    }

    /// Sets the key of the proof.
    pub fn key(mut self, key: &SigningKey) -> Self {
        self.jwk = key.bare_jwk();
        self.draft.key = key.clone();
        self
    }

    /// Signs with another key; the header still has the one that was set.
    pub fn signed_by(mut self, key: &SigningKey) -> Self {
        self.draft.key = key.clone();
        self
    }

    /// Sets the access token that it comes with: the claim `ath`.
    pub fn for_token(self, token: &str) -> Self {
        let hash = digest::digest(&digest::SHA256, token.as_bytes());
        self.claim("ath", URL_SAFE_NO_PAD.encode(hash))
    }

    /// Sets the nonce that the server asked for.
    pub fn nonce(self, nonce: &str) -> Self {
        self.claim("nonce", nonce)
    }

    /// Sets that it was made this long ago.
    pub fn aged(self, age: Duration) -> Self {
        let issued_at = self.now.saturating_sub(age).as_secs();
        self.claim("iat", issued_at)
    }

    /// Sets that it was made by a client whose clock is this far ahead.
    pub fn ahead(self, time: Duration) -> Self {
        let issued_at = self.now.saturating_add(time).as_secs();
        self.claim("iat", issued_at)
    }

    setters!();

    /// Makes the proof.
    #[must_use]
    pub fn mint(&self) -> String {
        let mut id = [0; 16];
        rand::fill(&mut id).expect("the system has randomness");
        let algorithm = self.draft.key.algorithm().as_str();
        let header = json!({ "typ": "dpop+jwt", "alg": algorithm, "jwk": self.jwk });
        let payload = json!({ "jti": URL_SAFE_NO_PAD.encode(id), "iat": self.now.as_secs() });
        self.draft.mint(header, payload)
    }
}

impl Tenant {
    /// Returns the key of a client, for tokens that are bound to it: a fixed one for ES256.
    #[must_use]
    pub fn client_key(&self) -> SigningKey {
        SigningKey::fixed(Algorithm::ES256, 0)
    }

    /// Begins a proof of the [client key](Self::client_key) for a request with this method and URL.
    pub fn proof(&self, method: &str, url: &str) -> ProofBuilder {
        let now = UNIX_EPOCH + self.clock().unix_time();
        ProofBuilder::new(&self.client_key(), method, url, now)
    }
}
