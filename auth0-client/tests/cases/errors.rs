//! Errors: each documented shape, what is not one, and what never reaches the log.
use crate::kit::{API, Answer, Server, run};
use auth0_client::{Error, ErrorKind};
use auth0_core::transport::HttpResponse;

async fn error_of(answer: Answer) -> Error {
    let server = Server::new();
    server.respond(move |_, _| answer.clone());
    run(&server, server.client().grant("urn:a:b").send()).await.unwrap_err()
}

#[tokio::test]
async fn shapes() {
    let many = r#"{"statusCode":429,"error":"Too Many Requests"}"#;
    let nested = r#"{"code":"invalid_password","description":{"code":"too_short","message":"no"}}"#;
    let problem = r#"{"type":"https://auth0.com/api-errors/A0E-400-0003","status":400,"title":"Bad","detail":"no","validation_errors":[]}"#;
    let status =
        r#"{"statusCode":400,"error":"Bad Request","message":"no","errorCode":"invalid_body"}"#;
    let duplicate = r#"{"error":"invalid_scope","error":"access_denied"}"#;
    for (status, body, kind, code, description) in [
        (
            400,
            r#"{"error":"invalid_scope","error_description":"no"}"#,
            ErrorKind::Misconfigured,
            Some("invalid_scope"),
            Some("no"),
        ),
        (429, many, ErrorKind::Throttled, Some("Too Many Requests"), None),
        (400, status, ErrorKind::Misconfigured, Some("invalid_body"), Some("no")),
        (
            403,
            r#"{"code":"unauthorized","description":"no"}"#,
            ErrorKind::Denied,
            Some("unauthorized"),
            Some("no"),
        ),
        (400, nested, ErrorKind::Misconfigured, Some("invalid_password"), Some("no")),
        (
            400,
            problem,
            ErrorKind::Misconfigured,
            Some("https://auth0.com/api-errors/A0E-400-0003"),
            Some("no"),
        ),
        (502, "<html>Bad Gateway</html>", ErrorKind::Unavailable, None, None),
        (500, "", ErrorKind::Unavailable, None, None),
        (400, r#"{"error":7}"#, ErrorKind::Malformed, None, None),
        (400, r#"{"error":null,"error_description":["x"]}"#, ErrorKind::Malformed, None, None),
        (400, "[1,2]", ErrorKind::Malformed, None, None),
        (400, r#""text""#, ErrorKind::Malformed, None, None),
        (400, "{\"error\":", ErrorKind::Malformed, None, None),
        (403, duplicate, ErrorKind::Denied, Some("access_denied"), None),
        (404, "<html>", ErrorKind::Misconfigured, None, None),
        (403, "<html>", ErrorKind::Malformed, None, None),
        (408, r#"{"error":"x"}"#, ErrorKind::Unavailable, Some("x"), None),
        (302, "", ErrorKind::Malformed, None, None),
        (200, "", ErrorKind::Malformed, None, None),
        (200, "<html>", ErrorKind::Malformed, None, None),
        (200, "[]", ErrorKind::Malformed, None, None),
        (200, r#"{"access_token":"a"}"#, ErrorKind::Malformed, None, None),
        (200, r#"{"access_token":"a","token_type":"mac"}"#, ErrorKind::Malformed, None, None),
        (200, r#"{"access_token":"","token_type":"Bearer"}"#, ErrorKind::Malformed, None, None),
        (200, r#"{"access_token":7,"token_type":"Bearer"}"#, ErrorKind::Malformed, None, None),
        (
            200,
            "{\"access_token\":\"a\\r\\nX: y\",\"token_type\":\"Bearer\"}",
            ErrorKind::Malformed,
            None,
            None,
        ),
        (
            200,
            r#"{"access_token":"a","access_token":"b","token_type":"Bearer"}"#,
            ErrorKind::Malformed,
            None,
            None,
        ),
    ] {
        let error = error_of(Answer::json(status, body)).await;
        assert_eq!(error.kind(), kind, "{body}: {error}");
        assert_eq!((error.code(), error.description()), (code, description), "{body}");
        assert_eq!(error.status(), Some(status), "{body}");
    }
}

#[tokio::test]
async fn a_huge_answer_is_an_error() {
    for status in [200, 400, 500] {
        let body = "x".repeat(10_000_000);
        let error = error_of(Answer::Response(HttpResponse::new(status, body))).await;
        let expected = if status == 500 { ErrorKind::Unavailable } else { ErrorKind::Malformed };
        assert_eq!(error.kind(), expected);
    }
    let long = "y".repeat(100_000);
    let error =
        error_of(Answer::json(400, &format!(r#"{{"error":"a","error_description":"{long}"}}"#)))
            .await;
    assert!(error.description().unwrap().len() <= 1000);
    assert!(error.to_string().len() < 1000, "{}", error.to_string().len());
}

#[tokio::test]
async fn text_of_a_server_is_escaped() {
    let body = r#"{"error":"a\u001b[31m","error_description":"x\r\nlevel=ERROR \"fake\" \u202e"}"#;
    let error = error_of(Answer::json(400, body)).await;
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!text.chars().any(char::is_control), "{text:?}");
        assert!(!text.contains('\u{202e}'), "{text:?}");
    }
    assert_eq!(error.code(), Some("a\u{1b}[31m"));
}

#[tokio::test]
async fn a_secret_that_the_server_repeats_is_removed() {
    let server = Server::new();
    server.respond(|seen, _| {
        let text = format!("bad: {}", seen.body.replace('"', "'"));
        Answer::json(
            400,
            &serde_json::json!({ "error": text, "error_description": text }).to_string(),
        )
    });
    let client = server.client();
    let mfa = r#"{"error":"mfa_required","mfa_token":"mfa-token"}"#;
    let errors = [
        run(&server, client.exchange("urn:a:b", "subject-1").actor("actor-1", "urn:a:c").send())
            .await,
        run(&server, client.refresh("refresh-1").send()).await,
        run(
            &server,
            client.grant("x").parameter("code", "code-1").parameter("password", "pass-1").send(),
        )
        .await,
        run(&server, client.passwordless("a@b").log_in("654321").send()).await,
    ];
    server.queue([Answer::json(403, mfa)]);
    let required = client.refresh("refresh-1").send().await.unwrap_err();
    let mfa = client.mfa(required.mfa().unwrap());
    let mut errors: Vec<_> = errors.into_iter().map(Result::unwrap_err).collect();
    errors.push(run(&server, mfa.verify_otp("123456")).await.unwrap_err());
    errors.push(run(&server, mfa.challenge(None)).await.unwrap_err());
    for error in errors {
        let text = format!("{error} {error:?} {:?} {:?}", error.code(), error.description());
        assert!(text.contains('…') && text.contains("client_id"), "{text}");
        for secret in [
            "the-secret",
            "subject-1",
            "actor-1",
            "refresh-1",
            "code-1",
            "pass-1",
            "654321",
            "123456",
            "mfa-token",
        ] {
            assert!(!text.contains(secret), "{secret} is in {text}");
        }
    }
}

#[tokio::test]
async fn the_id_of_the_request_is_kept() {
    let answer = Answer::error(400, "x").with("x-auth0-requestid", "abc123");
    let error = error_of(answer).await;
    assert_eq!(error.request_id(), Some("abc123"));
    assert!(error.to_string().contains("abc123"));
}

#[tokio::test]
async fn mfa_is_required_in_three_shapes() {
    let full = r#"{"error":"mfa_required","error_description":"Multifactor authentication required","mfa_token":"mt",
        "mfa_requirements":{"challenge":[{"type":"otp"},{"type":"new-factor"}],"enroll":[{"type":"oob"}]}}"#;
    let bare = r#"{"error":"mfa_required","error_description":"x","mfa_token":"mt"}"#;
    let types = r#"{"error":"mfa_required","mfa_token":"mt","challenge_types":["otp","oob"]}"#;
    for (body, challenge, enroll) in [
        (full, &["otp", "new-factor"][..], &["oob"][..]),
        (bare, &[], &[]),
        (types, &["otp", "oob"], &[]),
    ] {
        let error = error_of(Answer::json(403, body)).await;
        assert_eq!(error.kind(), ErrorKind::MfaRequired);
        let mfa = error.mfa().unwrap();
        assert_eq!(mfa.token(), "mt");
        assert!(mfa.challenge_types().eq(challenge.iter().copied()));
        assert!(mfa.enrollment_types().eq(enroll.iter().copied()));
        assert!(!format!("{error:?} {mfa:?}").contains("mt"), "the token is a secret");
    }
    for body in [
        r#"{"error":"mfa_required"}"#,
        r#"{"error":"mfa_required","mfa_token":7}"#,
        r#"{"error":"mfa_required","mfa_token":"a\r\nb"}"#,
    ] {
        assert!(error_of(Answer::json(403, body)).await.mfa().is_none(), "{body}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = Server::new();
    server.respond(|_, _| Answer::json(302, "").with("location", "https://evil.test/token"));
    let error =
        run(&server, server.client().machine(API).build().unwrap().token()).await.unwrap_err();
    assert!(error.to_string().contains("Redirects are not followed"), "{error}");
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn metadata_of_another_issuer() {
    let server = Server::new();
    let client = server.builder().client_secret("s").domain("other.eu.auth0.com").build().unwrap();
    let error = run(&server, client.machine(API).build().unwrap().token()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured);
    assert!(error.to_string().contains("https://other.eu.auth0.com/"), "{error}");
    assert_eq!(server.count(), 0, "no secret is sent");
}

#[tokio::test]
async fn an_endpoint_that_the_tenant_does_not_have() {
    let server = Server::new();
    let request = server.client().authorization_request("https://app.acme.com/cb");
    let error = run(&server, request.push()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured);
    assert!(error.to_string().contains("Allow Pushed Authorization Requests"), "{error}");
}
