//! The commands that answer for users: `requests`, `approve`, `deny`, `messages` and `otp`.
use crate::kit::{Directory, Server, failure};
use reqwest::Client;
use serde_json::{Value, json};
use std::fs;

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const CIBA: &str = "urn:openid:params:grant-type:ciba";

fn description() -> String {
    json!({
        "users": [{
            "user_id": "auth0|ann", "email": "ann@acme.com", "phone_number": "+15550100",
            "password": "pa55", "mfa_required": true, "mfa_at_refresh": true,
            "factors": [
                { "type": "otp", "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" },
                { "type": "sms", "phone_number": "+15550100" },
                { "type": "email", "email": "ann@acme.com" },
                { "type": "push" },
                { "type": "recovery-code", "code": "R3COVERY" },
            ],
        }, { "user_id": "auth0|bob" }],
        "clients": [
            { "client_id": "tv", "grant_types": [DEVICE] },
            { "client_id": "bank", "client_secret": "s3cret", "grant_types": [CIBA, "password"],
              "require_pushed_authorization_requests": true },
        ],
    })
    .to_string()
}

async fn post(server: &Server, path: &str, body: Value) -> Value {
    let client = Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("{}{path}", server.issuer)).body(body.to_string());
    let response = request.header("content-type", "application/json").send().await.unwrap();
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn decisions() {
    let directory = Directory::new("decide");
    let file = directory.file("tenant.json");
    fs::write(&file, description()).unwrap();
    let server = Server::start(&["--tenant", &file, "--mfa-answer", "challenge-types"]);
    assert_eq!(server.ask_for_lines(&["requests"]), Vec::<String>::new());
    let begin = async || post(&server, "oauth/device/code", json!({ "client_id": "tv" })).await;
    let (first, second) = (begin().await, begin().await);
    let code = |begun: &Value| begun["user_code"].as_str().unwrap().to_owned();
    let waiting = server.ask_for_lines(&["requests"]);
    assert_eq!(waiting.len(), 2);
    assert!(waiting[0].contains(&code(&first)) && waiting[0].contains("\"kind\":\"device\""));
    let left = server.ask_for_lines(&["approve", &code(&first), "--user", "auth0|bob"]);
    assert_eq!(left, waiting[1..]);
    assert_eq!(server.ask_for_lines(&["deny", &code(&second)]), Vec::<String>::new());
    let poll = async |begun: &Value| {
        let device_code = &begun["device_code"];
        let body = json!({ "grant_type": DEVICE, "client_id": "tv", "device_code": device_code });
        post(&server, "oauth/token", body).await
    };
    assert!(poll(&first).await["access_token"].is_string());
    assert_eq!(poll(&second).await["error"], "access_denied");
    let (status, error) = failure(&["approve", "BBBB-BBBB", "--issuer", &server.issuer]);
    assert!(status == 1 && error.contains("no request waits with the id"), "{error}");

    let body = json!({
        "grant_type": "password", "client_id": "bank", "client_secret": "s3cret",
        "username": "ann@acme.com", "password": "pa55",
    });
    let required = post(&server, "oauth/token", body).await;
    assert_eq!(required["challenge_types"][0], "otp", "{required}");
    assert_eq!(server.ask(&["otp", "auth0|ann"]).len(), 6);
    let body = json!({
        "client_id": "bank", "client_secret": "s3cret", "mfa_token": required["mfa_token"],
        "challenge_type": "oob",
    });
    assert_eq!(post(&server, "mfa/challenge", body).await["binding_method"], "prompt");
    assert_eq!(server.ask_for_lines(&["messages", "--to", "+15550100"]).len(), 1);
    assert!(server.ask_for_lines(&["messages", "--to", "ann@acme.com"]).is_empty());
    let (status, error) = failure(&["otp", "auth0|bob", "--issuer", &server.issuer]);
    assert!(status == 1 && error.contains("authenticator app"), "{error}");
}

#[tokio::test]
async fn approval_at_once() {
    let directory = Directory::new("approve-at-once");
    let file = directory.file("tenant.json");
    fs::write(&file, description()).unwrap();
    let server = Server::start(&["--tenant", &file, "--approve-at-once"]);
    let hint = json!({ "format": "iss_sub", "iss": server.issuer, "sub": "auth0|bob" });
    let body = json!({
        "client_id": "bank", "client_secret": "s3cret", "scope": "openid",
        "binding_message": "Pay", "login_hint": hint.to_string(),
    });
    let begun = post(&server, "bc-authorize", body).await;
    let body = json!({
        "grant_type": CIBA, "client_id": "bank", "client_secret": "s3cret",
        "auth_req_id": begun["auth_req_id"],
    });
    assert!(post(&server, "oauth/token", body).await["id_token"].is_string());
}

#[test]
fn descriptions_that_cannot_be_read() {
    let directory = Directory::new("decide-wrong");
    let file = directory.file("tenant.json");
    for (users, clients, sentence) in [
        (json!([{ "user_id": "a", "factors": [{ "type": "fax" }] }]), json!([]), "as expected"),
        (
            json!([{ "user_id": "a", "factors": [{ "type": "push", "x": 1 }] }]),
            json!([]),
            "as expected",
        ),
        (
            json!([{ "user_id": "a", "factors": [{ "type": "otp", "secret": "A" }] }]),
            json!([]),
            "base32",
        ),
        (json!([{ "user_id": "a", "pasword": "b" }]), json!([]), "as expected"),
        (json!([]), json!([{ "client_id": "a", "public_keys": ["b"] }]), "no public RSA key"),
        (json!([]), json!([{ "client_id": "a", "grant_types": ["b"] }]), "cannot have the grant"),
    ] {
        fs::write(&file, json!({ "users": users, "clients": clients }).to_string()).unwrap();
        let (status, error) = failure(&["serve", "--port", "0", "--tenant", &file]);
        assert!(status == 1 && error.contains(sentence), "{users} {clients}: {error}");
    }
}

#[test]
fn forms_of_the_answer() {
    let (status, error) = failure(&["serve", "--mfa-answer", "other"]);
    assert!(status == 2 && error.contains("challenge-types"), "{error}");
}
