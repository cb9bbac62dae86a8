use super::*;
use auth0_axum::testing::Tenant;
use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use tower::ServiceExt;

#[tokio::test]
async fn who_may_do_what() {
    let tenant = Tenant::new();
    let app = app(tenant.auth0(), "eu");
    let token = || tenant.token().subject("auth0|ann");
    let plain = token().mint();
    let reader = token().scope("read:messages").mint();
    let writer = token().scope("write:messages").mint();
    let purger = token().scope("write:messages").permissions(["messages:purge"]).mint();
    // A permission is not a scope: what the user may do, the client was not granted.
    let permitted = token().permissions(["read:messages"]).mint();
    let employee = tenant.token().subject("waad|bob").scope("read:messages").mint();
    let by_scope = token().scope("read:reports").mint();
    let by_permission = token().permissions(["reports:read"]).mint();
    let in_eu = token().permissions(["reports:export", "region:eu"]).mint();
    let in_us = token().permissions(["reports:export", "region:us"]).mint();
    for (method, path, token, status, content) in [
        ("GET", "/messages", None, 401, "token_missing"),
        ("GET", "/messages", Some(&plain), 403, "insufficient_scope"),
        ("GET", "/messages", Some(&permitted), 403, "insufficient_scope"),
        ("GET", "/messages", Some(&reader), 200, "messages of auth0|ann"),
        ("DELETE", "/messages", Some(&plain), 403, "insufficient_scope"),
        ("DELETE", "/messages", Some(&writer), 403, "insufficient_permissions"),
        ("DELETE", "/messages", Some(&purger), 204, ""),
        ("GET", "/canteen", Some(&reader), 403, "requirement_not_met"),
        ("GET", "/canteen", Some(&employee), 200, "lunch for waad|bob"),
        ("GET", "/reports", None, 401, "token_missing"),
        ("GET", "/reports", Some(&plain), 403, "insufficient_scope"),
        ("GET", "/reports", Some(&by_scope), 200, "reports"),
        ("GET", "/reports", Some(&by_permission), 200, "reports"),
        ("GET", "/export", Some(&in_us), 403, "insufficient_permissions"),
        ("GET", "/export", Some(&in_eu), 200, "reports"),
    ] {
        let (got, body) = call(&app, method, path, token.map(String::as_str)).await;
        let case = format!("{method} {path} {status} {content}: {body}");
        assert_eq!(got, status, "{case}");
        if status < 300 {
            assert_eq!(body, content, "{case}");
        } else {
            assert!(body.contains(&format!("\"error_code\":\"{content}\"")), "{case}");
        }
    }
}

/// Requirements are values: what a route asks for can be said in a test.
#[test]
fn requirements_read_like_the_source() {
    let text = r#"all_of[scope("write:messages"), permission("messages:purge")]"#;
    assert_eq!(of::<PurgeMessages>().to_string(), text);
    assert_eq!(of::<Employee>().to_string(), r#"check("employee")"#);
    assert_eq!(READ_REPORTS, any_of![scope("read:reports"), permission("reports:read")]);
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
