use super::*;
use auth0_axum::testing::Tenant;
use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use tower::ServiceExt;

#[tokio::test]
async fn claims_of_ones_own() {
    let tenant = Tenant::new();
    let app = app(tenant.auth0());
    let token = || tenant.token().subject("auth0|ann");
    let none = token().mint();
    let dev = token().claim("https://acme.com/roles", ["dev"]).mint();
    let pro = token()
        .claim("https://acme.com/roles", ["admin", "dev"])
        .claim("https://acme.com/plan", "pro")
        .mint();
    let mistyped = token().claim("https://acme.com/roles", "admin").mint();
    let expired = token().claim("https://acme.com/roles", ["admin"]).expired().mint();
    for (path, token, status, content) in [
        ("/me", &dev, 200, r#"{"subject":"auth0|ann","roles":["dev"],"plan":"free"}"#),
        ("/me", &pro, 200, r#"{"subject":"auth0|ann","roles":["admin","dev"],"plan":"pro"}"#),
        ("/me", &none, 401, r#""error_code":"claims_invalid""#),
        ("/me", &mistyped, 401, r#""error_code":"claims_invalid""#),
        ("/me", &expired, 401, r#""error_code":"token_expired""#),
        ("/admin", &pro, 200, "auth0|ann is admin and dev"),
        ("/admin", &dev, 403, r#""error_code":"requirement_not_met""#),
        ("/admin", &none, 403, r#""error_code":"requirement_not_met""#),
    ] {
        let (got, body) = call(&app, "GET", path, Some(token)).await;
        assert_eq!(got, status, "{path}: {body}");
        assert!(body.contains(content), "{path}: {body}");
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
