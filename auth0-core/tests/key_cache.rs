//! When keys are fetched: once for many, again for an unknown one, never for a flood.
#![allow(clippy::unwrap_used, clippy::expect_used)]
use auth0_core::{
    Auth0, ErrorCode,
    testing::{Document, Failure, SigningKey, Tenant},
};
use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

const MINUTE: Duration = Duration::from_secs(60);

async fn verdict(auth: &Auth0, token: &str) -> Option<ErrorCode> {
    auth.verify(token).await.err().map(|error| error.code())
}

/// Lets a fetch in the background come to its end.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

fn fetches(tenant: &Tenant) -> (usize, usize) {
    let fetches = tenant.fetches();
    (fetches.metadata, fetches.key_set)
}

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
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let (auth, token) = (auth.clone(), token.clone());
            tokio::spawn(async move { verdict(&auth, &token).await })
        })
        .collect();
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
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let (auth, token) = (auth.clone(), token.clone());
                tokio::spawn(async move { verdict(&auth, &token).await })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), None);
        }
        assert_eq!(fetches(&tenant), (1, 1));
    }
}

#[tokio::test]
async fn a_cancelled_leader_strands_nobody() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().mint();
    {
        let mut leader = pin!(auth.verify(&token));
        let mut context = Context::from_waker(Waker::noop());
        assert!(leader.as_mut().poll(&mut context).is_pending(), "it waits for the fetch");
    }
    assert_eq!(verdict(&auth, &token).await, None, "a follower after the leader is gone");
    assert_eq!(fetches(&tenant), (1, 1), "gets the leader's fetch");
}

#[tokio::test]
async fn followers_outlive_an_aborted_leader() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().mint();
    let spawn = || {
        let (auth, token) = (auth.clone(), token.clone());
        tokio::spawn(async move { verdict(&auth, &token).await })
    };
    let leader = spawn();
    tokio::task::yield_now().await;
    let followers: Vec<_> = (0..10).map(|_| spawn()).collect();
    leader.abort();
    assert!(leader.await.unwrap_err().is_cancelled());
    for follower in followers {
        assert_eq!(follower.await.unwrap(), None);
    }
    assert_eq!(fetches(&tenant), (1, 1));
}

#[test]
fn a_runtime_that_is_shut_down_during_a_fetch_does_not_poison_the_verifier() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().mint();
    tenant.fail(Failure::Hang);
    let first = runtime();
    first.block_on(async {
        let mut leader = pin!(auth.verify(&token));
        let mut context = Context::from_waker(Waker::noop());
        assert!(matches!(leader.as_mut().poll(&mut context), Poll::Pending));
        settle().await;
    });
    drop(first);
    tenant.recover();
    tenant.clock().advance(MINUTE);
    assert_eq!(runtime().block_on(verdict(&auth, &token)), None);
}

#[tokio::test(start_paused = true)]
async fn a_hanging_fetch_ends_after_five_seconds() {
    for document in [Document::Metadata, Document::KeySet] {
        let tenant = Tenant::new();
        tenant.fail_at(document, Failure::Hang);
        let auth = tenant.auth0();
        let started = tokio::time::Instant::now();
        let token = tenant.token().mint();
        let error = auth.verify(&token).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::KeysUnavailable);
        assert_eq!(error.cause(), Some("it took too long"), "{document:?}");
        let passed = started.elapsed();
        assert!((5.0..5.1).contains(&passed.as_secs_f64()), "{document:?}: {passed:?}");

        tenant.recover();
        tenant.clock().advance(Duration::from_secs(2));
        assert_eq!(verdict(&auth, &token).await, None);
    }
}

#[tokio::test]
async fn a_rotation_is_picked_up_by_the_first_token_of_the_new_key() {
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

    // And again in the same minute.
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
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let (auth, token) = (auth.clone(), token.clone());
            tokio::spawn(async move { verdict(&auth, &token).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), None);
    }
    assert_eq!(fetches(&tenant).1, 2);
}

