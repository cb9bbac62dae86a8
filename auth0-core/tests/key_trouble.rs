//! Keys when several things go wrong at once: each of these was found by trying to break the cache.
#![allow(clippy::unwrap_used, clippy::panic)]
use auth0_core::{
    Auth0, BoxFuture, ErrorCode, Health, HttpClient, HttpError, HttpRequest, HttpResponse,
    testing::{Document, Failure, Tenant},
};
use std::{
    collections::BTreeMap,
    future::Future,
    pin::pin,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

async fn verdict(auth: &Auth0, token: &str) -> Option<ErrorCode> {
    auth.verify(token).await.err().map(|error| error.code())
}

async fn settle() {
    for _ in 0..30 {
        tokio::task::yield_now().await;
    }
}

async fn pass(tenant: &Tenant, time: Duration) {
    tenant.clock().advance(time);
    settle().await;
}

fn long_lived(tenant: &Tenant) -> String {
    tenant.token().expires_in(1000 * MINUTE).mint()
}

/// A worker whose handler blocks: its runtime lives, and does not get to run.
#[test]
fn a_runtime_that_does_not_run_holds_up_nobody_on_another() {
    let leader = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let follower = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = long_lived(&tenant);
    let lead = || {
        let _entered = leader.enter();
        let mut request = pin!(auth.verify(&token));
        assert!(request.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    };

    lead();
    follower.block_on(async {
        assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::KeysUnavailable));
        tenant.clock().advance(2 * SECOND);
        assert_eq!(verdict(&auth, &token).await, None, "the next one has a fetch of its own");
    });

    tenant.clock().advance(11 * MINUTE);
    lead();
    follower.block_on(async {
        let began = tokio::time::Instant::now();
        assert_eq!(verdict(&auth, &token).await, None, "there are keys");
        assert!(began.elapsed() <= SECOND, "{:?}", began.elapsed());
    });
}

/// Neither the issuer's word nor a failure ends the refreshes of an idle service.
#[tokio::test]
async fn an_idle_service_goes_on_asking() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = long_lived(&tenant);
    assert_eq!(verdict(&auth, &token).await, None);
    tenant.fail(Failure::RateLimited(120 * SECOND));
    auth.refresh().await.unwrap_err();
    tenant.recover();
    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    for _ in 0..20 {
        pass(&tenant, MINUTE).await;
    }
    assert!(matches!(auth.health(), Health::Ready { .. }), "{:?}", auth.health());
    assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::KeyUnknown));
}

#[tokio::test]
async fn one_failure_does_not_use_up_what_a_rotation_needs() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    let made_up = tenant.token().header("kid", "made-up").mint();
    assert_eq!(verdict(&auth, &made_up).await, Some(ErrorCode::KeyUnknown));
    tenant.rotate_keys();
    tenant.fail(Failure::Unreachable);
    let token = long_lived(&tenant);
    assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::KeysUnavailable));
    tenant.recover();
    tenant.clock().advance(Duration::from_millis(250));
    assert_eq!(verdict(&auth, &token).await, None);
}

