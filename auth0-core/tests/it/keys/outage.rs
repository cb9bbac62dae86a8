//! An issuer that fails, hangs or flaps: what its outage costs, and whom.
use crate::common::{
    Documents, HOUR, MINUTE, SECOND, fetches, long_lived, pass, poll_once, retry_after, settle,
    spawn_verdict, until, verdict, verdict_at_once, with_unknown_key,
};
use auth0_core::{
    BoxFuture, ErrorCode,
    transport::{HttpClient, HttpError, HttpRequest, HttpResponse},
};
use auth0_testing::{Document, Failure, Tenant};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

#[tokio::test]
async fn a_hanging_fetch_ends_after_five_seconds() {
    for (document, before) in [(Document::Metadata, (1, 0)), (Document::KeySet, (1, 1))] {
        let tenant = Tenant::new();
        tenant.fail_at(document, Failure::Hang);
        let auth = tenant.auth0();
        let token = tenant.token().mint();
        let request = tokio::spawn({
            let (auth, token) = (auth.clone(), token.clone());
            async move { auth.verify(&token).await.unwrap_err() }
        });
        until(|| fetches(&tenant) == before).await;
        pass(&tenant, Duration::from_millis(4999)).await;
        assert!(!request.is_finished(), "{document:?}");
        tenant.clock().advance(Duration::from_millis(1));
        let error = request.await.unwrap();
        assert_eq!(error.code(), ErrorCode::KeysUnavailable);
        let cause = error.cause().unwrap();
        assert!(
            cause.starts_with("it took too long; expected the keys of "),
            "{document:?}: {cause}"
        );

        tenant.recover();
        tenant.clock().advance(Duration::from_secs(2));
        assert_eq!(verdict(&auth, &token).await, None);
    }
}

#[tokio::test]
async fn without_keys_an_outage_is_a_503_at_once_with_the_time_left() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = long_lived(&tenant);
    tenant.fail(Failure::RateLimited(30 * SECOND));
    let seconds_left = || match poll_once(auth.verify(&token)) {
        Poll::Ready(verdict) => retry_after(&verdict.unwrap_err()),
        Poll::Pending => panic!("it waits"),
    };
    assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::KeysUnavailable));
    for (passed, left) in [(0, 30), (10, 20), (19, 1)] {
        tenant.clock().advance(passed * SECOND);
        assert_eq!(seconds_left(), left);
    }
    assert_eq!(tenant.fetches().metadata, 1, "the issuer was not asked again");
    tenant.recover();
    tenant.clock().advance(SECOND);
    assert_eq!(verdict(&auth, &token).await, None);
}

