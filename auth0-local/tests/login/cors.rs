use crate::kit::{Answer, CALLBACK, Parameters, acme, client, code, log_in, token, url};
use auth0_local::{Client, LocalTenant};
use reqwest::Method;
use serde_json::json;

const FORM: &str = "application/x-www-form-urlencoded";

async fn ask(tenant: &LocalTenant, method: Method, path: &str, origin: &str) -> Answer {
    let request = client().request(method, url(tenant, path)).header("origin", origin);
    Answer::of(request.send().await.unwrap()).await
}

/// Sends what a page of this origin can send.
async fn post(
    tenant: &LocalTenant,
    path: &str,
    origin: &str,
    content_type: &str,
    body: String,
) -> Answer {
    let request = client().post(url(tenant, path)).header("origin", origin).body(body);
    Answer::of(request.header("content-type", content_type).send().await.unwrap()).await
}

fn allowed(answer: &Answer) -> &str {
    answer.header("access-control-allow-origin")
}

#[tokio::test]
async fn documents_are_public() {
    let tenant = acme().start().await.unwrap();
    for path in [
        ".well-known/openid-configuration",
        ".well-known/oauth-authorization-server",
        ".well-known/jwks.json",
    ] {
        let answer = ask(&tenant, Method::GET, path, "https://inspector.test").await;
        assert_eq!((answer.status, allowed(&answer)), (200, "*"), "{path}");
        let preflight = ask(&tenant, Method::OPTIONS, path, "https://inspector.test").await;
        assert_eq!((preflight.status, allowed(&preflight)), (204, "*"), "{path}");
    }
}

#[tokio::test]
async fn applications_read_their_responses() {
    let app = Client::public("app").callback("https://app.acme.test/callback");
    let tenant = acme().client(app).dynamic_registration().start().await.unwrap();
    for (origin, is_allowed) in [
        ("http://localhost:5173", true),
        ("http://127.0.0.1:6274", true),
        ("https://app.acme.test", true),
        ("https://app.acme.test:8443", false),
        ("https://evil.test", false),
        ("http://localhost.evil.test", false),
        ("null", false),
    ] {
        let expected = if is_allowed { origin } else { "" };
        for path in ["oauth/token", "oauth/revoke", "userinfo", "oidc/register"] {
            for method in [Method::OPTIONS, Method::POST] {
                let answer = ask(&tenant, method.clone(), path, origin).await;
                assert_eq!(allowed(&answer), expected, "{method} {path} {origin}");
                let is_refused = method == Method::POST && !is_allowed;
                assert!(!is_refused || answer.status == 403, "{path} {origin}: {answer:?}");
                assert_eq!(answer.header("access-control-allow-credentials"), "");
                assert_eq!(answer.header("vary"), "origin");
            }
        }
    }
    let preflight = ask(&tenant, Method::OPTIONS, "oauth/token", "http://localhost:5173").await;
    for header in ["dpop", "x-requested-with"] {
        assert!(preflight.header("access-control-allow-headers").contains(header), "{header}");
    }
    let answer = ask(&tenant, Method::POST, "oauth/token", "http://localhost:5173").await;
    assert!(answer.header("access-control-expose-headers").contains("dpop-nonce"));
    assert_eq!(tenant.stats().token.total(), 4, "neither a preflight nor a refused request counts");
    for path in ["authorize", "v2/logout", "__local/stats"] {
        let answer = ask(&tenant, Method::GET, path, "http://localhost:5173").await;
        assert_eq!(allowed(&answer), "", "{path}");
    }
}

#[tokio::test]
async fn a_page_of_the_web_cannot_register() {
    let tenant = acme().dynamic_registration().start().await.unwrap();
    let metadata = |url: &str| {
        json!({ "redirect_uris": [url], "token_endpoint_auth_method": "none" }).to_string()
    };
    for origin in
        ["https://evil.test", "null", "https://app.acme.test", "http://127.0.0.1.evil.test"]
    {
        for content_type in ["text/plain", "application/json"] {
            for redirect in ["https://evil.test/callback", CALLBACK] {
                let body = metadata(redirect);
                let answer = post(&tenant, "oidc/register", origin, content_type, body).await;
                assert_eq!(
                    (answer.status, answer.text("error"), allowed(&answer)),
                    (403, "access_denied".into(), ""),
                    "{origin} {content_type}"
                );
            }
        }
    }
    let own = tenant.issuer().trim_end_matches('/').to_owned();
    for origin in [&own, "http://localhost:6274"] {
        let json = "application/json; charset=utf-8";
        let answer = post(&tenant, "oidc/register", origin, json, metadata(CALLBACK)).await;
        assert_eq!((answer.status, allowed(&answer)), (201, origin), "{answer:?}");
        // A page can send the other types without asking first.
        for content_type in ["text/plain", FORM, "text/plain; application/json"] {
            let body = metadata(CALLBACK);
            let answer = post(&tenant, "oidc/register", origin, content_type, body).await;
            assert_eq!((answer.status, answer.text("error")), (415, "invalid_request".into()));
        }
    }
}

#[tokio::test]
async fn a_page_of_the_web_uses_no_code_and_no_token() {
    let app = Client::public("app").callback("https://app.acme.test/callback");
    let tenant = acme().client(app).start().await.unwrap();
    let exchange = Parameters::of_code(&code(&tenant, &Parameters::of_login()).await);
    let refresh = log_in(&tenant, &Parameters::of_login()).await.text("refresh_token");
    let machine = Parameters::new(&[
        ("grant_type", "client_credentials"),
        ("client_id", "any"),
        ("client_secret", "any"),
        ("audience", "https://api.local.test"),
    ]);
    let revoke = Parameters::new(&[("client_id", "spa"), ("token", &refresh)]);
    for origin in ["https://evil.test", "null"] {
        for (path, form) in [
            ("oauth/token", &exchange),
            ("oauth/token", &machine),
            ("oauth/token", &Parameters::of_refresh(&refresh)),
            ("oauth/revoke", &revoke),
        ] {
            let answer = post(&tenant, path, origin, FORM, form.encoded()).await;
            assert_eq!(
                (answer.status, answer.text("error")),
                (403, "access_denied".into()),
                "{path}"
            );
        }
    }
    // Two headers are refused if one is foreign.
    let request = client().post(url(&tenant, "oauth/token")).header("origin", "http://localhost:1");
    let request = request.header("origin", "https://evil.test").header("content-type", FORM);
    assert_eq!(request.body(exchange.encoded()).send().await.unwrap().status(), 403);

    assert_eq!(token(&tenant, &exchange).await.status, 200, "the code was not used");
    assert_eq!(
        token(&tenant, &Parameters::of_refresh(&refresh)).await.status,
        200,
        "nor the token"
    );
    for origin in ["https://app.acme.test", "http://localhost:5173"] {
        let answer = post(&tenant, "oauth/token", origin, FORM, machine.encoded()).await;
        assert_eq!((answer.status, allowed(&answer)), (200, origin));
    }
}
