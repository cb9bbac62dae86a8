//! Agreement with an independent implementation, `jsonwebtoken`, about good tokens of every algorithm. The
//! package `tests/untrusted` compares the verdicts about other tokens.
use crate::common::{ED25519, P256, P384, RSA_1};
use auth0_core::{Algorithm, Auth0};
use auth0_testing::{ManualClock, SigningKey, Tenant};
use base64::{Engine, engine::general_purpose::STANDARD};
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, jwk::Jwk};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
