use super::*;
use auth0_axum::testing::{Failure, Tenant};
use axum::{body::Body, http::Request};
use std::time::Duration;
use tower::ServiceExt;

async fn status(app: &Router, path: &str) -> u16 {
    let request = Request::get(path).body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap().status().as_u16()
}

#[tokio::test]
async fn ready_while_there_are_usable_keys() {
    let tenant = Tenant::new();
    let app = app(tenant.auth0());
    tenant.fail(Failure::Unreachable);
    assert_eq!(status(&app, "/livez").await, 200);
    assert_eq!(status(&app, "/readyz").await, 503, "no keys yet");

    tenant.recover();
    tenant.clock().advance(Duration::from_secs(2));
    assert_eq!(status(&app, "/readyz").await, 200);

    tenant.fail(Failure::Unreachable);
    tenant.clock().advance(Duration::from_secs(60 * 60));
    assert_eq!(status(&app, "/readyz").await, 200, "old keys are still used");

    tenant.clock().advance(Duration::from_secs(25 * 60 * 60));
    assert_eq!(status(&app, "/readyz").await, 503, "the keys are too old");
    assert_eq!(status(&app, "/livez").await, 200);
}
