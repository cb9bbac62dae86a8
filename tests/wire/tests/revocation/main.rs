//! Revocation: requests with a token that was revoked, and the endpoint of back-channel logout, at all three servers.
//! The table of logout tokens is a test of the core.
use auth0_axum::{
    Revocations,
    testing::{Failure, Tenant, TokenBuilder},
};
use serde_json::json;
use std::{net::SocketAddr, time::Duration};
use tokio::time::timeout;
use wire_tests::{
    client::{Answer, get, send, send_body},
    failing_store::FailingStore,
    servers,
};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
const FORM: (&str, &[u8]) = ("content-type", b"application/x-www-form-urlencoded");
const TARGET: &str = "POST /backchannel-logout";

/// A name, the header of the type, the body, and the expected status.
type Row<'a> = (&'a str, Option<(&'a str, &'a [u8])>, String, u16);

/// One server of each kind, each with revocations of its own.
async fn start(tenant: &Tenant) -> [(&'static str, SocketAddr); 3] {
    let verifier = || tenant.builder().revocations(&Revocations::in_memory()).build().unwrap();
    servers::start(verifier).await
}

fn logout_token(tenant: &Tenant) -> TokenBuilder {
    let token = tenant.token().without("azp").audience("web").subject("auth0|ann");
    let token = token.claim("sid", "s1").claim("jti", "l1").expires_in(Duration::from_secs(120));
    token.claim("events", json!({ EVENT: {} }))
}

async fn with_token(server: SocketAddr, path: &str, token: &str) -> Answer {
    get(server, path, &[("authorization", format!("Bearer {token}").as_bytes())]).await
}

#[tokio::test]
async fn a_token_is_refused_after_its_user_has_logged_out() {
    let tenant = Tenant::new();
    let (ann, bob) = (tenant.token().subject("auth0|ann"), tenant.token().subject("auth0|bob"));
    let (ann, bob) = (ann.scope("read:messages").mint(), bob.scope("read:messages").mint());
    let body = format!("logout_token={}", logout_token(&tenant).mint());
    let mut answers = Vec::new();
    for (server, address) in start(&tenant).await {
        for path in ["/token", "/scope", "/layer"] {
            assert_eq!(with_token(address, path, &ann).await.status, 200, "{server} {path}");
        }
        let logout = send_body(address, TARGET, &[FORM], body.as_bytes(), false).await;
        assert_eq!((logout.status, &*logout.body), (200, ""), "{server}");
        assert_eq!(logout.lines("cache-control"), ["no-store"], "{server}");
        let again = send_body(address, TARGET, &[FORM], body.as_bytes(), true).await;
        assert_eq!(again.status, 400, "{server}");
        for path in ["/token", "/maybe", "/scope", "/layer"] {
            let refused = with_token(address, path, &ann).await;
            assert_eq!(refused.status, 401, "{server} {path}");
            assert!(refused.body.contains("\"error_code\":\"token_revoked\""), "{server} {path}");
            let challenges = refused.lines("www-authenticate");
            assert!(challenges[0].starts_with("Bearer error=\"invalid_token\""), "{challenges:?}");
            assert_eq!(with_token(address, path, &bob).await.status, 200, "{server} {path}");
            answers.push((path, refused));
        }
        answers.push(("again", again));
    }
    let (first, others) = answers.split_at(answers.len() / 3);
    for others in others.chunks(first.len()) {
        assert_eq!(first, others);
    }
}

#[tokio::test]
async fn every_answer_of_the_endpoint_has_the_same_bytes() {
    let tenant = Tenant::new();
    let token = logout_token(&tenant);
    let of = |token: &TokenBuilder| format!("logout_token={}", token.mint());
    let large = format!("logout_token={}", "x".repeat(16 * 1024));
    let json = ("content-type", &b"application/json"[..]);
    let later = token.clone().claim("jti", "l4").claim("nbf", 4_000_000_000_u64);
    let twice = format!("{}&logout_token=x", of(&token));
    let rows: Vec<Row<'_>> = vec![
        ("only sid", Some(FORM), of(&token.clone().without("sub").claim("jti", "l2")), 200),
        ("with other members", Some(FORM), format!("a=b&{}", of(&token)), 200),
        ("used before", Some(FORM), of(&token), 400),
        ("an access token", Some(FORM), of(&tenant.token()), 400),
        ("a nonce", Some(FORM), of(&token.clone().claim("nonce", "n")), 400),
        ("not valid yet", Some(FORM), of(&later), 400),
        ("for another client", Some(FORM), of(&token.clone().audience("other")), 400),
        ("not a token", Some(FORM), "logout_token=x".into(), 400),
        ("two tokens", Some(FORM), twice, 400),
        ("no token", Some(FORM), "token=x".into(), 400),
        ("nothing", Some(FORM), String::new(), 400),
        ("JSON", Some(json), of(&token), 415),
        ("no type", None, of(&token), 415),
        ("too large", Some(FORM), large, 413),
    ];
    let mut all = Vec::new();
    for (server, address) in start(&tenant).await {
        let mut answers = Vec::new();
        for (name, content_type, body, status) in &rows {
            let lines: Vec<_> = content_type.iter().copied().collect();
            let answer = send_body(address, TARGET, &lines, body.as_bytes(), false).await;
            assert_eq!(answer.status, *status, "{server} {name}: {answer:?}");
            assert_eq!(answer.lines("cache-control"), ["no-store"], "{server} {name}");
            answers.push(answer);
        }
        let chunked = send_body(address, TARGET, &[FORM], rows[13].2.as_bytes(), true).await;
        assert_eq!(chunked.status, 413, "{server}");
        for method in ["GET", "PUT", "DELETE", "OPTIONS"] {
            let host = format!("host: {address}\r\n");
            let answer = send(address, &format!("{method} /backchannel-logout"), &host, &[]).await;
            assert_eq!((answer.status, answer.lines("allow")), (405, vec!["POST"]), "{server}");
            answers.push(answer);
        }
        // The token of a query is none: URLs are logged.
        let target = format!("{TARGET}?{}", of(&token.clone().claim("jti", "l3")));
        let answer = send_body(address, &target, &[FORM], b"", false).await;
        assert_eq!(answer.status, 400, "{server}");
        all.push(answers);
    }
    assert!(all.iter().all(|answers| *answers == all[0]), "{all:#?}");
}

