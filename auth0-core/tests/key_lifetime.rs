//! The keys of an issuer over minutes, hours and outages.
#![allow(clippy::unwrap_used, clippy::panic, clippy::semicolon_if_nothing_returned)]
use auth0_core::{
    Auth0, Clock, ErrorCode, Health, HttpResponse,
    testing::{Document, Failure, Tenant},
};
use std::{
    future::Future,
    pin::pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);

async fn verdict(auth: &Auth0, token: &str) -> Option<ErrorCode> {
    auth.verify(token).await.err().map(|error| error.code())
}

/// The verdict if it comes without waiting for anything.
fn verdict_at_once(auth: &Auth0, token: &str) -> Option<Result<(), ErrorCode>> {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(auth.verify(token)).poll(&mut context) {
        Poll::Ready(result) => Some(result.map(drop).map_err(|error| error.code())),
        Poll::Pending => None,
    }
}

/// Lets what goes on in the background come to its end.
async fn settle() {
    for _ in 0..30 {
        tokio::task::yield_now().await;
    }
}

async fn pass(tenant: &Tenant, time: Duration) {
    tenant.clock().advance(time);
    settle().await;
}

fn day_token(tenant: &Tenant) -> String {
    tenant.token().expires_in(100 * HOUR).mint()
}

#[tokio::test]
async fn at_expiry_a_thousand_requests_cause_one_fetch_and_none_waits() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = day_token(&tenant);
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
    // Every five to seven minutes, the last of these minutes included or not.
    assert!((5..=7).contains(&tenant.fetches().key_set), "{:?}", tenant.fetches());
}

#[tokio::test]
async fn without_any_request_keys_stay_fresh_and_the_first_one_does_not_wait() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    for _ in 0..60 {
        pass(&tenant, MINUTE).await;
    }
    assert_eq!(verdict_at_once(&auth, &day_token(&tenant)), Some(Ok(())));
}

/// A process that was frozen: no timer ran, and the keys are older than they may be.
#[tokio::test]
async fn after_a_long_sleep_a_withdrawn_key_is_not_good_any_more() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = day_token(&tenant);
    assert_eq!(verdict(&auth, &token).await, None);
    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    tenant.clock().advance(HOUR);
    assert_eq!(verdict_at_once(&auth, &token), None, "it waits for the keys of now");
    assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::KeyUnknown));
}

#[tokio::test]
async fn a_withdrawn_key_is_refused_within_ten_minutes_and_at_once_after_refresh() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = day_token(&tenant);
    assert_eq!(verdict(&auth, &token).await, None);
    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    assert_eq!(verdict(&auth, &token).await, None, "nobody has asked yet");
    auth.refresh().await.unwrap();
    assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::KeyUnknown));

    let token = day_token(&tenant);
    assert_eq!(verdict(&auth, &token).await, None);
    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    for _ in 0..10 {
        pass(&tenant, MINUTE).await;
    }
    assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::KeyUnknown));
}

/// A fetch that began before the key was withdrawn may have missed it.
#[tokio::test]
async fn refresh_does_not_count_a_fetch_that_was_under_way() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let warm_up = tokio::spawn({
        let auth = auth.clone();
        async move { auth.warm_up().await.is_ok() }
    });
    settle_until(|| tenant.fetches().metadata == 1).await;
    auth.refresh().await.unwrap();
    assert!(warm_up.await.unwrap());
    assert_eq!(tenant.fetches().key_set, 2);
}

async fn settle_until(done: impl Fn() -> bool) {
    for _ in 0..1000 {
        if done() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never came to that");
}

#[tokio::test]
async fn a_made_up_key_just_before_a_rotation_does_not_delay_it() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    let made_up = tenant.token().header("kid", "made-up").mint();
    assert_eq!(verdict(&auth, &made_up).await, Some(ErrorCode::KeyUnknown));
    tenant.rotate_keys();
    assert_eq!(verdict(&auth, &day_token(&tenant)).await, None);
}

