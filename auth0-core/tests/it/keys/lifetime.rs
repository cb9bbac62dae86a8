//! How long keys serve while the issuer answers: refreshes, withdrawals and clocks.
use crate::common::{
    HOUR, MINUTE, SECOND, fetches, long_lived, pass, settle, until, verdict, verdict_at_once,
};
use auth0_core::{ErrorCode, Health, time::Clock};
use auth0_testing::{Failure, Tenant};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

#[tokio::test]
async fn at_expiry_a_thousand_requests_cause_one_fetch_and_none_waits() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = long_lived(&tenant);
    assert_eq!(verdict(&auth, &token).await, None);
    for _ in 0..30 {
        pass(&tenant, MINUTE).await;
        let before = tenant.fetches().key_set;
        for _ in 0..1000 {
            assert_eq!(verdict_at_once(&auth, &token), Some(Ok(())));
        }
        settle().await;
        assert!(tenant.fetches().key_set <= before + 1);
    }
    // One fetch each five to seven minutes; the last minute may add one.
    assert!((5..=7).contains(&tenant.fetches().key_set), "{:?}", tenant.fetches());
}

#[tokio::test]
async fn without_requests_keys_stay_fresh_and_the_first_request_does_not_wait() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    for _ in 0..60 {
        pass(&tenant, MINUTE).await;
    }
    assert_eq!(verdict_at_once(&auth, &long_lived(&tenant)), Some(Ok(())));
}

/// Neither `Retry-After` nor a failure ends the refreshes of an idle service.
#[tokio::test]
async fn an_idle_service_goes_on_refreshing() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = long_lived(&tenant);
    assert_eq!(verdict(&auth, &token).await, None);
    tenant.fail(Failure::RateLimited(120 * SECOND));
    auth.refresh().await.unwrap_err();
    tenant.recover();
    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    for _ in 0..20 {
        pass(&tenant, MINUTE).await;
    }
    assert!(matches!(auth.health(), Health::Ready { .. }), "{:?}", auth.health());
    assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::KeyUnknown));
}

#[tokio::test]
async fn keys_are_refreshed_in_the_background_before_they_are_stale() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let old = tenant.token().mint();
    assert_eq!(verdict(&auth, &old).await, None);
    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    tenant.hold();
    pass(&tenant, 8 * MINUTE).await;
    assert_eq!(verdict(&auth, &old).await, None, "it does not wait");
    tenant.release();
    settle().await;
    assert_eq!(fetches(&tenant).1, 2);
    assert_eq!(verdict(&auth, &old).await, Some(ErrorCode::KeyUnknown));
}

#[tokio::test]
async fn a_withdrawn_key_is_refused_after_ten_minutes() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let old = tenant.token().mint();
    assert_eq!(verdict(&auth, &old).await, None);
    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    tenant.clock().advance(10 * MINUTE);
    assert_eq!(verdict(&auth, &old).await, Some(ErrorCode::KeyUnknown));
    assert_eq!(verdict(&auth, &tenant.token().mint()).await, None);
}

#[tokio::test]
async fn a_withdrawn_key_is_refused_within_ten_minutes_and_at_once_after_refresh() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = long_lived(&tenant);
    assert_eq!(verdict(&auth, &token).await, None);
    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    assert_eq!(verdict(&auth, &token).await, None, "nothing has been fetched yet");
    auth.refresh().await.unwrap();
    assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::KeyUnknown));

    let token = long_lived(&tenant);
    assert_eq!(verdict(&auth, &token).await, None);
    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    for _ in 0..10 {
        pass(&tenant, MINUTE).await;
    }
    assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::KeyUnknown));
}

/// A process was frozen: no timer ran, and the keys are older than allowed.
#[tokio::test]
async fn after_a_long_sleep_a_withdrawn_key_is_refused() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = long_lived(&tenant);
    assert_eq!(verdict(&auth, &token).await, None);
    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    tenant.hold();
    tenant.clock().advance(HOUR);
    assert_eq!(verdict_at_once(&auth, &token), None, "it waits for fresh keys");
    tenant.release();
    assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::KeyUnknown));
}

/// A fetch that began before the key was withdrawn may have missed it.
#[tokio::test]
async fn refresh_does_not_join_a_fetch_that_began_before() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let warm_up = tokio::spawn({
        let auth = auth.clone();
        async move { auth.warm_up().await.is_ok() }
    });
    until(|| tenant.fetches().metadata == 1).await;
    auth.refresh().await.unwrap();
    assert!(warm_up.await.unwrap());
    assert_eq!(tenant.fetches().key_set, 2);
}

#[tokio::test]
async fn a_wall_clock_that_is_set_back_does_not_make_keys_fresh() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let old = tenant.token().claim("iat", 1_767_000_000).mint();
    assert_eq!(verdict(&auth, &old).await, None);
    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    tenant.clock().set_back(60 * MINUTE);
    tenant.clock().advance(10 * MINUTE);
    assert_eq!(verdict(&auth, &old).await, Some(ErrorCode::KeyUnknown));
}

#[tokio::test]
async fn a_monotonic_clock_that_goes_back_does_no_harm() {
    let tenant = Tenant::new();
    let clock = GoesBack(Arc::new(Mutex::new(HOUR)));
    let auth = tenant.builder().clock(clock.clone()).build().unwrap();
    assert_eq!(verdict(&auth, &long_lived(&tenant)).await, None);
    for time in [Duration::ZERO, 2 * HOUR, MINUTE, 3 * HOUR, Duration::ZERO] {
        *clock.0.lock().unwrap() = time;
        tenant.rotate_keys();
        settle().await;
        assert_eq!(verdict(&auth, &long_lived(&tenant)).await, None, "{time:?}");
    }
}

/// A clock whose monotonic time goes back, although none should.
#[derive(Clone, Debug, Default)]
struct GoesBack(Arc<Mutex<Duration>>);

impl Clock for GoesBack {
    fn unix_time(&self) -> Duration {
        Duration::from_secs(1_767_225_600)
    }
    fn monotonic(&self) -> Duration {
        *self.0.lock().unwrap()
    }
}
