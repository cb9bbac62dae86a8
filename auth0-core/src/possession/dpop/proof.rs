//! A proof of possession (RFC 9449 §4.2), and its checks (§4.3).
use super::{DpopRules, Freshness, ProofId, ReplayEntry, Use};
use crate::{
    error::{Error, ErrorCode},
    jose::{
        AlgorithmSet, Message, Thumbprint, TokenHash, VerifyingKey, base64url,
        json::{self, Value},
        jwk::JwkOrigin,
        jws::{Compact, Header, JwsError},
    },
    request::HttpUri,
    telemetry::{Escaped, LongText},
    token::payload_text::Typed,
};
use aws_lc_rs::digest;
use std::{borrow::Cow, time::Duration};

/// Enough for an RSA key of 8192 bits and a long URL.
const MAX_BYTES: usize = 16 * 1024;

/// More than common identifiers have.
const MAX_ID_BYTES: usize = 256;

const CLOCKS: &str =
    "Let the client create a proof for each request, and compare the clocks of client and service";

const PUBLIC_URL: &str = "Behind a proxy, set Builder::public_url or AUTH0_PUBLIC_URL to the URL that clients use. \
                          Otherwise let the client sign the URL to which it sends the request";

/// The content that a proof must have.
pub(crate) struct Expected<'a> {
    pub(crate) method: &'a str,
    /// The hash of the access token that the proof came with. `None` at a token endpoint.
    pub(crate) token: Option<TokenHash>,
    /// The key that the access token is bound to.
    pub(crate) key: Option<&'a Thumbprint>,
    pub(crate) now: Duration,
}

/// A valid proof, which may have been used before.
pub(crate) struct NewProof {
    pub(crate) used: Use,
    /// The age of its nonce, if nonces are required.
    pub(crate) freshness: Option<Freshness>,
}

/// The value of a `DPoP` header.
pub(crate) struct Proof<'a>(pub(crate) &'a [u8]);

impl Proof<'_> {
    /// Checks everything except whether the proof was used before. Cheap checks come first, the signature
    /// last. `is_url` returns the URL of the request if it is another one, or why it is not known.
    pub(crate) fn check(
        &self,
        rules: &DpopRules,
        expected: &Expected<'_>,
        is_url: impl FnOnce(&HttpUri<'_>) -> Result<Result<(), String>, Cow<'static, str>>,
    ) -> Result<NewProof, Error> {
        if self.0.len() > MAX_BYTES {
            return Err(invalid("it is over the size limit"));
        }
        let compact = Compact::split(self.0).map_err(|_| invalid("it is not a compact JWS"))?;
        let header_json = compact.header_json().map_err(of_jws)?;
        let mut jwk = None;
        let header = Header::read(&header_json, rules.algorithms, |name, value| {
            if name == "jwk" {
                jwk = Some(value);
            }
        })
        .map_err(of_jws)?;
        check_type(&header)?;
        let algorithm = header.accepted().map_err(of_jws)?;
        let jwk = jwk.ok_or_else(|| invalid("the header has no jwk"))?.raw();
        let thumbprint = Thumbprint::of_jwk(jwk).map_err(invalid)?;

        let payload = compact.payload().map_err(of_jws)?;
        let claims = Claims::parse(&payload)?;
        let htm = claims.text("htm", claims.method)?;
        if htm != expected.method {
            return Err(invalid(format!("htm is {}", Escaped(&htm)))
                .expecting(format!("the method of the request, {}", Escaped(expected.method))));
        }
        let htu = claims.text("htu", claims.url)?;
        let url = HttpUri::parse(&htu).ok_or_else(|| invalid("htu is not an http or https URL"))?;
        let other = is_url(&url).map_err(|why| {
            invalid(why).expecting("a request whose URL is known").advising(PUBLIC_URL)
        })?;
        other.map_err(|ours| {
            invalid(format!("htu is {}", LongText(&htu)))
                .expecting(format!("the URL of the request, {}", LongText(&ours)))
                .advising(PUBLIC_URL)
        })?;
        let issued_at = claims.issued_at(&payload)?;
        let expires_at = check_age(issued_at, rules, expected.now)?;
        let id = claims.text("jti", claims.id)?;
        if id.is_empty() || id.len() > MAX_ID_BYTES {
            return Err(invalid("jti does not have 1 to 256 bytes"));
        }
        if let Some(token) = expected.token {
            let hash = claims.text("ath", claims.token_hash)?;
            if base64url::decode(&*hash).as_deref() != Some(token.as_bytes()) {
                return Err(invalid("ath is not the hash of the access token"));
            }
        }
        if expected.key.is_some_and(|key| !key.is(&thumbprint)) {
            let jkt = expected.key.map(Thumbprint::encode).unwrap_or_default();
            return Err(Error::new(ErrorCode::TokenBindingMismatch)
                .because(format!("the key of the proof has the thumbprint {}", thumbprint.encode()))
                .expecting(format!("{jkt}, the cnf.jkt of the token"))
                .advising(
                    "Let the client sign proofs with the key with which it requested the token",
                ));
        }
        let freshness = claims.freshness(rules, expected.now)?;

        let known_key = rules.proof_keys.get(&thumbprint, jwk);
        let known = known_key.as_ref().and_then(|known| known.key.for_algorithm(algorithm));
        let parsed = match known {
            Some(_) => None,
            None => Some(
                VerifyingKey::from_jwk(
                    jwk,
                    AlgorithmSet::from_iter([algorithm]),
                    JwkOrigin::Client,
                )
                .map_err(|why| invalid(format!("the jwk cannot be used: {}", why.reason)))?,
            ),
        };
        let key = known.or_else(|| parsed.as_ref()?.for_algorithm(algorithm));
        let key = key.ok_or_else(|| invalid("the jwk is not a key for the alg"))?;
        let mut buffer = [0; _];
        let signature = compact.signature(&mut buffer).map_err(of_jws)?;
        if !key.verifies(&Message::new(compact.signed, algorithm, false), &signature) {
            return Err(invalid("the signature does not verify"));
        }
        let entry = ReplayEntry::new(proof_id(&thumbprint, &id, &htu), expected.now, expires_at);
        // Only keys of bound tokens are kept: at a token endpoint, a client may use any key.
        if let (Some(key), Some(_)) = (parsed, expected.key) {
            rules.proof_keys.learn(&thumbprint, jwk, key);
        }
        Ok(NewProof { used: Use { entry, key: thumbprint }, freshness })
    }
}

