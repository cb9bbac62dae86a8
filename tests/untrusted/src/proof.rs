//! A DPoP proof (RFC 9449 §4). Input: its header and payload, separated by `\0`, which the client's key signs;
//! with a third part, that is the signature.
use crate::{
    Target, Verdict,
    exchange::Exchange,
    json::Object,
    parts, refusal,
    signer::{sha256, unsigned},
    world::{NOW, Still, attacker_key, client_key, payload, token, verifier},
};
use auth0_core::{Algorithm, Auth0, Dpop, ErrorCode, dpop::ProofVerifier};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::cell::RefCell;

pub(crate) const TARGET: Target = Target {
    name: "proof",
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
        "1",
        "1767225600",
        "1767225300.5",
        "\"\"",
        "\"typ\"",
        "\"dpop+jwt\"",
        "\"alg\"",
        "\"EdDSA\"",
        "\"jwk\"",
        "\"kty\"",
        "\"OKP\"",
        "\"crv\"",
        "\"Ed25519\"",
        "\"x\"",
        "\"d\"",
        "\"htm\"",
        "\"POST\"",
        "\"htu\"",
        "\"http://api.test/me\"",
        "\"jti\"",
        "\"iat\"",
        "\"ath\"",
        "\"nonce\"",
        "\\u0061",
        "\u{e9}",
    ],
};

const URL: &str = "http://api.test/me";

struct Kit {
    auth: Auth0,
    authorization: String,
    token_hash: String,
    thumbprint: String,
}

impl Kit {
    fn new() -> Self {
        let thumbprint = client_key().thumbprint();
        let token = token(&payload(json!({ "cnf": { "jkt": thumbprint } })));
        let token_hash = sha256(token.as_bytes());
        let authorization = format!("DPoP {token}");
        Self { auth: verifier(|settings| settings), authorization, token_hash, thumbprint }
    }
}

thread_local! {
    static KIT: RefCell<Kit> = RefCell::new(Kit::new());
}

fn run(input: &[u8]) -> Verdict {
    let parts = parts(input, b'\0');
    let (header, payload) = (parts[0], parts.get(1).copied().unwrap_or_default());
    let signed = client_key().sign(header, payload);
    let proof = match parts.get(2) {
        Some(signature) => unsigned(header, payload, signature),
        None => signed.clone(),
    };
    let is_forged = proof != signed;
    KIT.with_borrow_mut(|kit| {
        let alone = alone(kit, &proof);
        let verdict = with_token(kit, &proof);
        if alone.is_ok() || verdict.is_ok() {
            assert!(!is_forged, "a forged proof was accepted");
            check(kit, header, payload, verdict.is_ok());
        }
        assert!(alone.is_ok() || verdict.is_err(), "a token makes no proof good");
        if verdict.is_ok() {
            // Used proofs are kept, so that a long run would fill the memory for them.
            *kit = Kit::new();
        }
        verdict
    })
}

/// Verifies the proof without a token, twice.
fn alone(kit: &Kit, proof: &str) -> Verdict {
    let dpop = Dpop::allowed().algorithms([Algorithm::EdDSA]).replay_capacity(8);
    let verifier = ProofVerifier::new(dpop, Still).unwrap();
    let once = verifier.verify("POST", URL, proof.as_bytes());
    let again = verifier.verify("POST", URL, proof.as_bytes()).expect_err("it was used before");
    match once {
        Ok(thumbprint) => {
            assert_eq!(thumbprint, kit.thumbprint);
            refusal::check(&again, &[ErrorCode::DpopProofReplayed]);
            Ok(())
        }
        Err(error) => {
            assert_eq!(again.code(), error.code());
            Err(refusal::check(&error, &[ErrorCode::DpopProofInvalid]))
        }
    }
}

