//! `POST /oauth/token`, and `POST /__local/token`.
#![allow(clippy::unwrap_used, clippy::string_slice, reason = "helpers of tests are tests")]
mod common;

use auth0_local::LocalTenant;
use common::{Answer, answer, claims, post};
use serde_json::{Value, json};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

async fn ask(tenant: &LocalTenant, path: &str, kind: &str, body: impl Into<String>) -> Answer {
    answer(post(tenant, path).header("content-type", kind).body(body.into())).await
}

#[tokio::test]
async fn a_machine_gets_a_token() {
    let tenant = LocalTenant::start().await.unwrap();
    let json = json!({
        "grant_type": "client_credentials", "client_id": "reporting", "client_secret": "x",
        "audience": tenant.audience(), "scope": "a:b c:d", "organization": "org_1:acme",
        "unknown": 1,
    });
    let form = "grant_type=client_credentials&client_id=reporting&client_secret=x\
                &audience=https%3A%2F%2Fapi.local.test&scope=a:b+c:d&organization=org_1:acme";
    for (kind, body) in [
        (JSON, json.to_string()),
        ("Application/JSON; charset=utf-8", json.to_string()),
        (FORM, form.into()),
    ] {
        let answer = ask(&tenant, "oauth/token", kind, body).await;
        assert_eq!((answer.status, answer.cache.as_str()), (200, "no-store"));
        assert_eq!(answer.json["token_type"], "Bearer");
        assert_eq!(answer.json["expires_in"], 86400);
        assert_eq!(answer.json["scope"], "a:b c:d");
        let claims = claims(&tenant, answer.json["access_token"].as_str().unwrap()).await;
        assert_eq!(claims["sub"], "reporting@clients");
        assert_eq!(claims["azp"], "reporting");
        assert_eq!(claims["gty"], "client-credentials");
        assert_eq!(claims["aud"], tenant.audience());
        assert_eq!(claims["scope"], "a:b c:d");
        assert_eq!((&claims["org_id"], &claims["org_name"]), (&json!("org_1"), &json!("acme")));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 86400);
    }
    let bare = "grant_type=client_credentials&client_id=a&client_secret=b&audience=c&scope=";
    let answer = ask(&tenant, "oauth/token", FORM, bare).await;
    assert_eq!((answer.status, answer.json.get("scope")), (200, None));
}