/// The members of a proof's payload.
#[derive(Default)]
struct Claims<'a> {
    method: Option<Value<'a>>,
    url: Option<Value<'a>>,
    issued_at: Option<Value<'a>>,
    id: Option<Value<'a>>,
    token_hash: Option<Value<'a>>,
    nonce: Option<Value<'a>>,
}

impl<'a> Claims<'a> {
    fn parse(payload: &'a str) -> Result<Self, Error> {
        let mut claims = Self::default();
        json::check_object(payload, |name, value| {
            let place = match name {
                "htm" => &mut claims.method,
                "htu" => &mut claims.url,
                "iat" => &mut claims.issued_at,
                "jti" => &mut claims.id,
                "ath" => &mut claims.token_hash,
                "nonce" => &mut claims.nonce,
                _ => return,
            };
            *place = Some(value);
        })
        .map_err(|why| invalid(format!("the payload: {}", why.as_str())))?;
        Ok(claims)
    }

    fn text(&self, name: &str, value: Option<Value<'a>>) -> Result<Cow<'a, str>, Error> {
        let value = value.ok_or_else(|| invalid(format!("{name} is missing")))?;
        value.as_str().ok_or_else(|| invalid(format!("{name} is not a string")))
    }

    fn issued_at(&self, payload: &str) -> Result<Duration, Error> {
        let value = self.issued_at.ok_or_else(|| invalid("iat is missing"))?;
        Duration::read(value, payload).ok_or_else(|| invalid("iat is not a number of seconds"))
    }

    fn freshness(&self, rules: &DpopRules, now: Duration) -> Result<Option<Freshness>, Error> {
        let Some(nonces) = &rules.nonces else { return Ok(None) };
        let required = |cause: &'static str| {
            Err(Error::new(ErrorCode::DpopNonceRequired)
                .because(cause)
                .with_nonce(nonces.current(now).into()))
        };
        if self.nonce.is_none() {
            return required("the DPoP proof has no nonce");
        }
        match nonces.freshness(&self.text("nonce", self.nonce)?, now) {
            Freshness::Stale => {
                required("the nonce of the DPoP proof is too old, or of another service")
            }
            freshness => Ok(Some(freshness)),
        }
    }
}

/// Checks `typ`, a media type, so its case does not matter (RFC 7515 §4.1.9).
fn check_type(header: &Header) -> Result<(), Error> {
    match header.token_type.as_deref() {
        None => Err(invalid("the header has no typ")),
        Some(stated)
            if stated.eq_ignore_ascii_case("dpop+jwt")
                || stated.eq_ignore_ascii_case("application/dpop+jwt") =>
        {
            Ok(())
        }
        Some(other) => Err(invalid(format!("its typ is {}, not dpop+jwt", Escaped(other)))),
    }
}

