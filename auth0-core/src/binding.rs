//! What a token is bound to, and whether the request proves that the client holds it. The members of
//! `cnf` decide what is checked, not the scheme; members that are not known here are not ours to
//! judge (RFC 7800 §3.1).
use crate::{
    auth0::Inner,
    certificate,
    claims::invalid,
    credentials::{Credentials, Scheme},
    crypto::Fingerprint,
    dpop::{DpopMode, Expected, Freshness, Proof, ReplayEntry},
    error::{Error, ErrorCode},
    http_uri::HttpUri,
    json::Value,
    request::HttpParts,
    thumbprint::Thumbprint,
};
use std::{sync::Arc, time::Duration};

/// The members of `cnf` that are known here.
#[derive(Debug)]
pub(crate) struct Binding {
    /// `jkt` (RFC 9449 §6.1).
    key: Bound,
    /// `x5t#S256` (RFC 8705 §3.1).
    certificate: Bound,
    /// Of the whole token: what a proof names it by.
    token: Option<Fingerprint>,
}

#[derive(Clone, Copy, Debug)]
enum Bound {
    No,
    To(Thumbprint),
    /// To something that nobody can have: the member is no thumbprint.
    ToNothing,
}

/// What is left to do for a token whose proof is good.
pub(crate) struct Proven {
    pub(crate) entry: ReplayEntry,
    /// A nonce for the client, whose own is about to end.
    pub(crate) next_nonce: Option<Arc<str>>,
}

impl Bound {
    fn read(member: Option<Value<'_>>) -> Self {
        match member {
            None => Self::No,
            Some(value) => value
                .as_str()
                .and_then(|text| Thumbprint::parse(&text))
                .map_or(Self::ToNothing, Self::To),
        }
    }

    const fn is_bound(&self) -> bool {
        !matches!(self, Self::No)
    }
}

impl Binding {
    /// Out of the claim `cnf`. None for a token that anybody may use.
    pub(crate) fn read(confirmation: Option<Value<'_>>) -> Result<Option<Box<Self>>, Error> {
        let Some(confirmation) = confirmation else { return Ok(None) };
        if !confirmation.is_object() {
            return Err(invalid("the claim cnf is not an object".to_owned()));
        }
        let key = Bound::read(confirmation.member("jkt"));
        let certificate = Bound::read(confirmation.member("x5t#S256"));
        let is_bound = key.is_bound() || certificate.is_bound();
        Ok(is_bound.then(|| Box::new(Self { key, certificate, token: None })))
    }

    /// The same for the token that it was read of.
    pub(crate) fn set_token(&mut self, fingerprint: Fingerprint) {
        self.token = Some(fingerprint);
    }

    /// Whether the request proves that the client holds what the token is bound to. What it
    /// answers is the proof, which must not have been used before.
    pub(crate) fn check(
        binding: Option<&Self>,
        credentials: &Credentials<'_>,
        mode: DpopMode,
        verifier: &Inner,
        now: Duration,
    ) -> Result<Option<Proven>, Error> {
        let key = binding.map_or(&Bound::No, |binding| &binding.key);
        let certificate = binding.map_or(&Bound::No, |binding| &binding.certificate);
        let proof = match (credentials.scheme, credentials.proof, key.is_bound()) {
            (Scheme::Bearer, _, true) => {
                return Err(mismatch("the token is bound to a DPoP key, and came as Bearer"));
            }
            (Scheme::Bearer, Some(_), false) if mode != DpopMode::Disabled => {
                return Err(Error::new(ErrorCode::RequestMalformed).because(
                    "a DPoP proof came with a token that is not bound to a key, as Bearer",
                ));
            }
            (Scheme::Bearer, _, false) => None,
            (Scheme::Dpop, Some(proof), true) => Some(proof),
            (Scheme::Dpop, Some(_), false) => {
                return Err(mismatch("a DPoP proof came with a token that is not bound to a key"));
            }
            (Scheme::Dpop, None, false) if certificate.is_bound() => None,
            (Scheme::Dpop, None, _) => return Err(Error::new(ErrorCode::DpopProofMissing)),
        };
        check_certificate(certificate, credentials.parts, verifier)?;
        match (proof, key) {
            (None, _) => Ok(None),
            (Some(_), Bound::No | Bound::ToNothing) => {
                Err(mismatch("the jkt of the token is not a SHA-256 thumbprint"))
            }
            (Some(proof), Bound::To(key)) => {
                let token = binding.and_then(|binding| binding.token);
                let token = token.unwrap_or_else(|| Fingerprint::of(credentials.token));
                check_proof(proof, key, credentials.parts, token, verifier, now).map(Some)
            }
        }
    }
}

fn check_certificate(
    bound: &Bound,
    parts: Option<&dyn HttpParts>,
    verifier: &Inner,
) -> Result<(), Error> {
    let expected = match bound {
        Bound::No => return Ok(()),
        Bound::ToNothing => {
            return Err(mismatch("the x5t#S256 of the token is not a SHA-256 thumbprint"));
        }
        Bound::To(expected) => expected,
    };
    let parts = parts.ok_or_else(|| {
        mismatch("the token is bound to a client certificate, and the request shows none")
    })?;
    match certificate::presented(parts, &verifier.origin).map_err(mismatch)? {
        Some(presented) if presented.is(expected) => Ok(()),
        Some(_) => Err(mismatch("the token is bound to another client certificate")),
        None => Err(mismatch(
            "the token is bound to a client certificate, and none is known. The server has to hand on \
             a Connection with it, or with the address of a trusted proxy, which sends Client-Cert or \
             X-Forwarded-Client-Cert",
        )),
    }
}

fn check_proof(
    proof: &[u8],
    key: &Thumbprint,
    parts: Option<&dyn HttpParts>,
    token: Fingerprint,
    verifier: &Inner,
    now: Duration,
) -> Result<Proven, Error> {
    let Some(parts) = parts else {
        return Err(mismatch("the token is bound to a DPoP key, and the request is not known"));
    };
    let expected = Expected { method: parts.method(), token: Some(token), key: Some(key), now };
    let is_url =
        |signed: &HttpUri<'_>| verifier.origin.with_url(parts, |url| url.is_signed_as(signed));
    let new = Proof(proof).check(&verifier.dpop, &expected, is_url)?;
    let next_nonce = match (&verifier.dpop.nonces, new.freshness) {
        (Some(nonces), Some(Freshness::Ending)) => Some(nonces.current(now).into()),
        _ => None,
    };
    Ok(Proven { entry: new.entry, next_nonce })
}

fn mismatch(cause: &'static str) -> Error {
    Error::new(ErrorCode::TokenBindingMismatch).because(cause)
}
