//! Refresh and revocation, passwordless and MFA: the bytes on the wire.
use crate::kit::{API, Answer, Server, run};
use auth0_client::ErrorKind;

#[tokio::test]
async fn the_old_refresh_token_stays_if_there_is_no_other() {
    let server = Server::new();
    let client = server.client();
    let tokens = client.refresh("r1").audience(API).scopes(["b", "a"]).send().await.unwrap();
    assert_eq!(tokens.refresh_token(), Some("r1"));
    assert_eq!(
        server.last().body,
        "client_id=app&client_secret=the-secret&grant_type=refresh_token&refresh_token=r1\
         &audience=https%3A%2F%2Forders.acme.com&scope=a+b"
    );
    let body = r#"{"access_token":"a","token_type":"Bearer","expires_in":60,"refresh_token":"r2"}"#;
    server.queue([Answer::json(200, body)]);
    assert_eq!(client.refresh("r1").send().await.unwrap().refresh_token(), Some("r2"));
    for answer in [Answer::error(400, "invalid_grant"), Answer::error(403, "invalid_grant")] {
        server.queue([answer]);
        let error = client.refresh("r1").send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidGrant);
    }
    let error = client.refresh(" ").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured);
}

#[tokio::test]
async fn a_refresh_that_the_server_may_have_seen_is_not_repeated() {
    for answer in [Answer::Lost, Answer::Hang] {
        let server = Server::answering([answer]);
        let error = run(&server, server.client().refresh("r1").send()).await.unwrap_err();
        assert_eq!((error.kind(), server.count()), (ErrorKind::Unavailable, 1));
    }
}

#[tokio::test]
async fn revocation_has_an_empty_answer() {
    let server = Server::answering([Answer::json(200, "")]);
    server.client().revoke("r1").send().await.unwrap();
    let seen = server.last();
    assert_eq!(seen.path(), "/oauth/revoke");
    assert_eq!(
        seen.body,
        "client_id=app&client_secret=the-secret&token=r1&token_type_hint=refresh_token"
    );
}

#[tokio::test]
async fn passwordless() {
    let server = Server::answering([Answer::json(200, r#"{"_id":"x"}"#)]);
    let client = server.client();
    let ann = client.passwordless("ann@acme.com");
    let start = ann.send_link().parameter("scope", "openid").parameter("state", "s");
    start.forwarded_for("2001:db8::1".parse().unwrap()).send().await.unwrap();
    let seen = server.last();
    assert_eq!(
        (seen.path(), seen.header("auth0-forwarded-for")),
        ("/passwordless/start", "2001:db8::1")
    );
    assert_eq!(seen.header("content-type"), "application/json");
    let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
    let expected = serde_json::json!({
        "client_id": "app", "client_secret": "the-secret", "connection": "email",
        "email": "ann@acme.com", "send": "link", "authParams": { "scope": "openid", "state": "s" },
    });
    assert_eq!(body, expected);
    client
        .passwordless_sms("+4915112345678")
        .log_in("123456")
        .scopes(["openid"])
        .send()
        .await
        .unwrap();
    assert_eq!(
        server.last().body,
        "client_id=app&client_secret=the-secret\
         &grant_type=http%3A%2F%2Fauth0.com%2Foauth%2Fgrant-type%2Fpasswordless%2Fotp\
         &username=%2B4915112345678&otp=123456&realm=sms&scope=openid"
    );
}

#[tokio::test]
async fn mfa() {
    let required = r#"{"error":"mfa_required","mfa_token":"mt"}"#;
    let server = Server::answering([Answer::json(403, required)]);
    let client = server.client();
    let error = client.refresh("r").send().await.unwrap_err();
    let mfa = client.mfa(error.mfa().unwrap());

    let list = r#"[{"id":"otp|1","authenticator_type":"otp","active":true},
        {"id":"sms|2","authenticator_type":"oob","oob_channel":"sms","name":"+49 ***78","active":true,"new":{}}]"#;
    server.queue([Answer::json(200, list)]);
    let factors = mfa.authenticators().await.unwrap();
    assert_eq!((factors[0].id.as_str(), factors[1].oob_channel.as_deref()), ("otp|1", Some("sms")));
    let seen = server.last();
    assert_eq!((seen.method.as_str(), seen.path()), ("GET", "/mfa/authenticators"));
    assert_eq!((seen.header("authorization"), seen.body.as_str()), ("Bearer mt", ""));

    let challenge = r#"{"challenge_type":"oob","oob_code":"oc","binding_method":"prompt"}"#;
    server.queue([Answer::json(200, challenge)]);
    let challenge = mfa.challenge(Some("sms|2")).await.unwrap();
    assert!(challenge.needs_code());
    let body: serde_json::Value = serde_json::from_str(&server.last().body).unwrap();
    let expected = serde_json::json!({
        "client_id": "app", "client_secret": "the-secret", "mfa_token": "mt",
        "challenge_type": "otp oob", "authenticator_id": "sms|2",
    });
    assert_eq!((server.last().path(), body), ("/mfa/challenge", expected));

    mfa.verify_challenge(&challenge, Some("123")).await.unwrap();
    assert_eq!(
        server.last().body,
        "client_id=app&client_secret=the-secret\
         &grant_type=http%3A%2F%2Fauth0.com%2Foauth%2Fgrant-type%2Fmfa-oob\
         &oob_code=oc&binding_code=123&mfa_token=mt"
    );
    server.queue([Answer::error(400, "authorization_pending")]);
    let error = mfa.verify_challenge(&challenge, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Pending);

    let enrollment = r#"{"authenticator_type":"otp","secret":"JBSW","barcode_uri":"otpauth://x","recovery_codes":["rc"]}"#;
    server.queue([Answer::json(200, enrollment)]);
    let enrollment = mfa.enroll_otp().await.unwrap();
    assert_eq!(server.last().body, r#"{"authenticator_types":["otp"]}"#);
    assert_eq!(
        (enrollment.barcode_uri(), enrollment.secret()),
        (Some("otpauth://x"), Some("JBSW"))
    );
    assert!(enrollment.recovery_codes().eq(["rc"]));
    mfa.verify_otp("654321").await.unwrap();
    assert_eq!(server.last().parameter("otp").as_deref(), Some("654321"));
    let error = mfa.verify_enrollment(&enrollment, None).await.unwrap_err();
    assert!(error.to_string().contains("verify_otp"));

    let body =
        r#"{"access_token":"a","token_type":"Bearer","expires_in":60,"recovery_code":"next"}"#;
    server.queue([Answer::json(200, body)]);
    assert_eq!(mfa.verify_recovery_code("rc").await.unwrap().recovery_code(), Some("next"));
    server.queue([Answer::json(204, "")]);
    mfa.delete("sms|2").await.unwrap();
    let seen = server.last();
    assert_eq!((seen.method.as_str(), seen.path()), ("DELETE", "/mfa/authenticators/sms%7C2"));
}
