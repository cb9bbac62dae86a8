//! Keys that verify, read from JSON Web Keys (RFC 7517 §4).
//!
//! What an issuer publishes is read generously, within the bounds for a key: padding, the other base64
//! alphabet and members of an odd type do not make a key another key. What a client sends in a proof is
//! read strictly.
use super::{
    Algorithm, AlgorithmSet, PublicKey, base64url,
    json::{self, Strings, Value, plain_strings},
};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use std::borrow::Cow;

/// RSA keys below this are within reach of an attacker (RFC 7518 §3.3).
const MIN_RSA_BITS: usize = 2048;

/// Where a key comes from, which decides how strictly it is read and how much it may cost to verify with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JwkOrigin {
    /// The key set of an issuer that the operator has configured.
    Configured,
    /// The key set of an issuer that a resolver has found: a customer may have written it.
    Resolved,
    /// A proof of a client.
    Client,
}

/// The bounds for the cost of an RSA key, which every token of its issuer causes again.
struct RsaBounds {
    max_bits: usize,
    /// The length of the exponent in bytes.
    max_exponent: usize,
}

/// A key of an issuer or of a proof, parsed once for each algorithm that it may verify.
#[derive(Debug, PartialEq)]
pub(crate) struct VerifyingKey {
    pub(crate) id: Option<Box<str>>,
    by_algorithm: Vec<(Algorithm, PublicKey)>,
}

/// The reason why a key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnusableKey {
    pub(crate) reason: &'static str,
    /// Whether it is for another purpose, as in many key sets.
    pub(crate) is_expected: bool,
}

impl From<&'static str> for UnusableKey {
    fn from(reason: &'static str) -> Self {
        Self { reason, is_expected: false }
    }
}

impl JwkOrigin {
    const fn rsa_bounds(self) -> RsaBounds {
        match self {
            Self::Configured => RsaBounds { max_bits: 8192, max_exponent: 4 },
            Self::Resolved | Self::Client => RsaBounds { max_bits: 4096, max_exponent: 3 },
        }
    }

    const fn is_client(self) -> bool {
        matches!(self, Self::Client)
    }
}

impl VerifyingKey {
    /// Reads a key. The error says, for the log, why it cannot be used.
    pub(crate) fn from_jwk(
        json: &str,
        allowed: AlgorithmSet,
        origin: JwkOrigin,
    ) -> Result<Self, UnusableKey> {
        let members = Members::read(json)?;
        if members.is_private {
            return Err("it is a private key".into());
        }
        members.check_use(origin)?;
        if origin.is_client() && members.kid.is_some_and(|id| id.as_str().is_none()) {
            return Err("its kid is not a text".into());
        }
        let stated = members.algorithm(origin)?;
        let algorithms =
            allowed.iter().filter(|allowed| stated.is_none_or(|it| it == Some(*allowed)));
        let by_algorithm = members.public_keys(algorithms, origin)?;
        Ok(Self { id: members.id(), by_algorithm })
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

/// Returns the `kid` of an entry, also if the key cannot be used.
pub(crate) fn key_id(json: &str) -> Option<Box<str>> {
    Members::read(json).ok()?.id()
}

/// The members of a JWK that are used.
#[derive(Default)]
struct Members<'a> {
    kty: Option<Value<'a>>,
    crv: Option<Value<'a>>,
    n: Option<Value<'a>>,
    e: Option<Value<'a>>,
    x: Option<Value<'a>>,
    y: Option<Value<'a>>,
    alg: Option<Value<'a>>,
    use_: Option<Value<'a>>,
    key_ops: Option<Value<'a>>,
    kid: Option<Value<'a>>,
    /// Whether it has a member of a private key (RFC 7518 §6.2.2, §6.3.2, RFC 8037 §2). A published private
    /// key is compromised.
    is_private: bool,
}

impl<'a> Members<'a> {
    fn read(json: &'a str) -> Result<Self, UnusableKey> {
        let mut members = Self::default();
        json::check_object(json, |name, value| {
            let place = match name {
                "kty" => &mut members.kty,
                "crv" => &mut members.crv,
                "n" => &mut members.n,
                "e" => &mut members.e,
                "x" => &mut members.x,
                "y" => &mut members.y,
                "alg" => &mut members.alg,
                "use" => &mut members.use_,
                "key_ops" => &mut members.key_ops,
                "kid" => &mut members.kid,
                "d" | "p" | "q" | "dp" | "dq" | "qi" | "oth" => {
                    // Some serializers write members that are not there as empty ones.
                    members.is_private |= !matches!(value.raw(), "null" | "\"\"" | "[]");
                    return;
                }
                _ => return,
            };
            *place = Some(value).filter(|value| !value.is_null());
        })
        .map_err(json::Malformed::as_str)?;
        Ok(members)
    }

