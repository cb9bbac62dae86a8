//! What verifiers do in the background: fetches, refreshes and timers, on the thread `auth0-fetch`.
use auth0_testing::Tenant;
use std::{
    thread,
    time::{Duration, Instant},
};

/// A condition that does not hold after this long never will.
const LIMIT: Duration = Duration::from_secs(20);

/// Waits until the work in the background has come to its end.
///
/// This and [`until`] are the only places that know where that work runs.
pub(crate) async fn settle() {
    Tenant::named("settle").settle().await;
}

/// Waits until a condition holds that the work in the background brings about.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < LIMIT, "the condition was never met");
        tokio::task::yield_now().await;
        thread::yield_now();
    }
}

/// Advances the tenant's clock, and waits for what has become due.
pub(crate) async fn pass(tenant: &Tenant, time: Duration) {
    tenant.clock().advance(time);
    settle().await;
}
