//! Keys that sign test tokens.
use auth0_core::{Algorithm, ConfigError};
use aws_lc_rs::{
    digest,
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding,
        RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt, sync::Arc};

/// A private key that signs test tokens.
///
/// ```
/// use auth0_core::Algorithm;
/// use auth0_testing::SigningKey;
///
/// let key = SigningKey::generate(Algorithm::ES256)?.with_id("rotated");
/// assert_eq!((key.id(), key.algorithm()), ("rotated", Algorithm::ES256));
/// # Ok::<(), auth0_core::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct SigningKey {
    id: Arc<str>,
    algorithm: Algorithm,
    pair: Arc<Pair>,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// The fixed keys. They are public, because they are in the source code.
const RSA: [&[u8]; 2] = [include_bytes!("keys/rsa-1.der"), include_bytes!("keys/rsa-2.der")];
const UNKNOWN: &[u8] = include_bytes!("keys/rsa-3.der");
const P256: &[u8] = include_bytes!("keys/p256.der");
const P384: &[u8] = include_bytes!("keys/p384.der");
const ED25519: &[u8] = include_bytes!("keys/ed25519.der");

impl SigningKey {
    /// Generates a new key. RSA keys have 2048 bits.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn generate(algorithm: Algorithm) -> Result<Self, ConfigError> {
        let failed = |_| ConfigError::new("a key could not be generated");
        let pair = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 => {
                Pair::Ecdsa(EcdsaKeyPair::generate(ecdsa(algorithm)).map_err(failed)?)
            }
            Algorithm::EdDSA => Pair::Ed25519(Ed25519KeyPair::generate().map_err(failed)?),
            _ => Pair::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?),
        };
        Ok(Self::from_pair(algorithm, pair))
    }

    /// Reads a key from an unencrypted PKCS#8 document in DER. Its id is derived from the public key.
    ///
    /// # Errors
    /// The document is not a private key for the algorithm.
    pub fn from_pkcs8(algorithm: Algorithm, der: &[u8]) -> Result<Self, ConfigError> {
        let refused = |_| {
            ConfigError::new(format!(
                "the file holds no PKCS#8 private key for {algorithm}, in DER"
            ))
        };
        let pair = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 => {
                Pair::Ecdsa(EcdsaKeyPair::from_pkcs8(ecdsa(algorithm), der).map_err(refused)?)
            }
            Algorithm::EdDSA => Pair::Ed25519(Ed25519KeyPair::from_pkcs8(der).map_err(refused)?),
            _ => Pair::Rsa(RsaKeyPair::from_pkcs8(der).map_err(refused)?),
        };
        Ok(Self::from_pair(algorithm, pair))
    }

    /// Returns the key as an unencrypted PKCS#8 document in DER.
    ///
    /// # Errors
    /// The key cannot be written.
    pub fn to_pkcs8(&self) -> Result<Vec<u8>, ConfigError> {
        let failed = |_| ConfigError::new("the key cannot be written");
        let der: Pkcs8V1Der<'_> = match &*self.pair {
            Pair::Rsa(pair) => pair.as_der().map_err(failed)?,
            Pair::Ecdsa(pair) => return Ok(pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec()),
            Pair::Ed25519(pair) => pair.as_der().map_err(failed)?,
        };
        Ok(der.as_ref().to_vec())
    }

    /// Returns one of the fixed keys: of two RSA keys in turn, and of one key for other algorithms.
    pub(crate) fn fixed(algorithm: Algorithm, number: usize) -> Self {
        let der = match algorithm {
            Algorithm::ES256 => P256,
            Algorithm::ES384 => P384,
            Algorithm::EdDSA => ED25519,
            _ => RSA.into_iter().cycle().nth(number).unwrap_or_default(),
        };
        let key = Self::from_pkcs8(algorithm, der).expect("a fixed key is a key");
        key.with_id(format!("test-{}-{}", algorithm.as_str().to_lowercase(), number + 1))
    }

    /// Returns a fixed key that no tenant publishes.
    pub(crate) fn unknown() -> Self {
        let key = Self::from_pkcs8(Algorithm::RS256, UNKNOWN).expect("a fixed key is a key");
        key.with_id("unknown")
    }

    fn from_pair(algorithm: Algorithm, pair: Pair) -> Self {
        let public = match &pair {
            Pair::Rsa(pair) => pair.public_key().as_ref(),
            Pair::Ecdsa(pair) => pair.public_key().as_ref(),
            Pair::Ed25519(pair) => pair.public_key().as_ref(),
        };
        let id = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, public));
        Self { id: id.into(), algorithm, pair: Arc::new(pair) }
    }

    /// Returns the same key with another id.
    #[must_use]
    pub fn with_id(self, id: impl Into<String>) -> Self {
        Self { id: id.into().into(), ..self }
    }

    /// Returns the `kid`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the default algorithm of its signatures.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns whether both are the same key with the same id.
    pub(crate) fn is_clone_of(&self, other: &Self) -> bool {
        self.id == other.id && Arc::ptr_eq(&self.pair, &other.pair)
    }

    /// Returns the public key as a JSON Web Key (RFC 7517).
    #[must_use]
    pub fn jwk(&self) -> Value {
        let mut jwk = self.bare_jwk();
        for (name, value) in [("kid", self.id()), ("alg", self.algorithm.as_str()), ("use", "sig")]
        {
            jwk[name] = value.into();
        }
        jwk
    }

    /// Returns the SHA-256 thumbprint of the public key (RFC 7638), as `cnf.jkt` of a bound token has it.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        let jwk = self.bare_jwk();
        // The members that make up the key, in the order of their names.
        let members: BTreeMap<&String, &Value> = jwk.as_object().into_iter().flatten().collect();
        let canonical = serde_json::to_string(&members).expect("a map is JSON");
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()))
    }

    /// Returns the public key as a JSON Web Key without `kid`, `alg` and `use`.
    pub(crate) fn bare_jwk(&self) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &*self.pair {
            Pair::Rsa(pair) => {
                let public = pair.public_key();
                json!({
                    "kty": "RSA",
                    "n": encode(public.modulus().big_endian_without_leading_zero()),
                    "e": encode(public.exponent().big_endian_without_leading_zero()),
                })
            }
            Pair::Ecdsa(pair) => {
                // An uncompressed point: 4, x, y.
                let point = pair.public_key().as_ref().get(1..).unwrap_or_default();
                let (x, y) = point.split_at(point.len() / 2);
                let curve = if x.len() == 32 { "P-256" } else { "P-384" };
                json!({ "kty": "EC", "crv": curve, "x": encode(x), "y": encode(y) })
            }
            Pair::Ed25519(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()) })
            }
        }
    }

    /// Returns whether the key made this signature.
    pub(crate) fn verifies(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let verify = |scheme: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(scheme, key).verify(message, signature).is_ok()
        };
        match &*self.pair {
            Pair::Rsa(pair) => {
                let scheme: &'static dyn VerificationAlgorithm = match algorithm {
                    Algorithm::RS256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                    Algorithm::RS384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                    Algorithm::RS512 => &signature::RSA_PKCS1_2048_8192_SHA512,
                    Algorithm::PS256 => &signature::RSA_PSS_2048_8192_SHA256,
                    Algorithm::PS384 => &signature::RSA_PSS_2048_8192_SHA384,
                    Algorithm::PS512 => &signature::RSA_PSS_2048_8192_SHA512,
                    _ => return false,
                };
                verify(scheme, pair.public_key().as_ref())
            }
            Pair::Ecdsa(pair) => {
                let scheme: &'static dyn VerificationAlgorithm = match algorithm {
                    Algorithm::ES256 => &signature::ECDSA_P256_SHA256_FIXED,
                    Algorithm::ES384 => &signature::ECDSA_P384_SHA384_FIXED,
                    _ => return false,
                };
                algorithm == self.algorithm && verify(scheme, pair.public_key().as_ref())
            }
            Pair::Ed25519(pair) => {
                algorithm == Algorithm::EdDSA
                    && verify(&signature::ED25519, pair.public_key().as_ref())
            }
        }
    }

    /// Signs with an algorithm that the key supports, or with the key's own algorithm.
    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &*self.pair {
            Pair::Rsa(pair) => {
                let padding: &'static dyn RsaEncoding = match algorithm {
                    Algorithm::RS384 => &signature::RSA_PKCS1_SHA384,
                    Algorithm::RS512 => &signature::RSA_PKCS1_SHA512,
                    Algorithm::PS256 => &signature::RSA_PSS_SHA256,
                    Algorithm::PS384 => &signature::RSA_PSS_SHA384,
                    Algorithm::PS512 => &signature::RSA_PSS_SHA512,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature).expect("RSA signs");
                signature
            }
            Pair::Ecdsa(pair) => {
                pair.sign(&random, message).expect("ECDSA signs").as_ref().to_vec()
            }
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

const fn ecdsa(algorithm: Algorithm) -> &'static EcdsaSigningAlgorithm {
    match algorithm {
        Algorithm::ES384 => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
        _ => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
    }
}
