//! `/__local/rotate`, `revoke`, `faults` and `stats`.
#![allow(clippy::unwrap_used, clippy::string_slice, reason = "helpers of tests are tests")]
mod common;

use auth0_local::LocalTenant;
use common::{Answer, answer, delete, get, post, raw, verifier};
use serde::Deserialize;
use serde_json::{Value, json};

const KEY_SET: &str = ".well-known/jwks.json";

async fn send(tenant: &LocalTenant, path: &str, body: impl ToString) -> Answer {
    let answer = answer(post(tenant, path).body(body.to_string())).await;
    assert_eq!(answer.cache, "no-store", "{path}");
    answer
}

async fn published(tenant: &LocalTenant) -> Vec<String> {
    #[derive(Deserialize)]
    struct KeySet {
        keys: Vec<Key>,
    }
    #[derive(Deserialize)]
    struct Key {
        kid: String,
    }
    let json = answer(get(tenant, KEY_SET)).await.json;
    let KeySet { keys } = serde_json::from_value(json).unwrap();
    keys.into_iter().map(|key| key.kid).collect()
}

#[tokio::test]
async fn rotate_and_revoke() {
    let tenant = LocalTenant::start().await.unwrap();
    let [first] = <[String; 1]>::try_from(published(&tenant).await).unwrap();
    let only = send(&tenant, "__local/revoke", json!({ "kid": first })).await;
    assert_eq!((only.status, only.json["error"].as_str()), (400, Some("invalid_request")));
    assert!(only.json["error_description"].as_str().unwrap().contains("is the only key"));
    assert_eq!(send(&tenant, "__local/revoke", "").await.json, json!({ "kids": [first] }));

    let mut kids = vec![first];
    for _ in 0..3 {
        let rotated = send(&tenant, "__local/rotate", "").await;
        assert_eq!(rotated.status, 200);
        kids.insert(0, rotated.json["kid"].as_str().unwrap().to_owned());
        assert_eq!(published(&tenant).await, kids, "the new key is the first one");
    }
    assert_eq!(tenant.tenant().signing_key().id(), kids[0]);

    let gone = kids.remove(2);
    let revoked = send(&tenant, "__local/revoke", json!({ "kid": gone })).await;
    assert_eq!((revoked.status, revoked.json), (200, json!({ "kids": kids })));
    let again = send(&tenant, "__local/revoke", json!({ "kid": gone })).await;
    assert_eq!(again.status, 400);
    assert!(again.json["error_description"].as_str().unwrap().contains("no key with the id"));

    let signing = kids.remove(0);
    let revoked = send(&tenant, "__local/revoke", json!({ "kid": signing })).await;
    assert_eq!(revoked.json, json!({ "kids": kids }));
    assert_eq!(tenant.tenant().signing_key().id(), kids[0], "the previous key signs again");
    let revoked = send(&tenant, "__local/revoke", "").await;
    assert_eq!(revoked.json, json!({ "kids": [kids[0]] }));
    assert_eq!(published(&tenant).await, kids[..1]);
}

