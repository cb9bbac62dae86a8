//! Tokens, key sets and metadata as identity providers publish them, and what the verifier says of them: with
//! nothing but the issuer and the audience, and with the recipe of `docs/issuers.md`.
mod documents;
mod recipes;
mod tokens;

use crate::common::{ED25519, NOW, P256, P384, RSA_1, RSA_2};
use auth0_core::Algorithm;
use auth0_testing::SigningKey;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The fixed keys by their names in the fixtures. `NEXT` is another key for RS256.
static KEYS: LazyLock<[(&str, SigningKey); 6]> = LazyLock::new(|| {
    [
        ("RS256", Algorithm::RS256, RSA_1),
        ("NEXT", Algorithm::RS256, RSA_2),
        ("RS512", Algorithm::RS512, RSA_2),
        ("ES256", Algorithm::ES256, P256),
        ("ES384", Algorithm::ES384, P384),
        ("EdDSA", Algorithm::EdDSA, ED25519),
    ]
    .map(|(name, algorithm, der)| {
        let key = SigningKey::from_pkcs8(algorithm, der).unwrap();
        (name, key.with_id(format!("key-{name}")))
    })
});

fn key(name: &str) -> &'static SigningKey {
    let found = KEYS.iter().find(|(known, _)| *known == name);
    found.map(|(_, key)| key).unwrap_or_else(|| panic!("no key {name}"))
}

/// Returns a key set of all fixed keys.
fn key_set() -> String {
    json!({ "keys": KEYS.iter().map(|(_, key)| key.jwk()).collect::<Vec<_>>() }).to_string()
}

/// Replaces the placeholders of a fixture. Those for numbers stand in quotation marks of their own.
fn filled(fixture: &Value, texts: &[(&str, &str)]) -> String {
    let mut json = fixture.to_string();
    for (name, number) in [("now", NOW), ("exp", NOW + 3600), ("now-10", NOW - 10)] {
        json = json.replace(&format!(r#""{{{{{name}}}}}""#), &number.to_string());
    }
    let fixed = [
        ("now_iso", "2026-01-01T00:00:00.000Z"),
        ("sub", "u-1"),
        ("client", "c-1"),
        ("digits", "100000000000000000009"),
    ];
    for (name, text) in fixed.iter().chain(texts) {
        json = json.replace(&format!("{{{{{name}}}}}"), text);
    }
    assert!(!json.contains("{{"), "a placeholder is left: {json}");
    json
}
