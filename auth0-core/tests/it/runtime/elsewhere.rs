//! The runtime of a request is not the one that fetches. The transport here is the test kit's.
use crate::common::{
    MINUTE, SECOND, block_on, fetches, is_alone, long_lived, pass, poll_once, settle, verdict,
    verdict_at_once,
};
use auth0_core::{
    ErrorCode, TrustedIssuer,
    resolver::{IssuerResolver, ResolverContext},
};
use auth0_testing::Tenant;
use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::watch,
};

/// Returns a runtime that has neither timers nor I/O.
fn without_timers() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

#[test]
fn a_runtime_without_timers_suffices() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = long_lived(&tenant);
    without_timers().block_on(async {
        auth.warm_up().await.unwrap();
        assert_eq!(verdict(&auth, &token).await, None);
        auth.refresh().await.unwrap();
    });
    assert_eq!(fetches(&tenant), (2, 2));
}

#[test]
fn no_runtime_at_all_suffices() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = long_lived(&tenant);
    block_on(async {
        assert_eq!(verdict(&auth, &token).await, None);
        auth.refresh().await.unwrap();
        assert_eq!(verdict(&auth, &token).await, None);
    });
    assert_eq!(fetches(&tenant), (2, 2));
}

#[test]
fn keys_are_refreshed_after_the_first_runtime_has_ended() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    without_timers().block_on(async { auth.warm_up().await.unwrap() });
    let before = tenant.fetches().key_set;
    for _ in 0..60 {
        block_on(pass(&tenant, MINUTE));
    }
    assert!(tenant.fetches().key_set > before + 5, "{:?}", tenant.fetches());
    assert_eq!(verdict_at_once(&auth, &long_lived(&tenant)), Some(Ok(())));
}

/// The request that began the fetch goes away together with its runtime.
#[test]
fn a_runtime_that_ends_takes_no_fetch_with_it() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = long_lived(&tenant);
    tenant.hold();
    let short = without_timers();
    let request = {
        let (auth, token) = (auth.clone(), token.clone());
        short.spawn(async move { verdict(&auth, &token).await })
    };
    short.block_on(settle());
    assert!(!request.is_finished() && tenant.fetches().metadata == 1);
    let waiting = thread::spawn(move || without_timers().block_on(verdict(&auth, &token)));
    drop(short);
    tenant.release();
    assert_eq!(waiting.join().unwrap(), None);
    assert_eq!(fetches(&tenant), (1, 1), "one fetch served both");
}

/// A handler blocks its thread while the fetch that it began is on its way.
#[test]
fn a_blocked_runtime_delays_no_other() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = long_lived(&tenant);
    tenant.hold();
    let (unblock, blocked) = mpsc::channel::<()>();
    let (waits, is_waiting) = mpsc::channel();
    let blocking = {
        let (auth, token) = (auth.clone(), token.clone());
        thread::spawn(move || {
            without_timers().block_on(async {
                assert!(poll_once(auth.verify(&token)).is_pending());
                waits.send(()).unwrap();
                let _ = blocked.recv();
                verdict(&auth, &token).await
            })
        })
    };
    block_on(async {
        while tenant.fetches().metadata == 0 {
            settle().await;
        }
    });
    is_waiting.recv().unwrap();
    tenant.release();
    assert_eq!(block_on(verdict(&auth, &token)), None);
    unblock.send(()).unwrap();
    assert_eq!(blocking.join().unwrap(), None);
}

/// The questions to a resolver belong to the verifier, too.
#[test]
fn a_question_to_the_resolver_outlives_the_runtime_that_asked() {
    let tenant = Tenant::new();
    let answer = watch::Sender::new(false);
    let resolver = OnCommand { may_answer: answer.subscribe(), issuer: tenant.issuer().to_owned() };
    let auth = tenant.builder_with([]).issuer_resolver(resolver).build().unwrap();
    let token = long_lived(&tenant);
    let short = without_timers();
    {
        let (auth, token) = (auth.clone(), token.clone());
        drop(short.spawn(async move { verdict(&auth, &token).await }));
    }
    short.block_on(settle());
    drop(short);
    let waiting = thread::spawn(move || without_timers().block_on(verdict(&auth, &token)));
    answer.send_replace(true);
    assert_eq!(waiting.join().unwrap(), None);
}

/// A resolver that answers on command.
struct OnCommand {
    may_answer: watch::Receiver<bool>,
    issuer: String,
}

impl IssuerResolver for OnCommand {
    type Key = ();

    fn key(&self, _: &ResolverContext<'_>) -> Option<()> {
        Some(())
    }

    async fn resolve(&self, (): ()) -> Result<Vec<TrustedIssuer>, Box<dyn Error + Send + Sync>> {
        self.may_answer.clone().wait_for(|may| *may).await?;
        Ok(vec![TrustedIssuer::new(&*self.issuer)])
    }
}

/// A resolver that blocks the thread looks like a process that was stopped. It is not called without end.
#[test]
fn a_resolver_that_blocks_the_thread_is_an_outage_and_no_endless_wait() {
    // The thread is that of all tests of a process.
    let name = "a_resolver_that_blocks_the_thread_is_an_outage_and_no_endless_wait";
    if !is_alone(module_path!(), name) {
        return;
    }
    let tenant = Tenant::new();
    let calls = Arc::new(AtomicUsize::new(0));
    let resolver = Blocking(Arc::clone(&calls));
    let auth = tenant.builder_with([]).issuer_resolver(resolver).build().unwrap();
    let refusal = block_on(verdict(&auth, &long_lived(&tenant)));
    assert_eq!(refusal, Some(ErrorCode::IssuersUnavailable));
    assert_eq!(calls.load(Ordering::SeqCst), 3, "once, and twice again");
}

/// A resolver that uses a client without async, and fails.
struct Blocking(Arc<AtomicUsize>);

impl IssuerResolver for Blocking {
    type Key = ();

    fn key(&self, _: &ResolverContext<'_>) -> Option<()> {
        Some(())
    }

    async fn resolve(&self, (): ()) -> Result<Vec<TrustedIssuer>, Box<dyn Error + Send + Sync>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        thread::sleep(2 * SECOND);
        Err("the database cannot be reached".into())
    }
}
