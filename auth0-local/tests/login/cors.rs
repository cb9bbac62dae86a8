use crate::kit::{Answer, acme, client, url};
use auth0_local::{Client, LocalTenant};
use reqwest::Method;

async fn ask(tenant: &LocalTenant, method: Method, path: &str, origin: &str) -> Answer {
    let request = client().request(method, url(tenant, path)).header("origin", origin);
    Answer::of(request.send().await.unwrap()).await
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
                assert_eq!(answer.header("access-control-allow-credentials"), "");
                assert_eq!(answer.header("vary"), "origin");
            }
        }
    }
    let preflight = ask(&tenant, Method::OPTIONS, "oauth/token", "http://localhost:5173").await;
    assert!(preflight.header("access-control-allow-headers").contains("dpop"));
    let answer = ask(&tenant, Method::POST, "oauth/token", "http://localhost:5173").await;
    assert!(answer.header("access-control-expose-headers").contains("dpop-nonce"));
    assert_eq!(tenant.stats().token.total(), 8, "a preflight request is not counted");
    for path in ["authorize", "v2/logout", "__local/stats"] {
        let answer = ask(&tenant, Method::GET, path, "http://localhost:5173").await;
        assert_eq!(allowed(&answer), "", "{path}");
    }
}
