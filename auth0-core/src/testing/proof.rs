use super::{
    SigningKey, Tenant,
    draft::{Draft, setters},
};
use crate::{
    builder::ConfigError,
    clock::Clock,
    crypto::{Algorithm, Fingerprint},
    dpop::{Dpop, DpopRules, Expected, Insertion, Proof},
    error::{Error, ErrorCode},
    http_uri::HttpUri,
};
use aws_lc_rs::rand;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A DPoP proof in the making: begun by [`Tenant::proof`], ended by [`mint`](Self::mint).
///
/// It begins as a good proof of the tenant's [client key](Tenant::client_key), with a `jti` of its
/// own each time that it is minted. Each setter changes one thing:
///
/// ```
/// # use auth0_core::testing::Tenant;
/// let tenant = Tenant::new();
/// let token = tenant.token().bound_to(&tenant.client_key()).mint();
/// let proof = || tenant.proof("GET", "https://api.tenant.test/me").for_token(&token);
/// let good = proof().mint();
/// let stale = proof().aged(std::time::Duration::from_secs(301)).mint();
/// let forged = proof().signed_by(&tenant.stranger()).mint();
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
    /// Begins a proof of any key for a request with this method and URL, made at this time. Where there
    /// is a tenant, [`Tenant::proof`] goes by its clock.
    pub fn new(key: &SigningKey, method: &str, url: &str, now: SystemTime) -> Self {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { draft: Draft::new(key.clone()), jwk: key.bare_jwk(), now }
            .claim("htm", method)
            .claim("htu", url)
    }

    /// A proof of this key.
    pub fn key(mut self, key: &SigningKey) -> Self {
        self.jwk = key.bare_jwk();
        self.draft.key = key.clone();
        self
    }

    /// Signs with another key; the header goes on showing the one that was set.
    pub fn signed_by(mut self, key: &SigningKey) -> Self {
        self.draft.key = key.clone();
        self
    }

    /// The access token that it comes with: the claim `ath`.
    pub fn for_token(self, token: &str) -> Self {
        let hash = Fingerprint::of(token.as_bytes());
        self.claim("ath", URL_SAFE_NO_PAD.encode(hash.as_bytes()))
    }

    /// The nonce that the server asked for.
    pub fn nonce(self, nonce: &str) -> Self {
        self.claim("nonce", nonce)
    }

    /// Made this long ago.
    pub fn aged(self, age: Duration) -> Self {
        let issued_at = self.now.saturating_sub(age).as_secs();
        self.claim("iat", issued_at)
    }

    /// Made by a client whose clock is this far ahead.
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
    /// The key of a client, for tokens that are bound to it: a fixed one for ES256.
    #[must_use]
    pub fn client_key(&self) -> SigningKey {
        SigningKey::fixed(Algorithm::ES256, 0)
    }

    /// Begins a proof of the [client key](Self::client_key) for a request with this method and URL.
    pub fn proof(&self, method: &str, url: &str) -> ProofBuilder {
        let now = UNIX_EPOCH + self.clock().unix_time();
        ProofBuilder::new(&self.client_key(), method, url, now)
    }

    /// What this tenant makes of the proofs that come to its token endpoint (RFC 9449 §5).
    ///
    /// # Errors
    /// The settings cannot work.
    pub fn proof_verifier(&self, dpop: Dpop) -> Result<ProofVerifier, ConfigError> {
        Ok(ProofVerifier { rules: dpop.rules()?, tenant: self.clone() })
    }
}

/// The token endpoint's side of DPoP: see [`Tenant::proof_verifier`].
#[derive(Debug)]
pub struct ProofVerifier {
    rules: DpopRules,
    tenant: Tenant,
}

impl ProofVerifier {
    /// Checks a proof of a request, and remembers it as used. The answer is the thumbprint of its key,
    /// for [`TokenBuilder::bound_to_thumbprint`](super::TokenBuilder::bound_to_thumbprint).
    ///
    /// # Errors
    /// The codes of a proof; `dpop_nonce_required` has the nonce among the fields of its challenge.
    pub fn verify(&self, method: &str, url: &str, proof: &[u8]) -> Result<String, Error> {
        let now = self.tenant.clock().unix_time();
        let expected = Expected { method, token: None, key: None, now };
        let new = Proof(proof).check(&self.rules, &expected, |theirs| {
            let ours = HttpUri::parse(url).ok_or("the URL of the token endpoint is none")?;
            if ours.equals(theirs) { Ok(true) } else { Err(format!("htu is not {url}").into()) }
        })?;
        match self.rules.replay.insert_now(new.entry) {
            Some(Ok(Insertion::New)) => Ok(new.thumbprint.encode()),
            Some(Ok(Insertion::Seen)) => Err(Error::new(ErrorCode::DpopProofReplayed)),
            Some(Err(_)) | None => Err(Error::new(ErrorCode::ReplayStoreUnavailable)),
        }
    }
}
