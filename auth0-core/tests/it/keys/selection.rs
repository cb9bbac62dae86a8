//! Which key a token means, and that the token has no say in where it is found.
use crate::common::{
    ACCEPTED, RSA_2, Row, SECOND, check, check_with, fetches, payload_with, verdict,
};
use auth0_core::ErrorCode::{
    AlgorithmUnsupported, IssuerMismatch, KeyUnknown, SignatureInvalid, TokenMalformed, TokenOpaque,
};
use auth0_core::{Algorithm, ErrorCode, transport::HttpResponse};
use auth0_testing::{Document, Failure, Fetches, SigningKey, Tenant, TokenBuilder};
use serde_json::json;

#[tokio::test]
async fn a_key_is_found_by_its_id_or_if_it_is_the_only_one_that_fits() {
    check(&[
        ("no kid, one key", |t| t.without_header("kid"), ACCEPTED),
        (
            "no kid, another tenant's key",
            |t| t.without_header("kid").signed_by(&Tenant::new().unknown_key()),
            Some(SignatureInvalid),
        ),
        ("unknown", |t| t.header("kid", "other"), Some(KeyUnknown)),
        ("empty, one key", |t| t.header("kid", ""), ACCEPTED),
        ("in upper case", |t| t.header("kid", "TEST-RS256-1"), Some(KeyUnknown)),
        ("a number", |t| t.header("kid", 1), Some(TokenMalformed)),
        ("null", |t| t.header("kid", json!(null)), Some(TokenMalformed)),
        ("an array", |t| t.header("kid", ["test-rs256-1"]), Some(TokenMalformed)),
        (
            "escaped",
            |t| t.raw_header(r#"{"alg":"RS256","k\u0069d":"\u0074est-rs256-1"}"#),
            ACCEPTED,
        ),
    ])
    .await;

    let no_kid = |tenant: &Tenant| tenant.token().without_header("kid").mint();
    let two = Tenant::new();
    two.rotate_keys();
    assert_eq!(verdict(&two.auth0(), &no_kid(&two)).await, Some(KeyUnknown), "two that fit");

    let mixed = Tenant::new();
    let rs256 = no_kid(&mixed);
    mixed.add_key(SigningKey::from_pkcs8(Algorithm::PS256, RSA_2).unwrap());
    let auth = mixed.auth0();
    assert_eq!(verdict(&auth, &rs256).await, ACCEPTED, "one for RS256, one for PS256");
    assert_eq!(verdict(&auth, &no_kid(&mixed)).await, ACCEPTED, "one for RS256, one for PS256");
}

#[tokio::test]
async fn a_token_cannot_say_where_its_key_is() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    assert_eq!(fetches(&tenant), (1, 1));
    let other = tenant.unknown_key();
    for (name, value) in [
        ("jku", json!("https://tenant.test/.well-known/jwks.json")),
        ("jwk", other.jwk()),
        ("x5u", json!("https://tenant.test/.well-known/openid-configuration")),
        ("x5c", json!(["MIIB"])),
    ] {
        let good = tenant.token().header(name, &value).mint();
        assert_eq!(verdict(&auth, &good).await, ACCEPTED, "{name}");
        let forged = tenant.token().header(name, &value).signed_by(&other).mint();
        assert_eq!(verdict(&auth, &forged).await, Some(SignatureInvalid), "{name}");
    }
    // The issuer's own documents were read again, because it may have changed the key: as for unknown keys.
    assert_eq!(fetches(&tenant), (3, 3));
}

#[tokio::test]
async fn a_refusal_before_the_signature_costs_no_fetch() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let rows: &[Row] = &[
        ("another issuer", |t| t.issuer("https://evil.test/"), Some(IssuerMismatch)),
        ("no issuer", |t| t.without("iss"), Some(IssuerMismatch)),
        (
            "another issuer and kid",
            |t| t.issuer("https://evil.test/").header("kid", "x"),
            Some(IssuerMismatch),
        ),
        ("alg none", TokenBuilder::unsigned, Some(AlgorithmUnsupported)),
        ("crit", |t| t.header("crit", ["x"]), Some(TokenMalformed)),
        (
            "a claim twice",
            |t| t.raw_payload(payload_with(r#""exp":1,"exp":1"#)),
            Some(TokenMalformed),
        ),
        ("encrypted", |t| t.header("alg", "dir"), Some(TokenOpaque)),
    ];
    check_with(&tenant, &auth, rows).await;
    assert_eq!(tenant.fetches(), Fetches::default());
}

#[tokio::test]
async fn a_prepended_key_is_found_by_its_id() {
    let tenant = Tenant::new();
    let own = tenant.signing_key();
    tenant.add_key(tenant.unknown_key().with_id("custom"));
    let token = tenant.token().header("kid", own.id()).signed_by(&own).mint();
    let auth = tenant.auth0();
    assert_eq!(verdict(&auth, &token).await, None);
    assert_eq!(verdict(&auth, &tenant.token().mint()).await, None);
}

/// A published key that fits no accepted algorithm is known: its tokens trigger no fetch.
#[tokio::test]
async fn a_key_for_an_algorithm_that_is_not_accepted_triggers_no_fetch() {
    let tenant = Tenant::new();
    for algorithm in [Algorithm::ES256, Algorithm::RS512] {
        let key = SigningKey::generate(algorithm).unwrap().with_id(algorithm.as_str());
        let signer = tenant.signing_key();
        tenant.add_key(key);
        tenant.add_key(signer); // goes on signing
    }
    let auth = tenant.auth0();
    auth.verify(&tenant.token().mint()).await.unwrap();
    let before = tenant.fetches();
    for kid in ["ES256", "RS512"] {
        let error = auth.verify(&tenant.token().header("kid", kid).mint()).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::AlgorithmUnsupported, "{kid}");
    }
    assert_eq!(tenant.fetches(), before);
}

/// A published key that cannot be used is known: its tokens trigger no fetch.
#[tokio::test]
async fn an_unusable_key_triggers_no_fetch() {
    let tenant = Tenant::new();
    let weak = r#"{"kty":"RSA","kid":"weak","n":"AQAB","e":"AQAB"}"#;
    let keys = format!(r#"{{"keys":[{weak},{}]}}"#, tenant.signing_key().jwk());
    tenant.fail_at(Document::KeySet, Failure::Answer(HttpResponse::json(keys)));
    let auth = tenant.auth0();
    let token = tenant.token().header("kid", "weak").mint();
    for _ in 0..10 {
        assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::AlgorithmUnsupported));
        tenant.clock().advance(SECOND);
    }
    assert_eq!(tenant.fetches().key_set, 1);
}
