//! `auth0-local serve` with users and clients, and `auth0-local login`.
use crate::kit::{Directory, Server, failure, parts};
use reqwest::{Client, redirect::Policy};
use serde_json::{Value, json};
use std::fs;

const DESCRIPTION: &str = r#"{
  "users": [
    { "user_id": "auth0|ann", "name": "Ann", "email": "ann@acme.com", "scopes": ["read:messages"],
      "permissions": ["read:all"], "claims": { "picture": "https://acme.com/ann.png" },
      "organizations": [{ "id": "org_acme", "name": "acme", "permissions": ["read:invoices"],
                          "token_claims": { "https://acme.com/roles": ["admin"] } }] },
    { "user_id": "auth0|bob", "any_organization": true }
  ],
  "clients": [
    { "client_id": "web", "client_secret": "s3cret", "callbacks": ["http://localhost:3000/callback"],
      "allowed_logout_urls": ["http://localhost:3000/"], "grant_types": ["authorization_code"],
      "multi_resource_refresh_tokens": true }
  ],
  "apis": [
    { "identifier": "https://api.local.test", "token_dialect": "rfc9068_profile", "token_lifetime": 60,
      "scopes": ["read:messages", "write:messages"], "allow_offline_access": true }
  ]
}"#;

const LOGIN: &str = "authorize?response_type=code&client_id=web&scope=openid+read:messages+write:messages\
                     &redirect_uri=http%3A%2F%2Flocalhost:3000%2Fcallback&organization=acme\
                     &audience=https%3A%2F%2Fapi.local.test";

async fn redirect(server: &Server, query: &str) -> String {
    let client = Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let response = client.get(format!("{}{query}", server.issuer)).send().await.unwrap();
    let location = response.headers().get("location");
    location.map_or_else(|| response.status().to_string(), |it| it.to_str().unwrap().to_owned())
}

async fn tokens(server: &Server, redirect: &str) -> Value {
    let code = redirect.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let body = json!({
        "grant_type": "authorization_code", "client_id": "web", "client_secret": "s3cret",
        "redirect_uri": "http://localhost:3000/callback", "code": code,
    });
    let client = Client::builder().no_proxy().build().unwrap();
    let request = client.post(format!("{}oauth/token", server.issuer)).body(body.to_string());
    let response = request.header("content-type", "application/json").send().await.unwrap();
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_file_describes_the_tenant() {
    let directory = Directory::new("tenant-file");
    let file = directory.file("tenant.json");
    fs::write(&file, DESCRIPTION).unwrap();
    let server = Server::start(&["--tenant", &file]);
    let tokens = tokens(&server, &redirect(&server, LOGIN).await).await;
    let (header, access, _) = parts(tokens["access_token"].as_str().unwrap());
    assert_eq!(header["typ"], "at+jwt");
    for (name, value) in [
        ("sub", json!("auth0|ann")),
        ("client_id", json!("web")),
        ("scope", json!("openid read:messages")),
        ("permissions", json!(["read:all", "read:invoices"])),
        ("org_id", json!("org_acme")),
        ("https://acme.com/roles", json!(["admin"])),
    ] {
        assert_eq!(access[name], value, "{name}");
    }
    assert_eq!(tokens["expires_in"], 60);

    assert_eq!(server.ask(&["login"]), "auth0|ann");
    assert_eq!(server.ask(&["login", "auth0|bob"]), "auth0|bob");
    assert_eq!(server.ask(&["login", "auth0|ann", "--once"]), "auth0|bob");
    assert_eq!(server.ask(&["login", "--error", "login_required"]), "auth0|bob");
    let mut subjects = Vec::new();
    for _ in 0..3 {
        let redirect = redirect(&server, LOGIN).await;
        if redirect.contains("error=login_required") {
            subjects.push(json!("none"));
            continue;
        }
        let tokens = self::tokens(&server, &redirect).await;
        subjects.push(parts(tokens["id_token"].as_str().unwrap()).1["sub"].clone());
    }
    assert_eq!(subjects, ["auth0|ann", "none", "auth0|bob"]);
    let (status, text) = failure(&["login", "auth0|zoe", "--issuer", &server.issuer]);
    assert!(status == 1 && text.contains("no user \"auth0|zoe\""), "{text}");
}

#[tokio::test]
async fn options_of_serve() {
    let server = Server::start(&[
        "--open-clients",
        "--dynamic-registration",
        "--interactive",
        "--reuse-interval",
        "10",
        "--no-rotation",
        "--resource-for-machines",
    ]);
    let open = LOGIN.replace("client_id=web", "client_id=agent");
    let unproven = redirect(&server, &open).await;
    assert!(unproven.contains("needs+PKCE"), "the client is accepted: {unproven}");
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let page = format!("{open}&code_challenge={challenge}&code_challenge_method=S256");
    assert_eq!(redirect(&server, &page).await, "200 OK", "the page of users");
    let client = Client::builder().no_proxy().build().unwrap();
    let metadata = client.get(format!("{}.well-known/openid-configuration", server.issuer));
    assert!(metadata.send().await.unwrap().text().await.unwrap().contains("oidc/register"));
    let machine = "grant_type=client_credentials&client_id=a&client_secret=b&resource=urn:a";
    let request = client.post(format!("{}oauth/token", server.issuer)).body(machine);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[test]
fn files_that_do_not_describe_a_tenant() {
    let directory = Directory::new("not-a-tenant");
    for (name, json, sentence) in [
        ("missing.json", None, "No such file"),
        ("text.json", Some("text"), "line 1, column"),
        ("unknown.json", Some(r#"{ "people": [] }"#), "users, clients and apis"),
        ("user.json", Some(r#"{ "users": [{ "name": "s3cret" }] }"#), "line 1, column"),
        (
            "url.json",
            Some(r#"{ "clients": [{ "client_id": "a", "callbacks": ["b"] }] }"#),
            "the client a",
        ),
        (
            "clients.json",
            Some(r#"{ "clients": [{ "client_id": "a" }, { "client_id": "a" }] }"#),
            "two clients have the client_id \"a\". Remove one",
        ),
        (
            "users.json",
            Some(r#"{ "users": [{ "user_id": "a" }, { "user_id": "a" }] }"#),
            "two users have the user_id \"a\". Remove one",
        ),
    ] {
        let file = directory.file(name);
        if let Some(json) = json {
            fs::write(&file, json).unwrap();
        }
        let (status, text) = failure(&["serve", "--port", "0", "--tenant", &file]);
        assert!(status == 1 && text.contains(sentence), "{name}: {text}");
        assert!(!text.contains("s3cret"), "{text}");
    }
}
