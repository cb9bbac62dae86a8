//! Device flow and CIBA: polls as the server says, and none after the end.
use crate::kit::{API, Answer, ISSUER, Server, run, settle};
use auth0_client::{ErrorKind, PendingBackchannel, PendingDevice};
use std::time::Duration;

const CODES: &str = r#"{"device_code":"dc","user_code":"ABCD-EFGH","verification_uri":"https://acme.eu.auth0.com/activate",
    "verification_uri_complete":"https://acme.eu.auth0.com/activate?user_code=ABCD-EFGH","expires_in":900,"interval":5}"#;
const STARTED: &str = r#"{"auth_req_id":"id","expires_in":300,"interval":5}"#;

fn server() -> Server {
    let server = Server::new();
    server.set_metadata(&format!(
        r#","device_authorization_endpoint":"{ISSUER}oauth/device/code",
        "backchannel_authentication_endpoint":"{ISSUER}bc-authorize""#
    ));
    server
}

async fn device(server: &Server) -> PendingDevice {
    server.queue([Answer::json(200, CODES)]);
    let client = server.builder().public().build().unwrap();
    client.device().scopes(["openid"]).audience(API).start().await.unwrap()
}

async fn backchannel(server: &Server) -> PendingBackchannel {
    server.queue([Answer::json(200, STARTED)]);
    let request = server.client().backchannel("auth0|ann", "Pay 2500 to Hanna").audience(API);
    let details = serde_json::json!([{ "type": "payment", "amount": 2500 }]);
    request
        .authorization_details(&details)
        .requested_expiry(Duration::from_secs(60))
        .start()
        .await
        .unwrap()
}

