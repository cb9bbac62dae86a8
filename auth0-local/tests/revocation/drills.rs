//! The drills over HTTP.
use crate::{
    kit::{Answer, client, start, url},
    reader::Reader,
    receiver::Receiver,
};
use auth0_local::{Client, LocalTenant};
use reqwest::Method;
use serde_json::{Value, json};

async fn send(tenant: &LocalTenant, path: &str, body: impl ToString) -> Answer {
    let request = client().post(url(tenant, &format!("__local/{path}"))).body(body.to_string());
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    answer
}

#[tokio::test]
async fn users_and_organizations() {
    let tenant = start().await;
    let ann = json!({ "user": "auth0|ann" });
    for (path, body, expected) in [
        ("block", ann.clone(), json!({ "user": "auth0|ann", "blocked": true })),
        ("unblock", ann.clone(), json!({ "user": "auth0|ann", "blocked": false })),
        (
            "remove-member",
            json!({ "user": "auth0|ann", "organization": "acme" }),
            json!({ "user": "auth0|ann", "organization": { "id": "org_acme", "name": "acme" } }),
        ),
        ("logout", ann.clone(), json!({ "user": "auth0|ann", "deliveries": [] })),
        ("delete-user", ann.clone(), ann),
    ] {
        let answer = send(&tenant, path, body).await;
        assert_eq!((answer.status, answer.json()), (200, expected), "{path}");
    }
    let tenant = start().await;
    let answer = send(&tenant, "delete-organization", json!({ "organization": "org_acme" })).await;
    let expected =
        json!({ "organization": { "id": "org_acme", "name": "acme" }, "members": ["auth0|ann"] });
    assert_eq!((answer.status, answer.json()), (200, expected));
}

#[tokio::test]
async fn a_logout_says_what_was_answered() {
    let receiver = Receiver::start().await;
    let tenant = start().await;
    let url = receiver.url("/refuses");
    tenant.add_client(Client::public("spa").backchannel_logout_url(&url)).unwrap();
    let answer = send(&tenant, "logout", json!({ "user": "auth0|ann" })).await.json();
    let mut delivery = answer["deliveries"][0].clone();
    assert_eq!(delivery["sid"].take().as_str().unwrap().len(), 43);
    let body = "{\"error\":\"invalid_request\"}";
    let expected =
        json!({ "client_id": "spa", "url": url, "sid": null, "status": 400, "body": body });
    assert_eq!(delivery, expected);
}

#[tokio::test]
async fn events() {
    let tenant = start().await;
    let mut reader = Reader::connect(&tenant, "").await;
    let state = |changed: Value| {
        let mut state = json!({
            "connections": 1, "last_offset": tenant.events().last_offset(), "duplicate": 0, "swap": false,
            "silent": false, "status": null, "retry_after": null, "cycle": null,
        });
        for (name, value) in changed.as_object().unwrap() {
            state[name] = value.clone();
        }
        state
    };
    let shown = client().get(url(&tenant, "__local/events")).send().await.unwrap();
    assert_eq!(Answer::of(shown).await.json(), state(json!({})));
    for (change, after) in [
        (json!({}), json!({})),
        (json!({ "status": 429, "retry_after": 7 }), json!({ "status": 429, "retry_after": 7 })),
        (json!({ "status": 410 }), json!({ "status": 410 })),
        (json!({ "cycle": 60 }), json!({ "status": 410, "cycle": 60.0 })),
        (json!({ "status": null, "swap": true }), json!({ "cycle": 60.0, "swap": true })),
        (json!({ "cycle": null, "swap": false, "silent": true }), json!({ "silent": true })),
        (json!({ "silent": false, "duplicate": 3 }), json!({ "duplicate": 3 })),
    ] {
        let answer = send(&tenant, "events", &change).await;
        assert_eq!((answer.status, answer.json()), (200, state(after)), "{change}");
    }
    let emitted =
        json!({ "emit": { "type": "group.deleted", "object": { "id": "g" } }, "duplicate": 1 });
    let answer = send(&tenant, "events", emitted).await;
    assert_eq!(answer.json(), state(json!({})));
    assert_eq!(
        (reader.event().await.event, reader.event().await.event),
        ("group.deleted".into(), "group.deleted".into())
    );
    let before = tenant.events().last_offset();
    send(&tenant, "events", json!({ "expire_offsets": true, "disconnect": true })).await;
    reader.end().await;
    let mut expired = Reader::connect(&tenant, &format!("?from={before}")).await;
    assert_eq!(expired.next().await.unwrap().error_code(), "cursor_expired");
    send(&tenant, "events", json!({ "status": 500, "silent": true })).await;
    let cleared = client().delete(url(&tenant, "__local/events")).send().await.unwrap();
    let cleared = Answer::of(cleared).await.json();
    assert_eq!((&cleared["status"], &cleared["silent"]), (&Value::Null, &json!(false)));
}