#[tokio::test]
async fn a_rotation_during_a_flood_is_seen_within_five_seconds() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let known = day_token(&tenant);
    assert_eq!(verdict(&auth, &known).await, None);
    let mut seen_after = None;
    for tick in 0..1000u32 {
        let made_up = tenant.token().header("kid", format!("made-up-{tick}")).mint();
        assert_eq!(verdict(&auth, &made_up).await, Some(ErrorCode::KeyUnknown));
        assert_eq!(verdict_at_once(&auth, &known), Some(Ok(())), "known keys are not delayed");
        if tick == 100 {
            tenant.rotate_keys();
        }
        if tick >= 100
            && seen_after.is_none()
            && verdict(&auth, &day_token(&tenant)).await.is_none()
        {
            seen_after = Some((tick - 100) * 10);
        }
        tenant.clock().advance(Duration::from_millis(10));
    }
    assert!(seen_after.is_some_and(|millis| millis <= 5000), "{seen_after:?} ms");
    assert_eq!(tenant.fetches().key_set, 1 + 3, "the rotation did not add to it");
}

/// However often: a key that the issuer has does not use up what made-up ones may cost.
#[tokio::test]
async fn an_issuer_may_rotate_every_second() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    for round in 0..50 {
        tenant.rotate_keys();
        let token = day_token(&tenant);
        if round % 3 == 1 {
            tenant.fail(Failure::Status(500));
            assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::KeysUnavailable));
            tenant.recover();
        }
        tenant.clock().advance(SECOND);
        assert_eq!(verdict(&auth, &token).await, None, "round {round}");
    }
}

/// The issuer may have rotated just before it went down.
#[tokio::test]
async fn in_an_outage_no_token_is_called_bad_for_its_key() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    tenant.rotate_keys();
    tenant.fail(Failure::Unreachable);
    let token = day_token(&tenant);
    let made_up = tenant.token().header("kid", "made-up").mint();
    for _ in 0..60 {
        for token in [&made_up, &token] {
            assert_eq!(verdict(&auth, token).await, Some(ErrorCode::KeysUnavailable));
        }
        tenant.clock().advance(Duration::from_millis(250));
    }
    tenant.recover();
    tenant.clock().advance(2 * SECOND);
    assert_eq!(verdict(&auth, &token).await, None);
}

/// A key that is published while a fetch is under way: that fetch may have missed it.
#[tokio::test]
async fn a_fetch_that_left_before_the_key_was_published_does_not_decide() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    let before = tenant.fetches().key_set;
    let made_up = tenant.token().header("kid", "made-up").mint();
    let early = tokio::spawn({
        let auth = auth.clone();
        async move { verdict(&auth, &made_up).await }
    });
    settle_until(|| tenant.fetches().key_set == before + 1).await;
    tenant.rotate_keys(); // after the document was read, before it has arrived
    assert_eq!(verdict(&auth, &day_token(&tenant)).await, None);
    assert_eq!(early.await.unwrap(), Some(ErrorCode::KeyUnknown));
}

/// Beyond the budget there is no waiting either.
#[tokio::test]
async fn an_unknown_key_over_budget_is_refused_at_once() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    let made_up = tenant.token().header("kid", "made-up").mint();
    verdict(&auth, &made_up).await;
    verdict(&auth, &made_up).await;
    assert_eq!(verdict_at_once(&auth, &made_up), Some(Err(ErrorCode::KeyUnknown)));
}

