//! `auth0-local logout`, `block`, `unblock`, `delete-user`, `remove-member`, `delete-organization` and `events`.
use crate::kit::{Directory, Server, failure};
use serde_json::{Value, json};
use std::fs;

const DESCRIPTION: &str = r#"{
  "users": [
    { "user_id": "auth0|ann", "organizations": [{ "id": "org_acme", "name": "acme" }] },
    { "user_id": "auth0|bob", "organizations": [{ "id": "org_acme", "name": "acme" }] },
    { "user_id": "auth0|eve", "blocked": true }
  ],
  "clients": [
    { "client_id": "web", "client_secret": "s3cret", "callbacks": ["http://localhost:3000/callback"],
      "backchannel_logout_urls": ["http://127.0.0.1:9/backchannel-logout"] },
    { "client_id": "spa" }
  ]
}"#;

fn server(directory: &Directory, arguments: &[&str]) -> Server {
    let file = directory.file("tenant.json");
    fs::write(&file, DESCRIPTION).unwrap();
    Server::start(&[&["--tenant", &file], arguments].concat())
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn users_and_organizations() {
    let directory = Directory::new("revocation");
    let server = server(&directory, &[]);
    for (arguments, expected) in [
        (vec!["block", "auth0|ann"], json!({ "user": "auth0|ann", "blocked": true })),
        (vec!["unblock", "auth0|eve"], json!({ "user": "auth0|eve", "blocked": false })),
        (
            vec!["remove-member", "acme", "auth0|ann"],
            json!({ "user": "auth0|ann", "organization": { "id": "org_acme", "name": "acme" } }),
        ),
        (
            vec!["delete-organization", "org_acme"],
            json!({ "organization": { "id": "org_acme", "name": "acme" }, "members": ["auth0|bob"] }),
        ),
        (vec!["delete-user", "auth0|bob"], json!({ "user": "auth0|bob" })),
    ] {
        assert_eq!(json(&server.ask(&arguments)), expected, "{arguments:?}");
    }
    for arguments in [
        &["block", "auth0|bob"][..],
        &["unblock", "auth0|bob"],
        &["delete-user", "auth0|bob"],
        &["logout", "auth0|bob"],
        &["remove-member", "acme", "auth0|ann"],
        &["delete-organization", "acme"],
    ] {
        let (status, sentence) = failure(&[arguments, &["--issuer", &server.issuer]].concat());
        assert!(status == 1 && sentence.starts_with("error: the "), "{arguments:?}: {sentence}");
    }
}

#[test]
fn a_tenant_whose_users_were_deleted() {
    let directory = Directory::new("deleted");
    let server = server(&directory, &[]);
    for user in ["auth0|ann", "auth0|bob", "auth0|eve"] {
        assert_eq!(server.ask(&["login"]), user);
        server.ask(&["delete-user", user]);
    }
    let (status, sentence) = failure(&["login", "--issuer", &server.issuer]);
    assert!(status == 1 && sentence.contains("the tenant has no user"), "{sentence}");
}

#[test]
fn logout() {
    let directory = Directory::new("logout");
    let more = "spa=http://127.0.0.1:9/spa";
    let server = server(&directory, &["--backchannel-logout", more]);
    let lines = server.ask_for_lines(&["logout", "auth0|ann"]);
    let beginnings =
        ["web http://127.0.0.1:9/backchannel-logout no", "spa http://127.0.0.1:9/spa no"];
    assert_eq!(lines.len(), 2, "{lines:?}");
    for (line, beginning) in lines.iter().zip(beginnings) {
        assert!(line.starts_with(&format!("{beginning} connection: ")), "{line}");
    }
    for (wrong, why) in
        [("other=http://127.0.0.1/", "no client \"other\""), ("spa=/x", "cannot receive")]
    {
        let file = directory.file("tenant.json");
        let (status, sentence) =
            failure(&["serve", "--port", "0", "--tenant", &file, "--backchannel-logout", wrong]);
        assert!(status == 1 && sentence.contains(why), "{sentence}");
    }
    let (status, sentence) = failure(&["serve", "--backchannel-logout", "http://a.test"]);
    assert!(status == 2 && sentence.contains("Write CLIENT=URL"), "{sentence}");
}

#[tokio::test]
async fn events() {
    let directory = Directory::new("events");
    let server = server(&directory, &["--event-connections", "0", "--event-heartbeat", "1"]);
    let state = json(&server.ask(&["events"]));
    assert_eq!((&state["connections"], &state["duplicate"]), (&json!(0), &json!(0)));
    let state = json(&server.ask(&[
        "events",
        "--duplicate",
        "2",
        "--swap",
        "--silent",
        "--status",
        "429",
        "--retry-after",
        "7",
        "--cycle",
        "1.5",
    ]));
    let mut expected = json!({
        "connections": 0, "duplicate": 2, "swap": true, "silent": true, "status": 429, "retry_after": 7, "cycle": 1.5,
    });
    expected["last_offset"] = state["last_offset"].clone();
    assert_eq!(state, expected);
    let cleared = json(&server.ask(&["events", "--clear", "--cycle", "2"]));
    assert_eq!((&cleared["silent"], &cleared["cycle"]), (&json!(false), &json!(2.0)));
    let after =
        json(&server.ask(&["events", "--emit", "user.updated", "--object", r#"{"user_id":"a"}"#]));
    assert_ne!(after["last_offset"], cleared["last_offset"]);
    let expired = json(&server.ask(&["events", "--expire-offsets", "--disconnect"]));
    assert_ne!(expired["last_offset"], after["last_offset"]);
    assert_eq!(server.ask(&["fault", "events=410"]), "metadata=none jwks=none events=410");

    let token = server.token(&[
        "--audience",
        &format!("{}api/v2/", server.issuer),
        "--scope",
        "read:events",
    ]);
    let ask = async || {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.get(format!("{}api/v2/events", server.issuer)).bearer_auth(&token);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(ask().await, 410);
    server.ask(&["fault", "--clear"]);
    assert_eq!(ask().await, 429, "no connection is allowed");
    for arguments in [
        &["events", "--emit", "user.updated"][..],
        &["events", "--object", "{}"],
        &["events", "--emit", "user.updated", "--object", "{"],
        &["events", "--retry-after", "1"],
        &["events", "--duplicate", "many"],
    ] {
        assert_eq!(failure(arguments).0, 2, "{arguments:?}");
    }
}
