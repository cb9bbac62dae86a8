use super::*;
use auth0_axum::testing::Tenant;
use axum::{
    body::{Body, to_bytes},
    http::Request,
};
use tower::ServiceExt;

#[tokio::test]
async fn each_tenant_sees_only_its_own_data() {
    let (europe, america) = (Tenant::named("eu"), Tenant::named("us"));
    let untrusted = Tenant::named("ap");
    let builder = europe.builder_with([&america, &untrusted]);
    let auth = trusting(builder, europe.issuer(), america.issuer()).build().unwrap();
    let orders = Orders::new(europe.issuer(), america.issuer());
    let token = |tenant: &Tenant| tenant.token().audience(europe.audience());
    let app = app(AppState { auth, orders });
    let call = async |path: &str, token: String| {
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.into()).unwrap())
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
