use crate::kit::{Answer, CALLBACK, Parameters, client, code, token, url};
use auth0_local::LocalTenant;
use serde_json::{Value, json};

async fn register(tenant: &LocalTenant, metadata: &Value) -> Answer {
    let request = client().post(url(tenant, "oidc/register")).body(metadata.to_string());
    Answer::of(request.header("content-type", "application/json").send().await.unwrap()).await
}

async fn open() -> LocalTenant {
    LocalTenant::builder().dynamic_registration().start().await.unwrap()
}

#[tokio::test]
async fn a_client_registers_and_logs_in() {
    let tenant = open().await;
    let metadata = json!({
        "client_name": "Agent", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "software_id": "ignored",
    });
    let answer = register(&tenant, &metadata).await;
    assert_eq!((answer.status, answer.header("cache-control")), (201, "no-store"));
    let registered = answer.json();
    for name in [
        "client_name",
        "redirect_uris",
        "token_endpoint_auth_method",
        "grant_types",
        "response_types",
    ] {
        assert_eq!(registered[name], metadata[name], "{name}");
    }
    assert_eq!(registered.get("client_secret"), None);
    let id = answer.text("client_id");
    let login = Parameters::of_login().with("client_id", None).and("client_id", &id);
    let form = Parameters::of_code(&code(&tenant, &login).await);
    let form = form.with("client_id", None).and("client_id", &id);
    let answer = token(&tenant, &form).await;
    assert_eq!(answer.status, 200, "{}", answer.body);

    let only_once = json!({
        "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code"],
    });
    let id = register(&tenant, &only_once).await.text("client_id");
    let login = Parameters::of_login().with("client_id", None).and("client_id", &id);
    let form = Parameters::of_code(&code(&tenant, &login).await);
    let form = form.with("client_id", None).and("client_id", &id);
    assert_eq!(token(&tenant, &form).await.json().get("refresh_token"), None);
}

#[tokio::test]
async fn a_client_receives_a_secret() {
    let tenant = open().await;
    for method in [None, Some("client_secret_basic"), Some("client_secret_post")] {
        let answer = register(
            &tenant,
            &json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": method }),
        )
        .await;
        let registered = answer.json();
        assert_eq!(registered["client_secret"].as_str().unwrap().len(), 43);
        assert_eq!(registered["client_secret_expires_at"], 0);
        let expected = method.unwrap_or("client_secret_basic");
        assert_eq!(registered["token_endpoint_auth_method"], expected);
        assert_eq!(registered["grant_types"], json!(["authorization_code", "refresh_token"]));
    }
}

#[tokio::test]
async fn refusals() {
    let tenant = open().await;
    let with = |url: &str| json!({ "redirect_uris": [url] });
    for (metadata, error) in [
        (json!({}), "invalid_redirect_uri"),
        (json!({ "redirect_uris": [] }), "invalid_redirect_uri"),
        (json!({ "redirect_uris": vec![CALLBACK; 21] }), "invalid_redirect_uri"),
        (with("http://app.acme.com/callback"), "invalid_redirect_uri"),
        (with("HTTP://app.acme.com/callback"), "invalid_redirect_uri"),
        (with("javascript:alert(1)"), "invalid_redirect_uri"),
        (with("https://app.acme.com/#a"), "invalid_redirect_uri"),
        (with("callback"), "invalid_redirect_uri"),
        (with("https://app.acme.com/callback"), "invalid_redirect_uri"),
        (with("https://127.0.0.1/callback"), "invalid_redirect_uri"),
        (with("wss://app.acme.com/callback"), "invalid_redirect_uri"),
        (with("web+agent://callback"), "invalid_redirect_uri"),
        (with("WEB+agent://callback"), "invalid_redirect_uri"),
        (with("mailto:eve@evil.test"), "invalid_redirect_uri"),
        (with("ftp://evil.test/"), "invalid_redirect_uri"),
        (with("microsoft-edge:https://evil.test/"), "invalid_redirect_uri"),
        (json!({ "redirect_uris": [CALLBACK, "data:text/html,a"] }), "invalid_redirect_uri"),
        (
            json!({ "redirect_uris": [CALLBACK], "post_logout_redirect_uris": ["http://evil.test/"] }),
            "invalid_redirect_uri",
        ),
        (json!({ "redirect_uris": CALLBACK }), "invalid_client_metadata"),
        (json!([CALLBACK]), "invalid_client_metadata"),
        (
            json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "private_key_jwt" }),
            "invalid_client_metadata",
        ),
        (
            json!({ "redirect_uris": [CALLBACK], "grant_types": ["password"] }),
            "invalid_client_metadata",
        ),
        (
            json!({ "redirect_uris": [CALLBACK], "response_types": ["token"] }),
            "invalid_client_metadata",
        ),
    ] {
        let answer = register(&tenant, &metadata).await;
        assert_eq!((answer.status, answer.text("error")), (400, error.into()), "{metadata}");
    }
    for url in [
        "com.acme.app:/callback",
        "http://[::1]:1/",
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "vscode://vscode.github-authentication/did-authenticate",
    ] {
        assert_eq!(register(&tenant, &with(url)).await.status, 201, "{url}");
    }
}

/// An editor registers a page of its maker, too, for the case that it cannot listen.
#[tokio::test]
async fn a_redirect_to_a_website_is_left_out() {
    let tenant = open().await;
    let website = "https://vscode.dev/redirect";
    let metadata = json!({
        "redirect_uris": [website, CALLBACK], "token_endpoint_auth_method": "none",
        "post_logout_redirect_uris": [website],
    });
    let answer = register(&tenant, &metadata).await;
    assert_eq!((answer.status, &answer.json()["redirect_uris"]), (201, &json!([CALLBACK])));
    assert_eq!(answer.json().get("post_logout_redirect_uris"), None);
    let login = Parameters::of_login().with("client_id", None);
    let login = login.and("client_id", &answer.text("client_id"));
    code(&tenant, &login).await;
    let refused = crate::kit::Browser::default()
        .authorize(&tenant, &login.with("redirect_uri", website))
        .await;
    assert_eq!((refused.status, refused.header("location")), (400, ""));
}

#[tokio::test]
async fn the_oldest_of_too_many_clients_is_forgotten() {
    let tenant = open().await;
    let metadata = json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none" });
    let mut first = None;
    for _ in 0..1001 {
        let id = register(&tenant, &metadata).await.text("client_id");
        first.get_or_insert(id);
    }
    let login = Parameters::of_login().with("client_id", None).and("client_id", &first.unwrap());
    let answer = crate::kit::Browser::default().authorize(&tenant, &login).await;
    assert!(answer.status == 400 && answer.body.contains("Unknown client"), "{}", answer.body);
}

#[tokio::test]
async fn it_is_off_by_default() {
    let tenant = crate::kit::start().await;
    assert_eq!(register(&tenant, &json!({ "redirect_uris": [CALLBACK] })).await.status, 404);
}
