//! The kinds of disagreement: what in a token makes the two verifiers differ. A kind is found in the token
//! itself, not in the way in which it was made.
use super::parties::{Judgement, LEEWAY};
use auth0_core::ErrorCode;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use untrusted_input::json::has_duplicates;

/// The nesting that the verifier reads.
const DEEPEST: usize = 32;

/// Returns the name of the kind of a disagreement, as the table has it; `None` if it is of no known kind.
pub(super) fn kind(judgement: &Judgement) -> Option<&'static str> {
    let parts = Parts::of(&judgement.token)?;
    match (&judgement.ours, &judgement.theirs) {
        (Err(code), Ok(_)) => refused(&parts, *code, judgement.now),
        (Ok(_), Err(_)) => accepted(&parts),
        _ => None,
    }
}

/// What only `jsonwebtoken` accepts.
fn refused(parts: &Parts, code: ErrorCode, now: u64) -> Option<&'static str> {
    let Parts { header, payload, .. } = parts;
    let claim = |name: &str| payload.get(name).unwrap_or(&Value::Null);
    let distance = |name: &str| claim(name).as_f64().map(|time| time - now as f64);
    let leeway = LEEWAY as f64;
    Some(match code {
        ErrorCode::TokenMalformed if parts.has_duplicates() => "duplicate member",
        ErrorCode::TokenMalformed if header.contains_key("crit") || header.contains_key("b64") => {
            "critical extension"
        }
        ErrorCode::TokenMalformed if ["kid", "typ"].iter().any(|name| is_null(header, name)) => {
            "null in the header"
        }
        ErrorCode::TokenMalformed if parts.depth() > DEEPEST => "deep nesting",
        ErrorCode::TokenTypeInvalid if other_type(header) => "other type",
        ErrorCode::TokenTypeInvalid
            if ["nonce", "at_hash"].iter().any(|name| payload.contains_key(*name)) =>
        {
            "ID token, by its members"
        }
        ErrorCode::TokenTypeInvalid if claim("aud") == claim("azp") => "ID token, by its audience",
        ErrorCode::TokenExpired if distance("exp").is_some_and(|exp| exp == -leeway) => {
            "last second"
        }
        ErrorCode::TokenExpired if distance("exp").is_some_and(|exp| exp.fract() != 0.0) => {
            "rounded expiry"
        }
        ErrorCode::TokenNotYetValid if distance("iat").is_some_and(|iat| iat > leeway) => {
            "issued in the future"
        }
        ErrorCode::TokenNotYetValid if distance("nbf").is_some_and(|nbf| nbf.fract() != 0.0) => {
            "rounded start"
        }
        ErrorCode::ClaimsInvalid if claim("iss").is_array() => "several issuers",
        ErrorCode::ClaimsInvalid if claim("sub") == "" => "empty subject",
        ErrorCode::ClaimsInvalid if mistyped(payload) => "claim of another type",
        ErrorCode::TokenBindingMismatch if claim("cnf").is_object() => "bound token as Bearer",
        _ => return None,
    })
}

/// What only our verifier accepts.
fn accepted(parts: &Parts) -> Option<&'static str> {
    let Parts { header, payload, .. } = parts;
    let is_time = |name: &str, holds: &dyn Fn(f64) -> bool| {
        payload.get(name).and_then(Value::as_f64).is_some_and(holds)
    };
    Some(match () {
        () if header.get("alg").is_some_and(|alg| alg == "Ed25519") => "the name Ed25519",
        () if unused_header_is_mistyped(header) => "unused header of another type",
        () if is_time("exp", &|exp| exp >= u64::MAX as f64) => "expiry beyond u64",
        () if is_time("nbf", &|nbf| nbf < 0.0) => "start before 1970",
        () if is_null(payload, "nbf") => "null start",
        () => return None,
    })
}

fn is_null(members: &Map<String, Value>, name: &str) -> bool {
    members.get(name).is_some_and(Value::is_null)
}

fn other_type(header: &Map<String, Value>) -> bool {
    let known = ["jwt", "at+jwt", "application/at+jwt"];
    header
        .get("typ")
        .and_then(Value::as_str)
        .is_some_and(|typ| !known.contains(&&*typ.to_ascii_lowercase()))
}

/// Returns whether a claim that validity depends on has another type than it must have.
fn mistyped(payload: &Map<String, Value>) -> bool {
    payload.iter().any(|(name, value)| match name.as_str() {
        "iat" => !value.is_number() && !value.is_null(),
        "cnf" => !value.is_object() && !value.is_null(),
        _ => false,
    })
}

/// Returns whether a member that the verifier does not use has a type that `jsonwebtoken` does not expect.
fn unused_header_is_mistyped(header: &Map<String, Value>) -> bool {
    header.iter().any(|(name, value)| match name.as_str() {
        "cty" | "jku" | "x5u" | "x5t" | "x5t#S256" | "zip" | "enc" | "url" | "nonce" => {
            !value.is_string()
        }
        "x5c" => {
            !value.is_array() || value.as_array().into_iter().flatten().any(|v| !v.is_string())
        }
        "jwk" => value.get("kty").is_none(),
        _ => false,
    })
}

/// The JSON of a token.
struct Parts {
    texts: [String; 2],
    header: Map<String, Value>,
    payload: Map<String, Value>,
}

impl Parts {
    fn of(token: &str) -> Option<Self> {
        let mut parts = token.split('.');
        let mut next = || String::from_utf8(URL_SAFE_NO_PAD.decode(parts.next()?).ok()?).ok();
        let texts = [next()?, next()?];
        let members = |text: &str| serde_json::from_str(text).ok();
        Some(Self { header: members(&texts[0])?, payload: members(&texts[1])?, texts })
    }

    fn has_duplicates(&self) -> bool {
        self.texts.iter().any(|text| has_duplicates(text))
    }

    fn depth(&self) -> usize {
        let depth = |text: &str| {
            let mut open = 0;
            text.bytes().fold(0, |deepest, byte| {
                match byte {
                    b'[' | b'{' => open += 1,
                    b']' | b'}' => open -= 1,
                    _ => {}
                }
                deepest.max(open)
            })
        };
        self.texts.iter().map(|text| depth(text)).max().unwrap_or_default()
    }
}