#[tokio::test]
async fn unknown_keys_cause_few_fetches_and_delay_a_rotation_by_seconds() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    for number in 0..1000 {
        let made_up = tenant.token().header("kid", format!("made-up-{number}")).mint();
        assert_eq!(verdict(&auth, &made_up).await, Some(ErrorCode::KeyUnknown));
    }
    assert!(fetches(&tenant).1 <= 3, "{:?}", tenant.fetches());

    // During the flood, a rotation is seen after the cooldown.
    tenant.rotate_keys();
    let token = tenant.token().mint();
    tenant.clock().advance(Duration::from_secs(6));
    assert_eq!(verdict(&auth, &token).await, None);

    // A flood over an hour: one fetch each five seconds at the most.
    let before = fetches(&tenant).1;
    let made_up = tenant.token().header("kid", "made-up").mint();
    for _ in 0..600 {
        for _ in 0..3 {
            verdict(&auth, &made_up).await;
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
            let auth = auth.clone();
            let token = tenant.token().header("kid", format!("made-up-{number}")).mint();
            tokio::spawn(async move { verdict(&auth, &token).await })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Some(ErrorCode::KeyUnknown));
    }
    assert!(fetches(&tenant).1 <= 3, "{:?}", tenant.fetches());
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
async fn keys_are_renewed_in_the_background_before_they_are_old() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let old = tenant.token().mint();
    assert_eq!(verdict(&auth, &old).await, None);
    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    tenant.clock().advance(8 * MINUTE);
    assert_eq!(verdict(&auth, &old).await, None, "this one does not wait");
    settle().await;
    assert_eq!(fetches(&tenant).1, 2);
    assert_eq!(verdict(&auth, &old).await, Some(ErrorCode::KeyUnknown));
}

#[tokio::test]
async fn old_keys_serve_while_the_issuer_fails_but_not_for_ever() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().expires_in(48 * 60 * MINUTE).mint();
    assert_eq!(verdict(&auth, &token).await, None);
    tenant.fail(Failure::Status(500));
    for _ in 0..23 {
        tenant.clock().advance(60 * MINUTE);
        assert_eq!(verdict(&auth, &token).await, None);
    }
    tenant.clock().advance(61 * MINUTE);
    assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::KeysUnavailable));
    tenant.recover();
    tenant.clock().advance(Duration::from_secs(2));
    assert_eq!(verdict(&auth, &token).await, None);
}

#[tokio::test]
async fn a_failing_issuer_is_not_hammered() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    tenant.fail(Failure::Status(500));
    let token = tenant.token().mint();
    for _ in 0..60 {
        for _ in 0..20 {
            assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::KeysUnavailable));
        }
        tenant.clock().advance(Duration::from_secs(1));
    }
    let asked = fetches(&tenant).0;
    assert!((20..40).contains(&asked), "{asked} in a minute");
}

#[tokio::test]
async fn a_wall_clock_that_is_set_back_does_not_make_keys_younger() {
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
async fn a_key_that_was_put_before_the_others_is_found_by_its_id() {
    let tenant = Tenant::new();
    let own = tenant.signing_key();
    tenant.add_key(tenant.stranger().with_id("custom"));
    let token = tenant.token().header("kid", own.id()).signed_by(&SigningKey::clone(&own)).mint();
    let auth = tenant.auth0();
    assert_eq!(verdict(&auth, &token.clone()).await, None);
    assert_eq!(verdict(&auth, &tenant.token().mint()).await, None);
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().mint();
    let mut future = pin!(auth.verify(&token));
    let mut context = Context::from_waker(Waker::noop());
    match future.as_mut().poll(&mut context) {
        Poll::Ready(Err(error)) => assert_eq!(error.code(), ErrorCode::KeysUnavailable),
        other => panic!("{other:?}"),
    }
}
