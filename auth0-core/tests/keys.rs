//! Which keys of a set are used, and what is said while there are none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
use auth0_core::{
    Algorithm, Auth0, BoxFuture, Error, ErrorCode, HttpClient, HttpError, HttpRequest,
    HttpResponse,
    testing::{Document, Failure, SigningKey, Tenant},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::time::Duration;

const P256: &[u8] = include_bytes!("../src/testing/keys/p256.der");

type Expected = Option<ErrorCode>;

async fn verdict(auth: &Auth0, token: &str) -> Expected {
    auth.verify(token).await.err().map(|error| error.code())
}

fn publish(tenant: &Tenant, keys: &Value) {
    let body = json!({ "keys": keys }).to_string();
    tenant.fail_at(Document::KeySet, Failure::Answer(HttpResponse::json(body)));
}

/// The tenant's key with some members changed, or removed where the value is null.
fn jwk(tenant: &Tenant, changes: &[(&str, Value)]) -> Value {
    let mut jwk = tenant.signing_key().jwk();
    for (name, value) in changes {
        match value {
            Value::Null => drop(jwk.as_object_mut().unwrap().remove(*name)),
            value => jwk[*name] = value.clone(),
        }
    }
    jwk
}

fn number(bits: usize, last: u8) -> Value {
    let mut bytes = vec![0x80; bits / 8];
    *bytes.last_mut().unwrap() = last;
    URL_SAFE_NO_PAD.encode(bytes).into()
}

/// A key that serves, changed in one way; and whether it still serves.
#[tokio::test]
async fn a_key_is_used_as_it_says() {
    let zeros = |n: &str| {
        let bytes = URL_SAFE_NO_PAD.decode(n).unwrap();
        Value::from(URL_SAFE_NO_PAD.encode([vec![0], bytes].concat()))
    };
    let n = Tenant::new().signing_key().jwk()["n"].as_str().unwrap().to_owned();
    for (name, changes, serves) in [
        ("as it is", vec![], true),
        ("no alg", vec![("alg", Value::Null)], true),
        ("no use", vec![("use", Value::Null)], true),
        ("no alg, no use", vec![("alg", Value::Null), ("use", Value::Null)], true),
        ("key_ops verify", vec![("key_ops", json!(["verify"]))], true),
        ("key_ops verify and an unknown one", vec![("key_ops", json!(["x", "verify"]))], true),
        ("unknown members", vec![("x", json!({ "d": 1 })), ("ext", json!(true))], true),
        ("a certificate chain", vec![("x5c", json!(["MIIB"])), ("x5t", json!("abc"))], true),
        ("a zero before the modulus", vec![("n", zeros(&n))], true),
        ("use enc", vec![("use", json!("enc"))], false),
        ("use unknown", vec![("use", json!("x"))], false),
        ("use a number", vec![("use", json!(1))], false),
        ("key_ops sign", vec![("key_ops", json!(["sign"]))], false),
        ("key_ops empty", vec![("key_ops", json!([]))], false),
        ("key_ops encrypt", vec![("key_ops", json!(["encrypt", "wrapKey"]))], false),
        ("alg RS512, not configured", vec![("alg", json!("RS512"))], false),
        ("alg RSA-OAEP", vec![("alg", json!("RSA-OAEP"))], false),
        ("alg HS256", vec![("alg", json!("HS256"))], false),
        ("alg unknown", vec![("alg", json!("XX1"))], false),
        ("alg a number", vec![("alg", json!(1))], false),
        ("kid a number", vec![("kid", json!(1))], false),
        ("kty unknown", vec![("kty", json!("XYZ"))], false),
        ("kty missing", vec![("kty", Value::Null)], false),
        ("kty oct", vec![("kty", json!("oct")), ("k", json!("AAAA"))], false),
        ("kty EC with the members of RSA", vec![("kty", json!("EC"))], false),
        ("n missing", vec![("n", Value::Null)], false),
        ("e missing", vec![("e", Value::Null)], false),
        ("n empty", vec![("n", json!(""))], false),
        ("n not base64url", vec![("n", json!("+/+/"))], false),
        ("n padded", vec![("n", json!(format!("{n}==")))], false),
        ("n of 1024 bits", vec![("n", number(1024, 1))], false),
        ("n of 2040 bits", vec![("n", number(2040, 1))], false),
        ("n of 16384 bits", vec![("n", number(16384, 1))], false),
        ("n even", vec![("n", number(2048, 2))], false),
        ("e one", vec![("e", json!("AQ"))], false),
        ("e one with a zero", vec![("e", json!("AAE"))], false),
        ("e two", vec![("e", json!("Ag"))], false),
        ("e empty", vec![("e", json!(""))], false),
        ("e as long as n", vec![("e", number(2048, 1))], false),
        ("a private key", vec![("d", json!("AQAB"))], false),
    ] {
        let tenant = Tenant::new();
        let token = tenant.token().mint();
        publish(&tenant, &json!([jwk(&tenant, &changes)]));
        let alone = verdict(&tenant.auth0(), &token).await;
        let expected = if serves { None } else { Some(ErrorCode::KeysUnavailable) };
        assert_eq!(alone, expected, "{name}, alone");

        // Beside a good key, a bad one is skipped: neither used nor fatal.
        let good = tenant.signing_key().with_id("good");
        publish(&tenant, &json!([jwk(&tenant, &changes), good.jwk()]));
        let auth = tenant.auth0();
        let by_good = tenant.token().header("kid", "good").mint();
        assert_eq!(verdict(&auth, &by_good).await, None, "{name}, beside a good one");
        // A key that cannot be used is there all the same, if it has a name.
        let expected = match (serves, name) {
            (true, _) => None,
            (false, "kid a number") => Some(ErrorCode::KeyUnknown),
            (false, _) => Some(ErrorCode::AlgorithmUnsupported),
        };
        assert_eq!(verdict(&auth, &token).await, expected, "{name}, beside a good one");
    }
}

#[tokio::test]
async fn entries_that_are_no_keys_are_skipped() {
    let tenant = Tenant::new();
    let good = jwk(&tenant, &[]);
    let nothing = [json!(null), json!(1), json!("key"), json!([]), json!({}), json!([["RSA"]])];
    publish(&tenant, &nothing.into_iter().chain([good]).collect());
    assert_eq!(verdict(&tenant.auth0(), &tenant.token().mint()).await, None);
}

#[tokio::test]
async fn curves_are_those_of_the_algorithm_and_points_are_on_them() {
    let tenant = Tenant::new();
    tenant.add_key(SigningKey::from_pkcs8(Algorithm::ES256, P256).unwrap().with_id("ec"));
    let token = tenant.token().mint();
    let y = tenant.signing_key().jwk()["y"].as_str().unwrap().to_owned();
    let off_curve = {
        let mut bytes = URL_SAFE_NO_PAD.decode(&y).unwrap();
        bytes[31] ^= 1;
        Value::from(URL_SAFE_NO_PAD.encode(bytes))
    };
    for (name, changes, serves) in [
        ("as it is", vec![], true),
        ("no alg", vec![("alg", Value::Null)], true),
        ("alg ES384", vec![("alg", json!("ES384"))], false),
        ("crv P-384", vec![("crv", json!("P-384"))], false),
        ("crv P-521", vec![("crv", json!("P-521"))], false),
        ("crv secp256k1", vec![("crv", json!("secp256k1"))], false),
        ("crv Ed25519", vec![("crv", json!("Ed25519"))], false),
        ("a point off the curve", vec![("y", off_curve)], false),
        ("the point zero", vec![("x", number(256, 0)), ("y", number(256, 0))], false),
        ("x too short", vec![("x", json!("AAAA"))], false),
        ("x empty", vec![("x", json!(""))], false),
        ("y missing", vec![("y", Value::Null)], false),
        ("a private key", vec![("d", json!("AQAB"))], false),
    ] {
        publish(&tenant, &json!([jwk(&tenant, &changes)]));
        let auth = tenant.builder().algorithms(Algorithm::ALL).build().unwrap();
        let expected = if serves { None } else { Some(ErrorCode::KeysUnavailable) };
        assert_eq!(verdict(&auth, &token).await, expected, "{name}");
    }
}

#[tokio::test]
async fn an_id_that_two_keys_have_stands_for_both() {
    let tenant = Tenant::new();
    let (own, stranger) = (tenant.signing_key(), tenant.stranger().with_id("test-rs256-1"));
    let ec = SigningKey::from_pkcs8(Algorithm::ES256, P256).unwrap().with_id("test-rs256-1");
    for keys in [[own.jwk(), stranger.jwk(), ec.jwk()], [ec.jwk(), stranger.jwk(), own.jwk()]] {
        publish(&tenant, &json!(keys));
        let auth = tenant.builder().algorithms(Algorithm::ALL).build().unwrap();
        for key in [&own, &stranger, &ec] {
            let token = tenant.token().signed_by(key).mint();
            assert_eq!(verdict(&auth, &token).await, None, "{key:?}");
        }
        let broken = tenant.token().broken_signature().mint();
        assert_eq!(verdict(&auth, &broken).await, Some(ErrorCode::SignatureInvalid));
    }
}

#[tokio::test]
async fn a_key_without_an_id_serves_only_tokens_without_one() {
    let tenant = Tenant::new();
    publish(&tenant, &json!([jwk(&tenant, &[("kid", Value::Null)])]));
    let auth = tenant.auth0();
    assert_eq!(verdict(&auth, &tenant.token().without_header("kid").mint()).await, None);
    assert_eq!(verdict(&auth, &tenant.token().mint()).await, Some(ErrorCode::KeyUnknown));
}

fn retry_after(error: &Error) -> u64 {
    let challenge = error.challenge();
    let field = challenge.headers().find(|(name, _)| *name == "retry-after");
    field.expect("a 503 says when to come back").1.parse().unwrap()
}

/// A fetch that went wrong is not the token's fault, and what was wrong is for the log.
async fn assert_unavailable(tenant: &Tenant, name: &str, cause: &str) {
    let auth = tenant.auth0();
    let error = auth.verify(&tenant.token().mint()).await.expect_err(name);
    assert_eq!(error.code(), ErrorCode::KeysUnavailable, "{name}");
    assert!((1..=300).contains(&retry_after(&error)), "{name}");
    let told = error.cause().unwrap_or_default();
    assert!(told.contains(cause), "{name}: {told}");
    assert_eq!(auth.warm_up().await.unwrap_err().code(), ErrorCode::KeysUnavailable, "{name}");

    tenant.recover();
    tenant.clock().advance(Duration::from_secs(300));
    assert_eq!(verdict(&auth, &tenant.token().mint()).await, None, "{name}, and it recovers");
}

#[tokio::test]
async fn answers_that_are_no_documents_are_503_and_recover() {
    let answer = |status, content_type: Option<&str>, body: &str| {
        let mut answer = HttpResponse::new(status, body);
        answer.content_type = content_type.map(str::to_owned);
        Failure::Answer(answer)
    };
    let json_type = Some("application/json");
    for (name, failure, cause) in [
        ("unreachable", Failure::Unreachable, "connection refused"),
        ("302", answer(302, None, ""), "redirects are not followed"),
        ("201", answer(201, json_type, "{}"), "status 201"),
        ("404", Failure::Status(404), "status 404"),
        ("500", Failure::Status(500), "status 500"),
        ("429", Failure::RateLimited(Duration::from_secs(17)), "status 429"),
        ("429 for a week", Failure::RateLimited(Duration::from_secs(604_800)), "status 429"),
        ("429 for ever", Failure::RateLimited(Duration::MAX), "status 429"),
        ("HTML", answer(200, Some("text/html; charset=utf-8"), "<html>"), "text/html"),
        ("JSON under an HTML type", answer(200, Some("text/html"), "{\"keys\":[]}"), "text/html"),
        ("no content type", answer(200, None, "{}"), "no content type"),
        ("not JSON", answer(200, json_type, "hello"), "cannot be read"),
        ("an empty body", answer(200, json_type, ""), "cannot be read"),
        ("an array", answer(200, json_type, "[]"), "cannot be read"),
        ("null", answer(200, json_type, "null"), "cannot be read"),
        ("an object of something else", answer(200, json_type, "{\"a\":1}"), "cannot be read"),
        ("not UTF-8", Failure::Answer(HttpResponse::json(b"{\"\xff".to_vec())), "cannot be read"),
    ] {
        for document in [Document::Metadata, Document::KeySet] {
            let tenant = Tenant::new();
            tenant.fail_at(document, failure.clone());
            assert_unavailable(&tenant, &format!("{document:?}: {name}"), cause).await;
        }
    }
}

#[tokio::test]
async fn a_set_must_be_an_object_with_keys() {
    let tenant = Tenant::new();
    let key = tenant.signing_key().jwk();
    for (name, body, cause) in [
        ("no keys", json!({ "keys": [] }), "no key that can be used"),
        ("keys an object", json!({ "keys": { "a": key } }), "cannot be read"),
        ("keys null", json!({ "keys": null }), "cannot be read"),
        ("a bare array of keys", json!([key]), "cannot be read"),
        ("a list in a list", json!([[key]]), "cannot be read"),
        ("a bare key", key.clone(), "cannot be read"),
    ] {
        let tenant = Tenant::new();
        let answer = HttpResponse::json(body.to_string());
        tenant.fail_at(Document::KeySet, Failure::Answer(answer));
        assert_unavailable(&tenant, name, cause).await;
    }
}

#[tokio::test]
async fn metadata_must_be_the_issuers_own() {
    let issuer = "https://tenant.test/";
    let keys = "https://tenant.test/.well-known/jwks.json";
    for (name, body, cause) in [
        (
            "another issuer",
            json!({ "issuer": "https://evil.test/", "jwks_uri": keys }),
            "evil.test",
        ),
        (
            "without its slash",
            json!({ "issuer": "https://tenant.test", "jwks_uri": keys }),
            "slash",
        ),
        ("no issuer", json!({ "jwks_uri": keys }), "cannot be read"),
        ("issuer a number", json!({ "issuer": 1, "jwks_uri": keys }), "cannot be read"),
        ("no jwks_uri", json!({ "issuer": issuer }), "cannot be read"),
        ("jwks_uri empty", json!({ "issuer": issuer, "jwks_uri": "" }), "not a URL"),
        ("jwks_uri relative", json!({ "issuer": issuer, "jwks_uri": "/jwks" }), "not a URL"),
        (
            "http",
            json!({ "issuer": issuer, "jwks_uri": keys.replace("https", "http") }),
            "not https",
        ),
        (
            "http on loopback",
            json!({ "issuer": issuer, "jwks_uri": "http://127.0.0.1/jwks" }),
            "not https",
        ),
        ("ftp", json!({ "issuer": issuer, "jwks_uri": keys.replace("https", "ftp") }), "not https"),
        ("file", json!({ "issuer": issuer, "jwks_uri": "file:///etc/passwd" }), "not https"),
        ("a list", json!([issuer, keys]), "cannot be read"),
    ] {
        let tenant = Tenant::new();
        let answer = HttpResponse::json(body.to_string());
        tenant.fail_at(Document::Metadata, Failure::Answer(answer));
        assert_unavailable(&tenant, name, cause).await;
        assert_eq!(tenant.fetches().key_set, 1, "{name}: no key set until it recovered");
    }
}

#[tokio::test]
async fn the_wait_that_the_issuer_asks_for_is_passed_on_within_bounds() {
    for (asked, told) in [(0, 1), (1, 1), (17, 17), (300, 300), (301, 300), (u64::MAX, 300)] {
        let tenant = Tenant::new();
        tenant.fail(Failure::RateLimited(Duration::from_secs(asked)));
        let auth = tenant.auth0();
        let error = auth.verify(&tenant.token().mint()).await.unwrap_err();
        assert_eq!(retry_after(&error), told, "{asked}");
        let before = tenant.fetches();
        for _ in 0..100 {
            assert!(auth.verify(&tenant.token().mint()).await.is_err());
        }
        assert_eq!(tenant.fetches(), before, "and is kept");
    }
}

/// What the metadata (`true`) and the key set are answered with.
type Documents = fn(bool) -> HttpResponse;

/// A transport that does not keep to its limit.
#[derive(Debug)]
struct Answers(Documents);

impl HttpClient for Answers {
    fn get<'a>(
        &'a self,
        request: HttpRequest<'a>,
    ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
        let metadata = request.url.ends_with("openid-configuration");
        Box::pin(async move { Ok((self.0)(metadata)) })
    }
}

