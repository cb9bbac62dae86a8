//! DPoP proofs, each wrong in one way, alone and with their tokens.
use super::{undated, with_result};
use crate::kit::{Directory, Inspected};
use auth0_core::{Dpop, dpop::ProofVerifier, support::SystemClock};
use auth0_local::LocalTenant;
use auth0_testing::ProofBuilder;
use serde_json::json;
use std::{fs, time::Duration};

const URL: &str = "http://127.0.0.1:3000/api/private";
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn proofs() {
    let tenant = LocalTenant::start().await.unwrap();
    let tenant = tenant.tenant();
    let proof = || tenant.proof("GET", URL);
    let all: Vec<(ProofBuilder, &str)> = vec![
        (proof().header("crit", ["exp"]), "form"),
        (proof().raw_payload("{\"htm\":\"GET\",\"htm\":\"GET\"}"), "form"),
        (proof().claim("long", "a".repeat(16 * 1024)), "form"),
        (proof().header("typ", "JWT"), "type"),
        (proof().without_header("typ"), "type"),
        (proof().header("alg", "ES384"), "algorithm"),
        (proof().unsigned(), "algorithm"),
        (proof().without_header("jwk"), "key"),
        (proof().header("jwk", "key"), "key"),
        (proof().header("jwk", json!({ "kty": "oct", "k": "AAAA" })), "key"),
        (proof().claim("htm", "POST"), "method"),
        (proof().without("htm"), "method"),
        (proof().claim("htu", "http://127.0.0.1:3000/other"), "url"),
        (proof().claim("htu", 5), "url"),
        (proof().claim("htu", "/api/private"), "url"),
        (proof().aged(400 * SECOND), "age"),
        (proof().ahead(100 * SECOND), "age"),
        (proof().claim("iat", "now"), "age"),
        (proof().without("iat"), "age"),
        (proof().without("jti"), "id"),
        (proof().claim("jti", ""), "id"),
        (proof().broken_signature(), "signature"),
        (proof().signed_by(&tenant.client_key().with_id("x")).broken_signature(), "signature"),
    ];
    let options = ["--method", "GET", "--url", URL, "--as", "proof"];
    let (status, report) = Inspected::json(proof().mint(), &options);
    assert_eq!((status, &report["verdict"]), (0, &json!("incomplete")), "{report:#}");
    assert_eq!(report["kind"], "proof");
    assert_eq!(with_result(&report, "not_checked"), ["token", "binding"], "{report:#}");

    for (proof, check) in all {
        let proof = proof.mint();
        let verifier = ProofVerifier::new(Dpop::allowed(), SystemClock::new()).unwrap();
        let error = verifier.verify("GET", URL, proof.as_bytes()).unwrap_err();
        let (status, report) = Inspected::json(&proof, &options);
        let why = format!("{check}: {error:?}\n{report:#}");
        assert_eq!((status, with_result(&report, "fail")), (1, vec![check]), "{why}");
        let checks = report["checks"].as_array().unwrap();
        let failed = checks.iter().find(|check| check["result"] == "fail").unwrap();
        assert_eq!(failed["error_code"], error.code().as_str(), "{why}");
        let seen = failed["seen"].as_str().unwrap();
        let cause = error.cause().unwrap().trim_start_matches("the DPoP proof: ").to_owned();
        assert!(
            undated(&cause).starts_with(&undated(seen))
                && !failed["change"].as_str().unwrap().is_empty(),
            "{why}"
        );
    }
    let several = proof().claim("htm", "POST").claim("htu", "http://a.test/").aged(400 * SECOND);
    let (_, report) = Inspected::json(several.broken_signature().mint(), &options);
    assert_eq!(with_result(&report, "fail"), ["method", "url", "age", "signature"], "{report:#}");
    // What is not named is that of the proof.
    let (status, report) = Inspected::json(format!("DPoP: {}", proof().mint()), &[]);
    assert_eq!(status, 0, "{report:#}");
    let unchecked = ["method", "url", "token", "binding"];
    assert_eq!(with_result(&report, "not_checked"), unchecked, "{report:#}");
}

