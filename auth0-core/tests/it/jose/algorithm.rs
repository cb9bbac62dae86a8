//! Signature algorithms: only those that are configured, and only with a key that fits.
use crate::common::{ACCEPTED, ED25519, P256, check, header_with, verdict};
use auth0_core::ErrorCode::{AlgorithmUnsupported, SignatureInvalid, TokenMalformed, TokenOpaque};
use auth0_core::{Algorithm, transport::HttpResponse};
use auth0_testing::{Document, Failure, SigningKey, Tenant, TokenBuilder};

#[tokio::test]
async fn only_configured_algorithms_of_the_right_key_are_accepted() {
    check(&[
        ("none", TokenBuilder::unsigned, Some(AlgorithmUnsupported)),
        ("None", |t| t.unsigned().header("alg", "None"), Some(AlgorithmUnsupported)),
        ("HS256 with the public key", TokenBuilder::symmetric, Some(AlgorithmUnsupported)),
        ("HS512", |t| t.header("alg", "HS512"), Some(AlgorithmUnsupported)),
        ("RS384, not on the list", |t| t.algorithm(Algorithm::RS384), Some(AlgorithmUnsupported)),
        ("PS512, not on the list", |t| t.algorithm(Algorithm::PS512), Some(AlgorithmUnsupported)),
        ("ES256, not on the list", |t| t.header("alg", "ES256"), Some(AlgorithmUnsupported)),
        (
            "PS256 with a key for RS256",
            |t| t.algorithm(Algorithm::PS256),
            Some(AlgorithmUnsupported),
        ),
        ("rs256", |t| t.header("alg", "rs256"), Some(AlgorithmUnsupported)),
        ("empty", |t| t.header("alg", ""), Some(AlgorithmUnsupported)),
        ("RS1", |t| t.header("alg", "RS1"), Some(AlgorithmUnsupported)),
        ("missing", |t| t.without_header("alg"), Some(TokenMalformed)),
        ("a number", |t| t.header("alg", 256), Some(TokenMalformed)),
        ("an array", |t| t.header("alg", ["RS256"]), Some(TokenMalformed)),
        ("dir", |t| t.header("alg", "dir"), Some(TokenOpaque)),
        (
            "escaped",
            |t| t.raw_header(header_with(r#""typ":"JWT""#).replace("RS", r"\u0052S")),
            ACCEPTED,
        ),
        ("one bit of the signature", TokenBuilder::broken_signature, Some(SignatureInvalid)),
        (
            "another tenant's key",
            |t| t.signed_by(&Tenant::new().unknown_key()),
            Some(SignatureInvalid),
        ),
    ])
    .await;

    let tenant = Tenant::new();
    let auth = tenant.builder().algorithms(Algorithm::ALL).build().unwrap();
    let rsa = tenant.signing_key();
    for key in [
        SigningKey::from_pkcs8(Algorithm::ES256, P256).unwrap(),
        SigningKey::from_pkcs8(Algorithm::EdDSA, ED25519).unwrap(),
    ] {
        let named = tenant.token().signed_by(&key).mint();
        assert_eq!(
            verdict(&auth, &named).await,
            Some(AlgorithmUnsupported),
            "{key:?} under {rsa:?}"
        );
        tenant.add_key(key.clone());
        let auth = tenant.builder().algorithms(Algorithm::ALL).build().unwrap();
        assert_eq!(verdict(&auth, &tenant.token().mint()).await, ACCEPTED, "{key:?}");
        let under_its_id = tenant.token().signed_by(&rsa).mint();
        assert_eq!(
            verdict(&auth, &under_its_id).await,
            Some(AlgorithmUnsupported),
            "{rsa:?} under {key:?}"
        );
    }
}

#[tokio::test]
async fn ed25519_has_two_algorithm_names() {
    for key_name in ["EdDSA", "Ed25519", "Ed448"] {
        let tenant = Tenant::new();
        tenant.add_key(SigningKey::from_pkcs8(Algorithm::EdDSA, ED25519).unwrap());
        let key_set = tenant.key_set_json().replace("EdDSA", key_name);
        tenant.fail_at(Document::KeySet, Failure::Answer(HttpResponse::json(key_set)));
        let auth = tenant.builder().algorithms([Algorithm::EdDSA, Algorithm::RS256]).build();
        let auth = auth.unwrap();
        for name in ["EdDSA", "Ed25519"] {
            let expected = if key_name == "Ed448" { Some(AlgorithmUnsupported) } else { ACCEPTED };
            let token = tenant.token().header("alg", name).mint();
            assert_eq!(verdict(&auth, &token).await, expected, "{name} of {key_name}");
        }
        let other = tenant.token().header("alg", "Ed448").mint();
        assert_eq!(verdict(&auth, &other).await, Some(AlgorithmUnsupported), "{key_name}");
    }
}