#[tokio::test]
async fn faults() {
    let tenant = LocalTenant::start().await.unwrap();
    let set = async |body: Value| send(&tenant, "__local/faults", body).await;
    let answered = set(json!({ "jwks": "500@1", "metadata": "slow" })).await;
    assert_eq!(answered.status, 200);
    assert_eq!(answered.json, json!({ "jwks": "500", "metadata": "slow:10" }));
    let answered = set(json!({ "metadata": "none" })).await;
    assert_eq!(
        answered.json,
        json!({ "jwks": "500", "metadata": "none" }),
        "the other fault stays"
    );
    assert_eq!(get(&tenant, KEY_SET).send().await.unwrap().status(), 500);

    for (body, sentence) in [
        (json!({ "keys": "500" }), "unknown field `keys`"),
        (json!({ "jwks": "none", "keys": "500" }), "unknown field `keys`"),
        (json!({ "jwks": "none", "metadata": "200" }), "200 is not the status of an error"),
        (json!({ "jwks": "sluggish" }), "Write a status from 400 to 599"),
        (json!({ "jwks": 500 }), "Send {\"jwks\":\"500\""),
        (json!(["500", "none"]), "not an object"),
        (json!("jwks=500"), "not an object"),
    ] {
        let refused = set(body.clone()).await;
        assert_eq!(
            (refused.status, refused.json["error"].as_str()),
            (400, Some("invalid_request"))
        );
        let description = refused.json["error_description"].as_str().unwrap();
        assert!(description.contains(sentence), "{body}: {description}");
        assert_eq!(get(&tenant, KEY_SET).send().await.unwrap().status(), 500, "{body}: unchanged");
    }
    let twice = send(&tenant, "__local/faults", r#"{"jwks":"500","jwks":"none"}"#).await;
    assert!(twice.json["error_description"].as_str().unwrap().contains("duplicate field"));
    assert_eq!(send(&tenant, "__local/faults", "").await.status, 400);

    let cleared = answer(delete(&tenant, "__local/faults")).await;
    assert_eq!((cleared.status, cleared.cache.as_str()), (200, "no-store"));
    assert_eq!(cleared.json, json!({ "jwks": "none", "metadata": "none" }));
    assert_eq!(published(&tenant).await.len(), 1);
}

#[tokio::test]
async fn stats() {
    let tenant = LocalTenant::start().await.unwrap();
    let stats = async || {
        let stats = answer(get(&tenant, "__local/stats")).await;
        assert_eq!((stats.status, stats.cache.as_str()), (200, "no-store"));
        stats.json
    };
    let none = json!({ "requests": 0, "served": 0, "faulted": 0 });
    let counts = |changed: &Value| {
        let mut counts = json!({ "redirect_target": { "requests": 0 } });
        for endpoint in [
            "metadata",
            "jwks",
            "authorize",
            "token",
            "userinfo",
            "revoke",
            "logout",
            "register",
            "device",
            "backchannel",
            "par",
            "passwordless",
            "mfa",
            "events",
        ] {
            counts[endpoint] = none.clone();
        }
        for (endpoint, count) in changed.as_object().unwrap() {
            counts[endpoint] = count.clone();
        }
        counts
    };
    assert_eq!(stats().await, counts(&json!({})));
    verifier(&tenant).verify(&tenant.token().mint()).await.unwrap();
    send(&tenant, "__local/faults", r#"{"jwks":"redirect"}"#).await;
    let redirect = get(&tenant, KEY_SET).send().await.unwrap(); // followed by this client
    assert!(redirect.url().path().ends_with("/__local/redirected/jwks"), "{}", redirect.url());
    assert!(redirect.text().await.unwrap().contains("\"kid\""), "the target serves the document");
    let nowhere = answer(get(&tenant, "__local/redirected/jwks.json")).await;
    assert_eq!(nowhere.status, 404);
    send(&tenant, "oauth/token", "").await;
    send(&tenant, "__local/token", "{}").await; // not counted as a token request
    assert_eq!(
        stats().await,
        counts(&json!({
            "metadata": { "requests": 1, "served": 1, "faulted": 0 },
            "jwks": { "requests": 2, "served": 1, "faulted": 1 },
            "token": { "requests": 1, "served": 1, "faulted": 0 },
            "redirect_target": { "requests": 1 },
        }))
    );
    let library = tenant.stats();
    assert_eq!((library.metadata.served, library.key_set.faulted), (1, 1));
    assert_eq!((library.token.served, library.redirect_target), (1, 1));
}

#[tokio::test]
async fn pages_of_other_origins_change_nothing() {
    let tenant = LocalTenant::start().await.unwrap();
    let before = published(&tenant).await;
    for (method, path) in [
        ("POST", "rotate"),
        ("POST", "revoke"),
        ("POST", "faults"),
        ("DELETE", "faults"),
        ("GET", "stats"),
    ] {
        for (headers, allowed) in [
            ("host: evil.test", false),
            ("host: localhost\r\norigin: https://evil.test", false),
            ("host: localhost\r\norigin: null", false),
            ("host: localhost\r\norigin: http://localhost.evil.test", false),
            ("host: localhost\r\norigin: http://localhost:3000\r\norigin: http://evil.test", false),
            ("host: localhost\r\norigin: http://localhost:3000", true),
            ("host: 127.0.0.1", true),
        ] {
            if allowed && path == "rotate" {
                continue; // would rotate, which takes seconds
            }
            let request = format!(
                "{method} /__local/{path} HTTP/1.1\r\n{headers}\r\ncontent-length: 0\r\n\
                 connection: close\r\n\r\n"
            );
            let response = raw(&tenant, &request).await;
            assert_eq!(!response.starts_with("HTTP/1.1 403 "), allowed, "{request}{response}");
        }
    }
    assert_eq!(published(&tenant).await, before);
}