#[tokio::test]
async fn old_keys_serve_for_as_long_as_configured() {
    for (configured, serves, fails) in [
        (None, 23 * HOUR, 25 * HOUR),
        (Some(2 * HOUR), HOUR, 3 * HOUR),
        (Some(Duration::ZERO), 9 * MINUTE, 11 * MINUTE),
    ] {
        let tenant = Tenant::new();
        let builder = tenant.builder();
        let auth = match configured {
            Some(time) => builder.serve_stale_keys_for(time),
            None => builder,
        }
        .build()
        .unwrap();
        let token = day_token(&tenant);
        assert_eq!(verdict(&auth, &token).await, None);
        tenant.fail(Failure::Status(500));
        pass(&tenant, 8 * MINUTE).await; // a refresh finds out that the issuer fails
        pass(&tenant, serves - 8 * MINUTE).await;
        assert_eq!(verdict_at_once(&auth, &token), Some(Ok(())), "{configured:?}");
        pass(&tenant, fails - serves).await;
        let error = auth.verify(&token).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::KeysUnavailable, "{configured:?}");
        tenant.recover();
        pass(&tenant, 2 * SECOND).await;
        assert_eq!(verdict(&auth, &token).await, None, "{configured:?}");
    }
}

/// A token with a known key never waits for an issuer that fails, not even for one that hangs.
#[tokio::test(start_paused = true)]
async fn a_hanging_issuer_delays_no_token_of_a_known_key() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = day_token(&tenant);
    assert_eq!(verdict(&auth, &token).await, None);
    tenant.fail(Failure::Hang);
    for _ in 0..60 {
        tenant.clock().advance(MINUTE);
        for _ in 0..10 {
            assert_eq!(verdict_at_once(&auth, &token), Some(Ok(())));
        }
        tokio::time::sleep(6 * SECOND).await; // paused: the fetch's deadline passes
    }
}

#[tokio::test]
async fn a_flapping_issuer_costs_nobody_a_request() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let mut token = day_token(&tenant);
    assert_eq!(verdict(&auth, &token).await, None);
    for round in 0..200 {
        if round % 2 == 0 {
            tenant.fail(Failure::Unreachable)
        } else {
            tenant.recover()
        }
        pass(&tenant, MINUTE).await;
        assert_eq!(verdict_at_once(&auth, &token), Some(Ok(())), "round {round}");
        if round % 20 == 19 {
            tenant.rotate_keys();
            token = day_token(&tenant);
            assert_eq!(verdict(&auth, &token).await, None, "round {round}");
        }
    }
}

#[tokio::test]
async fn without_keys_a_failing_issuer_means_503_at_once_with_the_time_left() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = day_token(&tenant);
    tenant.fail(Failure::RateLimited(30 * SECOND));
    let retry_after = |auth: &Auth0| {
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(result) = pin!(auth.verify(&token)).poll(&mut context) else {
            panic!("it waits");
        };
        let challenge = result.unwrap_err().challenge();
        let field = challenge.headers().find(|(name, _)| *name == "retry-after").unwrap();
        field.1.parse::<u64>().unwrap()
    };
    assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::KeysUnavailable));
    for (passed, left) in [(0, 30), (10, 20), (19, 1)] {
        tenant.clock().advance(passed * SECOND);
        assert_eq!(retry_after(&auth), left);
    }
    assert_eq!(tenant.fetches().metadata, 1, "the issuer was left in peace");
    tenant.recover();
    tenant.clock().advance(SECOND);
    assert_eq!(verdict(&auth, &token).await, None);
}

#[tokio::test]
async fn a_dead_issuer_is_asked_seldom_and_noticed_soon() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    tenant.fail(Failure::Unreachable);
    let token = day_token(&tenant);
    for _ in 0..2000 {
        assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::KeysUnavailable));
        tenant.clock().advance(Duration::from_millis(5));
    }
    let asked = tenant.fetches();
    assert!(asked.metadata + asked.key_set <= 12, "{asked:?}");
    tenant.recover();
    tenant.clock().advance(2 * SECOND);
    assert_eq!(verdict(&auth, &token).await, None);
}

