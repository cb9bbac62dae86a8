use super::*;
use auth0_axum::testing::Tenant;
use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use tower::ServiceExt;

#[tokio::test]
async fn a_missing_token_is_allowed_and_an_invalid_one_is_rejected() {
    let tenant = Tenant::new();
    let app = app(tenant.auth0());
    let ann = tenant.token().subject("auth0|ann").mint();
    let forged = tenant.token().signed_by(&tenant.unknown_key()).mint();
    for (token, status, content) in [
        (None, 200, "what everybody likes"),
        (Some(&ann), 200, "what auth0|ann likes"),
        (Some(&forged), 401, "signature_invalid"),
    ] {
        let (got, body) = call(&app, "/feed", token).await;
        assert_eq!(got, status, "{body}");
        if status < 300 {
            assert_eq!(body, content, "{body}");
        } else {
            assert!(body.contains(&format!("\"error_code\":\"{content}\"")), "{body}");
        }
    }
}

#[tokio::test]
async fn a_whole_subtree_rejects_invalid_tokens() {
    let tenant = Tenant::new();
    let app = app(tenant.auth0());
    let ann = tenant.token().subject("auth0|ann").mint();
    let expired = tenant.token().expired().mint();
    for (path, token, status, content) in [
        ("/pages/page", Some(&ann), 200, "a page for auth0|ann"),
        ("/pages/about", None, 200, "about"),
        ("/pages/about", Some(&expired), 401, "token_expired"),
    ] {
        let (got, body) = call(&app, path, token).await;
        assert_eq!(got, status, "{path}: {body}");
        if status < 300 {
            assert_eq!(body, content, "{path}: {body}");
        } else {
            assert!(body.contains(&format!("\"error_code\":\"{content}\"")), "{path}: {body}");
        }
    }
}

/// Returns the status and the body.
async fn call(app: &Router, path: &str, token: Option<&String>) -> (u16, String) {
    let mut request = Request::get(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.into()).unwrap())
}
