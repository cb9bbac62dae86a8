//! Agreement with an independent implementation: `jsonwebtoken`.
use crate::common::{AUDIENCE, ED25519, P256, P384, RSA_1, cases, runtime};
use auth0_core::{Algorithm, Auth0};
use auth0_testing::{ManualClock, SigningKey, Tenant};
use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, jwk::Jwk};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::{
    cell::Cell,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

fn pkcs8(algorithm: Algorithm) -> &'static [u8] {
    match algorithm {
        Algorithm::ES256 => P256,
        Algorithm::ES384 => P384,
        Algorithm::EdDSA => ED25519,
        _ => RSA_1,
    }
}

/// Returns the algorithm as `jsonwebtoken` names it.
fn theirs(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    algorithm.as_str().parse().unwrap()
}

/// Returns the same key for `jsonwebtoken`. For RSA it wants PKCS #1 in DER, but reads PKCS #8 in PEM.
fn encoding_key(algorithm: Algorithm) -> EncodingKey {
    let der = pkcs8(algorithm);
    match algorithm {
        Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_der(der),
        Algorithm::EdDSA => EncodingKey::from_ed_der(der),
        _ => {
            let base64 = STANDARD.encode(der);
            let pem = format!("-----BEGIN PRIVATE KEY-----\n{base64}\n-----END PRIVATE KEY-----\n");
            EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap()
        }
    }
}

/// Returns a tenant that publishes one key, for one algorithm.
fn tenant_with(algorithm: Algorithm) -> Tenant {
    let tenant = Tenant::new();
    let key = SigningKey::from_pkcs8(algorithm, pkcs8(algorithm)).unwrap();
    tenant.add_key(key.with_id("the-key"));
    tenant.withdraw_old_keys();
    tenant
}

/// Returns the real time in whole seconds: the clock of `jsonwebtoken` cannot be set.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn auth_at(tenant: &Tenant, algorithm: Algorithm, now: u64) -> Auth0 {
    tenant
        .builder()
        .algorithms([algorithm])
        .clock(ManualClock::at(Duration::from_secs(now)))
        .build()
        .unwrap()
}

fn validation(algorithm: Algorithm, tenant: &Tenant) -> Validation {
    let mut validation = Validation::new(theirs(algorithm));
    validation.leeway = 5;
    validation.validate_nbf = true;
    validation.set_audience(&[tenant.audience()]);
    validation.set_issuer(&[tenant.issuer()]);
    validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    validation
}

fn decoding_key(tenant: &Tenant) -> DecodingKey {
    let jwk: Jwk = serde_json::from_value(tenant.signing_key().jwk()).unwrap();
    DecodingKey::from_jwk(&jwk).unwrap()
}

#[tokio::test]
async fn tokens_of_jsonwebtoken_are_accepted() {
    for algorithm in Algorithm::ALL {
        let tenant = tenant_with(algorithm);
        let now = now();
        let header = Header { kid: Some("the-key".into()), ..Header::new(theirs(algorithm)) };
        let claims = json!({
            "iss": tenant.issuer(), "aud": [tenant.audience()], "sub": "auth0|ann",
            "exp": now + 60, "nbf": now, "iat": now, "scope": "a b",
        });
        let token = jsonwebtoken::encode(&header, &claims, &encoding_key(algorithm)).unwrap();

        let accepted = auth_at(&tenant, algorithm, now).verify(&token).await;
        let accepted = accepted.unwrap_or_else(|error| panic!("{algorithm}: {error:?}"));
        assert_eq!(accepted.subject(), "auth0|ann", "{algorithm}");
        assert_eq!(accepted.scopes().collect::<Vec<_>>(), ["a", "b"], "{algorithm}");

        let others = Algorithm::ALL.into_iter().filter(|other| *other != algorithm);
        let auth = tenant.builder().algorithms(others).build().unwrap();
        assert!(auth.verify(&token).await.is_err(), "{algorithm} is not configured");
    }
}

#[tokio::test]
async fn tokens_of_the_test_kit_are_read_alike() {
    for algorithm in Algorithm::ALL {
        let tenant = tenant_with(algorithm);
        let now = now();
        let token = tenant.token().claim("iat", now).claim("exp", now + 60).mint();
        let ours = auth_at(&tenant, algorithm, now).verify(&token).await.unwrap();
        let theirs = jsonwebtoken::decode::<Value>(
            &token,
            &decoding_key(&tenant),
            &validation(algorithm, &tenant),
        );
        let theirs = theirs.unwrap_or_else(|error| panic!("{algorithm}: {error}")).claims;
        assert_eq!(theirs["sub"], ours.subject());
        assert_eq!(theirs["aud"], ours.audiences().next().unwrap());
        let expiry = ours.expires_at().duration_since(UNIX_EPOCH).unwrap();
        assert_eq!(theirs["exp"], expiry.as_secs());
    }
}