#[tokio::test]
async fn a_proof_and_its_token() {
    let tenant = LocalTenant::start().await.unwrap();
    let directory = Directory::new("inspect-proof");
    let (keys, file) = (directory.file("keys.json"), |name: &str| directory.file(name));
    fs::write(&keys, tenant.tenant().key_set_json()).unwrap();
    let (kit, key) = (tenant.tenant(), tenant.tenant().client_key());
    let token = tenant.token().bound_to(&key).mint();
    let other = tenant.token().bound_to(&key).subject("auth0|ann").mint();
    let unbound = tenant.token().mint();
    let of_another_key = tenant.token().bound_to_thumbprint(&"A".repeat(43)).mint();
    let proof = kit.proof("GET", URL).for_token(&token).mint();
    for (name, text) in [
        ("token", &token),
        ("other", &other),
        ("unbound", &unbound),
        ("of-another-key", &of_another_key),
        ("proof", &proof),
        ("without", &kit.proof("GET", URL).mint()),
        ("post", &kit.proof("POST", URL).for_token(&token).mint()),
    ] {
        fs::write(file(name), format!("{text}\n")).unwrap();
    }

    // The proof is inspected, with a token.
    let of_proof = |proof: &str, token: &str| {
        Inspected::json(proof, &["--method", "GET", "--url", URL, "--token", &file(token)])
    };
    let (status, report) = of_proof(&proof, "token");
    assert_eq!((status, &report["verdict"]), (0, &json!("accepted")), "{report:#}");
    let (status, report) = of_proof(&proof, "other");
    assert_eq!((status, with_result(&report, "fail")), (1, vec!["token"]), "{report:#}");
    let for_other = kit.proof("GET", URL).for_token(&of_another_key).mint();
    let (status, report) = of_proof(&for_other, "of-another-key");
    assert_eq!((status, with_result(&report, "fail")), (1, vec!["binding"]), "{report:#}");
    let for_unbound = kit.proof("GET", URL).for_token(&unbound).mint();
    let (status, report) = of_proof(&for_unbound, "unbound");
    assert_eq!((status, with_result(&report, "not_checked")), (0, vec!["binding"]), "{report:#}");

    // The token is inspected, with a proof.
    let options = ["--issuer", tenant.issuer(), "--jwks", &keys, "--audience", tenant.audience()];
    let of_token = |token: &str, more: &[&str]| Inspected::json(token, &[&options, more].concat());
    let (status, report) = of_token(&token, &["--url", URL, "--proof", &file("proof")]);
    assert_eq!((status, &report["verdict"]), (0, &json!("accepted")), "{report:#}");
    let (status, report) = of_token(&token, &[]);
    assert_eq!((status, with_result(&report, "not_checked")), (0, vec!["binding"]), "{report:#}");
    for (token, proof, code) in [
        (format!("Bearer {token}"), None, "token_binding_mismatch"),
        (token.clone(), Some("without"), "dpop_proof_invalid"),
        (token.clone(), Some("post"), "dpop_proof_invalid"),
        (other, Some("proof"), "dpop_proof_invalid"),
        (unbound, Some("proof"), "token_binding_mismatch"),
    ] {
        let file = proof.map(file).unwrap_or_default();
        let more = ["--url", URL, "--proof", &file];
        let (status, report) = of_token(&token, if proof.is_some() { &more } else { &[] });
        assert_eq!((status, with_result(&report, "fail")), (1, vec!["binding"]), "{report:#}");
        assert_eq!(report["response"]["body"]["error_code"], code, "{report:#}");
    }

    let der = [0x30, 0x81, 0x05, 0x30, 0x03, 0x02, 0x01, 0x00];
    fs::write(file("certificate"), der).unwrap();
    let token = tenant.token().bound_to_certificate(&der).mint();
    let (status, report) = of_token(&token, &["--certificate", &file("certificate")]);
    assert_eq!((status, &report["verdict"]), (0, &json!("accepted")), "{report:#}");
    let token = tenant.token().bound_to_certificate(b"another").mint();
    let (status, report) = of_token(&token, &["--certificate", &file("certificate")]);
    assert_eq!((status, with_result(&report, "fail")), (1, vec!["binding"]), "{report:#}");
}
