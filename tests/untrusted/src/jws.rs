//! The JSON of a token. Input: header and payload, separated by `\0`, which the issuer's key signs; with a
//! third part, that is the signature.
use crate::{
    Target, Verdict,
    json::{Object, scopes},
    parts, refusal,
    signer::unsigned,
    world::{AUDIENCE, HEADER, ISSUER, LEEWAY, NOW, issuer_key, payload, verifier},
};
use auth0_core::{Auth0, ErrorCode, VerifiedToken, adapter::RequestView};
use serde_json::{Value, json};
use std::cell::LazyCell;

pub(crate) const TARGET: Target = Target {
    name: "jws",
    run,
    seeds,
    pieces: &[
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\0",
        "null",
        "true",
        "-1",
        "1e400",
        "1767225660",
        "\"\"",
        "\"a\"",
        "\"\\u0061\"",
        "\"\\ud800\"",
        "\"alg\"",
        "\"EdDSA\"",
        "\"none\"",
        "\"kid\"",
        "\"ed\"",
        "\"typ\"",
        "\"at+jwt\"",
        "\"crit\"",
        "\"iss\"",
        "\"https://tenant.test/\"",
        "\"aud\"",
        "\"https://api.tenant.test\"",
        "\"exp\"",
        "\"nbf\"",
        "\"iat\"",
        "\"sub\"",
        "\"cnf\"",
        "\"jkt\"",
        "\"scope\"",
        "\"nonce\"",
        "\u{feff}",
        "\u{e9}",
        " ",
    ],
};

const CODES: [ErrorCode; 13] = [
    ErrorCode::RequestMalformed,
    ErrorCode::TokenMalformed,
    ErrorCode::TokenOpaque,
    ErrorCode::AlgorithmUnsupported,
    ErrorCode::KeyUnknown,
    ErrorCode::SignatureInvalid,
    ErrorCode::IssuerMismatch,
    ErrorCode::AudienceMismatch,
    ErrorCode::TokenExpired,
    ErrorCode::TokenNotYetValid,
    ErrorCode::ClaimsInvalid,
    ErrorCode::TokenTypeInvalid,
    ErrorCode::TokenBindingMismatch,
];

thread_local! {
    static AUTH: LazyCell<Auth0> = LazyCell::new(|| verifier(|settings| settings));
}

fn run(input: &[u8]) -> Verdict {
    let parts = parts(input, b'\0');
    let (header, payload) = (parts[0], parts.get(1).copied().unwrap_or_default());
    let signed = issuer_key().sign(header, payload);
    let token = match parts.get(2) {
        Some(signature) => unsigned(header, payload, signature),
        None => signed.clone(),
    };
    let line = format!("Bearer {token}");
    let request = RequestView::new().authorization([line.as_bytes()]);
    AUTH.with(|auth| {
        let Some(verdict) = auth.authenticate_now(&request) else {
            return Err(ErrorCode::KeyUnknown);
        };
        let again = auth.authenticate_now(&request).expect("the key was known before");
        let code = |verdict: &Result<VerifiedToken, auth0_core::Error>| {
            verdict.as_ref().err().map(auth0_core::Error::code)
        };
        assert_eq!(code(&verdict), code(&again));
        match verdict {
            Ok(accepted) => {
                assert_eq!(token, signed, "a forged token was accepted");
                check(header, payload, &accepted);
                Ok(())
            }
            Err(error) => Err(refusal::check(&error, &CODES)),
        }
    })
}

/// Checks an accepted token with another reader of JSON.
fn check(header: &[u8], payload: &[u8], accepted: &VerifiedToken) {
    let header = Object::read(header).expect("the header is an object");
    assert!(["EdDSA", "Ed25519"].contains(&header.text("alg").as_str()));
    assert!(!header.has("crit") && !header.has("b64"));
    assert!(!header.has("kid") || ["", "ed"].contains(&header.text("kid").as_str()));
    let of_rfc9068 = match header.has("typ").then(|| header.text("typ").to_ascii_lowercase()) {
        None => false,
        Some(typ) => {
            let name = typ.strip_prefix("application/").unwrap_or(&typ);
            assert!(typ.is_empty() || ["jwt", "at+jwt"].contains(&name), "{typ}");
            name == "at+jwt"
        }
    };

    let claims = Object::read(payload).expect("the payload is an object");
    assert_eq!((claims.text("iss").as_str(), accepted.issuer()), (ISSUER, ISSUER));
    assert!(!claims.text("sub").is_empty());
    assert_eq!(claims.text("sub"), accepted.subject());
    let audiences: Vec<String> = match claims.member("aud") {
        Value::Array(all) => all.iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
        one => vec![one.as_str().unwrap().to_owned()],
    };
    assert!(audiences.iter().any(|one| one == AUDIENCE));
    assert!(accepted.audiences().eq(audiences.iter().map(String::as_str)));
    let (now, leeway) = (NOW as f64, LEEWAY as f64);
    assert!(claims.number("exp").expect("exp is a number") > now - leeway);
    for name in ["nbf", "iat"] {
        let is_good = claims.number(name).is_some_and(|time| time <= now + leeway);
        assert!(is_good || claims.member(name).is_null(), "{name}");
    }
    assert!(accepted.scopes().eq(scopes(&claims.member("scope"))));
    let bound = claims.member("cnf");
    assert!(bound.get("jkt").is_none() && bound.get("x5t#S256").is_none());
    if !of_rfc9068 {
        assert!(!claims.has("nonce") && !claims.has("at_hash"));
        assert!(claims.text("token_use") != "id" && !claims.member("events").is_object());
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let good = payload(json!({}));
    let headers = [
        HEADER,
        r#"{"alg":"Ed25519","kid":"ed"}"#,
        r#"{"alg":"EdDSA","typ":"at+jwt","jku":"https://evil.test/"}"#,
        r#"{"alg":"EdDSA","kid":"unknown"}"#,
        r#"{"alg":"RS256","kid":"ed"}"#,
        r#"{"alg":"dir","enc":"A256GCM"}"#,
        r#"{"alg":"EdDSA","crit":["exp"]}"#,
        r#"{"alg":"EdDSA","typ":"dpop+jwt"}"#,
    ];
    let changes = [
        json!({ "aud": [AUDIENCE, "https://other.test"], "nbf": NOW, "permissions": ["a"] }),
        json!({ "exp": NOW - 60 }),
        json!({ "nbf": NOW + 60 }),
        json!({ "exp": 1.5e18, "iat": NOW as f64 - 0.5 }),
        json!({ "iss": "https://evil.test/" }),
        json!({ "aud": "https://other.test" }),
        json!({ "sub": "" }),
        json!({ "nonce": "n" }),
        json!({ "cnf": { "jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } }),
        json!({ "cnf": { "jwk": {} }, "https://acme.com/roles": [{ "a": [1.5, null, true] }] }),
    ];
    let mut seeds: Vec<Vec<u8>> =
        headers.iter().map(|header| format!("{header}\0{good}").into_bytes()).collect();
    seeds.extend(changes.map(|change| format!("{HEADER}\0{}", payload(change)).into_bytes()));
    seeds.push(format!("{HEADER}\0{good}\0").into_bytes());
    seeds.push(format!("{HEADER}\0{}", good.replacen('{', r#"{"iss":"a","#, 1)).into_bytes());
    seeds.push(format!("{HEADER}\0{}", good.replace("auth0", "\\u0061uth\\u0030")).into_bytes());
    seeds
}