/// The verifier may be stricter. What it accepts, `jsonwebtoken` must accept, too.
#[test]
fn every_accepted_token_is_accepted_by_jsonwebtoken() {
    let runtime = runtime();
    let tenant = tenant_with(Algorithm::EdDSA);
    let (key, rules) = (decoding_key(&tenant), validation(Algorithm::EdDSA, &tenant));
    let (accepted, refused) = (Cell::new(0), Cell::new(0));
    let mut runner = proptest::test_runner::TestRunner::new(cases(3000));
    let result = runner.run(&payload(), |claims| {
        // The real clock moves: a case counts only if both verify within one second.
        let (token, ours, theirs) = loop {
            let before = now();
            let payload = Value::Object(members(&claims, before)).to_string();
            let token = tenant.token().raw_payload(payload).mint();
            let auth = auth_at(&tenant, Algorithm::EdDSA, before);
            let ours = runtime.block_on(auth.verify(&token));
            let theirs = jsonwebtoken::decode::<Value>(&token, &key, &rules);
            if now() == before {
                break (token, ours, theirs);
            }
        };
        match (ours, theirs) {
            (Ok(ours), Ok(theirs)) => {
                accepted.set(accepted.get() + 1);
                prop_assert_eq!(ours.subject(), theirs.claims["sub"].as_str().unwrap());
            }
            // It reads an optional claim that is `null` as one of the wrong type.
            (Ok(_), Err(_)) if members(&claims, 0).get("nbf") == Some(&Value::Null) => {}
            (Ok(_), Err(error)) => prop_assert!(false, "jsonwebtoken refuses {token}: {error}"),
            (Err(_), _) => refused.set(refused.get() + 1),
        }
        Ok(())
    });
    result.unwrap();
    let (accepted, refused) = (accepted.get(), refused.get());
    assert!(accepted > 300 && refused > 300, "{accepted} accepted, {refused} refused");
}

/// A claim of a random payload.
#[derive(Clone, Debug)]
enum Claim {
    Absent,
    Is(Value),
    /// A time, in seconds from now.
    At(f64),
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0u32..).prop_map(Value::from),
        "[a-z]{0,3}".prop_map(Value::from),
        prop::collection::vec("[a-z]{0,3}", 0..3).prop_map(Value::from),
        Just(json!({ "a": 1 })),
    ]
}

/// Returns mostly good claims: otherwise no payload would be good as a whole.
fn claim(good: impl Strategy<Value = Claim> + 'static, often: u32) -> impl Strategy<Value = Claim> {
    prop_oneof![
        often => good,
        1 => Just(Claim::Absent),
        1 => any_value().prop_map(Claim::Is),
    ]
}

/// Returns times around both edges of the leeway, whole and in fractions.
fn time() -> impl Strategy<Value = Claim> {
    prop_oneof![
        (-8i32..8).prop_map(|s| Claim::At(s.into())),
        (-8.0..8.0).prop_map(Claim::At),
        (60i32..100_000).prop_map(|s| Claim::At(s.into())),
    ]
}

fn text(good: &'static str, bad: &'static [&'static str]) -> impl Strategy<Value = Claim> {
    prop_oneof![6 => Just(good), 1 => prop::sample::select(bad)]
        .prop_map(|text| Claim::Is(text.into()))
}

fn audience() -> impl Strategy<Value = Claim> {
    let names = prop::sample::select(vec![AUDIENCE, "https://api.tenant.test/", "other", ""]);
    prop_oneof![
        2 => Just(Claim::Is(AUDIENCE.into())),
        1 => names.clone().prop_map(|name| Claim::Is(name.into())),
        2 => prop::collection::vec(names, 0..4).prop_map(|names| Claim::Is(names.into())),
    ]
}

fn payload() -> impl Strategy<Value = Vec<(&'static str, Claim)>> {
    let issuer = text("https://tenant.test/", &["https://tenant.test", "https://evil.test/", ""]);
    (
        claim(issuer, 20),
        claim(audience(), 20),
        claim(text("auth0|ann", &["", "0"]), 20),
        claim(time(), 20),
        prop_oneof![3 => Just(Claim::Absent), 2 => claim(time(), 20)],
        prop_oneof![3 => Just(Claim::Absent), 2 => claim(time(), 20)],
        prop_oneof![6 => Just(Claim::Absent), 1 => any_value().prop_map(Claim::Is)],
    )
        .prop_map(|(iss, aud, sub, exp, nbf, iat, other)| {
            vec![
                ("iss", iss),
                ("aud", aud),
                ("sub", sub),
                ("exp", exp),
                ("nbf", nbf),
                ("iat", iat),
                ("https://acme.com/other", other),
            ]
        })
}

fn members(claims: &[(&'static str, Claim)], now: u64) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, claim) in claims {
        let value = match claim {
            Claim::Absent => continue,
            Claim::Is(value) => value.clone(),
            Claim::At(distance) if distance.fract() == 0.0 => {
                now.saturating_add_signed(*distance as i64).into()
            }
            Claim::At(distance) => (now as f64 + distance).into(),
        };
        members.insert((*name).into(), value);
    }
    members
}
