//! Limits, mistakes and deadlines in the details.
use crate::kit::{API, SECRET, Wire, acme, builder, client};
use auth0_client::ErrorKind;
use auth0_local::{Client as Registered, Document, Endpoint, Factor, Fault, User};
use std::time::Duration;

/// `Retry-After: 0` is obeyed a few times, and not until the deadline.
#[tokio::test]
async fn a_limit_that_ends_at_once() {
    let tenant = acme().start().await.unwrap();
    let wire = Wire::in_steps_of(Duration::from_millis(25));
    tenant.set_fault(Endpoint::Token, Fault::rate_limited(Duration::ZERO));
    let service = builder(&tenant, "service").client_secret(SECRET).http_client(wire.clone());
    let source = service.build().unwrap().machine(API).build().unwrap();
    let error = wire.run(&tenant, source.token()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Throttled, "{error}");
    let sent = tenant.stats().token.total();
    assert!(sent <= 11, "{sent} requests in 10 seconds");
}

#[tokio::test]
async fn the_last_audience_counts() {
    let tenant = acme().start().await.unwrap();
    let service = client(&tenant, "service");
    let grant = service.grant("client_credentials").audience("https://unknown.test").audience(API);
    grant.send().await.unwrap();
}

/// A user who refuses a push notification gets the code of a wrong one-time password.
#[tokio::test]
async fn a_notification_that_is_refused() {
    let grants = ["password", "http://auth0.com/oauth/grant-type/mfa-oob"];
    let user = User::new("auth0|push").email("push@mfa.test").password("pa55");
    let tenant = acme()
        .user(user.factor(Factor::push()))
        .client(Registered::confidential("shop", SECRET).grant_types(grants))
        .start()
        .await
        .unwrap();
    let shop = client(&tenant, "shop");
    let grant = shop.grant("password").parameter("username", "push@mfa.test");
    let error = grant.parameter("password", "pa55").send().await.unwrap_err();
    let mfa = shop.mfa(error.mfa().unwrap());
    let challenge = mfa.challenge(None).await.unwrap();
    tenant.deny(&tenant.pending_requests()[0].id).unwrap();
    let error = mfa.verify_challenge(&challenge, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
}

/// Metadata that is late for one call is read again for another. `concurrency` has the same test with known metadata.
#[tokio::test]
async fn a_call_with_less_time_does_not_end_another() {
    let tenant = acme().start().await.unwrap();
    let service = client(&tenant, "service");
    tenant.set_fault(Document::Metadata, Fault::slow(Duration::from_millis(150)));
    let short = service.machine(API).deadline(Duration::from_millis(60)).build().unwrap();
    let long = service.machine(API).build().unwrap();
    let (short, long) = tokio::join!(short.token(), long.token());
    assert_eq!(short.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
    long.unwrap();
}
