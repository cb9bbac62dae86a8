//! Stores that fail while tokens are renewed. The provider has answered then, and accepts no old refresh token.
use crate::{
    browser::Browser,
    provider::Provider,
    revocations::Fails,
    servers,
    world::{builder, location},
};
use auth0_axum::{
    Revocations,
    auth0_core::{BoxFuture, time::Clock},
    login::{
        InMemorySessionStore, Login, LogoutTarget, NewSession, SessionKey, SessionStore,
        SessionStoreError, StoredSession, Updated,
    },
    testing::ManualClock,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

const TOKEN: &str = "/session?audience=https://billing.test";
const OTHER: &str = "/session?audience=https://other.test";

/// A store that takes no writes for a while.
#[derive(Clone, Debug)]
struct ReadOnly {
    inner: InMemorySessionStore,
    is_read_only: Arc<AtomicBool>,
}

type Answer<'a, T> = BoxFuture<'a, Result<T, SessionStoreError>>;

impl SessionStore for ReadOnly {
    fn load<'a>(&'a self, key: &'a SessionKey) -> Answer<'a, Option<StoredSession>> {
        self.inner.load(key)
    }

    fn create<'a>(&'a self, key: &'a SessionKey, session: NewSession<'a>) -> Answer<'a, u64> {
        self.inner.create(key, session)
    }

    fn update<'a>(
        &'a self,
        key: &'a SessionKey,
        version: u64,
        content: &'a str,
        lasts: Duration,
    ) -> Answer<'a, Updated> {
        if self.is_read_only.load(Ordering::SeqCst) {
            return Box::pin(async { Err(SessionStoreError::new("it takes no writes")) });
        }
        self.inner.update(key, version, content, lasts)
    }

    fn delete<'a>(&'a self, key: &'a SessionKey) -> Answer<'a, ()> {
        self.inner.delete(key)
    }

    fn log_out<'a>(&'a self, target: &'a LogoutTarget) -> Answer<'a, u64> {
        self.inner.log_out(target)
    }

    fn lock<'a>(&'a self, key: &'a SessionKey, lasts: Duration) -> Answer<'a, Option<u64>> {
        self.inner.lock(key, lasts)
    }

    fn unlock<'a>(&'a self, key: &'a SessionKey, lock: u64) -> Answer<'a, ()> {
        self.inner.unlock(key, lock)
    }

    fn use_once<'a>(&'a self, id: [u8; 32], lasts: Duration) -> Answer<'a, bool> {
        self.inner.use_once(id, lasts)
    }
}

/// A clock on which no pause between two attempts takes time.
#[derive(Debug)]
struct WithoutPauses(ManualClock);

impl Clock for WithoutPauses {
    fn unix_time(&self) -> Duration {
        self.0.unix_time()
    }

    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        match time <= Duration::from_millis(100) {
            true => Box::pin(async {}),
            false => self.0.sleep(time),
        }
    }
}

/// Logs a user in, whose access token has ended then.
async fn logged_in(server: std::net::SocketAddr, provider: &Provider) -> Browser {
    let mut browser = Browser::new(server, provider.tenant().clock(), true);
    let begun = browser.open("/auth/login").await;
    let back = provider.authorize(location(&begun), "auth0|ann");
    assert_eq!(browser.open(&format!("/auth/callback?{back}")).await.status, 303);
    provider.tenant().clock().advance(Duration::from_secs(600));
    browser
}

