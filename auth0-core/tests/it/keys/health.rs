//! What a verifier reports of its keys.
use crate::common::{HOUR, MINUTE, pass};
use auth0_core::Health;
use auth0_testing::{Failure, Tenant};

#[tokio::test]
async fn health_reports_the_state_of_the_keys() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    assert_eq!(auth.health(), Health::Idle);
    assert!(!auth.health().is_available());
    auth.warm_up().await.unwrap();
    tenant.clock().advance(MINUTE);
    assert!(matches!(auth.health(), Health::Ready { age: MINUTE, .. }), "{:?}", auth.health());

    tenant.fail(Failure::Status(500));
    pass(&tenant, 8 * MINUTE).await;
    assert!(
        matches!(auth.health(), Health::Ready { .. }),
        "the issuer fails, and the keys are fresh"
    );
    pass(&tenant, 2 * MINUTE).await;
    let Health::Stale { age, error, .. } = auth.health() else { panic!("{:?}", auth.health()) };
    let status = "status 500 at https://tenant.test/.well-known/openid-configuration";
    assert_eq!((age, error.as_str()), (11 * MINUTE, status));
    assert!(auth.health().is_available());
    auth.warm_up().await.unwrap();

    pass(&tenant, 24 * HOUR).await;
    let Health::Unavailable { error, .. } = auth.health() else { panic!("{:?}", auth.health()) };
    assert_eq!(error, status);
    assert!(!auth.health().is_available());
    auth.warm_up().await.unwrap_err();

    tenant.recover();
    pass(&tenant, MINUTE).await;
    auth.warm_up().await.unwrap();
    assert!(matches!(auth.health(), Health::Ready { .. }));
}
