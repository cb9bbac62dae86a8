//! The check that a client holds the key (RFC 9449) or the certificate (RFC 8705) that its token is bound to.
//!
//! The members of `cnf` decide what is checked, not the scheme.
mod certificate;
pub(crate) mod dpop;

use crate::{
    error::{AuthScheme, DpopMode, Error, ErrorCode},
    jose::{Thumbprint, TokenHash},
    request::{Credentials, HttpParts, HttpUri, Origin},
    token::{Binding, binding::Bound},
};
use dpop::{DpopRules, Expected, Freshness, Proof, Use};
use std::{sync::Arc, time::Duration};

/// A valid proof, whose use is not recorded yet.
pub(crate) struct Proven {
    pub(crate) used: Use,
    /// A nonce for the client, if that of the proof expires soon.
    pub(crate) next_nonce: Option<Arc<str>>,
}

/// Checks that the client holds what the token is bound to. Returns the proof, if there is one; the caller
/// must record its use.
pub(crate) fn check(
    binding: Option<&Binding>,
    credentials: &Credentials<'_>,
    mode: DpopMode,
    rules: &DpopRules,
    origin: &Origin,
    now: Duration,
) -> Result<Option<Proven>, Error> {
    let key = binding.map_or(&Bound::No, |binding| &binding.key);
    let certificate = binding.map_or(&Bound::No, |binding| &binding.certificate);
    let proof = match (credentials.scheme, credentials.proof, key.is_bound()) {
        (AuthScheme::Bearer, _, true) => {
            return Err(mismatch("the token is bound to a DPoP key, and came as Bearer"));
        }
        (AuthScheme::Bearer, Some(_), false) if mode != DpopMode::Disabled => {
            return Err(Error::new(ErrorCode::RequestMalformed)
                .because("a DPoP proof came with a token that is not bound to a key, as Bearer"));
        }
        (AuthScheme::Bearer, _, false) => None,
        (AuthScheme::Dpop, Some(proof), true) => Some(proof),
        (AuthScheme::Dpop, Some(_), false) => {
            return Err(mismatch("a DPoP proof came with a token that is not bound to a key"));
        }
        (AuthScheme::Dpop, None, false) if certificate.is_bound() => None,
        (AuthScheme::Dpop, None, _) => return Err(Error::new(ErrorCode::DpopProofMissing)),
    };
    certificate::check(certificate, credentials.parts, origin)?;
    match (proof, key) {
        (None, _) => Ok(None),
        (Some(_), Bound::No | Bound::ToNothing) => {
            Err(mismatch("the jkt of the token is not a SHA-256 thumbprint"))
        }
        (Some(proof), Bound::To(key)) => {
            let token = binding.and_then(|binding| binding.token);
            let token = token.unwrap_or_else(|| TokenHash::of(credentials.token));
            check_proof(proof, key, credentials.parts, token, rules, origin, now).map(Some)
        }
    }
}

fn check_proof(
    proof: &[u8],
    key: &Thumbprint,
    parts: Option<&dyn HttpParts>,
    token: TokenHash,
    rules: &DpopRules,
    origin: &Origin,
    now: Duration,
) -> Result<Proven, Error> {
    let Some(parts) = parts else {
        return Err(mismatch("the token is bound to a DPoP key, and the request is not known"));
    };
    let expected = Expected { method: parts.method(), token: Some(token), key: Some(key), now };
    let is_url = |signed: &HttpUri<'_>| origin.with_url(parts, |url| url.is_signed_as(signed));
    let new = Proof(proof).check(rules, &expected, is_url)?;
    let next_nonce = match (&rules.nonces, new.freshness) {
        (Some(nonces), Some(Freshness::Ending)) => Some(nonces.current(now).into()),
        _ => None,
    };
    Ok(Proven { used: new.used, next_nonce })
}

fn mismatch(cause: &'static str) -> Error {
    Error::new(ErrorCode::TokenBindingMismatch).because(cause)
}
