//! Requests of the application to other APIs, with a token: for reqwest and for tower.
#[cfg(feature = "send")]
mod send;
#[cfg(feature = "tower")]
mod tower;

#[cfg(feature = "tower")]
pub use tower::{TokenLayer, TokenService};

use crate::token::{DPOP_NONCE, Token};
use auth0_core::support::base64url;
use http::{HeaderMap, HeaderValue, StatusCode, header::WWW_AUTHENTICATE};
use serde_json::Value;

/// What the answer of an API means for the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    /// The proof needs the nonce that the answer has, which is kept.
    NeedsNonce,
    /// The proof had this nonce already, or there is none: neither the token nor the caller is at fault.
    NonceRefused,
    /// The token is not accepted.
    Refused,
}

/// Reads the answer to a request with a token and this proof, and keeps the nonce for the next proof.
pub(crate) fn verdict(
    token: &Token,
    url: &str,
    proof: Option<&HeaderValue>,
    status: StatusCode,
    headers: &HeaderMap,
) -> Verdict {
    let nonce = headers.get(DPOP_NONCE).and_then(|nonce| nonce.to_str().ok());
    if let Some(nonce) = nonce {
        token.keep_nonce(url, nonce);
    }
    if status != StatusCode::UNAUTHORIZED {
        return Verdict::Accepted;
    }
    let mut challenges =
        headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|line| line.to_str().ok());
    if !challenges.any(|line| line.contains("use_dpop_nonce")) {
        return Verdict::Refused;
    }
    // Compared with the nonce of this proof: another request may have kept the new one already.
    match nonce.is_some() && nonce != proof.and_then(nonce_of).as_deref() {
        true => Verdict::NeedsNonce,
        false => Verdict::NonceRefused,
    }
}

/// Returns the nonce in a proof.
fn nonce_of(proof: &HeaderValue) -> Option<String> {
    let payload = base64url(proof.to_str().ok()?.split('.').nth(1)?)?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    Some(claims.get("nonce")?.as_str()?.to_owned())
}
