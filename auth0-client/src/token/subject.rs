//! The token of the caller on whose behalf another API is called.
use auth0_core::{
    VerifiedToken,
    support::{CallerChallenge, base64url, caller_challenge},
};
use serde_json::Value;
use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The caller of your API: its access token, which is the subject of an exchange.
///
/// The extractors of the adapters are one (feature `client`): pass `&token`. Elsewhere, create it from the encoded
/// token that a verifier has accepted.
///
/// ```
/// use auth0_client::Caller;
///
/// let caller = Caller::from("eyJhbGciOiJSUzI1NiJ9.e30.c2ln");
/// assert_eq!(format!("{caller:?}"), "Caller(…)"); // without the token
/// ```
#[derive(Clone)]
pub struct Caller<'a> {
    encoded: &'a str,
    expires_at: Option<SystemTime>,
    challenge: CallerChallenge,
}

impl<'a> Caller<'a> {
    /// Creates a caller from a verified token, and its text as the caller sent it.
    #[must_use]
    pub fn new<C>(token: &VerifiedToken<C>, encoded: &'a str) -> Self {
        let challenge = caller_challenge(token);
        Self { encoded, expires_at: Some(token.expires_at()), challenge }
    }

    pub(crate) const fn encoded(&self) -> &'a str {
        self.encoded
    }

    /// Returns the challenge of a refusal.
    pub(crate) fn challenge(&self) -> CallerChallenge {
        self.challenge.clone()
    }

    /// Returns the end of the token since 1970, as its verifier or its payload says. `None` if it is opaque.
    pub(crate) fn ends_at(&self) -> Option<Duration> {
        match self.expires_at {
            Some(time) => time.duration_since(UNIX_EPOCH).ok(),
            None => expiry(self.encoded),
        }
    }
}

/// An encoded token. Its expiry is read from its payload.
impl<'a> From<&'a str> for Caller<'a> {
    fn from(encoded: &'a str) -> Self {
        Self { encoded, expires_at: None, challenge: CallerChallenge::default() }
    }
}

impl<'a> From<&'a String> for Caller<'a> {
    fn from(encoded: &'a String) -> Self {
        Self::from(encoded.as_str())
    }
}

/// Reads `exp` of a JWT, which is not verified here: the token was verified by this API, or is refused by Auth0.
pub(crate) fn expiry(token: &str) -> Option<Duration> {
    let payload = base64url(token.split('.').nth(1)?)?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    let seconds = claims.get("exp")?.as_f64().filter(|seconds| *seconds >= 0.0)?;
    Duration::try_from_secs_f64(seconds).ok()
}

impl fmt::Debug for Caller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Caller(…)")
    }
}
