//! The key set of an issuer (RFC 7517 §5). Input: the body of the answer.
use crate::{
    Target, Verdict,
    json::{has_duplicates, without_mark},
    refusal,
    world::{HEADER, attacker_key, client_key, issuer_key, payload, published, runtime, settings},
};
use auth0_core::{
    Auth0, BoxFuture, ErrorCode, TrustedIssuer,
    adapter::RequestView,
    transport::{HttpClient, HttpError, HttpRequest, HttpResponse},
};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

pub(crate) const TARGET: Target = Target {
    name: "key_set",
    run,
    seeds,
    pieces: &[
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "{\"keys\":[",
        "]}",
        "null",
        "1",
        "\"\"",
        "\"kty\"",
        "\"OKP\"",
        "\"RSA\"",
        "\"EC\"",
        "\"crv\"",
        "\"Ed25519\"",
        "\"P-256\"",
        "\"x\"",
        "\"y\"",
        "\"n\"",
        "\"e\"",
        "\"AQAB\"",
        "\"d\"",
        "\"kid\"",
        "\"ed\"",
        "\"use\"",
        "\"sig\"",
        "\"enc\"",
        "\"alg\"",
        "\"EdDSA\"",
        "\"key_ops\"",
        "\"verify\"",
        "\"x5c\"",
        "\u{feff}",
        " ",
    ],
};

/// The entries that are read.
const MAX_ENTRIES: usize = 128;

/// Answers every request with the same body.
#[derive(Debug)]
struct Answer(Vec<u8>);

impl HttpClient for Answer {
    fn send<'a>(&'a self, _: HttpRequest<'a>) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
        let answer = HttpResponse::json(self.0.clone());
        Box::pin(async move { Ok(answer) })
    }
}

fn run(input: &[u8]) -> Verdict {
    let issuer = TrustedIssuer::domain("tenant.test").key_set_url("https://tenant.test/keys");
    let auth = settings(issuer).http_client(Answer(input.to_vec())).build().unwrap();
    let verdict = runtime().block_on(auth.warm_up());
    let entries = entries(without_mark(input));
    if let Err(error) = verdict {
        let code = refusal::check(&error, &[ErrorCode::KeysUnavailable]);
        assert!(!is_complete(input, entries.as_deref()), "a good key set was refused: {error:?}");
        return Err(code);
    }
    let payload = payload(json!({}));
    let accepts = |token: &str| accepts(&auth, token);

    // No other key than a published one verifies.
    let ours = issuer_key().sign(HEADER.as_bytes(), payload.as_bytes());
    let without_id = issuer_key().sign(br#"{"alg":"EdDSA"}"#, payload.as_bytes());
    let entries = entries.expect("serde_json reads it, too");
    let is_published =
        |named: bool| entries.iter().take(MAX_ENTRIES).any(|key| is_ours(key, named));
    let is_accepted = accepts(&ours);
    // Where no key has the id, the only one without an id may be meant.
    let is_known = is_published(true) || is_published(false);
    assert!(!is_accepted || is_known, "a key that is not published");
    assert!(!accepts(&without_id) || is_published(false), "a key that is not published");
    for forger in [attacker_key(), client_key()] {
        for header in [HEADER, r#"{"alg":"EdDSA"}"#, r#"{"alg":"EdDSA","kid":""}"#] {
            assert!(!accepts(&forger.sign(header.as_bytes(), payload.as_bytes())), "{header}");
        }
    }
    assert!(is_accepted || !is_complete(input, Some(&entries)), "a published key was not used");
    if is_accepted { Ok(()) } else { Err(ErrorCode::KeyUnknown) }
}

fn accepts(auth: &Auth0, token: &str) -> bool {
    let line = format!("Bearer {token}");
    let request = RequestView::new().authorization([line.as_bytes()]);
    auth.authenticate_now(&request).is_some_and(|verdict| verdict.is_ok())
}

/// Returns the entries as another reader sees them.
fn entries(json: &[u8]) -> Option<Vec<Value>> {
    #[derive(Deserialize)]
    struct Set<'a> {
        #[serde(borrow)]
        keys: Vec<&'a RawValue>,
    }
    let set: Set<'_> = serde_json::from_slice(json).ok()?;
    // An entry may have numbers or escapes that make no value.
    Some(set.keys.iter().map(|key| serde_json::from_str(key.get()).unwrap_or_default()).collect())
}

/// Returns whether an entry is the issuer's public key.
fn is_ours(entry: &Value, named: bool) -> bool {
    let member = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_public = ["d", "p", "q", "dp", "dq", "qi", "oth"]
        .iter()
        .all(|name| entry.get(*name).is_none_or(Value::is_null));
    // An empty one, or one of another type, says nothing.
    let algorithm = ["", "EdDSA", "Ed25519"].contains(&member("alg"));
    member("kty") == "OKP"
        && plain(member("x")) == published()["x"]
        && is_public
        && algorithm
        && (!named || member("kid") == "ed")
}

/// Returns base64 of any alphabet, with padding or spaces, as base64url.
fn plain(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    text.trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// Returns whether the issuer's key is there as it publishes it, nothing else has its id, and no object has a
/// member twice, which readers see differently.
fn is_complete(input: &[u8], entries: Option<&[Value]>) -> bool {
    let Some(entries) = entries else { return false };
    if str::from_utf8(input).is_ok_and(has_duplicates) {
        return false;
    }
    let mut named = entries.iter().filter(|key| key.get("kid").is_some_and(|id| id == "ed"));
    entries.len() <= MAX_ENTRIES && named.next() == Some(&published()) && named.next().is_none()
}

fn seeds() -> Vec<Vec<u8>> {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut key = published();
        change(&mut key);
        key
    };
    let without = |name: &'static str| {
        with(&move |key| drop(key.as_object_mut().expect("a JWK").remove(name)))
    };
    let rsa = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "rs" });
    let ec =
        json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "es", "x5c": ["AA"] });
    let sets = [
        json!({ "keys": [published()] }),
        json!({ "keys": [rsa, ec, published()] }),
        json!({ "keys": [without("kid")] }),
        json!({ "keys": [without("alg"), without("kid")] }),
        json!({ "keys": [published(), published()] }),
        json!({ "keys": [with(&|key| key["d"] = "AA".into())] }),
        json!({ "keys": [with(&|key| key["use"] = "enc".into())] }),
        json!({ "keys": [with(&|key| key["key_ops"] = json!(["verify"]))] }),
        json!({ "keys": [with(&|key| key["alg"] = "RS256".into())] }),
        json!({ "keys": vec![rsa.clone(); MAX_ENTRIES] }),
        json!({ "keys": [1, null, [], published()], "more": { "keys": [] } }),
        json!({ "keys": [with(&|key| key["x"] = format!("{}=", key["x"].as_str().unwrap()).into())] }),
        json!({ "keys": [with(&|key| key["kid"] = 1.into())] }),
        json!({ "keys": [with(&|key| key["alg"] = "".into())] }),
        json!({ "keys": [] }),
        json!([published()]),
    ];
    let mut seeds: Vec<Vec<u8>> = sets.iter().map(|set| set.to_string().into_bytes()).collect();
    seeds.push(format!("\u{feff}{}", sets[0]).into_bytes());
    let duplicate = sets[0].to_string().replacen("\"kty\"", "\"kty\":\"RSA\",\"kty\"", 1);
    seeds.push(duplicate.into_bytes());
    seeds
}
