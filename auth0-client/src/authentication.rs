//! Authentication of the client (RFC 6749 §2.3, RFC 7523 §2.2, RFC 8705 §2): one method in each request.
use crate::{
    error::{Error, ErrorKind},
    key::{SigningKey, random_id},
    secret::Secret,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use std::time::Duration;
use url::form_urlencoded;

/// The life of an assertion. Auth0 accepts five minutes; a short one is of little use to a thief.
const ASSERTION_LIFE: Duration = Duration::from_secs(60);

/// The longest assertion that Auth0 accepts, in bytes.
pub(crate) const MAX_ASSERTION_BYTES: usize = 2048;

/// The type of an assertion (RFC 7523 §2.2).
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How the client authenticates.
#[derive(Debug)]
pub(crate) enum Authentication {
    /// A secret in the body: `client_secret_post`.
    SecretInBody(Secret),
    /// A secret in the header `Authorization`: `client_secret_basic`.
    SecretInHeader(Secret),
    /// An assertion: `private_key_jwt`.
    Assertion(SigningKey),
    /// A certificate in the TLS handshake: `tls_client_auth` and `self_signed_tls_client_auth`.
    Certificate,
    /// None: a public client.
    None,
}

/// What one request has of it.
#[derive(Debug, Default)]
pub(crate) struct Credentials {
    pub(crate) parameters: Vec<(&'static str, Secret)>,
    /// The value of `Authorization`.
    pub(crate) header: Option<Secret>,
}

impl Authentication {
    pub(crate) const fn is_confidential(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// Returns the secret of the client.
    pub(crate) fn secret(&self) -> Option<&str> {
        match self {
            Self::SecretInBody(secret) | Self::SecretInHeader(secret) => Some(secret),
            _ => None,
        }
    }

    pub(crate) const fn signing_key(&self) -> Option<&SigningKey> {
        match self {
            Self::Assertion(key) => Some(key),
            _ => None,
        }
    }

    /// Returns the credentials for one try of a form: an assertion is accepted once.
    pub(crate) fn credentials(
        &self,
        client_id: &str,
        issuer: &str,
        unix_time: Duration,
    ) -> Result<Credentials, Error> {
        if let Self::SecretInHeader(secret) = self {
            // Both parts are encoded as in a form first (RFC 6749 §2.3.1).
            let encode =
                |text| form_urlencoded::byte_serialize(str::as_bytes(text)).collect::<String>();
            let pair = Secret::new(format!("{}:{}", encode(client_id), encode(secret)));
            let header = Secret::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())));
            return Ok(Credentials { parameters: Vec::new(), header: Some(header) });
        }
        let parameters = self.in_body(client_id, issuer, unix_time)?;
        Ok(Credentials { parameters, header: None })
    }

    /// Returns the credentials for one try of a request that has them in its body only: Auth0's endpoints for JSON read no
    /// header.
    pub(crate) fn in_body(
        &self,
        client_id: &str,
        issuer: &str,
        unix_time: Duration,
    ) -> Result<Vec<(&'static str, Secret)>, Error> {
        let mut parameters = vec![("client_id", Secret::new(client_id))];
        match self {
            Self::SecretInBody(secret) | Self::SecretInHeader(secret) => {
                parameters.push(("client_secret", secret.clone()));
            }
            Self::Assertion(key) => {
                let assertion = assertion(key, client_id, issuer, unix_time).ok_or_else(|| {
                    let cause = "The system has no randomness for a client assertion";
                    Error::new(ErrorKind::Unavailable, cause)
                })?;
                parameters.push(("client_assertion_type", Secret::new(ASSERTION_TYPE)));
                parameters.push(("client_assertion", Secret::new(assertion)));
            }
            Self::Certificate | Self::None => {}
        }
        Ok(parameters)
    }
}

/// Returns an assertion for one request. `None` if the system has no randomness.
pub(crate) fn assertion(
    key: &SigningKey,
    client_id: &str,
    issuer: &str,
    unix_time: Duration,
) -> Option<String> {
    let issued_at = unix_time.as_secs();
    let payload = json!({
        "iss": client_id,
        "sub": client_id,
        "aud": issuer,
        "iat": issued_at,
        "exp": issued_at + ASSERTION_LIFE.as_secs(),
        "jti": random_id()?,
    });
    key.sign("JWT", &payload)
}
