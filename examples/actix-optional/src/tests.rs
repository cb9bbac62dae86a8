use super::*;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use auth0_actix::testing::Tenant;

#[actix_web::test]
async fn absent_is_fine_and_invalid_is_not() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
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
        let (got, body) = call(&auth, "GET", path, token).await;
        let case = format!("{path} {status} {content}: {body}");
        assert_eq!(got, status, "{case}");
        if status == 200 {
            assert_eq!(body, content, "{case}");
        } else {
            assert!(body.contains(&format!("\"error_code\":\"{content}\"")), "{case}");
        }
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