/// Verifies the proof together with a token that is bound to the client's key, twice.
fn with_token(kit: &Kit, proof: &str) -> Verdict {
    let request = Exchange::default()
        .with("authorization", kit.authorization.as_bytes())
        .with("dpop", proof.as_bytes())
        .with("host", b"api.test");
    let once = request.authenticate(&kit.auth);
    let again = request.authenticate(&kit.auth).expect_err("it was used before");
    match once {
        Ok(()) => {
            refusal::check(&again, &[ErrorCode::DpopProofReplayed]);
            Ok(())
        }
        Err(error) => {
            assert_eq!(again.code(), error.code());
            let codes = [ErrorCode::DpopProofInvalid, ErrorCode::TokenBindingMismatch];
            Err(refusal::check(&error, &codes))
        }
    }
}

/// Checks an accepted proof with another reader of JSON.
fn check(kit: &Kit, header: &[u8], payload: &[u8], has_token: bool) {
    let header = Object::read(header).expect("the header is an object");
    let typ = header.text("typ").to_ascii_lowercase();
    assert!(["dpop+jwt", "application/dpop+jwt"].contains(&typ.as_str()), "{typ}");
    assert!(["EdDSA", "Ed25519"].contains(&header.text("alg").as_str()));
    assert!(!header.has("crit") && !header.has("b64"));
    let jwk = header.member("jwk");
    assert_eq!(jwk["x"], client_key().jwk()["x"]);
    assert_eq!(jwk.get("d").unwrap_or(&Value::Null), &Value::Null, "a private key");

    let claims = Object::read(payload).expect("the payload is an object");
    assert_eq!(claims.text("htm"), "POST");
    assert!(!claims.text("htu").is_empty());
    assert!((1..=256).contains(&claims.text("jti").len()));
    let age = NOW as f64 - claims.number("iat").expect("iat is a number");
    assert!((-30.0..=300.0).contains(&age), "{age}");
    if has_token {
        assert_eq!(claims.text("ath"), kit.token_hash);
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let kit = Kit::new();
    let header = |change: Value| {
        merged(json!({ "typ": "dpop+jwt", "alg": "EdDSA", "jwk": client_key().jwk() }), change)
    };
    let payload = |change: Value| {
        let members = json!({
            "htm": "POST", "htu": URL, "iat": NOW, "jti": "e1j3V_bKic8", "ath": kit.token_hash,
        });
        merged(members, change)
    };
    let mut private = client_key().jwk();
    private["d"] = URL_SAFE_NO_PAD.encode([7; 32]).into();
    let headers = [
        json!({}),
        json!({ "typ": "application/DPoP+jwt", "alg": "Ed25519" }),
        json!({ "typ": "JWT" }),
        json!({ "alg": "ES256" }),
        json!({ "alg": "none" }),
        json!({ "jwk": attacker_key().jwk() }),
        json!({ "jwk": private }),
        json!({ "crit": ["jwk"] }),
    ];
    let payloads = [
        json!({ "htu": "HTTP://API.test:80/./m%65?x#y" }),
        json!({ "htu": "https://api.test/me" }),
        json!({ "htm": "post" }),
        json!({ "iat": NOW - 301 }),
        json!({ "iat": NOW as f64 + 29.5 }),
        json!({ "iat": NOW + 31 }),
        json!({ "jti": "" }),
        json!({ "jti": "a".repeat(257) }),
        json!({ "ath": sha256(b"") }),
        json!({ "nonce": "n", "more": [{}] }),
    ];
    let good = (header(json!({})), payload(json!({})));
    let mut seeds: Vec<String> =
        headers.map(|change| format!("{}\0{}", header(change), good.1)).into();
    seeds.extend(payloads.map(|change| format!("{}\0{}", good.0, payload(change))));
    seeds.push(format!("{}\0{}\0{}", good.0, good.1, "a".repeat(64)));
    seeds.push(format!("{}\0{}", good.0, good.1.to_string().replacen('{', r#"{"htm":"GET","#, 1)));
    seeds.into_iter().map(String::into_bytes).collect()
}

fn merged(mut members: Value, change: Value) -> Value {
    for (name, value) in change.as_object().into_iter().flatten() {
        members[name] = value.clone();
    }
    members
}