#[tokio::test]
async fn refusals() {
    let tenant = LocalTenant::start().await.unwrap();
    let whole = [
        ("grant_type", "client_credentials"),
        ("client_id", "a"),
        ("client_secret", "b"),
        ("audience", "c"),
    ];
    let form = |name: &str, value: Option<&str>| {
        let member = |(n, v): &(&str, &str)| match value {
            _ if *n != name => Some(format!("{n}={v}")),
            Some(value) => Some(format!("{n}={value}")),
            None => None,
        };
        (FORM, whole.iter().filter_map(member).collect::<Vec<_>>().join("&"))
    };
    let full = form("", None).1;
    for ((kind, body), status, error, sentence) in [
        (
            form("grant_type", Some("implicit")),
            400,
            "unsupported_grant_type",
            "only. For any other token",
        ),
        (form("grant_type", None), 400, "invalid_request", "grant_type is missing"),
        (form("client_id", None), 401, "invalid_client", "client_id is missing. Send it"),
        (form("client_id", Some("")), 401, "invalid_client", "client_id is missing. Send it"),
        (form("client_secret", None), 401, "invalid_client", "client_secret is missing. Send it"),
        (form("audience", None), 403, "access_denied", "audience is missing"),
        (form("audience", Some("")), 403, "access_denied", "audience is missing"),
        (
            (FORM, format!("{full}&organization=acme")),
            400,
            "invalid_request",
            "Write it as org_abc",
        ),
        ((FORM, format!("{full}&client_id=z")), 400, "invalid_request", "client_id is sent twice"),
        ((FORM, String::new()), 400, "invalid_request", "grant_type is missing"),
        ((FORM, "\u{0}%ff%&&=".into()), 400, "invalid_request", "grant_type is missing"),
        ((JSON, String::new()), 400, "invalid_request", "cannot be read"),
        ((JSON, "{".into()), 400, "invalid_request", "cannot be read"),
        ((JSON, "[]".into()), 400, "invalid_request", "cannot be read"),
        (
            (JSON, r#"["client_credentials","a","b","c",null,null]"#.into()),
            400,
            "invalid_request",
            "not an object",
        ),
        ((JSON, "null".into()), 400, "invalid_request", "cannot be read"),
        ((JSON, r#"{"grant_type":1}"#.into()), 400, "invalid_request", "cannot be read"),
        ((JSON, r#"{"scope":"a","scope":"b"}"#.into()), 400, "invalid_request", "duplicate"),
        ((JSON, "[".repeat(60_000)), 400, "invalid_request", "cannot be read"),
        (("text/plain", full.clone()), 400, "invalid_request", "Send its type in Content-Type"),
        ((FORM, "a".repeat(64 * 1024 + 1)), 413, "invalid_request", "too large"),
    ] {
        let shown: String = body.chars().take(80).collect();
        let answer = ask(&tenant, "oauth/token", kind, body).await;
        assert_eq!((answer.status, answer.cache.as_str()), (status, "no-store"), "{shown}");
        assert_eq!(answer.json["error"], error, "{shown}");
        let description = answer.json["error_description"].as_str().unwrap();
        assert!(description.contains(sentence), "{shown}: {description}");
    }
    let untyped = answer(post(&tenant, "oauth/token").body(full)).await;
    assert_eq!(untyped.status, 400);
}

#[tokio::test]
async fn any_token_is_minted() {
    let tenant = LocalTenant::start().await.unwrap();
    let mint = async |body: Value| ask(&tenant, "__local/token", JSON, body.to_string()).await;
    let minted = async |body: Value| {
        let answer = mint(body).await;
        assert_eq!((answer.status, answer.cache.as_str()), (200, "no-store"), "{}", answer.json);
        claims(&tenant, answer.json["access_token"].as_str().unwrap()).await
    };
    assert_eq!(minted(json!({})).await["aud"], tenant.audience());
    let claims = minted(json!({
        "scope": "a b", "permissions": ["p", "q"], "organization": "org_1", "subject": "auth0|ann",
        "client": "app", "profile": "rfc9068", "expires_in": 60,
        "claims": { "https://acme.com/plan": { "seats": 3 }, "acr": "x" },
    }))
    .await;
    for (name, value) in [
        ("scope", json!("a b")),
        ("permissions", json!(["p", "q"])),
        ("org_id", json!("org_1")),
        ("sub", json!("auth0|ann")),
        ("client_id", json!("app")),
        ("https://acme.com/plan", json!({ "seats": 3 })),
        ("acr", json!("x")),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    assert!(claims.get("azp").is_none() && claims.get("org_name").is_none());
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 60);
    assert_eq!(minted(json!({ "machine": true })).await["sub"], "local-machine@clients");
    let named = json!({ "machine": true, "client": "reporting" });
    assert_eq!(minted(named).await["sub"], "reporting@clients");

    for (body, sentence) in [
        (json!({ "expired": true, "expires_in": 1 }), "Leave one out"),
        (json!({ "expires_in": u64::MAX }), "is too long"),
        (json!({ "expires_in": -1 }), "cannot be read"),
        (json!({ "scopes": "a" }), "unknown field `scopes`"),
        (json!({ "organization": "acme" }), "Write it as org_abc"),
        (json!({ "profile": "x" }), "cannot be read"),
        (json!([]), "cannot be read"),
    ] {
        let answer = mint(body.clone()).await;
        assert_eq!(answer.status, 400, "{body}");
        let description = answer.json["error_description"].as_str().unwrap();
        assert!(description.contains(sentence), "{body}: {description}");
    }
}
