//! Keys that verify, read from JSON Web Keys (RFC 7517 §4).
use super::{Algorithm, AlgorithmSet, PublicKey, base64url};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use serde::{Deserialize, de::IgnoredAny};
use std::borrow::Cow;

/// RSA keys below this are within reach of an attacker (RFC 7518 §3.3).
const MIN_RSA_BITS: usize = 2048;
/// RSA keys above this cost more per request than an issuer should be able to impose.
const MAX_RSA_BITS: usize = 8192;

/// A key of an issuer or of a proof, parsed once for each algorithm that it may verify.
#[derive(Debug, PartialEq)]
pub(crate) struct VerifyingKey {
    pub(crate) id: Option<Box<str>>,
    by_algorithm: Vec<(Algorithm, PublicKey)>,
}

/// The members that are checked before the key is parsed: the algorithm, by any of its names, and those of a
/// private key (RFC 7518 §6.2.2, §6.3.2, RFC 8037 §2). A published private key is compromised.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow)]
    alg: Option<Cow<'a, str>>,
    d: Option<IgnoredAny>,
    p: Option<IgnoredAny>,
    q: Option<IgnoredAny>,
    dp: Option<IgnoredAny>,
    dq: Option<IgnoredAny>,
    qi: Option<IgnoredAny>,
    oth: Option<IgnoredAny>,
}

impl VerifyingKey {
    /// Reads an entry of a set. The error says, for the log, why it cannot be used.
    pub(crate) fn from_jwk(json: &str, allowed: AlgorithmSet) -> Result<Self, &'static str> {
        let members: Members<'_> = serde_json::from_str(json).map_err(|_| "it is not a JWK")?;
        let Members { alg, d, p, q, dp, dq, qi, oth } = members;
        if [d, p, q, dp, dq, qi, oth].iter().any(Option::is_some) {
            return Err("it is a private key");
        }
        let jwk: Jwk = serde_json::from_str(json).map_err(|_| "it is not a JWK")?;
        if !matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature)) {
            return Err("its use is not sig");
        }
        if let Some(operations) = &jwk.common.key_operations
            && !operations.contains(&KeyOperations::Verify)
        {
            return Err("its key_ops lack verify");
        }
        let stated = alg.map(|name| Algorithm::named(&name));
        let algorithms =
            allowed.iter().filter(|allowed| stated.is_none_or(|stated| stated == Some(*allowed)));
        let by_algorithm = public_keys(&jwk.algorithm, algorithms)?;
        Ok(Self { id: jwk.common.key_id.map(Into::into), by_algorithm })
    }

    /// Returns whether it verifies an accepted algorithm. A key without one is still kept: a token that names
    /// it is refused for its algorithm, and causes no fetch.
    pub(crate) const fn is_usable(&self) -> bool {
        !self.by_algorithm.is_empty()
    }

    /// Returns the parsed key for an algorithm, if this key may verify it.
    pub(crate) fn for_algorithm(&self, algorithm: Algorithm) -> Option<&PublicKey> {
        self.by_algorithm.iter().find(|(known, _)| *known == algorithm).map(|(_, key)| key)
    }
}

fn public_keys(
    parameters: &AlgorithmParameters,
    algorithms: impl Iterator<Item = Algorithm>,
) -> Result<Vec<(Algorithm, PublicKey)>, &'static str> {
    let with = |parse: &dyn Fn(Algorithm) -> Option<PublicKey>| {
        algorithms.filter_map(|algorithm| Some((algorithm, parse(algorithm)?))).collect()
    };
    Ok(match parameters {
        AlgorithmParameters::RSA(rsa) => {
            let (n, e) = (unsigned(&rsa.n)?, unsigned(&rsa.e)?);
            check_rsa(&n, &e)?;
            with(&|algorithm| PublicKey::rsa(algorithm, &n, &e))
        }
        AlgorithmParameters::EllipticCurve(ec) => {
            let (x, y) = (decode(&ec.x)?, decode(&ec.y)?);
            let curve = match ec.curve {
                EllipticCurve::P256 => Algorithm::ES256,
                EllipticCurve::P384 => Algorithm::ES384,
                _ => return Err("its curve is not supported"),
            };
            with(&|algorithm| PublicKey::ecdsa(algorithm, &x, &y).filter(|_| algorithm == curve))
        }
        AlgorithmParameters::OctetKeyPair(pair) if pair.curve == EllipticCurve::Ed25519 => {
            let x = decode(&pair.x)?;
            with(&|algorithm| PublicKey::ed25519(&x).filter(|_| algorithm == Algorithm::EdDSA))
        }
        _ => return Err("its type or curve is not supported"),
    })
}

fn decode(text: &str) -> Result<Vec<u8>, &'static str> {
    base64url::decode(text).ok_or("a member is not base64url")
}

/// Reads a `Base64urlUInt` (RFC 7518 §2). Leading zeros are not allowed there, but issuers publish them, and
/// they do no harm.
fn unsigned(text: &str) -> Result<Vec<u8>, &'static str> {
    let mut bytes = decode(text)?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.drain(..zeros);
    Ok(bytes)
}

fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), &'static str> {
    let bits = n.first().map_or(0, |top| n.len() * 8 - top.leading_zeros() as usize);
    if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
        return Err("its modulus is not of 2048 to 8192 bits");
    }
    // An exponent of 1 would make every signature its own message.
    let odd = |bytes: &[u8]| bytes.last().is_some_and(|last| last & 1 == 1);
    if !odd(n) || !odd(e) || e == [1] || e.len() > 4 {
        return Err("its modulus or exponent is not an RSA key's");
    }
    Ok(())
}
