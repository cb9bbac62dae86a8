use super::*;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use auth0_actix::testing::Tenant;

#[actix_web::test]
async fn each_tenant_sees_only_its_own_data() {
    let (europe, america) = (Tenant::named("eu"), Tenant::named("us"));
    let untrusted = Tenant::named("ap");
    let builder = europe.builder_with([&america, &untrusted]);
    let auth = trusting(builder, europe.issuer(), america.issuer()).build().unwrap();
    let orders = Orders::new(europe.issuer(), america.issuer());
    let token = |tenant: &Tenant| tenant.token().audience(europe.audience());
    let app = init_service(App::new().configure(routes(auth, orders))).await;
    let call = async |path: &str, token: String| {
        let request = TestRequest::with_uri(path);
        let request = request.insert_header(("authorization", format!("Bearer {token}")));
        let response = call_service(&app, request.to_request()).await;
        let status = response.status().as_u16();
        (status, String::from_utf8(read_body(response).await.into()).unwrap())
    };
    for (tenant, expected) in [(&europe, "rocket, fuel"), (&america, "anvil, glue")] {
        let ann = token(tenant).subject("auth0|ann").mint();
        assert_eq!(call("/orders", ann.clone()).await, (200, expected.to_owned()));
        let whose = format!("auth0|ann of {}", tenant.issuer());
        assert_eq!(call("/me", ann).await, (200, whose));
    }
    let (status, body) = call("/orders", token(&untrusted).mint()).await;
    assert_eq!(status, 401);
    assert!(body.contains("issuer_mismatch"), "{body}");
    // Only one of them has a leeway.
    let ending = |tenant| token(tenant).expires_in(Duration::ZERO).mint();
    assert_eq!(call("/orders", ending(&europe)).await.0, 200);
    assert_eq!(call("/orders", ending(&america)).await.0, 401);
}
