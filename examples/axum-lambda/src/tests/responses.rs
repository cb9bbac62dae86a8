//! The function responds as the server does, byte for byte.
use super::{Asked, HOST, answer_to, api, ask, invoke, joined, listen, route};
use crate::{app, gateway::function};
use auth0_axum::{
    Dpop,
    testing::{Failure, Tenant, TokenBuilder},
};
use axum::Router;

#[tokio::test]
async fn the_function_responds_as_the_server_does() {
    let tenant = Tenant::new();
    let bearer = |token: TokenBuilder| format!("Bearer {}", token.mint());
    let plain = bearer(tenant.token());
    let reader = bearer(tenant.token().scope("read:messages"));
    let expired = bearer(tenant.token().expired());
    let forged = bearer(tenant.token().broken_signature());
    let (private, scoped) = ("/api/private", "/api/private-scoped");
    fn post<'a>(lines: &[(&'a str, &'a str)], body: &'a [u8]) -> Asked<'a> {
        Asked { method: "POST", body, ..Asked::get("/api/echo", lines) }
    }
    let cookies = [("cookie", "a=1; b=2"), ("authorization", &*plain)];
    let rows = [
        (200, Asked::get("/api/public", &[])),
        (401, Asked::get(private, &[])),
        (401, Asked::get(private, &[("authorization", "Bearer x")])),
        (401, Asked::get(private, &[("authorization", "Basic x")])),
        (400, Asked::get(private, &[("authorization", "Bearer")])),
        (401, Asked::get(private, &[("authorization", &expired)])),
        (401, Asked::get(private, &[("authorization", &forged)])),
        (403, Asked::get(scoped, &[("authorization", &plain)])),
        (200, Asked::get(scoped, &[("authorization", &reader)])),
        (200, Asked::get(private, &[("authorization", &plain)])),
        (400, Asked::get(private, &[("authorization", &plain), ("authorization", &plain)])),
        (400, Asked::get(private, &[("authorization", &plain), ("authorization", "Bearer x")])),
        (401, post(&[("cookie", "a=1; b=2")], b"text")),
        (200, post(&cookies, b"text")),
        (200, post(&cookies, "\u{0}\u{1}\u{e4}".as_bytes())),
    ];
    let started = || async {
        let auth = tenant.auth0();
        auth.warm_up().await.unwrap();
        let app = api(auth);
        (listen(app.clone()).await, app)
    };
    let (server, app) = started().await;
    for (status, asked) in &rows {
        let expected = ask(server, asked).await;
        let case = format!("{} {:?}", asked.path, asked.lines);
        assert_eq!(expected.status, *status, "{case}");
        assert_eq!(route(app.clone(), asked).await, expected, "{case}");
        assert_eq!(invoke(app.clone(), asked).await, joined(&expected), "{case}");
    }

    // What follows a scheme that is not enabled is not read: its credentials may contain commas.
    let lines = [("authorization", "Basic x"), ("authorization", &*plain)];
    assert_eq!(invoke(app, &Asked::get(private, &lines)).await.status, 401);

    tenant.fail(Failure::Unreachable);
    let app = api(tenant.auth0());
    let asked = Asked::get(private, &[("authorization", &plain)]);
    let answer = invoke(app, &asked).await;
    assert_eq!((answer.status, answer.lines("www-authenticate").len()), (503, 0));
    assert_eq!(answer, joined(&ask(listen(api(tenant.auth0())).await, &asked).await));
}

/// Otherwise `one_line_each` is not needed any more.
#[tokio::test]
async fn lambda_http_alone_loses_a_challenge() {
    let (tenant, asked) = (Tenant::new(), Asked::get("/api/private", &[]));
    let answer = answer_to(app(tenant.auth0()), &asked.event()).await;
    assert_eq!(answer.lines("www-authenticate"), ["Bearer"]);
    let answer = invoke(app(tenant.auth0()), &asked).await;
    assert_eq!(answer.lines("www-authenticate"), ["Bearer, DPoP algs=\"ES256\""]);
}

/// Clients write the stage, and make their proofs for it; the routes do not name it.
#[tokio::test]
async fn dpop_proofs_name_the_stage() {
    let tenant = Tenant::new();
    let public_url = format!("https://{HOST}/prod");
    let auth = || {
        let builder = tenant.builder().dpop(Dpop::required()).public_url(&public_url);
        builder.build().unwrap()
    };
    let (server, app) = (listen(api(auth())).await, api(auth()));
    let token = tenant.token().bound_to(&tenant.client_key()).mint();
    let authorization = format!("DPoP {token}");
    let proof = |method, url: &str| tenant.proof(method, url).for_token(&token).mint();
    let right = format!("{public_url}/api/private");
    let without_stage = format!("https://{HOST}/api/private");
    let once = proof("GET", &right);
    for (status, error_code, proof) in [
        (401, "dpop_proof_missing", None),
        (401, "dpop_proof_invalid", Some(proof("GET", &without_stage))),
        (401, "dpop_proof_invalid", Some(proof("POST", &right))),
        (200, "", Some(once.clone())),
        (401, "dpop_proof_replayed", Some(once)),
    ] {
        let mut lines = vec![("authorization", &*authorization)];
        lines.extend(proof.as_deref().map(|proof| ("dpop", proof)));
        let asked = Asked { stage: "prod", ..Asked::get("/api/private", &lines) };
        let answer = invoke(app.clone(), &asked).await;
        let case = format!("{error_code} {answer:?}");
        assert_eq!(answer.status, status, "{case}");
        assert!(answer.body.contains(error_code), "{case}");
        assert_eq!(answer, joined(&ask(server, &asked).await), "{case}");
    }
}

/// The gateway joins two lines, and two proofs in one line are none (as for the server).
#[tokio::test]
async fn two_proofs_are_refused() {
    let tenant = Tenant::new();
    let app = api(tenant.builder().public_url(format!("https://{HOST}")).build().unwrap());
    let token = tenant.token().bound_to(&tenant.client_key()).mint();
    let url = format!("https://{HOST}/api/private");
    let proof = || tenant.proof("GET", &url).for_token(&token).mint();
    let (authorization, one, other) = (format!("DPoP {token}"), proof(), proof());
    let lines = [("authorization", &*authorization), ("dpop", &one), ("dpop", &other)];
    let answer = invoke(app.clone(), &Asked::get("/api/private", &lines)).await;
    assert_eq!(answer.status, 401);
    assert!(answer.body.contains("dpop_proof_invalid"), "{answer:?}");
    assert_eq!(invoke(app, &Asked::get("/api/private", &lines[..2])).await.status, 200);
}

/// The stage is a segment, and nothing else is removed.
#[tokio::test]
async fn only_the_stage_is_removed() {
    let app = Router::new().fallback(async |uri: axum::http::Uri| uri.to_string());
    for (stage, path, expected) in [
        ("$default", "/api", "/api"),
        ("prod", "/api", "/api"),
        ("prod", "/", "/"),
        ("prod", "/prod/api", "/prod/api"),
        ("prod", "/production", "/production"),
        ("prod", "", "/"),
    ] {
        let asked = Asked { stage, ..Asked::get(path, &[]) };
        let mut event = asked.event();
        event["rawQueryString"] = "a=/prod/b".into();
        let answer = answer_to(function(app.clone()), &event).await;
        assert_eq!(answer.body, format!("https://{HOST}{expected}?a=/prod/b"), "{stage} {path}");
    }
}
