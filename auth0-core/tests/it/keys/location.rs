//! Key sets that move, and servers that disagree.
use crate::common::{Documents, MINUTE, long_lived, pass, spawn_verdict, verdict};
use auth0_core::{
    BoxFuture, ErrorCode,
    time::Clock,
    transport::{HttpClient, HttpError, HttpRequest, HttpResponse},
};
use auth0_testing::{ManualClock, Tenant};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

#[tokio::test]
async fn moved_keys_are_found() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    tenant.move_key_set("keys/2.json");
    tenant.rotate_keys();
    assert_eq!(verdict(&auth, &long_lived(&tenant)).await, None, "the old location is gone");
    let before = tenant.fetches().metadata;
    pass(&tenant, 8 * MINUTE).await;
    assert_eq!(tenant.fetches().metadata, before + 1, "and the metadata is refreshed as well");
}

/// A transport whose metadata take longer than they are waited for before the key set is asked for.
#[derive(Debug)]
struct SlowMetadata {
    documents: Documents,
    clock: ManualClock,
}

impl HttpClient for SlowMetadata {
    fn send<'a>(
        &'a self,
        request: HttpRequest<'a>,
    ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
        Box::pin(async move {
            if request.url.ends_with("openid-configuration") {
                self.clock.sleep(Duration::from_millis(2500)).await;
            }
            self.documents.send(request).await
        })
    }
}

#[tokio::test]
async fn moved_keys_are_found_by_slow_metadata() {
    for is_gone in [true, false] {
        let tenant = Tenant::new();
        let documents = Documents::default();
        documents.put_metadata(&tenant, "old");
        documents.put_key_set(&tenant, "old");
        let transport =
            SlowMetadata { documents: documents.clone(), clock: tenant.clock().clone() };
        let auth = tenant.builder().http_client(transport).build().unwrap();
        let verdict = async |token: String| {
            let pending = spawn_verdict(&auth, &token);
            for _ in 0..40 {
                pass(&tenant, Duration::from_millis(500)).await;
                if pending.is_finished() {
                    break;
                }
            }
            pending.await.unwrap()
        };
        assert_eq!(verdict(long_lived(&tenant)).await, None);
        tenant.rotate_keys();
        tenant.withdraw_old_keys();
        documents.put_metadata(&tenant, "new");
        documents.put_key_set(&tenant, "new");
        if is_gone {
            let old = format!("{}old", tenant.issuer());
            documents.answer_at(&old, HttpResponse::new(404, ""));
        }
        pass(&tenant, 15 * MINUTE).await;
        assert_eq!(verdict(long_lived(&tenant)).await, None, "{is_gone}");
    }
}

/// Keys move, while the old location goes on answering with the old ones.
#[tokio::test]
async fn keys_at_an_old_location_are_not_used_for_long() {
    let tenant = Tenant::new();
    let documents = Documents::default();
    documents.put_metadata(&tenant, "old");
    documents.put_key_set(&tenant, "old");
    let auth = tenant.builder().http_client(documents.clone()).build().unwrap();
    let old = long_lived(&tenant);
    assert_eq!(verdict(&auth, &old).await, None);

    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    documents.put_key_set(&tenant, "new");
    documents.put_metadata(&tenant, "new");
    assert_eq!(
        verdict(&auth, &long_lived(&tenant)).await,
        None,
        "a new key leads to the new location"
    );

    documents.put_metadata(&tenant, "newer");
    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    documents.put_key_set(&tenant, "newer");
    auth.refresh().await.unwrap();
    assert_eq!(verdict(&auth, &old).await, Some(ErrorCode::KeyUnknown));
    assert_eq!(verdict(&auth, &long_lived(&tenant)).await, None, "and so does refresh");
}

/// Servers of one issuer that disagree about its keys.
#[tokio::test]
async fn servers_that_disagree_cause_no_flood_of_fetches() {
    let tenant = Tenant::new();
    let first = (tenant.key_set_json(), long_lived(&tenant));
    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    let second = (tenant.key_set_json(), long_lived(&tenant));
    let fetches = Arc::new(AtomicUsize::new(0));
    #[derive(Clone, Debug)]
    struct Halves(Documents, [String; 2], Arc<AtomicUsize>);
    impl HttpClient for Halves {
        fn send<'a>(
            &'a self,
            request: HttpRequest<'a>,
        ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
            if !request.url.ends_with("/keys") {
                return self.0.send(request);
            }
            let number = self.2.fetch_add(1, Ordering::SeqCst);
            let answer = HttpResponse::json(self.1[number % 2].clone());
            Box::pin(async move { Ok(answer) })
        }
    }
    let documents = Documents::default();
    documents.put_metadata(&tenant, "keys");
    let halves = Halves(documents, [first.0, second.0], Arc::clone(&fetches));
    let auth = tenant.builder().http_client(halves).build().unwrap();
    for number in 0..2000 {
        verdict(&auth, if number % 2 == 0 { &first.1 } else { &second.1 }).await;
        tenant.clock().advance(Duration::from_millis(5));
    }
    let fetches = fetches.load(Ordering::SeqCst);
    assert!(fetches <= 40, "{fetches} in ten seconds");
}
