//! Tokens that name a key which is not known: after a rotation, or invented.
use crate::common::{
    SECOND, fetches, long_lived, spawn_verdict, until, verdict, verdict_at_once, with_unknown_key,
};
use auth0_core::ErrorCode;
use auth0_testing::{Failure, Tenant};
use std::time::Duration;

#[tokio::test]
async fn the_first_token_of_a_new_key_fetches_the_rotation() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let old = tenant.token().mint();
    assert_eq!(verdict(&auth, &old).await, None);
    tenant.rotate_keys();
    let new = tenant.token().mint();
    assert_eq!(verdict(&auth, &new).await, None);
    assert_eq!(fetches(&tenant).1, 2);
    assert_eq!(verdict(&auth, &old).await, None, "the old key is still published");
    assert_eq!(fetches(&tenant).1, 2);

    // A second rotation in the same minute.
    tenant.rotate_keys();
    assert_eq!(verdict(&auth, &tenant.token().mint()).await, None);
}

#[tokio::test]
async fn a_hundred_first_tokens_of_a_new_key_share_one_fetch() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    tenant.rotate_keys();
    let token = tenant.token().mint();
    let tasks: Vec<_> = (0..100).map(|_| spawn_verdict(&auth, &token)).collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), None);
    }
    assert_eq!(fetches(&tenant).1, 2);
}

/// A key that the issuer has does not use up the budget of unknown keys.
#[tokio::test]
async fn an_issuer_may_rotate_every_second() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    for round in 0..50 {
        tenant.rotate_keys();
        let token = long_lived(&tenant);
        if round % 3 == 1 {
            tenant.fail(Failure::Status(500));
            assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::KeysUnavailable));
            tenant.recover();
        }
        tenant.clock().advance(SECOND);
        assert_eq!(verdict(&auth, &token).await, None, "round {round}");
    }
}

/// A key is published while a fetch is in progress: that fetch may have missed it.
#[tokio::test]
async fn a_fetch_that_began_before_the_key_was_published_does_not_decide() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    let before = tenant.fetches().key_set;
    let early = spawn_verdict(&auth, &with_unknown_key(&tenant));
    until(|| tenant.fetches().key_set == before + 1).await;
    tenant.rotate_keys(); // after the document was read, before it has arrived
    assert_eq!(verdict(&auth, &long_lived(&tenant)).await, None);
    assert_eq!(early.await.unwrap(), Some(ErrorCode::KeyUnknown));
}

#[tokio::test]
async fn a_failure_does_not_use_up_the_budget_of_a_rotation() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    let unknown = with_unknown_key(&tenant);
    assert_eq!(verdict(&auth, &unknown).await, Some(ErrorCode::KeyUnknown));
    tenant.rotate_keys();
    tenant.fail(Failure::Unreachable);
    let token = long_lived(&tenant);
    assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::KeysUnavailable));
    tenant.recover();
    tenant.clock().advance(Duration::from_millis(250));
    assert_eq!(verdict(&auth, &token).await, None);
}

#[tokio::test]
async fn an_unknown_key_just_before_a_rotation_does_not_delay_it() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    let unknown = with_unknown_key(&tenant);
    assert_eq!(verdict(&auth, &unknown).await, Some(ErrorCode::KeyUnknown));
    tenant.rotate_keys();
    assert_eq!(verdict(&auth, &long_lived(&tenant)).await, None);
}

#[tokio::test]
async fn a_rotation_during_a_flood_is_noticed_within_five_seconds() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let known = long_lived(&tenant);
    assert_eq!(verdict(&auth, &known).await, None);
    let mut seen_after = None;
    for tick in 0..1000u32 {
        let unknown = tenant.token().header("kid", format!("made-up-{tick}")).mint();
        assert_eq!(verdict(&auth, &unknown).await, Some(ErrorCode::KeyUnknown));
        assert_eq!(verdict_at_once(&auth, &known), Some(Ok(())), "known keys are not delayed");
        if tick == 100 {
            tenant.rotate_keys();
        }
        if tick >= 100
            && seen_after.is_none()
            && verdict(&auth, &long_lived(&tenant)).await.is_none()
        {
            seen_after = Some((tick - 100) * 10);
        }
        tenant.clock().advance(Duration::from_millis(10));
    }
    assert!(seen_after.is_some_and(|millis| millis <= 5000), "{seen_after:?} ms");
    assert_eq!(tenant.fetches().key_set, 1 + 3, "the rotation adds none");
}

#[tokio::test]
async fn unknown_keys_cause_few_fetches_and_delay_a_rotation_by_seconds() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    for number in 0..1000 {
        let unknown = tenant.token().header("kid", format!("made-up-{number}")).mint();
        assert_eq!(verdict(&auth, &unknown).await, Some(ErrorCode::KeyUnknown));
    }
    assert!(fetches(&tenant).1 <= 3, "{:?}", tenant.fetches());

    // During the flood, a rotation is noticed after the cooldown.
    tenant.rotate_keys();
    let token = tenant.token().mint();
    tenant.clock().advance(Duration::from_secs(6));
    assert_eq!(verdict(&auth, &token).await, None);

    // A flood of ten minutes: at most one fetch each five seconds.
    let before = fetches(&tenant).1;
    let unknown = with_unknown_key(&tenant);
    for _ in 0..600 {
        for _ in 0..3 {
            verdict(&auth, &unknown).await;
        }
        tenant.clock().advance(Duration::from_secs(1));
    }
    let caused = fetches(&tenant).1 - before;
    assert!(caused <= 600 / 5 + 4, "{caused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tokens_of_an_unknown_key_at_once_cause_few_fetches() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let token = tenant.token().header("kid", format!("made-up-{number}")).mint();
            spawn_verdict(&auth, &token)
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Some(ErrorCode::KeyUnknown));
    }
    assert!(fetches(&tenant).1 <= 3, "{:?}", tenant.fetches());
}

/// Beyond the budget, a token does not wait either.
#[tokio::test]
async fn an_unknown_key_over_budget_is_refused_at_once() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    let unknown = with_unknown_key(&tenant);
    verdict(&auth, &unknown).await;
    verdict(&auth, &unknown).await;
    assert_eq!(verdict_at_once(&auth, &unknown), Some(Err(ErrorCode::KeyUnknown)));
}
