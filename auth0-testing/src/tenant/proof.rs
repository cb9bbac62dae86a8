//! Builder of valid and invalid DPoP proofs.
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

/// The builder of a DPoP proof: [`Tenant::proof`] starts it, [`mint`](Self::mint) ends it.
///
/// It starts as a valid proof of the tenant's [client key](Tenant::client_key). Each call of `mint` sets a
/// new `jti`. Each setter changes one thing:
///
/// ```
/// # use auth0_testing::Tenant;
/// let tenant = Tenant::new();
/// let token = tenant.token().bound_to(&tenant.client_key()).mint();
/// let proof = || tenant.proof("GET", "https://api.tenant.test/me").for_token(&token);
/// let good = proof().mint();
/// let stale = proof().aged(std::time::Duration::from_secs(301)).mint();
/// let forged = proof().signed_by(&tenant.unknown_key()).mint();
/// assert!(good != stale && stale != forged);
/// ```
#[derive(Clone, Debug)]
#[must_use = "`mint` creates the proof"]
pub struct ProofBuilder {
    draft: Draft,
    jwk: Value,
    now: Duration,
}

impl ProofBuilder {
    /// Starts a proof of any key for a request with this method and URL, created at this time.
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

    /// Signs with another key; the header does not change.
    pub fn signed_by(mut self, key: &SigningKey) -> Self {
        self.draft.key = key.clone();
        self
    }

    /// Sets the access token that the proof comes with: the claim `ath`.
    pub fn for_token(self, token: &str) -> Self {
        let hash = digest::digest(&digest::SHA256, token.as_bytes());
        self.claim("ath", URL_SAFE_NO_PAD.encode(hash))
    }

    /// Sets the nonce that the server requires.
    pub fn nonce(self, nonce: &str) -> Self {
        self.claim("nonce", nonce)
    }

    /// Sets the age of the proof: the claim `iat`.
    pub fn aged(self, age: Duration) -> Self {
        let issued_at = self.now.saturating_sub(age).as_secs();
        self.claim("iat", issued_at)
    }

    /// Sets how far the clock of the client is ahead: the claim `iat`.
    pub fn ahead(self, time: Duration) -> Self {
        let issued_at = self.now.saturating_add(time).as_secs();
        self.claim("iat", issued_at)
    }

    setters!();

    /// Creates the proof.
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
    /// Returns the key of a client, for tokens that are bound to it: a fixed key for ES256.
    #[must_use]
    pub fn client_key(&self) -> SigningKey {
        SigningKey::fixed(Algorithm::ES256, 0)
    }

    /// Starts a proof of the [client key](Self::client_key) for a request with this method and URL.
    pub fn proof(&self, method: &str, url: &str) -> ProofBuilder {
        let now = UNIX_EPOCH + self.clock().unix_time();
        ProofBuilder::new(&self.client_key(), method, url, now)
    }
}
