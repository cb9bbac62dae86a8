use crate::{error::LocalError, file::public_key_der};
use aws_lc_rs::{
    encoding::AsDer,
    rsa::{PublicKey, PublicKeyComponents},
    signature::{self, RsaParameters, UnparsedPublicKey},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// The algorithms of a client's signatures, as Auth0 has them.
pub(crate) const CLIENT_ALGORITHMS: [&str; 3] = ["RS256", "RS384", "PS256"];

/// The public key of a client that signs: an RSA key, as Auth0 requires.
///
/// ```
/// use auth0_core::Algorithm;
/// use auth0_local::{Client, ClientKey, LocalTenant};
/// use auth0_testing::SigningKey;
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let private = SigningKey::generate(Algorithm::RS256)?;
/// let worker = Client::with_key("worker", ClientKey::jwk(&private.jwk()));
/// let worker = Client::confidential("worker", "s").public_key(ClientKey::jwk(&private.jwk()));
/// let tenant = LocalTenant::builder().client(worker).start().await?;
/// # let _ = tenant;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # }).unwrap()
/// ```
#[derive(Clone, Deserialize)]
#[serde(from = "Value")]
#[must_use]
pub struct ClientKey {
    /// `SubjectPublicKeyInfo` or `RSAPublicKey`. `None`: it is no RSA key.
    der: Option<Vec<u8>>,
    algorithm: String,
    id: Option<String>,
}

impl ClientKey {
    /// Reads a public key from PEM: `PUBLIC KEY` or `RSA PUBLIC KEY`. Its algorithm is RS256.
    pub fn pem(text: &str) -> Self {
        Self { der: public_key_der(text), algorithm: "RS256".into(), id: None }
    }

    /// Reads a public key from a JSON Web Key (RFC 7517), with its `kid` and `alg`.
    pub fn jwk(jwk: &Value) -> Self {
        let member = |name: &str| jwk.get(name).and_then(Value::as_str);
        let number = |name| member(name).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let components = || Some(PublicKeyComponents { n: number("n")?, e: number("e")? });
        let is_rsa = member("kty") == Some("RSA") && jwk.get("d").is_none();
        let der = is_rsa.then(components).flatten().and_then(|key| key.as_der().ok());
        Self {
            der: der.map(|der| der.as_ref().to_vec()),
            algorithm: member("alg").unwrap_or("RS256").to_owned(),
            id: member("kid").map(str::to_owned),
        }
    }

    /// Sets the algorithm of the signatures: RS256, RS384 or PS256.
    pub fn with_algorithm(mut self, algorithm: impl Into<String>) -> Self {
        self.algorithm = algorithm.into();
        self
    }

    /// Sets the `kid`.
    pub fn with_id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    pub(super) fn check(&self, client: &str) -> Result<(), LocalError> {
        let is_key = self.der.as_ref().is_some_and(|der| PublicKey::from_der(der).is_ok());
        if !is_key {
            return Err(LocalError::new(format!(
                "a key of the client {client} is no public RSA key. Write PEM (PUBLIC KEY), a JWK with kty, n \
                 and e, or an object with pem, alg and kid"
            )));
        }
        if self.scheme().is_none() {
            return Err(LocalError::new(format!(
                "a key of the client {client} cannot have the algorithm {:?}. Write RS256, RS384 or PS256",
                self.algorithm
            )));
        }
        Ok(())
    }

    pub(crate) fn algorithm(&self) -> &str {
        &self.algorithm
    }

    pub(crate) fn key_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Returns whether the key made this signature with its algorithm.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let (Some(der), Some(scheme)) = (&self.der, self.scheme()) else { return false };
        UnparsedPublicKey::new(scheme, der).verify(message, signature).is_ok()
    }

    fn scheme(&self) -> Option<&'static RsaParameters> {
        match self.algorithm.as_str() {
            "RS256" => Some(&signature::RSA_PKCS1_2048_8192_SHA256),
            "RS384" => Some(&signature::RSA_PKCS1_2048_8192_SHA384),
            "PS256" => Some(&signature::RSA_PSS_2048_8192_SHA256),
            _ => None,
        }
    }
}

/// Reads PEM, an object with `pem`, or a JWK. What it cannot read, `check` refuses.
impl From<Value> for ClientKey {
    fn from(value: Value) -> Self {
        let Some(pem) = value.as_str().or_else(|| value.get("pem").and_then(Value::as_str)) else {
            return Self::jwk(&value);
        };
        let member = |name: &str| value.get(name).and_then(Value::as_str);
        let key = Self::pem(pem).with_algorithm(member("alg").unwrap_or("RS256"));
        member("kid").into_iter().fold(key, Self::with_id)
    }
}

impl fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientKey")
            .field("algorithm", &self.algorithm)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
