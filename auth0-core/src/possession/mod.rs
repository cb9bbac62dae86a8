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
use std::{borrow::Cow, sync::Arc, time::Duration};

/// What to do about a token that is not bound to the key of the proof.
const UNBOUND: &str = "Let the client send the proof with its request for the token, too, or leave the DPoP header out. \
                       In Auth0, turn on sender constraining with DPoP for the API";

/// A valid proof, whose use is not recorded yet.
pub(crate) struct Proven {
    pub(crate) used: Use,
    /// A nonce for the client, if that of the proof expires soon.
    pub(crate) next_nonce: Option<Arc<str>>,
}

/// Checks that the client holds what the token is bound to. Returns the proof, if there is one; the caller
/// must record its use. The token of a renewal is compared with that of the connection instead.
pub(crate) fn check(
    binding: Option<&Binding>,
    credentials: &Credentials<'_>,
    mode: DpopMode,
    rules: &DpopRules,
    origin: &Origin,
    now: Duration,
) -> Result<Option<Proven>, Error> {
    if credentials.is_renewal {
        return Ok(None);
    }
    let key = binding.map_or(&Bound::No, |binding| &binding.key);
    let certificate = binding.map_or(&Bound::No, |binding| &binding.certificate);
    let proof = match (credentials.scheme, credentials.proof, key.is_bound()) {
        (AuthScheme::Bearer, _, true) => {
            return Err(mismatch("the token is bound to a DPoP key, and came as Bearer")
                .expecting("the scheme DPoP, with a proof of that key")
                .advising(match mode {
                    DpopMode::Disabled => {
                        "Enable it with Dpop::allowed() or AUTH0_DPOP=allowed, or let the client request \
                         tokens that are not bound to a key"
                    }
                    DpopMode::Allowed | DpopMode::Required => {
                        "Let the client write the word DPoP instead of Bearer, and send a proof in the header \
                         DPoP"
                    }
                }));
        }
        (AuthScheme::Bearer, Some(_), false) if mode != DpopMode::Disabled => {
            return Err(Error::new(ErrorCode::RequestMalformed)
                .because("a DPoP proof came with a token that is not bound to a key, as Bearer")
                .expecting("a token that is bound to the key of the proof, or no DPoP header")
                .advising(UNBOUND));
        }
        (AuthScheme::Bearer, _, false) => None,
        (AuthScheme::Dpop, Some(proof), true) => Some(proof),
        (AuthScheme::Dpop, Some(_), false) => {
            return Err(mismatch("a DPoP proof came with a token that is not bound to a key")
                .expecting("a token with cnf.jkt, the thumbprint of the key of the proof")
                .advising(UNBOUND));
        }
        (AuthScheme::Dpop, None, false) if certificate.is_bound() => None,
        (AuthScheme::Dpop, None, _) => {
            return Err(Error::new(ErrorCode::DpopProofMissing)
                .because("the scheme is DPoP, and there is no DPoP header"));
        }
    };
    certificate::check(certificate, credentials.parts, origin)?;
    match (proof, key) {
        (None, _) => Ok(None),
        (Some(_), Bound::No | Bound::ToNothing) => {
            Err(mismatch("the jkt of the token is not a SHA-256 thumbprint")
                .expecting("32 bytes in base64url without padding (RFC 9449 §6.1)")
                .advising("Correct the setting or Action of the issuer that writes cnf"))
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
        return Err(mismatch("the token is bound to a DPoP key, and the request is not known")
            .expecting("the method and the URL of the request")
            .advising("Verify it with Auth0::authenticate, and set RequestView::parts"));
    };
    let expected = Expected { method: parts.method(), token: Some(token), key: Some(key), now };
    let is_url = |signed: &HttpUri<'_>| {
        origin.with_url(
            parts,
            |url| if url.is_signed_as(signed) { Ok(()) } else { Err(url.to_string()) },
        )
    };
    let new = Proof(proof).check(rules, &expected, is_url)?;
    let next_nonce = match (&rules.nonces, new.freshness) {
        (Some(nonces), Some(Freshness::Ending)) => Some(nonces.current(now).into()),
        _ => None,
    };
    Ok(Proven { used: new.used, next_nonce })
}

fn mismatch(seen: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorCode::TokenBindingMismatch).because(seen)
}
