//! The key or certificate that a token is bound to (RFC 7800 §3.1).
use serde::Deserialize;

/// The `cnf` claim: see [`VerifiedToken::confirmation`](crate::VerifiedToken::confirmation).
///
/// A token that is bound to a key or a certificate is accepted only together with it, and is refused as a
/// bearer token.
///
/// ```
/// use auth0_testing::Tenant;
///
/// let tenant = Tenant::new();
/// assert!(tenant.token().verified().confirmation()?.is_none()); // a bearer token
/// # Ok::<(), auth0_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Confirmation {
    #[serde(rename = "jkt")]
    key_thumbprint: Option<String>,
    #[serde(rename = "x5t#S256")]
    certificate_thumbprint: Option<String>,
}

impl Confirmation {
    /// Returns the SHA-256 thumbprint of the client's DPoP key: the `jkt` member (RFC 9449 §6.1).
    #[must_use]
    pub fn key_thumbprint(&self) -> Option<&str> {
        self.key_thumbprint.as_deref()
    }

    /// Returns the SHA-256 thumbprint of the client's certificate: the `x5t#S256` member (RFC 8705 §3.1).
    #[must_use]
    pub fn certificate_thumbprint(&self) -> Option<&str> {
        self.certificate_thumbprint.as_deref()
    }
}