/// However an issuer fails, it is asked no more than twelve times in ten seconds.
#[tokio::test]
async fn a_failing_issuer_is_spared_in_every_way_of_failing() {
    let html = HttpResponse::new(200, "<html>");
    let empty = HttpResponse::json(r#"{"keys":[]}"#);
    let hurried = {
        let mut answer = HttpResponse::new(503, "");
        answer.retry_after = Some(Duration::ZERO);
        answer
    };
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
                let token = tenant.token().header("kid", "made-up").mint();
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

/// An issuer as a table of documents.
#[derive(Clone, Debug, Default)]
struct Documents(Arc<Mutex<BTreeMap<String, String>>>);

impl Documents {
    fn put(&self, path: &str, json: &str) {
        self.0.lock().unwrap().insert(format!("https://tenant.test/{path}"), json.to_owned());
    }

    fn put_metadata(&self, key_set: &str) {
        let uri = format!("https://tenant.test/{key_set}");
        let json = format!(r#"{{"issuer":"https://tenant.test/","jwks_uri":"{uri}"}}"#);
        self.put(".well-known/openid-configuration", &json);
    }
}

impl HttpClient for Documents {
    fn get<'a>(
        &'a self,
        request: HttpRequest<'a>,
    ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
        let document = self.0.lock().unwrap().get(request.url).cloned();
        let answer = document.map_or_else(|| HttpResponse::new(404, ""), HttpResponse::json);
        Box::pin(async move { Ok(answer) })
    }
}

/// Keys that moved, while the old place goes on answering with the old ones.
#[tokio::test]
async fn the_old_place_of_the_keys_is_not_believed_for_long() {
    let tenant = Tenant::new();
    let documents = Documents::default();
    documents.put_metadata("old");
    documents.put("old", &tenant.key_set_json());
    let auth = tenant.builder().http_client(documents.clone()).build().unwrap();
    let old = long_lived(&tenant);
    assert_eq!(verdict(&auth, &old).await, None);

    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    documents.put("new", &tenant.key_set_json());
    documents.put_metadata("new");
    assert_eq!(verdict(&auth, &long_lived(&tenant)).await, None, "a new key is found there");

    documents.put_metadata("newer");
    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    documents.put("newer", &tenant.key_set_json());
    auth.refresh().await.unwrap();
    assert_eq!(verdict(&auth, &old).await, Some(ErrorCode::KeyUnknown));
    assert_eq!(verdict(&auth, &long_lived(&tenant)).await, None, "and by refresh");
}

/// Servers of one issuer that disagree about its keys.
#[tokio::test]
async fn two_halves_of_an_issuer_do_not_make_a_flood() {
    let tenant = Tenant::new();
    let first = (tenant.key_set_json(), long_lived(&tenant));
    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    let second = (tenant.key_set_json(), long_lived(&tenant));
    let fetches = Arc::new(AtomicUsize::new(0));
    #[derive(Clone, Debug)]
    struct Halves(Documents, [String; 2], Arc<AtomicUsize>);
    impl HttpClient for Halves {
        fn get<'a>(
            &'a self,
            request: HttpRequest<'a>,
        ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
            if !request.url.ends_with("/keys") {
                return self.0.get(request);
            }
            let number = self.2.fetch_add(1, Ordering::SeqCst);
            let answer = HttpResponse::json(self.1[number % 2].clone());
            Box::pin(async move { Ok(answer) })
        }
    }
    let documents = Documents::default();
    documents.put_metadata("keys");
    let halves = Halves(documents, [first.0, second.0], Arc::clone(&fetches));
    let auth = tenant.builder().http_client(halves).build().unwrap();
    for number in 0..2000 {
        verdict(&auth, if number % 2 == 0 { &first.1 } else { &second.1 }).await;
        tenant.clock().advance(Duration::from_millis(5));
    }
    let fetches = fetches.load(Ordering::SeqCst);
    assert!(fetches <= 40, "{fetches} in ten seconds");
}

#[tokio::test]
async fn a_transport_that_panics_is_asked_seldom_and_forgiven() {
    #[derive(Clone, Debug)]
    struct Panics(Arc<AtomicUsize>, Documents);
    impl HttpClient for Panics {
        fn get<'a>(
            &'a self,
            request: HttpRequest<'a>,
        ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
            assert!(self.0.fetch_add(1, Ordering::SeqCst) > 20, "as it happens");
            self.1.get(request)
        }
    }
    let tenant = Tenant::new();
    let documents = Documents::default();
    documents.put_metadata("keys");
    documents.put("keys", &tenant.key_set_json());
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

/// Frozen for long, and the issuer hangs: there are keys, so nobody waits for long.
#[tokio::test(start_paused = true)]
async fn a_known_key_waits_for_a_hanging_issuer_no_longer_than_a_second_and_once() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = long_lived(&tenant);
    assert_eq!(verdict(&auth, &token).await, None);
    tenant.fail(Failure::Hang);
    tenant.clock().advance(30 * MINUTE);
    let began = tokio::time::Instant::now();
    assert_eq!(verdict(&auth, &token).await, None);
    assert!(began.elapsed() <= SECOND + SECOND / 10, "{:?}", began.elapsed());
    tokio::time::sleep(5 * SECOND).await; // paused: the fetch's deadline passes
    let began = tokio::time::Instant::now();
    assert_eq!(verdict(&auth, &token).await, None);
    assert!(began.elapsed().is_zero(), "now it is known to fail: {:?}", began.elapsed());
}

/// The log may be listened to by somebody who then asks how it stands.
#[tokio::test]
async fn whoever_hears_of_an_outage_may_ask_for_the_health() {
    static AUTH: OnceLock<Auth0> = OnceLock::new();
    static HEARD: Mutex<Vec<Health>> = Mutex::new(Vec::new());
    struct Asks;
    impl tracing::Subscriber for Asks {
        fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
            *metadata.level() <= tracing::Level::WARN
        }
        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }
        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
        fn event(&self, _: &tracing::Event<'_>) {
            HEARD.lock().unwrap().extend(AUTH.get().map(Auth0::health));
        }
        fn enter(&self, _: &tracing::span::Id) {}
        fn exit(&self, _: &tracing::span::Id) {}
    }
    let _guard = tracing::subscriber::set_default(Asks);
    let tenant = Tenant::new();
    tenant.fail(Failure::Unreachable);
    AUTH.get_or_init(|| tenant.auth0()).warm_up().await.unwrap_err();
    settle().await;
    let heard = HEARD.lock().unwrap();
    assert!(matches!(heard[..], [Health::Unavailable { .. }]), "{heard:?}");
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

/// A published key that cannot be used is known: its tokens set off no fetch.
#[tokio::test]
async fn a_key_that_cannot_be_used_is_not_looked_for() {
    let tenant = Tenant::new();
    let weak = r#"{"kty":"RSA","kid":"weak","n":"AQAB","e":"AQAB"}"#;
    let keys = format!(r#"{{"keys":[{weak},{}]}}"#, tenant.signing_key().jwk());
    tenant.fail_at(Document::KeySet, Failure::Answer(HttpResponse::json(keys)));
    let auth = tenant.auth0();
    let token = tenant.token().header("kid", "weak").mint();
    for _ in 0..10 {
        assert_eq!(verdict(&auth, &token).await, Some(ErrorCode::AlgorithmUnsupported));
        tenant.clock().advance(SECOND);
    }
    assert_eq!(tenant.fetches().key_set, 1);
}

/// Nobody may poll a future twice by accident: what is ready is ready at once.
#[tokio::test]
async fn with_keys_at_hand_the_first_poll_is_the_last() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    let token = long_lived(&tenant);
    let mut request = pin!(auth.verify(&token));
    let polled = request.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Ready(Ok(_))));
}
