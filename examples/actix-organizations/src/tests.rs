use super::*;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use auth0_actix::testing::Tenant;

#[actix_web::test]
async fn each_organization_sees_its_own() {
    let tenant = Tenant::new();
    let ann = || tenant.token().subject("auth0|ann");
    let acme = ann().organization("org_acme", "acme").mint();
    let bob = tenant.token().subject("auth0|bob").organization("org_acme", "acme").mint();
    let other = ann().organization("org_other", "other").mint();
    let nobody = ann().mint();
    let app = (tenant.auth0(), Projects::default());
    for (method, path, token, status, content) in [
        ("GET", "/me", &acme, 200, "org_acme"),
        ("GET", "/me", &nobody, 200, "nobody's"),
        ("GET", "/orgs/org_acme/projects", &acme, 200, ""),
        ("POST", "/orgs/org_acme/projects", &acme, 200, "rocket"),
        ("GET", "/orgs/org_acme/projects", &acme, 200, "rocket"),
        ("GET", "/orgs/acme/projects", &acme, 200, "rocket"),
        ("GET", "/orgs/org_acme/projects", &bob, 200, "rocket"),
        // One organization's token does not reach another one's data.
        ("GET", "/orgs/org_acme/projects", &other, 403, "organization_mismatch"),
        ("POST", "/orgs/org_acme/projects", &other, 403, "organization_mismatch"),
        ("GET", "/orgs/org_acme/projects", &nobody, 403, "organization_mismatch"),
        ("GET", "/orgs/org_other/projects", &other, 200, ""),
        // Who is a member, only the application knows.
        ("GET", "/orgs/org_acme/projects/rocket", &acme, 200, "rocket, opened by auth0|ann"),
        ("GET", "/orgs/org_acme/projects/rocket", &bob, 403, "requirement_not_met"),
        ("GET", "/orgs/org_acme/projects/rocket", &other, 403, "organization_mismatch"),
        ("GET", "/orgs/org_other/projects/rocket", &other, 403, "requirement_not_met"),
    ] {
        let (got, body) = call(&app, method, path, token).await;
        let case = format!("{method} {path}: {got} {body}");
        assert_eq!(got, status, "{case}");
        if status == 200 {
            assert_eq!(body, content, "{case}");
        } else {
            assert!(body.contains(&format!("\"error_code\":\"{content}\"")), "{case}");
        }
    }
}

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
