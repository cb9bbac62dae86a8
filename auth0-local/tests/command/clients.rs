//! `auth0-local serve` with clients that are limited, exchange tokens and get tokens of accounts.
use crate::kit::{Directory, Server, failure, parts};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use std::fs;

const DESCRIPTION: &str = r#"{
  "users": [
    { "user_id": "auth0|ann",
      "connected_accounts": [{ "connection": "google-oauth2", "login_hint": "ann@work.test",
                               "scopes": ["calendar"], "expires_in": 60 }] }
  ],
  "clients": [
    { "client_id": "machine", "client_secret": "s3cret", "token_quota": { "per_hour": 2 },
      "default_organization": "org_acme",
      "client_grants": [
        { "audience": "https://api.local.test", "scopes": ["read:a"], "organization_usage": "require" },
        { "audience": "https://down.test" }
      ] },
    { "client_id": "api", "client_secret": "s3cret", "app_type": "resource_server",
      "resource_server_identifier": "https://api.local.test" },
    { "client_id": "worker", "public_keys": ["PEM", { "pem": "PEM", "alg": "PS256", "kid": "k2" }],
      "token_vault_privileged_access": { "grants": [{ "connection": "google-oauth2", "scopes": ["calendar"] }] } },
    { "client_id": "mtls", "certificate_thumbprint": "LXEWQrcmsEQBYnyp-6wy9chTD7GQPMTbAiWHF5IaSIE" }
  ],
  "token_exchange_profiles": [
    { "subject_token_type": "urn:acme:legacy", "subject_tokens": { "cookie": "auth0|ann" },
      "actor_tokens": { "staff": "support" } }
  ],
  "organization_quotas": { "org_acme": { "per_day": 9 } },
  "mtls": { "alias": "https://mtls.acme.test/", "api_key": "key-of-the-edge-1234" }
}"#;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";

async fn ask(server: &Server, body: Value) -> Response {
    let client = Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("{}oauth/token", server.issuer)).body(body.to_string());
    request.header("content-type", "application/json").send().await.unwrap()
}

async fn json_of(response: Response) -> Value {
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_file_describes_what_clients_may_do() {
    let directory = Directory::new("clients-file");
    let file = directory.file("tenant.json");
    let pem = include_str!("../clients/rsa.pem").replace('\n', "\\n");
    fs::write(&file, DESCRIPTION.replace("PEM", &pem)).unwrap();
    let server = Server::start(&["--tenant", &file, "--dpop-nonce=none"]);

    let machine = json!({
        "grant_type": "client_credentials", "client_id": "machine", "client_secret": "s3cret",
        "audience": "https://api.local.test",
    });
    let answer = ask(&server, machine).await;
    let quota = answer.headers()["auth0-client-quota-limit"].to_str().unwrap().to_owned();
    assert!(quota.starts_with("b=per_hour;q=2;r=1"), "{quota}");
    let quota = answer.headers()["auth0-organization-quota-limit"].to_str().unwrap().to_owned();
    assert!(quota.starts_with("b=per_day;q=9;r=8"), "{quota}");
    let (_, claims, _) = parts(json_of(answer).await["access_token"].as_str().unwrap());
    assert_eq!((&claims["scope"], &claims["org_id"]), (&json!("read:a"), &json!("org_acme")));

    let legacy = json!({
        "grant_type": EXCHANGE, "client_id": "api", "client_secret": "s3cret",
        "subject_token_type": "urn:acme:legacy", "subject_token": "cookie",
        "actor_token": "staff", "actor_token_type": "urn:acme:staff",
        "audience": "https://api.local.test",
    });
    let answer = json_of(ask(&server, legacy).await).await;
    assert_eq!(answer["act"]["sub"], "support");
    let subject = answer["access_token"].clone();

    let onward = json!({
        "grant_type": EXCHANGE, "client_id": "api", "client_secret": "s3cret",
        "subject_token_type": ACCESS, "requested_token_type": ACCESS, "subject_token": subject,
        "audience": "https://down.test",
    });
    let answer = json_of(ask(&server, onward).await).await;
    let (_, claims, _) = parts(answer["access_token"].as_str().unwrap());
    assert_eq!(claims["act"], json!({ "sub": "api", "act": { "sub": "support" } }));

    let vault = json!({
        "grant_type": "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token",
        "client_id": "api", "client_secret": "s3cret", "subject_token_type": ACCESS,
        "subject_token": subject, "connection": "google-oauth2",
        "requested_token_type": "http://auth0.com/oauth/token-type/federated-connection-access-token",
    });
    let answer = json_of(ask(&server, vault.clone()).await).await;
    assert_eq!((&answer["scope"], &answer["expires_in"]), (&json!("calendar"), &json!(60)));
    let removed = server.ask(&["account", "auth0|ann", "google-oauth2", "--remove"]);
    assert_eq!(removed, r#"{"removed":1}"#);
    assert_eq!(ask(&server, vault.clone()).await.status(), 401);
    let connected =
        server.ask(&["account", "auth0|ann", "google-oauth2", "ann", "--scope", "mail"]);
    assert_eq!(connected, r#"{"user":"auth0|ann"}"#);
    assert_eq!(json_of(ask(&server, vault).await).await["scope"], "mail");

    let requests: Value = serde_json::from_str(&server.ask(&["history"])).unwrap();
    assert_eq!(requests["counts"][EXCHANGE], 2);
    assert_eq!(requests["last"][3]["connection"], "google-oauth2");
}

#[tokio::test]
async fn files_that_are_refused() {
    let directory = Directory::new("clients-refused");
    let file = directory.file("tenant.json");
    for (json, sentence) in [
        (r#"{ "clients": [{ "client_id": "a", "public_keys": ["x"] }] }"#, "no public RSA key"),
        (r#"{ "clients": [{ "client_id": "a", "public_keys": [1] }] }"#, "no public RSA key"),
        (
            r#"{ "clients": [{ "client_id": "a", "client_grants": [{ "scopes": [] }] }] }"#,
            "not as expected",
        ),
        (
            r#"{ "clients": [{ "client_id": "a", "token_quota": { "per_week": 1 } }] }"#,
            "not as expected",
        ),
        (
            r#"{ "clients": [{ "client_id": "a", "app_type": "resource_server" }] }"#,
            "resource_server_identifier",
        ),
        (
            r#"{ "token_exchange_profiles": [{ "subject_token_type": "urn:ietf:a" }] }"#,
            "URI of your own",
        ),
        (r#"{ "mtls": { "alias": "https://mtls.test" } }"#, "not as expected"),
        (
            r#"{ "users": [{ "user_id": "a", "connected_accounts": [{ "connection": "a", "login_hint": "" }] }] }"#,
            "login_hint",
        ),
    ] {
        fs::write(&file, json).unwrap();
        let (status, error) = failure(&["serve", "--port", "0", "--tenant", &file]);
        assert!(status == 1 && error.contains(sentence), "{json}: {error}");
    }
}