/// Checks the age of a proof. Returns the time until which it could be used.
fn check_age(issued_at: Duration, rules: &DpopRules, now: Duration) -> Result<Duration, Error> {
    let expires_at = issued_at.saturating_add(rules.max_age);
    if now > expires_at {
        let age = now.saturating_sub(issued_at).as_secs();
        return Err(invalid(format!("it is {age} s old"))
            .expecting(format!("at most {} s (Dpop::max_age)", rules.max_age.as_secs()))
            .advising(CLOCKS));
    }
    if issued_at > now.saturating_add(rules.max_ahead) {
        let ahead = issued_at.saturating_sub(now).as_secs();
        return Err(invalid(format!("its iat is {ahead} s ahead"))
            .expecting(format!("at most {} s (Dpop::max_ahead)", rules.max_ahead.as_secs()))
            .advising(CLOCKS));
    }
    Ok(expires_at)
}

fn proof_id(key: &Thumbprint, id: &str, url: &str) -> ProofId {
    let mut state = digest::Context::new(&digest::SHA256);
    state.update(key.as_bytes());
    // The length separates the two texts.
    state.update(&(id.len() as u64).to_be_bytes());
    state.update(id.as_bytes());
    state.update(url.as_bytes());
    let mut hash = [0; digest::SHA256_OUTPUT_LEN];
    hash.copy_from_slice(state.finish().as_ref());
    ProofId::new(hash)
}

fn invalid(cause: impl Into<Cow<'static, str>>) -> Error {
    let cause: Cow<'static, str> = cause.into();
    Error::new(ErrorCode::DpopProofInvalid).because(format!("the DPoP proof: {cause}"))
}

/// Maps an error in the form of a proof to its refusal.
fn of_jws(error: JwsError) -> Error {
    invalid(error.into_cause())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::possession::dpop::Dpop;
    use proptest::prelude::*;

    /// The token and its proof of RFC 9449 §7.1, figures 12 and 14.
    const TOKEN: &[u8] = b"Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
    const PROOF: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4d\
        EZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFq\
        SG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0\
        VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2M\
        jYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86\
        L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
    const URL: &str = "https://resource.example.org/protectedresource";
    const ISSUED_AT: Duration = Duration::from_secs(1_562_262_618);
    /// The thumbprint of RFC 9449 §6.1, figure 8.
    const THUMBPRINT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

    fn check(proof: &[u8], now: Duration) -> Result<NewProof, Error> {
        let key = Thumbprint::parse(THUMBPRINT).unwrap();
        let expected =
            Expected { method: "GET", token: Some(TokenHash::of(TOKEN)), key: Some(&key), now };
        Proof(proof).check(&Dpop::allowed().rules().unwrap(), &expected, |url| {
            Ok(if HttpUri::parse(URL).unwrap().equals(url) { Ok(()) } else { Err(URL.to_owned()) })
        })
    }

    #[test]
    fn the_example_of_the_standard_verifies() {
        let new = check(PROOF.as_bytes(), ISSUED_AT + Duration::from_secs(300)).unwrap();
        assert_eq!(new.used.key.encode(), THUMBPRINT);
        assert_eq!(new.used.entry.expires_at, ISSUED_AT + Duration::from_secs(300));
        assert!(check(PROOF.as_bytes(), ISSUED_AT + Duration::from_secs(301)).is_err());
        assert!(check(PROOF.as_bytes(), ISSUED_AT - Duration::from_secs(31)).is_err());
    }

    /// For an ECDSA signature (r, s), (r, n - s) is valid, too. It does not make another proof.
    #[test]
    fn no_other_value_of_any_byte_verifies() {
        for place in 0..PROOF.len() {
            let mut altered = PROOF.as_bytes().to_vec();
            for bit in 0..8 {
                altered[place] ^= 1 << bit;
                assert!(check(&altered, ISSUED_AT).is_err(), "byte {place}, bit {bit}");
                altered[place] ^= 1 << bit;
            }
        }
    }

    #[test]
    fn an_identifier_and_a_url_do_not_run_together() {
        let key = Thumbprint::parse(THUMBPRINT).unwrap();
        assert_ne!(proof_id(&key, "ab", "c"), proof_id(&key, "a", "bc"));
        assert_eq!(proof_id(&key, "ab", "c"), proof_id(&key, "ab", "c"));
    }

    proptest! {
        #[test]
        fn never_panics(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            header in r#"\{("(typ|alg|jwk|crit)":("dpop\+jwt"|"ES256"|\{"kty":"EC","crv":"P-256","x":"[a-zA-Z]{0,43}","y":"[a-zA-Z]{0,43}"\}|1|null),?){0,4}\}"#,
            payload in r#"\{("(htm|htu|iat|jti|ath)":("GET"|"https://[a-z:%@]{0,9}/"|1562262618|-1e9|null),?){0,6}\}"#,
        ) {
            use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
            prop_assert!(check(&bytes, ISSUED_AT).is_err());
            let proof = format!("{}.{}.AAAA", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
            prop_assert!(check(proof.as_bytes(), ISSUED_AT).is_err());
        }
    }
}
