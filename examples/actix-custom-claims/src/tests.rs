use super::*;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use auth0_actix::testing::Tenant;

#[actix_web::test]
async fn claims_of_ones_own() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
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
        let (got, body) = call(&auth, "GET", path, Some(token)).await;
        assert_eq!(got, status, "{path}: {body}");
        assert!(body.contains(content), "{path}: {body}");
    }
}

async fn call(auth: &Auth0, method: &str, path: &str, token: Option<&str>) -> (u16, String) {
    let app = init_service(App::new().app_data(auth.clone()).configure(routes)).await;
    let mut request = TestRequest::with_uri(path).method(method.parse().unwrap());
    if let Some(token) = token {
        request = request.insert_header(("authorization", format!("Bearer {token}")));
    }
    let response = call_service(&app, request.to_request()).await;
    let status = response.status().as_u16();
    (status, String::from_utf8(read_body(response).await.into()).unwrap())
}
