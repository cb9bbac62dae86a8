use super::*;
use auth0_axum::testing::Tenant;
use axum::{body::Body, http::Request};
use tower::ServiceExt;

#[tokio::test]
async fn a_transfer_needs_a_strong_and_recent_login() {
    let tenant = Tenant::new();
    let now = 1_767_225_600;
    let ann = || tenant.token().subject("auth0|ann").scope("read:balance write:transfers");
    let weak = ann().mint();
    let strong = ann().claim("acr", MFA).claim("auth_time", now - 3600).mint();
    let both = ann().claim("acr", MFA).claim("auth_time", now - 60).mint();
    let reader = ann().scope("read:balance").claim("acr", MFA).claim("auth_time", now).mint();
    let app = app(tenant.auth0());

    assert_eq!(call(&app, "GET", "/balance", &weak).await.0, 200);
    let (status, challenge) = call(&app, "POST", "/transfers", &both).await;
    assert_eq!((status, challenge.as_str()), (200, ""));
    for (token, status, end) in [
        (&weak, 401, format!(r#", acr_values="{MFA}", max_age="300""#)),
        (&strong, 401, r#"login is required.", max_age="300""#.to_owned()),
        (&reader, 403, r#", scope="write:transfers""#.to_owned()),
    ] {
        let (got, challenge) = call(&app, "POST", "/transfers", token).await;
        assert_eq!(got, status, "{challenge}");
        assert!(challenge.ends_with(&end), "{challenge}");
    }
}

/// Returns the status and the challenge.
async fn call(app: &Router, method: &str, path: &str, token: &str) -> (u16, String) {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("authorization", format!("Bearer {token}"));
    let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let challenge = response.headers().get("www-authenticate");
    let challenge = challenge.map_or("", |challenge| challenge.to_str().unwrap());
    (response.status().as_u16(), challenge.to_owned())
}
