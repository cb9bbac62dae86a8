//! The key with which the client authenticates.
use super::{pem, signing_input};
use auth0_core::{Algorithm, ConfigError};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeyPair,
    signature::{RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PSS_SHA256, RsaEncoding},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls_pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use std::{fmt, sync::Arc};

/// The most characters of a key's id that fit into an assertion.
const MAX_ID_CHARS: usize = 256;

/// The RSA key with which a client authenticates (`private_key_jwt`) and signs request objects (RFC 9101). Its public
/// key is registered with the application: Dashboard > Applications > Credentials.
///
/// ```
/// use auth0_client::SigningKey;
///
/// let error = SigningKey::from_pem("-----BEGIN PUBLIC KEY-----").unwrap_err().to_string();
/// assert!(error.contains("RSA private key"), "{error}");
/// ```
#[derive(Clone)]
pub struct SigningKey {
    pair: Arc<KeyPair>,
    algorithm: Algorithm,
    id: Option<Box<str>>,
}

impl SigningKey {
    /// Reads a key in PEM: PKCS#8 or PKCS#1, not encrypted. It signs with RS256 unless
    /// [`algorithm`](Self::algorithm) is called.
    ///
    /// # Errors
    /// The text is not an RSA private key of 2048 to 8192 bits.
    pub fn from_pem(pem: impl AsRef<str>) -> Result<Self, ConfigError> {
        let pem = pem.as_ref();
        let refused = |why: &str| {
            ConfigError::new(format!(
                "the signing key of the client {why}. Write the RSA private key in PEM (-----BEGIN PRIVATE \
                 KEY-----) whose public key is registered at Dashboard > Applications > Credentials"
            ))
        };
        let encrypted = "is encrypted; decrypt it, for example with openssl pkcs8";
        let pair = match pem::private_key(pem) {
            Some(PrivateKeyDer::Pkcs8(der)) => KeyPair::from_pkcs8(der.secret_pkcs8_der()),
            Some(PrivateKeyDer::Pkcs1(der)) => KeyPair::from_der(der.secret_pkcs1_der()),
            Some(_) => {
                return Err(refused("is an elliptic curve key, which Auth0 does not accept"));
            }
            None if pem.contains("ENCRYPTED") => return Err(refused(encrypted)),
            None => return Err(refused("cannot be read as an RSA private key")),
        };
        let pair = pair.map_err(|_| {
            refused("is not an RSA private key of 2048 to 8192 bits (an EC key is not accepted)")
        })?;
        Ok(Self { pair: Arc::new(pair), algorithm: Algorithm::RS256, id: None })
    }

    /// Sets the algorithm, which must be that of the registered credential: RS256, RS384 or PS256.
    ///
    /// # Errors
    /// Auth0 does not accept the algorithm.
    pub fn algorithm(self, algorithm: Algorithm) -> Result<Self, ConfigError> {
        match algorithm {
            Algorithm::RS256 | Algorithm::RS384 | Algorithm::PS256 => {
                Ok(Self { algorithm, ..self })
            }
            other => Err(ConfigError::new(format!(
                "the algorithm {other} cannot be used for client assertions. Use RS256, RS384 or PS256, as \
                 registered at Dashboard > Applications > Credentials"
            ))),
        }
    }

    /// Sets the `kid` of the registered credential. Optional: Auth0 tries all credentials without it.
    ///
    /// # Errors
    /// The id is empty, or has more than 256 characters.
    pub fn key_id(self, id: impl AsRef<str>) -> Result<Self, ConfigError> {
        let id = id.as_ref().trim();
        if id.is_empty() || id.chars().count() > MAX_ID_CHARS {
            return Err(ConfigError::new(format!(
                "the id of the signing key is empty, or has more than {MAX_ID_CHARS} characters. Write the key \
                 id of Dashboard > Applications > Credentials, or leave it out"
            )));
        }
        Ok(Self { id: Some(id.into()), ..self })
    }

    /// Signs a token of this type. `None` if the system has no randomness.
    pub(crate) fn sign(&self, token_type: &str, payload: &Value) -> Option<String> {
        let mut header = json!({ "typ": token_type, "alg": self.algorithm.as_str() });
        if let (Some(id), Some(members)) = (&self.id, header.as_object_mut()) {
            members.insert("kid".into(), (**id).into());
        }
        let input = signing_input(&header, payload);
        let padding: &'static dyn RsaEncoding = match self.algorithm {
            Algorithm::RS384 => &RSA_PKCS1_SHA384,
            Algorithm::PS256 => &RSA_PSS_SHA256,
            _ => &RSA_PKCS1_SHA256,
        };
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(padding, &SystemRandom::new(), input.as_bytes(), &mut signature).ok()?;
        Some(format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
