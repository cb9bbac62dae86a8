use super::*;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use auth0_actix::testing::Tenant;

#[actix_web::test]
async fn a_handler_names_its_policy() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let writer = tenant.token().scope("write:messages");
    let purger = tenant.token().scope("write:messages").permissions(["messages:purge"]);
    let employee = tenant.token().subject("waad|bob").scope("read:messages");
    for (method, path, token, status, content) in [
        ("DELETE", "/messages", writer, 403, "insufficient_permissions"),
        ("DELETE", "/messages", purger, 204, ""),
        ("GET", "/canteen", employee, 200, "lunch for waad|bob"),
    ] {
        let (got, body) = call(&auth, method, path, &token.mint()).await;
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

#[actix_web::test]
async fn a_requirement_can_be_a_value() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let reader = tenant.token().permissions(["reports:read"]);
    let in_eu = tenant.token().permissions(["reports:export", "region:eu"]);
    let in_us = tenant.token().permissions(["reports:export", "region:us"]);
    for (path, token, status, content) in [
        ("/reports", reader, 200, "reports"),
        ("/export", in_eu, 200, "reports"),
        ("/export", in_us, 403, "insufficient_permissions"),
    ] {
        let (got, body) = call(&auth, "GET", path, &token.mint()).await;
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
async fn call(auth: &Auth0, method: &str, path: &str, token: &str) -> (u16, String) {
    let app = init_service(App::new().app_data(auth.clone()).configure(routes("eu"))).await;
    let request = TestRequest::with_uri(path).method(method.parse().unwrap());
    let request = request.insert_header(("authorization", format!("Bearer {token}")));
    let response = call_service(&app, request.to_request()).await;
    let status = response.status().as_u16();
    (status, String::from_utf8(read_body(response).await.into()).unwrap())
}
