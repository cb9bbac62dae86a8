use super::*;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use auth0_actix::testing::Tenant;

#[actix_web::test]
async fn a_missing_token_is_allowed_and_an_invalid_one_is_rejected() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let ann = tenant.token().subject("auth0|ann").mint();
    let forged = tenant.token().signed_by(&tenant.unknown_key()).mint();
    for (token, status, content) in [
        (None, 200, "what everybody likes"),
        (Some(&ann), 200, "what auth0|ann likes"),
        (Some(&forged), 401, "signature_invalid"),
    ] {
        let (got, body) = call(&auth, "/feed", token).await;
        assert_eq!(got, status, "{body}");
        if status < 300 {
            assert_eq!(body, content, "{body}");
        } else {
            assert!(body.contains(&format!("\"error_code\":\"{content}\"")), "{body}");
        }
    }
}

#[actix_web::test]
async fn a_whole_subtree_rejects_invalid_tokens() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let ann = tenant.token().subject("auth0|ann").mint();
    let expired = tenant.token().expired().mint();
    for (path, token, status, content) in [
        ("/pages/page", Some(&ann), 200, "a page for auth0|ann"),
        ("/pages/about", None, 200, "about"),
        ("/pages/about", Some(&expired), 401, "token_expired"),
    ] {
        let (got, body) = call(&auth, path, token).await;
        assert_eq!(got, status, "{path}: {body}");
        if status < 300 {
            assert_eq!(body, content, "{path}: {body}");
        } else {
            assert!(body.contains(&format!("\"error_code\":\"{content}\"")), "{path}: {body}");
        }
    }
}

/// Returns the status and the body.
async fn call(auth: &Auth0, path: &str, token: Option<&String>) -> (u16, String) {
    let app = init_service(App::new().app_data(auth.clone()).configure(routes)).await;
    let mut request = TestRequest::with_uri(path);
    if let Some(token) = token {
        request = request.insert_header(("authorization", format!("Bearer {token}")));
    }
    let response = call_service(&app, request.to_request()).await;
    let status = response.status().as_u16();
    (status, String::from_utf8(read_body(response).await.into()).unwrap())
}
