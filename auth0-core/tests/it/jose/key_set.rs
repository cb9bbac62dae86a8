//! Which keys of a published set are used.
use crate::common::{P256, verdict};
use auth0_core::{Algorithm, ErrorCode, transport::HttpResponse};
use auth0_testing::{Document, Failure, SigningKey, Tenant};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// Replaces the key set of the tenant.
fn publish(tenant: &Tenant, keys: &Value) {
    let body = json!({ "keys": keys }).to_string();
    tenant.fail_at(Document::KeySet, Failure::Answer(HttpResponse::json(body)));
}

/// Returns the tenant's key with these members changed, or removed where the value is null.
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

/// Returns a number of this many bits, in base64url.
fn number(bits: usize, last: u8) -> Value {
    let mut bytes = vec![0x80; bits / 8];
    *bytes.last_mut().unwrap() = last;
    URL_SAFE_NO_PAD.encode(bytes).into()
}

/// Each row changes a usable key in one way, and says whether it is still usable.
#[tokio::test]
async fn the_members_of_a_key_decide_whether_it_is_used() {
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
        ("use SIG", vec![("use", json!("SIG"))], true),
        ("use enc", vec![("use", json!("enc"))], false),
        ("use ENC", vec![("use", json!("ENC"))], false),
        ("alg rs256", vec![("alg", json!("rs256"))], true),
        ("use unknown", vec![("use", json!("x"))], false),
        ("use a number", vec![("use", json!(1))], true),
        ("use empty", vec![("use", json!(""))], true),
        ("key_ops a text", vec![("key_ops", json!("verify"))], true),
        ("key_ops null", vec![("key_ops", Value::Null)], true),
        ("key_ops another text", vec![("key_ops", json!("encrypt"))], false),
        (
            "x5t null, x5c with line breaks",
            vec![("x5t", json!(null)), ("x5c", json!(["MIIC\nAAAA\n"]))],
            true,
        ),
        ("key_ops sign", vec![("key_ops", json!(["sign"]))], true),
        ("key_ops empty", vec![("key_ops", json!([]))], true),
        ("key_ops encrypt", vec![("key_ops", json!(["encrypt", "wrapKey"]))], false),
        ("alg RS512, not configured", vec![("alg", json!("RS512"))], false),
        ("alg RSA-OAEP", vec![("alg", json!("RSA-OAEP"))], false),
        ("alg HS256", vec![("alg", json!("HS256"))], false),
        ("alg unknown", vec![("alg", json!("XX1"))], false),
        ("alg a number", vec![("alg", json!(1))], true),
        ("kty unknown", vec![("kty", json!("XYZ"))], false),
        ("kty missing", vec![("kty", Value::Null)], false),
        ("kty oct", vec![("kty", json!("oct")), ("k", json!("AAAA"))], false),
        ("kty EC with the members of RSA", vec![("kty", json!("EC"))], false),
        ("n missing", vec![("n", Value::Null)], false),
        ("e missing", vec![("e", Value::Null)], false),
        ("n empty", vec![("n", json!(""))], false),
        ("n not base64", vec![("n", json!("*"))], false),
        (
            "n in the other alphabet",
            vec![("n", json!(n.replace('-', "+").replace('_', "/")))],
            true,
        ),
        ("n padded", vec![("n", json!(format!("{n}==")))], true),
        ("n with line breaks", vec![("n", json!(format!("{}\n{}", &n[..64], &n[64..])))], true),
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

        // Beside a good key, a bad one is skipped: it is not used, and spoils nothing.
        let good = tenant.signing_key().with_id("good");
        publish(&tenant, &json!([jwk(&tenant, &changes), good.jwk()]));
        let auth = tenant.auth0();
        let by_good = tenant.token().header("kid", "good").mint();
        assert_eq!(verdict(&auth, &by_good).await, None, "{name}, beside a good one");
        // A key that cannot be used is still known by its id.
        let expected = match serves {
            true => None,
            false => Some(ErrorCode::AlgorithmUnsupported),
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
async fn a_curve_fits_its_algorithm_and_a_point_its_curve() {
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
async fn an_id_of_two_keys_means_both() {
    let tenant = Tenant::new();
    let (own, other) = (tenant.signing_key(), tenant.unknown_key().with_id("test-rs256-1"));
    let ec = SigningKey::from_pkcs8(Algorithm::ES256, P256).unwrap().with_id("test-rs256-1");
    for keys in [[own.jwk(), other.jwk(), ec.jwk()], [ec.jwk(), other.jwk(), own.jwk()]] {
        publish(&tenant, &json!(keys));
        let auth = tenant.builder().algorithms(Algorithm::ALL).build().unwrap();
        for key in [&own, &other, &ec] {
            let token = tenant.token().signed_by(key).mint();
            assert_eq!(verdict(&auth, &token).await, None, "{key:?}");
        }
        let broken = tenant.token().broken_signature().mint();
        assert_eq!(verdict(&auth, &broken).await, Some(ErrorCode::SignatureInvalid));
    }
}

#[tokio::test]
async fn a_key_without_an_id_verifies_any_token_if_it_is_the_only_one_that_fits() {
    let tenant = Tenant::new();
    let unnamed = jwk(&tenant, &[("kid", Value::Null)]);
    let other = tenant.unknown_key().with_id("other").jwk();
    for keys in [json!([unnamed]), json!([other, unnamed])] {
        publish(&tenant, &keys);
        let auth = tenant.auth0();
        for _ in 0..5 {
            assert_eq!(verdict(&auth, &tenant.token().mint()).await, None, "{keys}");
        }
        let fetches = tenant.fetches().key_set;
        let forged = tenant.token().signed_by(&tenant.unknown_key()).mint();
        assert_eq!(verdict(&auth, &forged).await, Some(ErrorCode::SignatureInvalid), "{keys}");
        assert!(tenant.fetches().key_set <= fetches + 1);
    }
    publish(&tenant, &json!([unnamed]));
    let auth = tenant.auth0();
    assert_eq!(verdict(&auth, &tenant.token().without_header("kid").mint()).await, None);

    // One key twice is one key.
    publish(&tenant, &json!([unnamed, unnamed]));
    assert_eq!(verdict(&tenant.auth0(), &tenant.token().mint()).await, None);

    // Of two keys without an id, it is not known which one the token means.
    let mut second = tenant.unknown_key().jwk();
    second.as_object_mut().unwrap().remove("kid");
    publish(&tenant, &json!([unnamed, second]));
    let auth = tenant.auth0();
    assert_eq!(verdict(&auth, &tenant.token().mint()).await, Some(ErrorCode::KeyUnknown));
}

/// Some issuers publish the id as a number, and write it as a text into tokens.
#[tokio::test]
async fn the_id_of_a_key_may_be_a_number() {
    let tenant = Tenant::new();
    publish(&tenant, &json!([jwk(&tenant, &[("kid", json!(1))])]));
    let auth = tenant.auth0();
    assert_eq!(verdict(&auth, &tenant.token().header("kid", "1").mint()).await, None);
    let number = tenant.token().header("kid", 1).mint();
    assert_eq!(
        verdict(&auth, &number).await,
        Some(ErrorCode::TokenMalformed),
        "clients are strict"
    );
    let other = tenant.token().header("kid", "2").mint();
    assert_eq!(verdict(&auth, &other).await, Some(ErrorCode::KeyUnknown));

    // One key twice, once with an empty id.
    let named = jwk(&tenant, &[]);
    publish(&tenant, &json!([jwk(&tenant, &[("kid", json!(""))]), named]));
    let auth = tenant.auth0();
    assert_eq!(verdict(&auth, &tenant.token().without_header("kid").mint()).await, None);
    assert_eq!(verdict(&auth, &tenant.token().mint()).await, None);
}