#[tokio::test]
async fn an_answer_without_usable_keys_does_not_replace_good_ones() {
    let encryption = r#"{"keys":[{"kty":"RSA","use":"enc","n":"AQAB","e":"AQAB"}]}"#;
    for answer in [r#"{"keys":[]}"#, encryption, "{}", "null", "<html>"] {
        let tenant = Tenant::new();
        let auth = tenant.auth0();
        let token = day_token(&tenant);
        assert_eq!(verdict(&auth, &token).await, None);
        tenant.fail_at(Document::KeySet, Failure::Answer(HttpResponse::json(answer)));
        auth.refresh().await.unwrap_err();
        assert_eq!(verdict_at_once(&auth, &token), Some(Ok(())), "{answer}");
        pass(&tenant, HOUR).await;
        assert_eq!(verdict_at_once(&auth, &token), Some(Ok(())), "{answer}");
    }
}

#[tokio::test]
async fn keys_that_moved_are_found() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    tenant.move_key_set("keys/2.json");
    tenant.rotate_keys();
    assert_eq!(verdict(&auth, &day_token(&tenant)).await, None, "the old place is gone");
    let before = tenant.fetches().metadata;
    pass(&tenant, 8 * MINUTE).await;
    assert_eq!(tenant.fetches().metadata, before + 1, "and the metadata is refreshed as well");
}

#[tokio::test]
async fn health_tells_how_it_stands() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let Health::Unavailable { retry_in: Duration::ZERO, .. } = auth.health() else {
        panic!("{:?}", auth.health());
    };
    auth.warm_up().await.unwrap();
    tenant.clock().advance(MINUTE);
    assert!(matches!(auth.health(), Health::Ready { age: MINUTE, .. }), "{:?}", auth.health());

    tenant.fail(Failure::Status(500));
    pass(&tenant, 8 * MINUTE).await;
    assert!(matches!(auth.health(), Health::Ready { .. }), "it fails, and the keys are fresh");
    pass(&tenant, 2 * MINUTE).await;
    let Health::Stale { age, error, .. } = auth.health() else { panic!("{:?}", auth.health()) };
    assert_eq!((age, error.as_str()), (11 * MINUTE, "status 500"));
    assert!(auth.health().is_available());
    auth.warm_up().await.unwrap();

    pass(&tenant, 24 * HOUR).await;
    let Health::Unavailable { error, .. } = auth.health() else { panic!("{:?}", auth.health()) };
    assert_eq!(error, "status 500");
    assert!(!auth.health().is_available());
    auth.warm_up().await.unwrap_err();

    tenant.recover();
    pass(&tenant, MINUTE).await;
    auth.warm_up().await.unwrap();
    assert!(matches!(auth.health(), Health::Ready { .. }));
}

/// A clock whose monotonic time goes back, as none should: nothing panics, nothing sticks.
#[derive(Clone, Debug, Default)]
struct Broken(Arc<Mutex<Duration>>);

impl Clock for Broken {
    fn unix_time(&self) -> Duration {
        Duration::from_secs(1_767_225_600)
    }
    fn monotonic(&self) -> Duration {
        *self.0.lock().unwrap()
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_goes_back_does_no_harm() {
    let tenant = Tenant::new();
    let clock = Broken(Arc::new(Mutex::new(HOUR)));
    let auth = tenant.builder().clock(clock.clone()).build().unwrap();
    assert_eq!(verdict(&auth, &day_token(&tenant)).await, None);
    for time in [Duration::ZERO, 2 * HOUR, MINUTE, 3 * HOUR, Duration::ZERO] {
        *clock.0.lock().unwrap() = time;
        tenant.rotate_keys();
        tokio::time::sleep(10 * SECOND).await;
        assert_eq!(verdict(&auth, &day_token(&tenant)).await, None, "{time:?}");
    }
}

#[tokio::test]
async fn a_verifier_that_is_dropped_leaves_no_task_behind() {
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
        assert_eq!(alive(), before + 1, "the one that waits for the next refresh");
        drop(auth);
        settle().await;
        assert_eq!(alive(), before);
    }
}