/// actix-http reads the body of such a request until the client closes the connection.
#[tokio::test]
async fn a_body_without_end_is_not_awaited() {
    let tenant = Tenant::new();
    let websocket = [FORM, ("connection", &b"upgrade"[..]), ("upgrade", b"websocket")];
    for (server, address) in start(&tenant).await {
        let host = format!("host: {address}\r\n");
        for (method, lines, status) in [
            ("CONNECT", &[][..], 405),
            ("GET", &websocket[1..], 405),
            ("GET", &websocket[2..], 405),
            ("POST", &websocket[..], 400),
            ("POST", &[FORM, websocket[2]], 400),
        ] {
            let target = format!("{method} /backchannel-logout");
            let answer = send(address, &target, &host, lines);
            let answer = timeout(Duration::from_secs(10), answer).await.expect("an answer");
            assert_eq!(answer.status, status, "{server} {method} {lines:?}");
        }
    }
}

#[tokio::test]
async fn without_the_store_requests_are_asked_to_try_again() {
    let tenant = Tenant::new();
    let revocations = Revocations::with_store(FailingStore);
    let verifier = || tenant.builder().revocations(&revocations).build().unwrap();
    let (good, body) =
        (tenant.token().mint(), format!("logout_token={}", logout_token(&tenant).mint()));
    let mut all = Vec::new();
    for (server, address) in servers::start(verifier).await {
        let mut answers = Vec::new();
        for path in ["/token", "/maybe", "/layer"] {
            answers.push(with_token(address, path, &good).await);
        }
        answers.push(send_body(address, TARGET, &[FORM], body.as_bytes(), false).await);
        for answer in &answers {
            assert_eq!(answer.status, 503, "{server}: {answer:?}");
            assert_eq!(answer.lines("retry-after").len(), 1, "{server}");
            assert_eq!(answer.lines("www-authenticate").len(), 0, "{server}");
            assert_eq!(answer.lines("cache-control"), ["no-store"], "{server}");
        }
        assert_eq!(with_token(address, "/token", "x").await.status, 401, "{server}");
        all.push(answers);
    }
    assert!(all.iter().all(|answers| *answers == all[0]), "{all:#?}");
}

#[tokio::test]
async fn without_keys_the_issuer_is_asked_to_try_again() {
    let tenant = Tenant::new();
    let servers = start(&tenant).await;
    tenant.fail(Failure::Status(500));
    let body = format!("logout_token={}", logout_token(&tenant).mint());
    let mut answers = Vec::new();
    for (server, address) in servers {
        let answer = send_body(address, TARGET, &[FORM], body.as_bytes(), false).await;
        assert_eq!(answer.status, 503, "{server}");
        assert_eq!(answer.lines("retry-after"), ["5"], "{server}");
        assert_eq!(answer.lines("cache-control"), ["no-store"], "{server}");
        answers.push(answer);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    tenant.recover();
    tenant.clock().advance(Duration::from_secs(60));
    for (server, address) in servers {
        let answer = send_body(address, TARGET, &[FORM], body.as_bytes(), false).await;
        assert_eq!(answer.status, 200, "{server}: it was not used up");
    }
}
