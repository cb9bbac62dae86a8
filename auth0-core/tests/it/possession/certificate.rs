//! Tokens that are bound to a certificate (RFC 8705 §3).
use crate::common::client_certificate::{
    ANN, BEN, CLIENT, MISMATCH, PROXY, URL, assert_refused, behind_a_proxy, bound, client_cert,
    hash, request,
};
use auth0_core::{Dpop, ErrorCode, adapter::RequestView};
use auth0_testing::Tenant;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

#[tokio::test]
async fn the_certificate_of_the_connection_counts_in_every_dpop_mode() {
    let tenant = Tenant::new();
    for (mode, schemes) in [
        (Dpop::allowed(), &["DPoP", "Bearer", "dpop", "BEARER"][..]),
        (Dpop::required(), &["DPoP"]),
        (Dpop::disabled(), &["Bearer"]),
    ] {
        let auth = tenant.builder().dpop(mode).build().unwrap();
        for scheme in schemes {
            let used = if scheme.eq_ignore_ascii_case("dpop") { "DPoP" } else { "Bearer" };
            let request = request(scheme, &bound(&tenant));
            assert!(
                request.clone().certificate(&ANN).authenticate(&auth).await.is_ok(),
                "{scheme}"
            );
            // A token from the cache is checked again.
            for _ in 0..2 {
                let verdict = request.authenticate(&auth).await;
                assert_refused("none", verdict, used, MISMATCH);
                let verdict = request.clone().certificate(BEN).authenticate(&auth).await;
                assert_refused("another", verdict, used, MISMATCH);
            }
            assert!(request.certificate(&ANN).authenticate(&auth).await.is_ok(), "{scheme}");
        }
    }
}

#[tokio::test]
async fn a_certificate_enables_no_other_scheme() {
    let tenant = Tenant::new();
    for (mode, scheme) in [(Dpop::required(), "Bearer"), (Dpop::disabled(), "DPoP")] {
        let auth = tenant.builder().dpop(mode).build().unwrap();
        let request = request(scheme, &bound(&tenant)).certificate(&ANN);
        let error = request.authenticate(&auth).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::SchemeUnsupported, "{scheme}");
    }
}

#[tokio::test]
async fn without_a_connection_there_is_no_certificate() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = bound(&tenant).mint();
    assert_eq!(auth.verify(&token).await.unwrap_err().code(), MISMATCH);
    let header = format!("Bearer {token}");
    let view = RequestView::new().authorization([header.as_bytes()]);
    assert_eq!(auth.authenticate(&view).await.unwrap_err().code(), MISMATCH);
}

#[tokio::test]
async fn a_token_without_a_binding_needs_no_certificate() {
    let tenant = Tenant::new();
    let auth = behind_a_proxy(&tenant);
    let request = request("Bearer", &tenant.token());
    assert!(request.authenticate(&auth).await.is_ok());
    assert!(request.clone().certificate(BEN).authenticate(&auth).await.is_ok());
    assert!(request.from(PROXY).with("client-cert", "nonsense").authenticate(&auth).await.is_ok());
}

#[tokio::test]
async fn every_known_member_of_cnf_is_enforced() {
    let tenant = Tenant::new();
    let auth = behind_a_proxy(&tenant);
    let both = bound(&tenant).bound_to(&tenant.client_key());
    let token = both.mint();
    let good = || tenant.proof("GET", URL).for_token(&token).mint();
    let of_another = || tenant.proof("POST", URL).for_token(&token).mint();

    // On the connection, and through the proxy.
    for (peer, shown) in [(CLIENT, true), (PROXY, false)] {
        let with = |der: Option<&[u8]>, proof: Option<String>| {
            let mut request = request("DPoP", &both).from(peer);
            if let Some(der) = der {
                request = match shown {
                    true => request.certificate(der),
                    false => request.with("client-cert", client_cert(der)),
                };
            }
            match proof {
                Some(proof) => request.with("dpop", proof),
                None => request,
            }
        };
        assert!(with(Some(&ANN), Some(good())).authenticate(&auth).await.is_ok(), "{peer}");
        for (name, request, code) in [
            ("good proof, no certificate", with(None, Some(good())), MISMATCH),
            ("good proof, another certificate", with(Some(BEN), Some(good())), MISMATCH),
            ("certificate, no proof", with(Some(&ANN), None), ErrorCode::DpopProofMissing),
            (
                "certificate, bad proof",
                with(Some(&ANN), Some(of_another())),
                ErrorCode::DpopProofInvalid,
            ),
            ("neither", with(None, None), ErrorCode::DpopProofMissing),
            ("both bad", with(Some(BEN), Some(of_another())), MISMATCH),
        ] {
            assert_refused(name, request.authenticate(&auth).await, "DPoP", code);
        }
        let request = with(Some(&ANN), Some(good())).authorized("Bearer", &token);
        assert_refused("as Bearer", request.authenticate(&auth).await, "Bearer", MISMATCH);
    }
}