fn pauses(server: &Server) -> Vec<u64> {
    let at: Vec<_> = server.seen().iter().map(|seen| seen.at.as_secs()).collect();
    at.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[tokio::test]
async fn a_device() {
    let server = server();
    let login = device(&server).await;
    assert_eq!(server.last().path(), "/oauth/device/code");
    assert_eq!(
        server.last().body,
        "client_id=app&scope=openid&audience=https%3A%2F%2Forders.acme.com"
    );
    assert_eq!(login.user_code(), "ABCD-EFGH");
    assert_eq!(login.verification_uri(), "https://acme.eu.auth0.com/activate");
    assert!(login.verification_uri_complete().is_some());
    assert_eq!(login.expires_in(), Duration::from_secs(900));
    let reset = (crate::kit::EPOCH.as_secs() + 60).to_string();
    server.queue([
        Answer::error(403, "authorization_pending"),
        // The rate limit, which each answer has, is not the interval.
        Answer::error(429, "slow_down")
            .with("x-ratelimit-remaining", "9")
            .with("x-ratelimit-reset", &reset),
        Answer::error(403, "authorization_pending"),
        Answer::token("a"),
    ]);
    let tokens = run(&server, login.wait()).await.unwrap();
    assert_eq!(tokens.access_token().encoded(), "a");
    assert_eq!(pauses(&server), [5, 5, 10, 10]);
    let body = "client_id=app&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=dc";
    assert_eq!(server.last().body, body);
}

#[tokio::test]
async fn a_backchannel_request() {
    let server = server();
    let mut login = backchannel(&server).await;
    let seen = server.last();
    assert_eq!(seen.path(), "/bc-authorize");
    let hint: serde_json::Value =
        serde_json::from_str(&seen.parameter("login_hint").unwrap()).unwrap();
    assert_eq!(hint, serde_json::json!({ "format": "iss_sub", "iss": ISSUER, "sub": "auth0|ann" }));
    for (name, value) in [
        ("scope", "openid"),
        ("binding_message", "Pay 2500 to Hanna"),
        ("requested_expiry", "60"),
        ("audience", API),
        ("authorization_details", r#"[{"amount":2500,"type":"payment"}]"#),
    ] {
        assert_eq!(sorted(&seen.parameter(name).unwrap()), sorted(value), "{name}");
    }
    // One poll at a time, for an application that keeps its own time.
    server.queue([Answer::error(400, "authorization_pending")]);
    assert_eq!(login.poll().await.unwrap_err().kind(), ErrorKind::Pending);
    assert_eq!(login.interval(), Duration::from_secs(5));
    let slow = r#"{"error":"slow_down","error_description":"You are polling faster than allowed. Try again in 10 seconds.","interval":10}"#;
    server.queue([
        Answer::error(400, "authorization_pending"),
        Answer::json(400, slow).with("retry-after", "10"),
        Answer::json(400, slow).with("retry-after", "40"),
        Answer::token("a"),
    ]);
    assert_eq!(run(&server, login.wait()).await.unwrap().access_token().encoded(), "a");
    // The longest of what the answer asks for, and what it was plus five seconds.
    assert_eq!(pauses(&server), [0, 5, 5, 10, 40]);
}

/// Members of JSON have no order.
fn sorted(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}

#[tokio::test]
async fn one_poll_of_a_device_at_a_time() {
    let server = server();
    let mut login = device(&server).await;
    server.queue([Answer::error(403, "authorization_pending"), Answer::error(429, "slow_down")]);
    assert_eq!(login.poll().await.unwrap_err().kind(), ErrorKind::Pending);
    assert_eq!(login.interval(), Duration::from_secs(5));
    assert_eq!(login.poll().await.unwrap_err().kind(), ErrorKind::SlowDown);
    assert_eq!(login.interval(), Duration::from_secs(10));
    assert_eq!(login.poll().await.unwrap().access_token().encoded(), "token-4");
}

#[tokio::test]
async fn the_polls_end() {
    for (answer, kind) in [
        (Answer::error(403, "expired_token"), ErrorKind::Expired),
        (Answer::error(403, "access_denied"), ErrorKind::Denied),
        (Answer::error(400, "invalid_grant"), ErrorKind::InvalidGrant),
        (Answer::error(401, "invalid_client"), ErrorKind::InvalidClient),
    ] {
        let server = server();
        let (device, backchannel) = (device(&server).await, backchannel(&server).await);
        server.queue([answer.clone()]);
        let error = run(&server, device.wait()).await.unwrap_err();
        assert_eq!((error.kind(), server.count()), (kind, 3));
        server.queue([answer]);
        let error = run(&server, backchannel.wait()).await.unwrap_err();
        assert_eq!((error.kind(), server.count()), (kind, 4));
    }
}

#[tokio::test]
async fn a_user_who_never_answers() {
    let server = server();
    let login = backchannel(&server).await;
    server.respond(|_, _| Answer::error(400, "authorization_pending"));
    let error = run(&server, login.wait()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Expired);
    assert_eq!(server.clock.passed(), Duration::from_secs(300));
    assert!(server.count() <= 61, "{}", server.count());
    assert!(server.last().at < Duration::from_secs(300), "not after its end");
}

#[tokio::test]
async fn failures_in_between_slow_the_polls() {
    let server = server();
    let login = device(&server).await;
    server.queue([
        Answer::Lost,
        Answer::error(503, "x"),
        Answer::error(403, "authorization_pending"),
        Answer::token("a"),
    ]);
    run(&server, login.wait()).await.unwrap();
    assert_eq!(pauses(&server), [5, 10, 10, 5]);
}

#[tokio::test]
async fn dropping_the_future_ends_the_polls() {
    let server = server();
    let login = device(&server).await;
    server.respond(|_, _| Answer::error(403, "authorization_pending"));
    let waiting = tokio::spawn(login.wait());
    for _ in 0..3 {
        settle().await;
        server.clock.advance(Duration::from_secs(5));
    }
    settle().await;
    assert_eq!(server.count(), 4);
    waiting.abort();
    let _ = waiting.await;
    for _ in 0..5 {
        settle().await;
        server.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(server.count(), 4);
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_before() {
    let server = server();
    let client = server.client();
    for message in ["", "  ", &"x".repeat(65), "Pay 2500 €", "a\nb", "<b>"] {
        let error = client.backchannel("ann", message).start().await.unwrap_err();
        assert!(error.to_string().contains("message to the user"), "{error}");
    }
    let good = || client.backchannel("ann", "ok");
    for request in [
        client.backchannel("", "ok"),
        good().requested_expiry(Duration::ZERO),
        good().requested_expiry(Duration::from_secs(259_201)),
        good().authorization_details(&serde_json::json!({ "type": "x" })),
        good().authorization_details(&serde_json::json!([{ "amount": 1 }])),
        good().authorization_details(&"text"),
        good().parameter("scope", "x"),
        good().audience("{yourApi}"),
    ] {
        let error = request.start().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misconfigured, "{error}");
    }
    assert_eq!(server.count(), 0);
}