    fn id(&self) -> Option<Box<str>> {
        let value = self.kid?;
        match value.as_str() {
            Some(text) => (!text.is_empty()).then(|| text.into()),
            // A number, as some issuers publish it. A token has it as a text.
            None => value.as_integer().map(|_| value.raw().into()),
        }
    }

    /// Returns the algorithm that the key is for, by any of its names: `Some(None)` for one that is not
    /// supported.
    fn algorithm(&self, origin: JwkOrigin) -> Result<Option<Option<Algorithm>>, UnusableKey> {
        let Some(value) = self.alg else { return Ok(None) };
        match value.as_str() {
            Some(name) if name.is_empty() && !origin.is_client() => Ok(None),
            Some(name) if origin.is_client() => Ok(Some(Algorithm::named(&name))),
            Some(name) => Ok(Some(Algorithm::named_in_any_case(&name))),
            None if origin.is_client() => Err("its alg is not a text".into()),
            None => Ok(None),
        }
    }

    fn check_use(&self, origin: JwkOrigin) -> Result<(), UnusableKey> {
        let mut purpose = self.use_.map(Value::as_str);
        if let Some(Some(purpose)) = purpose.as_mut().filter(|_| !origin.is_client()) {
            purpose.to_mut().make_ascii_lowercase();
        }
        match purpose.as_ref().map(Option::as_deref) {
            None | Some(Some("sig")) => {}
            Some(Some("enc")) => {
                return Err(UnusableKey { reason: "its use is enc", is_expected: true });
            }
            Some(None | Some("")) if !origin.is_client() => {}
            Some(_) => return Err("its use is not sig".into()),
        }
        let Some(operations) = self.key_ops else { return Ok(()) };
        let listed = match (operations.as_str(), operations.strings()) {
            (Some(one), _) if !origin.is_client() => {
                vec![one.into_owned()]
            }
            (_, Some(Strings::Plain(inside))) => plain_strings(inside).map(Into::into).collect(),
            (_, Some(Strings::Unescaped(all))) => all.into_iter().map(Into::into).collect(),
            _ if origin.is_client() => return Err("its key_ops are not a list".into()),
            _ => return Ok(()),
        };
        let has = |name: &str| listed.iter().any(|operation| operation == name);
        // The key that signs, described where its public half is published.
        let is_described_wrongly = !origin.is_client() && (listed.is_empty() || has("sign"));
        match has("verify") || is_described_wrongly {
            true => Ok(()),
            false => Err("its key_ops lack verify".into()),
        }
    }

