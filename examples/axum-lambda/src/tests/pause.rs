//! AWS Lambda freezes a function between two requests: no timer runs, and the clocks jump.
use super::{Asked, invoke};
use crate::app;
use auth0_axum::{
    Health,
    auth0_core::time::Clock,
    testing::{Failure, ManualClock, Tenant},
};
use axum::Router;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// A good token, as a client has it after the pause.
async fn serves(app: &Router, tenant: &Tenant) -> u16 {
    let authorization = format!("Bearer {}", tenant.token().mint());
    let lines = [("authorization", &*authorization)];
    invoke(app.clone(), &Asked::get("/api/private", &lines)).await.status
}

#[tokio::test]
async fn two_hours_between_requests_change_nothing_for_a_good_token() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    let app = app(auth.clone());
    assert_eq!(serves(&app, &tenant).await, 200);
    let before = tenant.fetches();
    // The keys are stale, and are fetched anew: also one that has come meanwhile is known.
    tenant.rotate_keys();
    tenant.clock().advance(2 * HOUR);
    assert_eq!(serves(&app, &tenant).await, 200);
    tenant.settle().await;
    assert_eq!(tenant.fetches().key_set, before.key_set + 1);
    assert!(matches!(auth.health(), Health::Ready { .. }), "{:?}", auth.health());
}

/// The issuer fails after the pause: the keys of two hours ago still serve.
#[tokio::test]
async fn an_outage_after_the_pause_refuses_no_good_token() {
    let tenant = Tenant::new();
    let app = app(tenant.auth0());
    assert_eq!(serves(&app, &tenant).await, 200);
    tenant.fail(Failure::Unreachable);
    tenant.clock().advance(2 * HOUR);
    assert_eq!(serves(&app, &tenant).await, 200);
    tenant.recover();
    tenant.rotate_keys();
    tenant.clock().advance(2 * HOUR);
    assert_eq!(serves(&app, &tenant).await, 200, "there is no back-off left");
}

/// The pause interrupts a refresh in the background.
#[tokio::test]
async fn a_refresh_that_the_pause_interrupts_does_no_harm() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let app = app(auth.clone());
    assert_eq!(serves(&app, &tenant).await, 200);
    tenant.hold();
    let before = tenant.fetches();
    tenant.clock().advance(HOUR / 8);
    while tenant.fetches() == before {
        tokio::task::yield_now().await;
    }
    tenant.clock().advance(2 * HOUR);
    tenant.release();
    assert_eq!(serves(&app, &tenant).await, 200);
}

/// Where only the wall clock moves during the pause, the keys are as old as they were.
#[tokio::test]
async fn a_monotonic_clock_that_stands_still_changes_nothing() {
    let tenant = Tenant::new();
    let clock = WallClock { of: tenant.clock().clone(), frozen_at: Duration::ZERO };
    let app = app(tenant.builder().clock(clock).build().unwrap());
    assert_eq!(serves(&app, &tenant).await, 200);
    tenant.clock().advance(2 * HOUR);
    assert_eq!(serves(&app, &tenant).await, 200);
    tenant.rotate_keys();
    assert_eq!(serves(&app, &tenant).await, 200);
}

/// A clock whose monotonic time does not move.
#[derive(Debug)]
struct WallClock {
    of: ManualClock,
    frozen_at: Duration,
}

impl Clock for WallClock {
    fn unix_time(&self) -> Duration {
        self.of.unix_time()
    }

    fn monotonic(&self) -> Duration {
        self.frozen_at
    }
}
