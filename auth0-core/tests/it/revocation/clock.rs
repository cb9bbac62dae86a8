//! Clocks that are wrong, and machines that are suspended.
use super::{
    code, is_revoked,
    store::{Mode, Table, until},
};
use crate::common::HOUR;
use auth0_core::{ErrorCode, Revocations, time::Clock};
use auth0_testing::{ManualClock, Tenant};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// A clock whose time can be set, and goes on while the machine is suspended. Its monotonic time is neither.
#[derive(Clone, Debug)]
struct Settable {
    clock: ManualClock,
    ahead: Arc<AtomicU64>,
}

impl Settable {
    fn of(tenant: &Tenant) -> Self {
        Self { clock: tenant.clock().clone(), ahead: Arc::default() }
    }

    fn set_ahead(&self, time: Duration) {
        self.ahead.store(time.as_secs(), Ordering::Relaxed);
    }
}

impl Clock for Settable {
    fn unix_time(&self) -> Duration {
        self.clock.unix_time() + Duration::from_secs(self.ahead.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }
}

#[tokio::test]
async fn the_state_of_a_machine_that_was_suspended_is_old() {
    let (tenant, table) = (Tenant::new(), Table::default());
    let revocations = Revocations::with_store(table.clone());
    let clock = Settable::of(&tenant);
    let auth = tenant.builder().revocations(&revocations).clock(clock.clone()).build().unwrap();
    let token = tenant.token().subject("auth0|ann").expires_in(24 * HOUR).mint();
    assert!(code(&auth, &token).await.is_ok());
    table.set(Mode::Hangs);
    clock.set_ahead(HOUR);
    let refused = code(&auth, &token).await.unwrap_err();
    assert_eq!(refused, ErrorCode::RevocationsUnavailable);
    // A clock that is set back makes nothing old.
    table.set(Mode::Works);
    until(|| async { code(&auth, &token).await.is_ok() }).await;
    clock.set_ahead(Duration::ZERO);
    assert!(code(&auth, &token).await.is_ok());
}

/// What it reads at its start seems to have expired, and gives way to what it reads after it.
#[tokio::test]
async fn a_machine_that_starts_ahead_reads_again_when_its_clock_is_set() {
    let (tenant, table) = (Tenant::new(), Table::default());
    let [one, two] = [0, 1].map(|_| Revocations::with_store(table.clone()));
    let of_one = tenant.builder().revocations(&one).build().unwrap();
    for number in 0..200 {
        one.revoke_subject(tenant.issuer(), format!("auth0|{number}")).await.unwrap();
    }
    let clock = Settable::of(&tenant);
    clock.set_ahead(400 * 24 * HOUR);
    let of_two = tenant.builder().revocations(&two).clock(clock.clone()).build().unwrap();
    let later = tenant.token().subject("auth0|bob").expires_in(500 * 24 * HOUR).mint();
    assert!(code(&of_two, &later).await.is_ok(), "it has read the store");
    assert!(one.count() == 200 && two.count() < 200);
    clock.set_ahead(Duration::ZERO);
    until(|| async { two.count() == 200 }).await;
    let first = tenant.token().subject("auth0|0");
    assert!(is_revoked(&of_one, &first).await && is_revoked(&of_two, &first).await);
}

#[tokio::test]
async fn a_clock_that_is_wrong_for_a_moment_removes_nothing() {
    let tenant = Tenant::new();
    let revocations = Revocations::in_memory();
    let clock = Settable::of(&tenant);
    let auth = tenant.builder().revocations(&revocations).clock(clock.clone()).build().unwrap();
    let revoke = |number: usize| {
        let subject = format!("auth0|{number}");
        let (revocations, issuer) = (&revocations, tenant.issuer());
        async move { revocations.revoke_subject(issuer, subject).await.unwrap() }
    };
    for number in 0..40 {
        revoke(number).await;
    }
    clock.set_ahead(40 * 24 * HOUR);
    for number in 40..200 {
        revoke(number).await;
    }
    clock.set_ahead(Duration::ZERO);
    assert_eq!(revocations.count(), 200);
    assert!(is_revoked(&auth, &tenant.token().subject("auth0|0")).await);
}