#[tokio::test]
async fn an_unreachable_issuer_is_asked_rarely_and_its_recovery_noticed_soon() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    tenant.fail(Failure::Unreachable);
    let token = long_lived(&tenant);
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
async fn a_failing_issuer_is_asked_rarely() {
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

/// However an issuer fails, it is asked at most twelve times in ten seconds.
#[tokio::test]
async fn every_kind_of_failure_causes_a_back_off() {
    let html = HttpResponse::new(200, "<html>");
    let empty = HttpResponse::json(r#"{"keys":[]}"#);
    let hurried = HttpResponse::new(503, "").with_header("retry-after", "0");
    for (name, failure) in [
        ("unreachable", Failure::Unreachable),
        ("404", Failure::Status(404)),
        ("500", Failure::Status(500)),
        ("503 and Retry-After: 0", Failure::Answer(hurried)),
        ("html", Failure::Answer(html)),
        ("no keys", Failure::Answer(empty)),
    ] {
        for documents in [&[Document::KeySet][..], &[Document::Metadata, Document::KeySet]] {
            for is_warm in [false, true] {
                let tenant = Tenant::new();
                let auth = tenant.auth0();
                if is_warm {
                    auth.warm_up().await.unwrap();
                }
                let before = tenant.fetches();
                for document in documents {
                    tenant.fail_at(*document, failure.clone());
                }
                let token = with_unknown_key(&tenant);
                for _ in 0..2000 {
                    assert!(verdict(&auth, &token).await.is_some());
                    tenant.clock().advance(Duration::from_millis(5));
                }
                let after = tenant.fetches();
                let asked = after.metadata + after.key_set - before.metadata - before.key_set;
                assert!(asked <= 12, "{asked}: {name} of {documents:?}, warm: {is_warm}");
            }
        }
    }
}

/// The issuer may have rotated just before it went down.
#[tokio::test]
async fn in_an_outage_no_token_is_refused_for_its_key() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    tenant.rotate_keys();
    tenant.fail(Failure::Unreachable);
    let token = long_lived(&tenant);
    let unknown = with_unknown_key(&tenant);
    for _ in 0..60 {
        for token in [&unknown, &token] {
            assert_eq!(verdict(&auth, token).await, Some(ErrorCode::KeysUnavailable));
        }
        tenant.clock().advance(Duration::from_millis(250));
    }
    tenant.recover();
    tenant.clock().advance(2 * SECOND);
    assert_eq!(verdict(&auth, &token).await, None);
}

#[tokio::test]
async fn stale_keys_serve_for_a_day_of_outage() {
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
async fn stale_keys_serve_for_as_long_as_configured() {
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
        let token = long_lived(&tenant);
        assert_eq!(verdict(&auth, &token).await, None);
        tenant.fail(Failure::Status(500));
        pass(&tenant, 8 * MINUTE).await; // a refresh notices that the issuer fails
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

/// A token with a known key never waits for an issuer that fails, nor for one that hangs.
#[tokio::test]
async fn a_hanging_issuer_delays_no_token_of_a_known_key() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = long_lived(&tenant);
    assert_eq!(verdict(&auth, &token).await, None);
    tenant.fail(Failure::Hang);
    for _ in 0..60 {
        tenant.clock().advance(MINUTE);
        for _ in 0..10 {
            assert_eq!(verdict_at_once(&auth, &token), Some(Ok(())));
        }
        settle().await;
        pass(&tenant, 6 * SECOND).await; // the fetch's deadline passes
    }
}

/// The process was frozen for long, and the issuer hangs: there are keys, so no request waits for long.
#[tokio::test]
async fn a_known_key_waits_for_a_hanging_issuer_once_and_at_most_a_second() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = long_lived(&tenant);
    assert_eq!(verdict(&auth, &token).await, None);
    tenant.fail(Failure::Hang);
    let before = fetches(&tenant);
    tenant.clock().advance(30 * MINUTE);
    let request = spawn_verdict(&auth, &token);
    until(|| fetches(&tenant) != before).await;
    pass(&tenant, Duration::from_millis(999)).await;
    assert!(!request.is_finished());
    tenant.clock().advance(Duration::from_millis(1));
    assert_eq!(request.await.unwrap(), None);
    pass(&tenant, 5 * SECOND).await; // the fetch's deadline passes
    assert_eq!(verdict_at_once(&auth, &token), Some(Ok(())), "the issuer is known to fail");
}

#[tokio::test]
async fn a_flapping_issuer_fails_no_request() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let mut token = long_lived(&tenant);
    assert_eq!(verdict(&auth, &token).await, None);
    for round in 0..200 {
        if round % 2 == 0 {
            tenant.fail(Failure::Unreachable);
        } else {
            tenant.recover();
        }
        pass(&tenant, MINUTE).await;
        assert_eq!(verdict_at_once(&auth, &token), Some(Ok(())), "round {round}");
        if round % 20 == 19 {
            tenant.rotate_keys();
            token = long_lived(&tenant);
            assert_eq!(verdict(&auth, &token).await, None, "round {round}");
        }
    }
}

#[tokio::test]
async fn a_transport_that_panics_is_asked_rarely_and_recovers() {
    #[derive(Clone, Debug)]
    struct Panics(Arc<AtomicUsize>, Documents);
    impl HttpClient for Panics {
        fn send<'a>(
            &'a self,
            request: HttpRequest<'a>,
        ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
            assert!(self.0.fetch_add(1, Ordering::SeqCst) > 20, "a bug of the transport");
            self.1.send(request)
        }
    }
    let tenant = Tenant::new();
    let documents = Documents::default();
    documents.put_metadata(&tenant, "keys");
    documents.put_key_set(&tenant, "keys");
    let fetches = Arc::new(AtomicUsize::new(0));
    let transport = Panics(Arc::clone(&fetches), documents);
    let auth = tenant.builder().http_client(transport).build().unwrap();
    let token = long_lived(&tenant);
    for _ in 0..500 {
        assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::KeysUnavailable));
        tenant.clock().advance(Duration::from_millis(10));
    }
    let asked = fetches.load(Ordering::SeqCst);
    assert!(asked <= 10, "{asked} in five seconds");
    for _ in 0..60 {
        pass(&tenant, SECOND).await;
        verdict(&auth, &token).await;
    }
    assert_eq!(verdict(&auth, &token).await, None);
}
