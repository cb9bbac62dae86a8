//! The key of DPoP proofs.
use super::{pem, random_id, signing_input};
use auth0_core::{ConfigError, support::Thumbprint};
use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls_pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use std::{fmt, sync::Arc, time::Duration};

/// The key to which tokens are bound (RFC 9449): an EC key on the curve P-256, for proofs with ES256. Clones share it.
///
/// Instances of a service that share tokens or refresh tokens need the same key: write it into their configuration
/// with [`from_pem`](Self::from_pem). A generated key is good for one process.
///
/// ```
/// use auth0_client::ProofKey;
///
/// let key = ProofKey::generate()?;
/// assert_eq!(key.thumbprint().len(), 43); // `cnf.jkt` of the tokens that are bound to it
/// assert!(ProofKey::from_pem("no key").is_err());
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct ProofKey(Arc<Inner>);

struct Inner {
    pair: EcdsaKeyPair,
    public: Value,
    thumbprint: Thumbprint,
}

/// The request of a proof.
pub(crate) struct ProofOf<'a> {
    pub(crate) method: &'a str,
    /// Without query and fragment.
    pub(crate) url: &'a str,
    /// The token that is sent with the proof.
    pub(crate) token: Option<&'a str>,
    pub(crate) nonce: Option<&'a str>,
}

impl ProofKey {
    /// Generates a key.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn generate() -> Result<Self, ConfigError> {
        let failed =
            |_| ConfigError::new("a DPoP key could not be generated: the system has no randomness");
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
        Self::new(pair)
    }

    /// Reads a key in PEM: PKCS#8 or SEC 1, not encrypted. `openssl genpkey -algorithm EC -pkeyopt
    /// ec_paramgen_curve:P-256` creates one.
    ///
    /// # Errors
    /// The text is not a private key on the curve P-256.
    pub fn from_pem(pem: impl AsRef<str>) -> Result<Self, ConfigError> {
        let refused = || {
            ConfigError::new(
                "the DPoP key cannot be read. Write an EC private key on the curve P-256 in PEM, as \
                 openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 creates it",
            )
        };
        let der = pem::private_key(pem.as_ref()).ok_or_else(refused)?;
        let pair = match &der {
            PrivateKeyDer::Pkcs8(der) => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_pkcs8_der())
            }
            PrivateKeyDer::Sec1(der) => EcdsaKeyPair::from_private_key_der(
                &ECDSA_P256_SHA256_FIXED_SIGNING,
                der.secret_sec1_der(),
            ),
            _ => return Err(refused()),
        };
        Self::new(pair.map_err(|_| refused())?)
    }

    fn new(pair: EcdsaKeyPair) -> Result<Self, ConfigError> {
        // An uncompressed point: 4, x, y.
        let point = pair.public_key().as_ref().get(1..65).unwrap_or_default();
        let (x, y) = point.split_at_checked(32).unwrap_or_default();
        let encode = |bytes| URL_SAFE_NO_PAD.encode(bytes);
        let public = json!({ "kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y) });
        let thumbprint = Thumbprint::of_jwk(&public.to_string())
            .map_err(|why| ConfigError::new(format!("the DPoP key cannot be used: {why}")))?;
        Ok(Self(Arc::new(Inner { pair, public, thumbprint })))
    }

    /// Returns the SHA-256 thumbprint of the public key (RFC 7638), which bound tokens have as `cnf.jkt`, and which
    /// `/authorize` takes as `dpop_jkt`.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        self.0.thumbprint.encode()
    }

    /// Creates a proof at this time since 1970 (RFC 9449 §4.2). `None` if the system has no randomness.
    pub(crate) fn prove(&self, of: &ProofOf<'_>, unix_time: Duration) -> Option<String> {
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.0.public });
        let mut payload = json!({
            "jti": random_id()?, "htm": of.method, "htu": of.url, "iat": unix_time.as_secs(),
        });
        let members = payload.as_object_mut()?;
        if let Some(token) = of.token {
            let hash = digest::digest(&digest::SHA256, token.as_bytes());
            members.insert("ath".into(), URL_SAFE_NO_PAD.encode(hash).into());
        }
        if let Some(nonce) = of.nonce {
            members.insert("nonce".into(), nonce.into());
        }
        let input = signing_input(&header, &payload);
        let signature = self.0.pair.sign(&SystemRandom::new(), input.as_bytes()).ok()?;
        Some(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProofKey").field("thumbprint", &self.thumbprint()).finish_non_exhaustive()
    }
}
