//! What scheme, token and proof decide in each mode.
use crate::client::{Mode, check, minted, start};
use auth0_axum::{
    auth0_core::Algorithm,
    testing::{SigningKey, Tenant},
};
use wire_tests::client::get;

/// Scheme, token and proof: the rows in which the modes differ.
#[tokio::test]
async fn the_token_and_the_scheme_decide() {
    let tenant = Tenant::new();
    let plain = tenant.token().subject("auth0|ann").mint();
    let other_key = SigningKey::generate(Algorithm::ES256).unwrap();
    let bound_to_another = tenant.token().bound_to(&other_key).mint();
    let bound_to_nothing =
        tenant.token().claim("cnf", serde_json::json!({ "jkt": "no thumbprint" })).mint();
    let expired = tenant.token().bound_to(&tenant.client_key()).expired().mint();
    for mode in Mode::ALL {
        let clients = start(&tenant, mode.settings()).await;
        let bound = &clients[0].1.token;
        type Row<'a> = (&'a str, String, bool, [(&'a str, &'a str); 3]);
        // In the modes allowed, required, disabled: the scheme of the request, and the code.
        let unsupported = ("", "scheme_unsupported");
        let mismatch = ("Bearer", "token_binding_mismatch");
        let missing = ("DPoP", "dpop_proof_missing");
        let malformed = ("Bearer", "request_malformed");
        let good = ("", "");
        let rows: Vec<Row<'_>> = vec![
            ("a plain token", format!("Bearer {plain}"), false, [good, unsupported, good]),
            ("and a proof", format!("Bearer {plain}"), true, [malformed, unsupported, good]),
            (
                "a plain token, DPoP",
                format!("DPoP {plain}"),
                false,
                [missing, missing, unsupported],
            ),
            (
                "a plain token, DPoP, and a proof",
                format!("DPoP {plain}"),
                true,
                [("DPoP", "token_binding_mismatch"); 2]
                    .into_iter()
                    .chain([unsupported])
                    .collect::<Vec<_>>()
                    .try_into()
                    .unwrap(),
            ),
            ("bound", format!("Bearer {bound}"), false, [mismatch, unsupported, mismatch]),
            ("bound, a proof", format!("Bearer {bound}"), true, [mismatch, unsupported, mismatch]),
            ("bound, DPoP", format!("DPoP {bound}"), false, [missing, missing, unsupported]),
            ("bound, dpop", format!("dpop {bound}"), true, [good, good, unsupported]),
            (
                "bound to another key",
                format!("DPoP {bound_to_another}"),
                true,
                [
                    ("DPoP", "token_binding_mismatch"),
                    ("DPoP", "token_binding_mismatch"),
                    unsupported,
                ],
            ),
            (
                "bound to nothing",
                format!("DPoP {bound_to_nothing}"),
                true,
                [
                    ("DPoP", "token_binding_mismatch"),
                    ("DPoP", "token_binding_mismatch"),
                    unsupported,
                ],
            ),
            (
                "expired",
                format!("DPoP {expired}"),
                true,
                [("DPoP", "token_expired"), ("DPoP", "token_expired"), unsupported],
            ),
            (
                "no token",
                "DPoP".into(),
                true,
                [("DPoP", "request_malformed"), ("DPoP", "request_malformed"), unsupported],
            ),
            (
                "two tokens",
                format!("DPoP {bound} {bound}"),
                true,
                [("DPoP", "request_malformed"), ("DPoP", "request_malformed"), unsupported],
            ),
            (
                "an opaque token",
                "DPoP abc".into(),
                true,
                [("DPoP", "token_malformed"), ("DPoP", "token_malformed"), unsupported],
            ),
            ("Basic", "Basic dXNlcjpwYXNz".into(), true, [unsupported; 3]),
        ];
        for (name, authorization, has_proof, expected) in &rows {
            let (used, code) = expected[mode as usize];
            for (server, client) in &clients {
                let case = format!("{server}, {mode:?}: {name}");
                // For the token that is sent, so that the proof has no mistake.
                let token = authorization.split(' ').nth(1).unwrap_or_default();
                let proof = client.proof().for_token(token).mint().into_bytes();
                let proofs: &[&[u8]] = if *has_proof { &[&proof] } else { &[] };
                let answer = client.ask_with("/token", authorization, proofs).await;
                if code.is_empty() {
                    assert_eq!(answer.status, 200, "{case}: {answer:?}");
                } else {
                    check(&case, &answer, mode, used, code, "");
                }
            }
        }
        for (server, client) in &clients {
            let case = format!("{server}, {mode:?}");
            let (one, two) = (minted(client.proof()), minted(client.proof()));
            let answer = client.ask("/token", "DPoP", &[&one, &two]).await;
            match mode {
                Mode::Disabled => check(&case, &answer, mode, "", "scheme_unsupported", ""),
                _ => check(&case, &answer, mode, "DPoP", "request_malformed", ""),
            }
            let answer = client.ask_with("/token", &format!("Bearer {plain}"), &[&one, &two]).await;
            match mode {
                Mode::Allowed => check(&case, &answer, mode, "Bearer", "request_malformed", ""),
                Mode::Required => check(&case, &answer, mode, "", "scheme_unsupported", ""),
                Mode::Disabled => assert_eq!(answer.status, 200, "the header is ignored: {case}"),
            }
            let answer = get(client.server, "/maybe", &[("dpop", &one)]).await;
            assert_eq!((answer.status, &*answer.body), (200, "anonymous"), "{case}");
            let answer = get(client.server, "/token", &[("dpop", &one)]).await;
            check(&case, &answer, mode, "", "token_missing", "");
        }
    }
}
