//! Requests of the application to other APIs, with a token: for reqwest and for tower.
#[cfg(feature = "send")]
mod send;
#[cfg(feature = "tower")]
mod tower;

#[cfg(feature = "tower")]
pub use tower::{TokenLayer, TokenService};

use crate::token::{DPOP_NONCE, Token};
use http::{HeaderMap, StatusCode, header::WWW_AUTHENTICATE};

/// What the answer of an API means for the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Accepted,
    /// The proof needs the nonce that the answer has, which is kept.
    NeedsNonce,
    /// The token is not accepted.
    Refused,
}

/// Reads the answer to a request with a token, and keeps the nonce for the next proof.
pub(crate) fn verdict(
    token: &Token,
    url: &str,
    status: StatusCode,
    headers: &HeaderMap,
) -> Verdict {
    let nonce = headers.get(DPOP_NONCE).and_then(|nonce| nonce.to_str().ok());
    let is_new = nonce.is_some_and(|nonce| token.keep_nonce(url, nonce));
    if status != StatusCode::UNAUTHORIZED {
        return Verdict::Accepted;
    }
    let mut challenges =
        headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|line| line.to_str().ok());
    match is_new && challenges.any(|line| line.contains("use_dpop_nonce")) {
        true => Verdict::NeedsNonce,
        false => Verdict::Refused,
    }
}
