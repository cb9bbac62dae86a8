use super::*;
use actix_web::test::{TestRequest, call_service, init_service};
use auth0_actix::testing::{Failure, Tenant};
use std::time::Duration;

#[actix_web::test]
async fn ready_while_there_are_usable_keys() {
    let tenant = Tenant::new();
    let auth = web::Data::new(tenant.auth0());
    let app = init_service(App::new().app_data(auth).configure(routes)).await;
    let status = async |path: &str| {
        let request = TestRequest::get().uri(path).to_request();
        call_service(&app, request).await.status().as_u16()
    };
    tenant.fail(Failure::Unreachable);
    assert_eq!(status("/livez").await, 200);
    assert_eq!(status("/readyz").await, 503, "no keys yet");

    tenant.recover();
    tenant.clock().advance(Duration::from_secs(2));
    assert_eq!(status("/readyz").await, 200);

    tenant.fail(Failure::Unreachable);
    tenant.clock().advance(Duration::from_secs(60 * 60));
    assert_eq!(status("/readyz").await, 200, "old keys are still used");

    tenant.clock().advance(Duration::from_secs(25 * 60 * 60));
    assert_eq!(status("/readyz").await, 503, "the keys are too old");
    assert_eq!(status("/livez").await, 200);
}
