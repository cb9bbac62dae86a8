use super::*;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use auth0_actix::testing::Tenant;

#[actix_web::test]
async fn a_handler_reads_typed_claims() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = || tenant.token().subject("auth0|ann");
    let none = token().mint();
    let dev = token().claim("https://acme.com/roles", ["dev"]).mint();
    let mistyped = token().claim("https://acme.com/roles", "admin").mint();
    for (token, status, content) in [
        (&dev, 200, r#"{"subject":"auth0|ann","roles":["dev"],"plan":"free"}"#),
        (&none, 401, r#""error_code":"claims_invalid""#),
        (&mistyped, 401, r#""error_code":"claims_invalid""#),
    ] {
        let (got, body) = call(&auth, "/me", token).await;
        assert_eq!(got, status, "{body}");
        assert!(body.contains(content), "{body}");
    }
}

/// The policy is evaluated before the claims are read: a token without roles gets `403`.
#[actix_web::test]
async fn a_policy_comes_before_the_claims() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = || tenant.token().subject("auth0|ann");
    let none = token().mint();
    let dev = token().claim("https://acme.com/roles", ["dev"]).mint();
    let boss = token().claim("https://acme.com/roles", ["admin", "dev"]).mint();
    for (token, status, content) in [
        (&boss, 200, "auth0|ann is admin and dev"),
        (&dev, 403, r#""error_code":"requirement_not_met""#),
        (&none, 403, r#""error_code":"requirement_not_met""#),
    ] {
        let (got, body) = call(&auth, "/admin", token).await;
        assert_eq!(got, status, "{body}");
        assert!(body.contains(content), "{body}");
    }
}

/// Returns the status and the body.
async fn call(auth: &Auth0, path: &str, token: &str) -> (u16, String) {
    let app = init_service(App::new().app_data(auth.clone()).configure(routes)).await;
    let request = TestRequest::with_uri(path);
    let request = request.insert_header(("authorization", format!("Bearer {token}")));
    let response = call_service(&app, request.to_request()).await;
    let status = response.status().as_u16();
    (status, String::from_utf8(read_body(response).await.into()).unwrap())
}