    fn public_keys(
        &self,
        algorithms: impl Iterator<Item = Algorithm>,
        origin: JwkOrigin,
    ) -> Result<Vec<(Algorithm, PublicKey)>, UnusableKey> {
        let with = |parse: &dyn Fn(Algorithm) -> Option<PublicKey>| {
            algorithms.filter_map(|algorithm| Some((algorithm, parse(algorithm)?))).collect()
        };
        let text = |value: Option<Value<'a>>| value.and_then(Value::as_str);
        let (kty, crv) = (text(self.kty), text(self.crv));
        Ok(match (kty.as_deref(), crv.as_deref()) {
            (Some("RSA"), _) => {
                let n = unsigned(decode(self.n, origin)?);
                let e = unsigned(decode(self.e, origin)?);
                check_rsa(&n, &e, &origin.rsa_bounds())?;
                with(&|algorithm| PublicKey::rsa(algorithm, &n, &e))
            }
            (Some("EC"), Some(name @ ("P-256" | "P-384"))) => {
                let (curve, length) = match name {
                    "P-256" => (Algorithm::ES256, 32),
                    _ => (Algorithm::ES384, 48),
                };
                let x = coordinate(decode(self.x, origin)?, length, origin);
                let y = coordinate(decode(self.y, origin)?, length, origin);
                with(&|algorithm| {
                    PublicKey::ecdsa(algorithm, &x, &y).filter(|_| algorithm == curve)
                })
            }
            (Some("OKP"), Some("Ed25519")) => {
                let x = decode(self.x, origin)?;
                with(&|algorithm| PublicKey::ed25519(&x).filter(|_| algorithm == Algorithm::EdDSA))
            }
            (None, _) => return Err("it has no kty".into()),
            _ => return Err("its type or curve is not supported".into()),
        })
    }
}

fn decode(value: Option<Value<'_>>, origin: JwkOrigin) -> Result<Vec<u8>, &'static str> {
    let text = value.and_then(Value::as_str).ok_or("a member of the key is missing or no text")?;
    let bytes = match origin {
        JwkOrigin::Client => base64url::decode(&*text),
        JwkOrigin::Configured | JwkOrigin::Resolved => decode_loosely(text),
    };
    bytes.ok_or("a member is not base64url")
}

/// Decodes base64 in either alphabet, with or without padding, spaces and stray bits.
fn decode_loosely(text: Cow<'_, str>) -> Option<Vec<u8>> {
    const CONFIG: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const ENGINE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);
    let plain: String = text
        .chars()
        .filter(|character| !character.is_ascii_whitespace())
        .map(|character| match character {
            '+' => '-',
            '/' => '_',
            other => other,
        })
        .collect();
    ENGINE.decode(plain).ok()
}

/// Removes the leading zeros of a `Base64urlUInt` (RFC 7518 §2). They are not allowed there, but issuers
/// publish them, and they do no harm.
fn unsigned(mut bytes: Vec<u8>) -> Vec<u8> {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.drain(..zeros);
    bytes
}

/// Returns a coordinate in the length of its field (RFC 7518 §6.2.1.2). Some issuers publish it as a number,
/// without leading zeros or with one more.
fn coordinate(bytes: Vec<u8>, length: usize, origin: JwkOrigin) -> Vec<u8> {
    if origin.is_client() || bytes.len() == length {
        return bytes;
    }
    let number = unsigned(bytes);
    match length.checked_sub(number.len()) {
        Some(missing) => [vec![0; missing], number].concat(),
        None => number,
    }
}

fn check_rsa(n: &[u8], e: &[u8], bounds: &RsaBounds) -> Result<(), &'static str> {
    let bits = n.first().map_or(0, |top| n.len() * 8 - top.leading_zeros() as usize);
    if bits < MIN_RSA_BITS {
        return Err("its modulus has less than 2048 bits");
    }
    if bits > bounds.max_bits {
        return Err("its modulus has more bits than are accepted here");
    }
    // An exponent of 1 would make every signature its own message.
    let odd = |bytes: &[u8]| bytes.last().is_some_and(|last| last & 1 == 1);
    if !odd(n) || !odd(e) || e == [1] {
        return Err("its modulus or exponent is not an RSA key's");
    }
    if e.len() > bounds.max_exponent {
        return Err("its exponent is greater than is accepted here");
    }
    Ok(())
}
