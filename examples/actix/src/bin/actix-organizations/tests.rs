use super::*;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use auth0_actix::testing::Tenant;

#[actix_web::test]
async fn each_organization_sees_only_its_own_data() {
    let tenant = Tenant::new();
    let app = (tenant.auth0(), Projects::default());
    let acme = tenant.token().organization("org_acme", "acme").mint();
    let other = tenant.token().organization("org_other", "other").mint();
    for (method, path, token, status, content) in [
        ("POST", "/orgs/org_acme/projects", &acme, 200, "rocket"),
        ("GET", "/orgs/org_acme/projects", &acme, 200, "rocket"),
        ("GET", "/orgs/org_acme/projects", &other, 403, "organization_mismatch"),
    ] {
        let (got, body) = call(&app, method, path, token).await;
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
    let (_, projects) = call(&app, "GET", "/orgs/org_other/projects", &other).await;
    assert_eq!(projects, "");
    let (_, organization) = call(&app, "GET", "/me", &acme).await;
    assert_eq!(organization, "org_acme");
}

/// Only the application knows the members of a project.
#[actix_web::test]
async fn only_members_open_a_project() {
    let tenant = Tenant::new();
    let app = (tenant.auth0(), Projects::default());
    let ann = tenant.token().subject("auth0|ann").organization("org_acme", "acme").mint();
    let bob = tenant.token().subject("auth0|bob").organization("org_acme", "acme").mint();
    let other = tenant.token().subject("auth0|ann").organization("org_other", "other").mint();
    call(&app, "POST", "/orgs/org_acme/projects", &ann).await;
    for (token, status, content) in [
        (&ann, 200, "rocket, opened by auth0|ann"),
        (&bob, 403, "requirement_not_met"),
        (&other, 403, "organization_mismatch"),
    ] {
        let (got, body) = call(&app, "GET", "/orgs/org_acme/projects/rocket", token).await;
        assert_eq!(got, status, "{body}");
        if status < 300 {
            assert_eq!(body, content, "{body}");
        } else {
            assert!(body.contains(&format!("\"error_code\":\"{content}\"")), "{body}");
        }
    }
}

/// Returns the status and the body.
async fn call(app: &(Auth0, Projects), method: &str, path: &str, token: &str) -> (u16, String) {
    let (auth, projects) = app.clone();
    let app = init_service(App::new().configure(routes(auth, projects))).await;
    let request = TestRequest::with_uri(path)
        .method(method.parse().unwrap())
        .insert_header(("authorization", format!("Bearer {token}")))
        .set_payload("rocket");
    let response = call_service(&app, request.to_request()).await;
    let status = response.status().as_u16();
    (status, String::from_utf8(read_body(response).await.into()).unwrap())
}
