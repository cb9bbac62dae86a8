use super::*;
use actix_web::test::{TestRequest, call_service, init_service};
use auth0_actix::testing::Tenant;

#[actix_web::test]
async fn a_transfer_needs_a_strong_and_recent_login() {
    let tenant = Tenant::new();
    let now = 1_767_225_600;
    let ann = || tenant.token().subject("auth0|ann").scope("read:balance write:transfers");
    let weak = ann().mint();
    let strong = ann().claim("acr", MFA).claim("auth_time", now - 3600).mint();
    let both = ann().claim("acr", MFA).claim("auth_time", now - 60).mint();
    let reader = ann().scope("read:balance").claim("acr", MFA).claim("auth_time", now).mint();
    let app = tenant.auth0();

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
async fn call(auth: &Auth0, method: &str, path: &str, token: &str) -> (u16, String) {
    let app = init_service(App::new().configure(routes(auth.clone()))).await;
    let request = TestRequest::with_uri(path)
        .method(method.parse().unwrap())
        .insert_header(("authorization", format!("Bearer {token}")));
    let response = call_service(&app, request.to_request()).await;
    let challenge = response.headers().get("www-authenticate");
    let challenge = challenge.map_or("", |challenge| challenge.to_str().unwrap());
    (response.status().as_u16(), challenge.to_owned())
}
