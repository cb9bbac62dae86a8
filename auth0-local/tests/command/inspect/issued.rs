//! ID tokens and logout tokens, each wrong in one way.
#![allow(clippy::indexing_slicing, reason = "helpers of tests are tests")]
use super::{undated, with_result};
use crate::kit::{Directory, Inspected};
use auth0_core::{
    Auth0, TrustedIssuer,
    support::{IdTokenExpectations, verify_id_token},
};
use auth0_local::{LocalTenant, LogoutTokenBuilder};
use auth0_testing::TokenBuilder;
use serde_json::json;
use std::fs;

const CLIENT: &str = "web";

struct Kit {
    tenant: LocalTenant,
    directory: Directory,
    auth: Auth0,
}

impl Kit {
    async fn new(name: &str) -> Self {
        let tenant = LocalTenant::start().await.unwrap();
        let directory = Directory::new(name);
        let keys = tenant.tenant().key_set_json();
        fs::write(directory.file("keys.json"), &keys).unwrap();
        let issuer = TrustedIssuer::new(tenant.issuer()).key_set(keys);
        let auth =
            Auth0::builder().issuer(issuer).audience("https://api.local.test").build().unwrap();
        Self { tenant, directory, auth }
    }

    fn inspect(&self, token: &str, more: &[&str]) -> (i32, serde_json::Value) {
        let file = self.directory.file("keys.json");
        let options = ["--issuer", self.tenant.issuer(), "--jwks", &file];
        Inspected::json(token, &[&options[..], more].concat())
    }

    /// Asserts that exactly this check fails, for this reason of the verifier.
    fn assert_fails(&self, token: &str, kind: &str, check: &str, reason: &str) {
        let (status, report) = self.inspect(token, &["--client-id", CLIENT, "--as", kind]);
        let why = format!("{check}: {reason}\n{report:#}");
        assert_eq!((status, &report["checked_as"]), (1, &json!(kind)), "{why}");
        assert_eq!(with_result(&report, "fail"), [check], "{why}");
        let checks = report["checks"].as_array().unwrap();
        let failed = checks.iter().find(|check| check["result"] == "fail").unwrap();
        assert_eq!(undated(failed["seen"].as_str().unwrap()), undated(reason), "{why}");
        assert!(!failed["expected"].as_str().unwrap().is_empty(), "{why}");
        assert!(!failed["change"].as_str().unwrap().is_empty(), "{why}");
    }
}

#[tokio::test]
async fn id_tokens() {
    let kit = Kit::new("inspect-id").await;
    let token = || {
        let token = kit.tenant.token().audience(CLIENT).without("azp");
        token.claim("nonce", "n").claim("name", "Ann").claim("sid", "s")
    };
    let all: Vec<(TokenBuilder, &str)> = vec![
        (token().header("crit", ["exp"]), "form"),
        (token().header("kid", 5), "form"),
        (token().raw_payload("{\"iss\":\"a\",\"iss\":\"a\"}"), "form"),
        (token().claim("long", "a".repeat(64 * 1024)), "form"),
        (token().claim("events", json!({})), "type"),
        (token().header("typ", "at+jwt"), "type"),
        (token().header("typ", "logout+jwt"), "type"),
        (token().without("sub"), "claims"),
        (token().claim("sub", 5), "claims"),
        (token().issuer("https://acme.eu.auth0.com/"), "issuer"),
        (token().without("iss"), "issuer"),
        (token().unsigned(), "algorithm"),
        (token().symmetric(), "algorithm"),
        (token().header("kid", "other"), "key"),
        (token().broken_signature(), "signature"),
        (token().signed_by(&kit.tenant.tenant().unknown_key()), "signature"),
        (token().audience("other"), "audience"),
        (token().without("aud"), "audience"),
        (token().claim("aud", 5), "audience"),
        (token().claim("aud", [CLIENT, "other"]), "audience"),
        (token().claim("azp", "other"), "audience"),
        (token().claim("azp", 5), "audience"),
        (token().expired(), "expiry"),
        (token().without("exp"), "expiry"),
        (token().claim("iat", 4_000_000_000_u64), "start"),
        (token().without("iat"), "start"),
        (token().not_yet_valid(), "start"),
    ];
    let expected = IdTokenExpectations {
        issuer: kit.tenant.issuer(),
        client_id: CLIENT,
        ..IdTokenExpectations::default()
    };
    let good = token().mint();
    verify_id_token(&kit.auth, &good, &expected).await.unwrap();
    let (status, report) = kit.inspect(&good, &["--client-id", CLIENT]);
    assert_eq!((status, &report["verdict"]), (0, &json!("accepted")), "{report:#}");
    assert_eq!((&report["kind"], &report["checked_as"]), (&json!("id-token"), &json!("id-token")));
    assert_eq!(report["facts"]["name"], "Ann");

    for (token, check) in all {
        let token = token.mint();
        let error = verify_id_token(&kit.auth, &token, &expected).await.unwrap_err();
        kit.assert_fails(&token, "id-token", check, &error.to_string());
    }

    // Where an API is named, it is an access token that is missing.
    let (status, report) = kit.inspect(&good, &["--audience", "https://api.local.test"]);
    assert_eq!((status, &report["checked_as"]), (1, &json!("access-token")), "{report:#}");
    assert_eq!(with_result(&report, "fail"), ["audience"], "{report:#}");
    let seen = report["checks"][6]["seen"].as_str().unwrap();
    assert!(seen.contains("the token may be an ID token"), "{seen}");
    let (status, report) = kit.inspect(&good, &[]);
    assert_eq!((status, with_result(&report, "not_checked")), (0, vec!["audience"]), "{report:#}");
}