#[tokio::test]
async fn renewed_tokens_reach_the_store_when_it_is_back() {
    for is_axum in [true, false] {
        let provider = Provider::new();
        let clock = provider.tenant().clock().clone();
        let store = ReadOnly {
            inner: InMemorySessionStore::new().clock(clock.clone()),
            is_read_only: Arc::default(),
        };
        let login = |store: &ReadOnly| {
            let clock = WithoutPauses(clock.clone());
            builder(&provider).clock(clock).store(store.clone()).build().unwrap()
        };
        let serve = async |login: Login| match is_axum {
            true => servers::axum(&login).await,
            false => servers::actix(&login),
        };
        let server = serve(login(&store)).await;
        for request in [Some(TOKEN), Some("/"), Some(OTHER), None] {
            let mut browser = logged_in(server, &provider).await;
            let before = provider.refreshes();
            store.is_read_only.store(true, Ordering::SeqCst);
            let first = browser.fetch(TOKEN).await;
            assert_eq!(first.status, 200, "the token is there: {first:?}");
            // It is used, and so is the successor of the refresh token.
            assert_eq!(browser.fetch(TOKEN).await.body, first.body);
            assert_eq!(provider.refreshes(), before + 1);
            let other = browser.fetch("/session?audience=https://third.test").await;
            assert_eq!(other.status, 200, "{other:?}");
            assert_eq!(provider.refreshes(), before + 2);
            store.is_read_only.store(false, Ordering::SeqCst);
            let Some(request) = request else { continue };
            // The next request writes them: another instance has them then.
            assert_eq!(browser.fetch(request).await.status, 200);
            let refreshes = provider.refreshes();
            browser.server = serve(login(&store)).await;
            assert_eq!(browser.fetch(TOKEN).await.body, first.body, "{request}");
            assert_eq!(provider.refreshes(), refreshes, "{request}");
            assert_eq!(browser.fetch(OTHER).await.status, 200, "{request}");
        }
    }
}

/// A request that changes nothing else is served while the store takes no writes.
#[tokio::test]
async fn data_that_cannot_be_kept_are_an_error_and_tokens_are_none() {
    let provider = Provider::new();
    let clock = provider.tenant().clock().clone();
    let store = ReadOnly {
        inner: InMemorySessionStore::new().clock(clock.clone()),
        is_read_only: Arc::default(),
    };
    let login = builder(&provider).clock(WithoutPauses(clock)).store(store.clone());
    let mut browser = logged_in(servers::axum(&login.build().unwrap()).await, &provider).await;
    store.is_read_only.store(true, Ordering::SeqCst);
    assert_eq!(browser.fetch(TOKEN).await.status, 200);
    assert_eq!(browser.fetch("/").await.body, "auth0|ann");
    assert_eq!(browser.fetch("/session?size=5").await.status, 503);
}

/// It is not known any more whether the session was revoked: not a reason to log in, or to lose the tokens.
#[tokio::test]
async fn revocations_that_fail_during_a_renewal() {
    for (is_axum, has_store) in [(true, false), (false, false), (true, true), (false, true)] {
        let provider = Provider::new();
        let clock = provider.tenant().clock().clone();
        let fails = Fails::default();
        let mut login = builder(&provider).revocations(&Revocations::with_store(fails.clone()));
        if has_store {
            login = login.store(InMemorySessionStore::new().clock(clock.clone()));
        }
        let login = login.build().unwrap();
        let server = if is_axum { servers::axum(&login).await } else { servers::actix(&login) };
        let mut browser = logged_in(server, &provider).await;
        let (at_answer, moved) = (fails.clone(), clock.clone());
        provider.answers(move |answer| {
            at_answer.0.store(true, Ordering::SeqCst);
            moved.advance(Duration::from_secs(5));
            answer
        });
        let answer = browser.fetch(TOKEN).await;
        assert_eq!(answer.status, 503, "{has_store}: {answer:?}");
        assert_eq!(answer.lines("retry-after").len(), 1);
        fails.0.store(false, Ordering::SeqCst);
        provider.answers(|answer| answer);
        let refreshes = provider.refreshes();
        // The instance remembers nothing any more: the session has the tokens.
        clock.advance(Duration::from_secs(61));
        let mut answer = browser.fetch(TOKEN).await;
        while answer.status == 503 {
            clock.advance(Duration::from_secs(1));
            answer = browser.fetch(TOKEN).await;
        }
        assert_eq!(answer.status, 200, "{has_store}: {answer:?}");
        assert_eq!(provider.refreshes(), refreshes, "{has_store}");
    }
}