#[tokio::test]
async fn hostile_bodies() {
    let tenant = start().await;
    let before = tenant.events().last_offset();
    let long = "x".repeat(64 * 1024);
    let user_paths = ["block", "unblock", "delete-user", "logout"];
    for (paths, bodies) in [
        (
            &user_paths[..],
            vec![
                json!({}),
                json!({ "user": null }),
                json!({ "user": ["auth0|ann"] }),
                json!({ "user": "auth0|ann", "other": 1 }),
                json!({ "user": "" }),
                json!({ "user": "auth0|carl\r\nx: y" }),
                json!(["auth0|ann"]),
                json!("auth0|ann"),
                json!(null),
            ],
        ),
        (
            &["remove-member"],
            vec![
                json!({ "user": "auth0|ann" }),
                json!({ "organization": "acme" }),
                json!({ "user": "auth0|ann", "organization": "" }),
                json!({ "user": "auth0|bob", "organization": "acme" }),
                json!(["acme", "auth0|ann"]),
            ],
        ),
        (&["delete-organization"], vec![json!({}), json!({ "organization": "" }), json!(["acme"])]),
        (
            &["events"],
            vec![
                json!([]),
                json!({ "duplicate": -1 }),
                json!({ "duplicate": 4_294_967_296_u64 }),
                json!({ "duplicate": 1.5 }),
                json!({ "swap": 1 }),
                json!({ "status": 200 }),
                json!({ "status": 99_999 }),
                json!({ "status": "429" }),
                json!({ "retry_after": 1 }),
                json!({ "retry_after": 1, "status": null }),
                json!({ "cycle": 0 }),
                json!({ "cycle": -1 }),
                json!({ "cycle": 1e300 }),
                json!({ "emit": "user.updated" }),
                json!({ "emit": { "type": "user.updated" } }),
                json!({ "emit": { "type": "a\nid: 1", "object": {} } }),
                json!({ "emit": { "type": "error", "object": {} } }),
                json!({ "emit": { "type": "user.updated", "object": [] } }),
                json!({ "emit": { "type": "user.updated", "object": { "a": "x".repeat(20_000) } } }),
                json!({ "silent": true, "status": 200 }),
                json!({ "silent": true, "emit": { "type": "", "object": {} } }),
                json!({ "other": true }),
            ],
        ),
    ] {
        for (path, body) in
            paths.iter().flat_map(|path| bodies.iter().map(move |body| (path, body)))
        {
            let answer = send(&tenant, path, body).await;
            assert_eq!(
                (answer.status, &*answer.text("error")),
                (400, "invalid_request"),
                "{path} {body}"
            );
            assert!(!answer.text("error_description").is_empty(), "{path} {body}");
        }
        for path in paths {
            for body in ["", "{", "\u{0}", "{\"user\":\"auth0|ann\"}{}"] {
                assert_eq!(send(&tenant, path, body).await.status, 400, "{path} {body:?}");
            }
            assert_eq!(send(&tenant, path, &long).await.status, 400, "{path}");
            assert_eq!(send(&tenant, path, format!("{long}x")).await.status, 413, "{path}");
        }
    }
    assert_eq!(tenant.events().last_offset(), before, "nothing happened");
    let state = client().get(url(&tenant, "__local/events")).send().await.unwrap();
    let state = Answer::of(state).await.json();
    assert_eq!((&state["silent"], &state["status"]), (&json!(false), &Value::Null));
    assert!(tenant.answer_logins_as("auth0|ann").is_ok());
}

#[tokio::test]
async fn pages_of_other_origins_change_nothing() {
    let tenant = start().await;
    let paths = [
        "block",
        "unblock",
        "delete-user",
        "remove-member",
        "delete-organization",
        "logout",
        "logout-token",
        "events",
    ];
    let requests = paths.map(|path| (Method::POST, path));
    for (method, path) in
        requests.into_iter().chain([(Method::GET, "events"), (Method::DELETE, "events")])
    {
        for (origin, is_allowed) in
            [("https://evil.test", false), ("null", false), ("http://localhost:3000", true)]
        {
            let request =
                client().request(method.clone(), url(&tenant, &format!("__local/{path}")));
            let status = request.header("origin", origin).body("[]").send().await.unwrap().status();
            assert_eq!(status != 403, is_allowed, "{method} {path} {origin}");
        }
        let request = client().request(method.clone(), url(&tenant, &format!("__local/{path}")));
        let status = request.header("host", "evil.test").send().await.unwrap().status();
        assert_eq!(status, 403, "{method} {path}");
    }
}
