use super::*;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use auth0_actix::testing::Tenant;
use std::time::Duration;

#[actix_web::test]
async fn each_customer_has_its_own_host() {
    let (acme, globex) = (Tenant::named("acme"), Tenant::named("globex"));
    let customers = Customers::default();
    customers.add("acme", acme.issuer());
    let auth = trusting(acme.builder_with([&globex]), customers.clone()).build().unwrap();
    let orders = Orders::new(acme.issuer(), globex.issuer());
    let token = |tenant: &Tenant| tenant.token().audience(acme.audience()).subject("auth0|ann");
    let app = init_service(App::new().configure(routes(auth, orders))).await;
    let call = async |host: &str, path: &str, tenant: &Tenant| {
        let authorization = format!("Bearer {}", token(tenant).mint());
        let request = TestRequest::with_uri(path).insert_header(("host", host));
        let request = request.insert_header(("authorization", authorization));
        let response = call_service(&app, request.to_request()).await;
        let status = response.status().as_u16();
        (status, String::from_utf8(read_body(response).await.into()).unwrap())
    };
    assert_eq!(call("globex.localhost:3000", "/orders", &globex).await.0, 401, "no customer yet");
    // A customer is added while the service runs. The resolver is asked again after ten seconds.
    customers.add("globex", globex.issuer());
    acme.clock().advance(Duration::from_secs(10));
    for (tenant, host, expected) in [
        (&acme, "acme.localhost:3000", "rocket, fuel"),
        (&globex, "globex.localhost:3000", "anvil, glue"),
    ] {
        assert_eq!(call(host, "/orders", tenant).await, (200, expected.to_owned()));
        let whose = format!("auth0|ann of {}", tenant.issuer());
        assert_eq!(call(host, "/me", tenant).await, (200, whose));
    }
    // A token is accepted at the host of its own customer only.
    for host in ["globex.localhost:3000", "initech.localhost:3000", "localhost:3000"] {
        let (status, body) = call(host, "/orders", &acme).await;
        assert_eq!(status, 401, "{host}");
        assert!(body.contains("issuer_mismatch"), "{host}: {body}");
    }
}
