//! Fetches: one for many requests, whatever becomes of those requests and their runtimes.
use crate::common::{
    MINUTE, SECOND, fetches, long_lived, pass, poll_once, runtime, settle, spawn_verdict, verdict,
};
use auth0_core::ErrorCode;
use auth0_testing::{Failure, Tenant};
use std::task::Poll;

#[tokio::test]
async fn nothing_is_fetched_before_the_first_token() {
    let tenant = Tenant::new();
    tenant.fail(Failure::Unreachable);
    let auth = tenant.auth0();
    settle().await;
    assert_eq!(fetches(&tenant), (0, 0));
    assert_eq!(verdict(&auth, &tenant.token().mint()).await, Some(ErrorCode::KeysUnavailable));
}

#[tokio::test]
async fn a_hundred_cold_requests_cause_one_fetch() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().mint();
    let tasks: Vec<_> = (0..100).map(|_| spawn_verdict(&auth, &token)).collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), None);
    }
    assert_eq!(fetches(&tenant), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_cold_requests_cause_one_fetch_on_many_threads() {
    for _ in 0..20 {
        let tenant = Tenant::new();
        let auth = tenant.auth0();
        let token = tenant.token().mint();
        let tasks: Vec<_> = (0..100).map(|_| spawn_verdict(&auth, &token)).collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), None);
        }
        assert_eq!(fetches(&tenant), (1, 1));
    }
}

#[tokio::test]
async fn a_thousand_calls_of_refresh_share_their_fetches() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    let calls: Vec<_> = (0..1000)
        .map(|_| {
            let auth = auth.clone();
            tokio::spawn(async move { auth.refresh().await.is_ok() })
        })
        .collect();
    for call in calls {
        assert!(call.await.unwrap());
    }
    assert!(tenant.fetches().key_set <= 100, "{:?}", tenant.fetches());
}

/// With keys, a verification never waits.
#[tokio::test]
async fn with_keys_the_first_poll_is_the_last() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    let token = long_lived(&tenant);
    assert!(matches!(poll_once(auth.verify(&token)), Poll::Ready(Ok(_))));
}

#[tokio::test]
async fn a_cancelled_leader_leaves_its_fetch_to_others() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().mint();
    tenant.hold();
    assert!(poll_once(auth.verify(&token)).is_pending(), "it waits for the fetch");
    settle().await;
    tenant.release();
    assert_eq!(verdict(&auth, &token).await, None, "a request after the leader is gone");
    assert_eq!(fetches(&tenant), (1, 1), "has the leader's fetch");
}

#[tokio::test]
async fn waiters_outlive_an_aborted_leader() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().mint();
    tenant.hold();
    let leader = spawn_verdict(&auth, &token);
    settle().await;
    let waiters: Vec<_> = (0..10).map(|_| spawn_verdict(&auth, &token)).collect();
    settle().await;
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    tenant.release();
    for waiter in waiters {
        assert_eq!(waiter.await.unwrap(), None);
    }
    assert_eq!(fetches(&tenant), (1, 1));
}

#[test]
fn a_runtime_that_is_shut_down_during_a_fetch_does_not_poison_the_verifier() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().mint();
    tenant.fail(Failure::Hang);
    let first = runtime();
    first.block_on(async {
        assert!(poll_once(auth.verify(&token)).is_pending());
        settle().await;
    });
    drop(first);
    tenant.recover();
    runtime().block_on(async {
        pass(&tenant, MINUTE).await; // the fetch's deadline
        pass(&tenant, 2 * SECOND).await; // the back-off
        assert_eq!(verdict(&auth, &token).await, None);
    });
}

/// A token that an application keeps does not keep the keys of its issuer.
#[tokio::test]
async fn a_kept_token_does_not_keep_the_keys_refreshed() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let kept = auth.verify(&long_lived(&tenant)).await.unwrap();
    drop(auth);
    for _ in 0..120 {
        pass(&tenant, MINUTE).await;
    }
    assert_eq!(fetches(&tenant), (1, 1), "in two hours");
    assert_eq!(kept.issuer(), tenant.issuer());
}

#[tokio::test]
async fn a_dropped_verifier_fetches_no_more() {
    for fails in [false, true] {
        let tenant = Tenant::new();
        let auth = tenant.auth0();
        if fails {
            tenant.fail(Failure::Unreachable);
        }
        let _ = auth.warm_up().await;
        for _ in 0..20 {
            let _ = auth.refresh().await;
            tenant.clock().advance(3 * SECOND);
        }
        settle().await;
        let before = fetches(&tenant);
        drop(auth);
        for _ in 0..60 {
            pass(&tenant, MINUTE).await;
        }
        assert_eq!(fetches(&tenant), before);
    }
}