#[tokio::test]
async fn a_request_refused_for_its_certificate_does_not_use_up_its_proof() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let both = bound(&tenant).bound_to(&tenant.client_key());
    let proof = tenant.proof("GET", URL).for_token(&both.mint()).mint();
    let request = request("DPoP", &both).with("dpop", proof);
    assert_refused("no certificate", request.authenticate(&auth).await, "DPoP", MISMATCH);
    assert!(request.clone().certificate(&ANN).authenticate(&auth).await.is_ok());
    let error = request.certificate(&ANN).authenticate(&auth).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::DpopProofReplayed);
}

#[tokio::test]
async fn a_proof_belongs_to_a_token_that_is_bound_to_a_key() {
    let tenant = Tenant::new();
    let token = bound(&tenant);
    let with_proof = |scheme| {
        let proof = tenant.proof("GET", URL).for_token(&token.mint()).mint();
        request(scheme, &token).certificate(&ANN).with("dpop", proof)
    };
    for mode in [Dpop::allowed(), Dpop::required()] {
        let auth = tenant.builder().dpop(mode).build().unwrap();
        assert_refused("DPoP", with_proof("DPoP").authenticate(&auth).await, "DPoP", MISMATCH);
    }
    let auth = tenant.auth0();
    let verdict = with_proof("Bearer").authenticate(&auth).await;
    assert_refused("Bearer", verdict, "Bearer", ErrorCode::RequestMalformed);
    // Where DPoP is disabled, the header is ignored.
    let auth = tenant.builder().dpop(Dpop::disabled()).build().unwrap();
    assert!(with_proof("Bearer").authenticate(&auth).await.is_ok());
}

#[tokio::test]
async fn unknown_members_of_cnf_do_not_count() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let with = |members: Value| tenant.token().claim("cnf", members);
    let x5t = x5t(&ANN);
    for members in [
        json!({ "x5t#S256": x5t, "kid": "a", "jku": "https://evil.test" }),
        json!({ "x5t#S256": x5t, "x5t": "AAAA", "x5t#s256": "BBBB", "JKT": 1 }),
        json!({ "x5t#S256": x5t, "jwk": {}, "": null }),
    ] {
        let request = request("DPoP", &with(members));
        assert_refused("without", request.authenticate(&auth).await, "DPoP", MISMATCH);
        assert!(request.certificate(&ANN).authenticate(&auth).await.is_ok());
    }
    // Without a known member, the token is not bound.
    for members in [json!({}), json!({ "x5t": x5t }), json!({ "x5t#s256": x5t })] {
        assert!(request("Bearer", &with(members)).authenticate(&auth).await.is_ok());
    }
}

#[tokio::test]
async fn a_malformed_thumbprint_matches_no_certificate() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let x5t = x5t(&ANN);
    for member in [
        json!(null),
        json!(""),
        json!(1),
        json!([x5t]),
        json!(hash(&ANN)),
        json!(format!("{x5t}=")),
        json!(format!(" {x5t}")),
        json!(&x5t[1..]),
        json!(STANDARD.encode(hash(&ANN))),
    ] {
        let token = tenant.token().claim("cnf", json!({ "x5t#S256": member }));
        for scheme in ["DPoP", "Bearer"] {
            let verdict = request(scheme, &token).certificate(&ANN).authenticate(&auth).await;
            assert_refused(&member.to_string(), verdict, scheme, MISMATCH);
        }
    }
    for member in [json!("x"), json!(1), json!([])] {
        let token = tenant.token().claim("cnf", member);
        let error =
            request("DPoP", &token).certificate(&ANN).authenticate(&auth).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::ClaimsInvalid);
    }
}

#[test]
fn the_thumbprint_is_the_sha256_of_the_der() {
    let bytes: Vec<u8> = URL_SAFE_NO_PAD.decode(x5t(&ANN)).unwrap();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, hash(&ANN));
}

/// Returns the thumbprint as a token has it.
fn x5t(der: &[u8]) -> String {
    let token = Tenant::new().token().bound_to_certificate(der).mint();
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    payload["cnf"]["x5t#S256"].as_str().unwrap().to_owned()
}

/// The guide shows what a bound token has, and it is accepted.
#[tokio::test]
async fn the_thumbprint_of_the_guide_is_that_of_a_certificate() {
    let page = include_str!("../../../../docs/mtls.md");
    let block = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let shown: Value = serde_json::from_str(block).unwrap();
    let tenant = Tenant::new();
    let request = request("DPoP", &tenant.token().claim("cnf", &shown["cnf"]));
    let accepted = request.clone().certificate(&ANN).authenticate(&tenant.auth0()).await;
    accepted.unwrap();
    let verdict = request.certificate(BEN).authenticate(&tenant.auth0()).await;
    assert_refused("another", verdict, "DPoP", MISMATCH);
}
