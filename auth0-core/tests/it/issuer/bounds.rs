//! What a key may cost: a customer may have written the key set of an issuer that a resolver has found.
use super::One;
use crate::common::{Documents, verdict};
use auth0_core::{Auth0, ErrorCode};
use auth0_testing::Tenant;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

const ISSUER: &str = "https://id.example/";

fn number(bits: usize) -> Value {
    let mut bytes = vec![0x80; bits / 8];
    *bytes.last_mut().unwrap() = 1;
    URL_SAFE_NO_PAD.encode(bytes).into()
}

fn rsa(bits: usize, exponent: &[u8]) -> Value {
    let exponent = URL_SAFE_NO_PAD.encode(exponent);
    json!({ "kty": "RSA", "kid": "costly", "alg": "RS256", "n": number(bits), "e": exponent })
}

#[tokio::test]
async fn costly_keys_are_for_configured_issuers_only() {
    let tenant = Tenant::new();
    let small = [1, 0, 1];
    for (name, key, of_resolver, of_configuration) in [
        ("2048", rsa(2048, &small), true, true),
        ("4096", rsa(4096, &small), true, true),
        ("4104", rsa(4104, &small), false, true),
        ("8192", rsa(8192, &small), false, true),
        ("8200", rsa(8200, &small), false, false),
        ("the largest exponent", rsa(2048, &[0xff, 0xff, 0xff, 0xff]), false, true),
        ("a longer exponent", rsa(2048, &[1, 0, 0, 0, 1]), false, false),
    ] {
        let documents = Documents::default();
        let metadata = json!({ "issuer": ISSUER, "jwks_uri": "https://id.example/keys" });
        let openid = "https://id.example/.well-known/openid-configuration";
        documents.put_at(openid, metadata.to_string());
        let keys = json!({ "keys": [key, tenant.signing_key().jwk()] });
        documents.put_at("https://id.example/keys", keys.to_string());
        let token = tenant.token().issuer(ISSUER).header("kid", "costly").mint();
        let builder = || {
            let builder = Auth0::builder().audience(tenant.audience());
            builder.http_client(documents.clone()).clock(tenant.clock().clone())
        };
        for (auth, is_used) in [
            (builder().issuer_resolver(One(ISSUER.into())), of_resolver),
            (builder().issuer(ISSUER), of_configuration),
        ] {
            let expected = match is_used {
                true => ErrorCode::SignatureInvalid,
                false => ErrorCode::AlgorithmUnsupported,
            };
            let auth = auth.build().unwrap();
            assert_eq!(verdict(&auth, &token).await, Some(expected), "{name}");
            let error = auth.verify(&token).await.unwrap_err();
            let names_the_reason = error.cause().unwrap().contains("than is accepted here")
                || error.cause().unwrap().contains("than are accepted here");
            assert_eq!(names_the_reason, !is_used, "{name}: {error:?}");
        }
    }
}

/// A key that was published more than once costs no more than two checks.
#[tokio::test]
async fn of_many_keys_with_one_id_few_are_tried() {
    let tenant = Tenant::new();
    let documents = Documents::default();
    let metadata = json!({ "issuer": ISSUER, "jwks_uri": "https://id.example/keys" });
    let openid = "https://id.example/.well-known/openid-configuration";
    documents.put_at(openid, metadata.to_string());
    let key = |n: Value| {
        let mut key = tenant.signing_key().jwk();
        key["n"] = n;
        key
    };
    for (others, of_resolver, of_configuration) in
        [(1, true, true), (2, false, true), (4, false, false)]
    {
        let mut keys: Vec<Value> = (0..others).map(|more| key(number(2048 + 8 * more))).collect();
        keys.push(tenant.signing_key().jwk());
        documents.put_at("https://id.example/keys", json!({ "keys": keys }).to_string());
        let token = tenant.token().issuer(ISSUER).mint();
        let builder = || {
            let builder = Auth0::builder().audience(tenant.audience());
            builder.http_client(documents.clone()).clock(tenant.clock().clone())
        };
        let resolved = builder().issuer_resolver(One(ISSUER.into())).build().unwrap();
        let configured = builder().issuer(ISSUER).build().unwrap();
        assert_eq!(verdict(&resolved, &token).await.is_none(), of_resolver, "{others}");
        assert_eq!(verdict(&configured, &token).await.is_none(), of_configuration, "{others}");
    }
}
