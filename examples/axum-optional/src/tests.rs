use super::*;
use auth0_axum::testing::Tenant;
use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use tower::ServiceExt;

#[tokio::test]
async fn absent_is_fine_and_invalid_is_not() {
    let tenant = Tenant::new();
    let app = app(tenant.auth0());
    let ann = tenant.token().subject("auth0|ann").mint();
    let expired = tenant.token().expired().mint();
    let forged = tenant.token().signed_by(&tenant.stranger()).mint();
    for (path, token, status, content) in [
        ("/feed", None, 200, "what everybody likes"),
        ("/feed", Some(&*ann), 200, "what auth0|ann likes"),
        ("/feed", Some(&*expired), 401, "token_expired"),
        ("/feed", Some(&*forged), 401, "signature_invalid"),
        ("/feed", Some("junk"), 401, "token_malformed"),
        ("/feed", Some(""), 400, "request_malformed"),
        ("/pages/page", None, 200, "a page for everybody"),
        ("/pages/page", Some(&*ann), 200, "a page for auth0|ann"),
        ("/pages/page", Some(&*forged), 401, "signature_invalid"),
        ("/pages/about", None, 200, "about"),
        ("/pages/about", Some(&*expired), 401, "token_expired"),
    ] {
        let (got, body) = call(&app, "GET", path, token).await;
        let case = format!("{path} {status} {content}: {body}");
        assert_eq!(got, status, "{case}");
        if status == 200 {
            assert_eq!(body, content, "{case}");
        } else {
            assert!(body.contains(&format!("\"error_code\":\"{content}\"")), "{case}");
        }
    }
}

async fn call(app: &Router, method: &str, path: &str, token: Option<&str>) -> (u16, String) {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.into()).unwrap())
}
