use super::*;
use auth0_axum::testing::Tenant;
use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use tower::ServiceExt;

#[tokio::test]
async fn a_handler_reads_typed_claims() {
    let tenant = Tenant::new();
    let app = app(tenant.auth0());
    let token = || tenant.token().subject("auth0|ann");
    let none = token().mint();
    let dev = token().claim("https://acme.com/roles", ["dev"]).mint();
    let mistyped = token().claim("https://acme.com/roles", "admin").mint();
    for (token, status, content) in [
        (&dev, 200, r#"{"subject":"auth0|ann","roles":["dev"],"plan":"free"}"#),
        (&none, 401, r#""error_code":"claims_invalid""#),
        (&mistyped, 401, r#""error_code":"claims_invalid""#),
    ] {
        let (got, body) = call(&app, "/me", token).await;
        assert_eq!(got, status, "{body}");
        assert!(body.contains(content), "{body}");
    }
}

/// The policy is evaluated before the claims are read: a token without roles gets `403`.
#[tokio::test]
async fn a_policy_comes_before_the_claims() {
    let tenant = Tenant::new();
    let app = app(tenant.auth0());
    let token = || tenant.token().subject("auth0|ann");
    let none = token().mint();
    let dev = token().claim("https://acme.com/roles", ["dev"]).mint();
    let boss = token().claim("https://acme.com/roles", ["admin", "dev"]).mint();
    for (token, status, content) in [
        (&boss, 200, "auth0|ann is admin and dev"),
        (&dev, 403, r#""error_code":"requirement_not_met""#),
        (&none, 403, r#""error_code":"requirement_not_met""#),
    ] {
        let (got, body) = call(&app, "/admin", token).await;
        assert_eq!(got, status, "{body}");
        assert!(body.contains(content), "{body}");
    }
}

/// Returns the status and the body.
async fn call(app: &Router, path: &str, token: &str) -> (u16, String) {
    let request = Request::get(path);
    let request = request.header("authorization", format!("Bearer {token}"));
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.into()).unwrap())
}