#[tokio::test]
async fn logout_tokens() {
    let kit = Kit::new("inspect-logout").await;
    let token = || kit.tenant.logout_token(CLIENT);
    let all: Vec<(LogoutTokenBuilder, &str)> = vec![
        (token().header("crit", ["exp"]), "form"),
        (token().claim("long", "a".repeat(16 * 1024)), "form"),
        (token().typ("at+jwt"), "type"),
        (token().typ("dpop+jwt"), "type"),
        (token().claim("nonce", "n"), "type"),
        (token().without_claim("events"), "type"),
        (token().claim("events", json!({})), "type"),
        (token().without_subject().without_session_id(), "claims"),
        (token().claim("sub", 5), "claims"),
        (token().claim("sid", ""), "claims"),
        (token().without_claim("jti"), "claims"),
        (token().claim("jti", 5), "claims"),
        (token().claim("aud", "other"), "audience"),
        (token().without_claim("aud"), "audience"),
        (token().claim("aud", 5), "audience"),
        (token().issuer("https://acme.eu.auth0.com/"), "issuer"),
        (token().without_claim("iss"), "issuer"),
        (token().expired(), "expiry"),
        (token().without_claim("exp"), "expiry"),
        (token().claim("exp", "soon"), "expiry"),
        (token().claim("iat", 4_000_000_000_u64), "start"),
        (token().without_claim("iat"), "start"),
        (token().claim("nbf", "now"), "start"),
        (token().unsigned(), "algorithm"),
        (token().header("kid", "other"), "key"),
        (token().broken_signature(), "signature"),
        (token().signed_by(&kit.tenant.tenant().unknown_key()), "signature"),
    ];
    let good = token().mint();
    kit.auth.verify_logout_token(&good, &[CLIENT]).await.unwrap();
    let (status, report) = kit.inspect(&good, &["--client-id", CLIENT]);
    assert_eq!((status, &report["verdict"]), (0, &json!("accepted")), "{report:#}");
    assert_eq!(report["checked_as"], "logout-token");

    for (token, check) in all {
        let token = token.mint();
        let error = kit.auth.verify_logout_token(&token, &[CLIENT]).await.unwrap_err();
        kit.assert_fails(&token, "logout-token", check, &error.to_string());
    }
    let several = token().expired().claim("aud", "other").broken_signature().mint();
    let (_, report) = kit.inspect(&several, &["--client-id", CLIENT]);
    assert_eq!(with_result(&report, "fail"), ["audience", "expiry"], "{report:#}");
    // The signature is verified last, and no copy has that of the original.
    assert_eq!(with_result(&report, "not_checked"), ["key", "signature"], "{report:#}");
}