#[tokio::test]
async fn a_body_is_read_up_to_512_kib() {
    fn padded(metadata: bool, length: usize) -> HttpResponse {
        let tenant = Tenant::new();
        let body = if metadata { tenant.metadata_json() } else { tenant.key_set_json() };
        let spaces = vec![b' '; length - body.len()];
        HttpResponse::json([spaces, body.into()].concat())
    }
    let rows: [(&str, Documents, Expected); 3] = [
        ("exactly", |metadata| padded(metadata, 512 * 1024), None),
        ("one over", |metadata| padded(metadata, 512 * 1024 + 1), Some(ErrorCode::KeysUnavailable)),
        ("200 MB", |metadata| padded(metadata, 200_000_000), Some(ErrorCode::KeysUnavailable)),
    ];
    for (name, answer, expected) in rows {
        let tenant = Tenant::new();
        let auth = tenant.builder().http_client(Answers(answer)).build().unwrap();
        assert_eq!(verdict(&auth, &tenant.token().mint()).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_transport_that_panics_is_an_outage() {
    let tenant = Tenant::new();
    let client = Answers(|_| panic!("a bug of the transport"));
    let auth = tenant.builder().http_client(client).build().unwrap();
    let error = auth.verify(&tenant.token().mint()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeysUnavailable);
}

/// A key that the issuer has, and that fits nothing on the list, is not looked for again.
#[tokio::test]
async fn a_key_for_an_algorithm_that_is_not_accepted_is_known() {
    let tenant = Tenant::new();
    for algorithm in [Algorithm::ES256, Algorithm::RS512] {
        let key = SigningKey::generate(algorithm).unwrap().with_id(algorithm.as_str());
        let signer = tenant.signing_key();
        tenant.add_key(key);
        tenant.add_key(signer); // signs on
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
