use super::*;
use auth0_axum::testing::Tenant;
use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use tower::ServiceExt;

#[tokio::test]
async fn a_handler_names_its_policy() {
    let tenant = Tenant::new();
    let app = app(tenant.auth0(), "eu");
    let writer = tenant.token().scope("write:messages");
    let purger = tenant.token().scope("write:messages").permissions(["messages:purge"]);
    let employee = tenant.token().subject("waad|bob").scope("read:messages");
    for (method, path, token, status, content) in [
        ("DELETE", "/messages", writer, 403, "insufficient_permissions"),
        ("DELETE", "/messages", purger, 204, ""),
        ("GET", "/canteen", employee, 200, "lunch for waad|bob"),
    ] {
        let (got, body) = call(&app, method, path, &token.mint()).await;
        assert_eq!(got, status, "{method} {path}: {body}");
        if status < 300 {
            assert_eq!(body, content, "{method} {path}: {body}");
        } else {
            assert!(
                body.contains(&format!("\"error_code\":\"{content}\"")),
                "{method} {path}: {body}"
            );
        }
    }
}

#[tokio::test]
async fn a_requirement_can_be_a_value() {
    let tenant = Tenant::new();
    let app = app(tenant.auth0(), "eu");
    let reader = tenant.token().permissions(["reports:read"]);
    let in_eu = tenant.token().permissions(["reports:export", "region:eu"]);
    let in_us = tenant.token().permissions(["reports:export", "region:us"]);
    for (path, token, status, content) in [
        ("/reports", reader, 200, "reports"),
        ("/export", in_eu, 200, "reports"),
        ("/export", in_us, 403, "insufficient_permissions"),
    ] {
        let (got, body) = call(&app, "GET", path, &token.mint()).await;
        assert_eq!(got, status, "{path}: {body}");
        if status < 300 {
            assert_eq!(body, content, "{path}: {body}");
        } else {
            assert!(body.contains(&format!("\"error_code\":\"{content}\"")), "{path}: {body}");
        }
    }
}

/// A test can compare requirements, and their text.
#[test]
fn requirements_read_like_the_source() {
    let text = r#"all_of[scope("write:messages"), permission("messages:purge")]"#;
    assert_eq!(of::<PurgeMessages>().to_string(), text);
    assert_eq!(of::<Employee>().to_string(), r#"check("employee")"#);
    assert_eq!(READ_REPORTS, any_of![scope("read:reports"), permission("reports:read")]);
}

/// Returns the status and the body.
async fn call(app: &Router, method: &str, path: &str, token: &str) -> (u16, String) {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("authorization", format!("Bearer {token}"));
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.into()).unwrap())
}
