//! What verifiers do in the background: fetches, refreshes and timers.
use auth0_core::testing::Tenant;
use std::time::Duration;

/// Lets the work in the background come to its end.
///
/// This and [`until`] are the only places that know where that work runs.
pub(crate) async fn settle() {
    for _ in 0..30 {
        tokio::task::yield_now().await;
    }
}

/// Lets the work in the background continue until `condition` holds.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if condition() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("the condition was never met");
}

/// Advances the tenant's clock, and lets what has become due come to its end.
pub(crate) async fn pass(tenant: &Tenant, time: Duration) {
    tenant.clock().advance(time);
    settle().await;
}
