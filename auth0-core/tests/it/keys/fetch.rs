//! Fetches: one for many requests, whatever becomes of those requests and their runtimes.
use crate::common::{
    MINUTE, SECOND, fetches, long_lived, poll_once, runtime, settle, spawn_verdict, verdict,
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
    assert!(tenant.fetches().key_set <= 4, "{:?}", tenant.fetches());
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
    assert!(poll_once(auth.verify(&token)).is_pending(), "it waits for the fetch");
    assert_eq!(verdict(&auth, &token).await, None, "a request after the leader is gone");
    assert_eq!(fetches(&tenant), (1, 1), "has the leader's fetch");
}

#[tokio::test]
async fn waiters_outlive_an_aborted_leader() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().mint();
    let leader = spawn_verdict(&auth, &token);
    tokio::task::yield_now().await; // the leader begins
    let waiters: Vec<_> = (0..10).map(|_| spawn_verdict(&auth, &token)).collect();
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
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
    tenant.clock().advance(MINUTE);
    assert_eq!(runtime().block_on(verdict(&auth, &token)), None);
}

/// A worker whose handler blocks: its runtime lives, and runs nothing.
#[test]
fn a_blocked_runtime_blocks_no_request_on_another() {
    let leader = runtime();
    let other = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = long_lived(&tenant);
    let lead = || {
        let _entered = leader.enter();
        assert!(poll_once(auth.verify(&token)).is_pending());
    };

    lead();
    other.block_on(async {
        assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::KeysUnavailable));
        tenant.clock().advance(2 * SECOND);
        assert_eq!(verdict(&auth, &token).await, None, "the next one has a fetch of its own");
    });

    tenant.clock().advance(11 * MINUTE);
    lead();
    other.block_on(async {
        let began = tokio::time::Instant::now();
        assert_eq!(verdict(&auth, &token).await, None, "there are keys");
        assert!(began.elapsed() <= SECOND, "{:?}", began.elapsed());
    });
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().mint();
    match poll_once(auth.verify(&token)) {
        Poll::Ready(Err(error)) => assert_eq!(error.code(), ErrorCode::KeysUnavailable),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_dropped_verifier_leaves_no_task_behind() {
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = alive();
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
        assert_eq!(alive(), before + 1, "the task that waits for the next refresh");
        drop(auth);
        settle().await;
        assert_eq!(alive(), before);
    }
}
