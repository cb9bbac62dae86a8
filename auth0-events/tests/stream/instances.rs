//! Several instances with a common store.
use crate::kit::{Kit, RENEWAL, SECOND, run, until};
use auth0_core::{BoxFuture, time::Clock};
use auth0_events::{EventStore, EventStoreError, InMemoryEventStore};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::oneshot;

#[tokio::test]
async fn one_of_them_has_the_connection() {
    let kit = Kit::start().await;
    let store = InMemoryEventStore::with_clock(kit.clock.clone());
    let subscriber = || kit.builder().store(store.clone()).build().unwrap();
    let first = run(subscriber());
    kit.connected().await;
    let second = run(subscriber());
    for _ in 0..10 {
        kit.clock.pass(RENEWAL).await;
        assert_eq!(kit.connections(), 1);
    }
    assert_eq!(kit.tenant.stats().events.served, 1);

    drop(first);
    until("the end of the connection", || kit.connections() == 0).await;
    kit.tenant.block("auth0|bob").unwrap();
    // Within 30 seconds, another one reads them, from where the first one has stopped.
    kit.clock.pass(SECOND * 20).await;
    kit.revoked(1).await;
    assert_eq!(kit.connections(), 1);
    assert!(!store.save(1, "0 old").await.unwrap(), "that of the first one is refused");
    drop(second);
}

#[tokio::test]
async fn one_that_stops_in_order_leaves_the_lease_at_once() {
    let kit = Kit::start().await;
    let store = InMemoryEventStore::with_clock(kit.clock.clone());
    let (stop, stopped) = oneshot::channel::<()>();
    let first = kit.builder().store(store.clone()).build().unwrap();
    let first = tokio::spawn(first.run_until(async { drop(stopped.await) }));
    kit.connected().await;
    let _second = run(kit.builder().store(store.clone()).build().unwrap());
    kit.clock.pass(RENEWAL).await;
    let stopped_at = kit.clock.monotonic();
    drop(stop);
    first.await.unwrap();
    kit.clock.pass(RENEWAL).await;
    until("the second connection", || kit.tenant.stats().events.served == 2).await;
    assert!(kit.clock.monotonic() - stopped_at < SECOND * 10, "before the end of the lease");
}

/// A store that can be down, or hang.
#[derive(Clone, Debug)]
struct Switched {
    inner: InMemoryEventStore,
    is_down: Arc<AtomicBool>,
    hangs: bool,
}

impl Switched {
    fn new(kit: &Kit, hangs: bool) -> Self {
        let inner = InMemoryEventStore::with_clock(kit.clock.clone());
        Self { inner, is_down: Arc::default(), hangs }
    }

    async fn check(&self) -> Result<(), EventStoreError> {
        match (self.is_down.load(Ordering::SeqCst), self.hangs) {
            (false, _) => Ok(()),
            (true, false) => Err(EventStoreError::new("it is down")),
            (true, true) => std::future::pending().await,
        }
    }
}

impl EventStore for Switched {
    fn lead<'a>(
        &'a self,
        holder: &'a str,
        time: Duration,
    ) -> BoxFuture<'a, Result<Option<u64>, EventStoreError>> {
        Box::pin(async move {
            self.check().await?;
            self.inner.lead(holder, time).await
        })
    }

    fn position(&self) -> BoxFuture<'_, Result<Option<String>, EventStoreError>> {
        Box::pin(async move {
            self.check().await?;
            self.inner.position().await
        })
    }

    fn save<'a>(
        &'a self,
        fence: u64,
        position: &'a str,
    ) -> BoxFuture<'a, Result<bool, EventStoreError>> {
        Box::pin(async move {
            self.check().await?;
            self.inner.save(fence, position).await
        })
    }
}

#[tokio::test]
async fn a_leader_that_cannot_renew_its_lease_closes_its_connection() {
    for hangs in [false, true] {
        let kit = Kit::start().await;
        let store = Switched::new(&kit, hangs);
        let _running = kit.run(kit.builder().store(store.clone())).await;
        kit.clock.pause(RENEWAL..=RENEWAL).await;
        store.is_down.store(true, Ordering::SeqCst);
        let renewed_at = kit.clock.monotonic();
        kit.clock.skip(RENEWAL..=RENEWAL).await;
        // The limits of the calls that hang, and the pauses between attempts.
        let steps = if hangs { &[3, 1, 3, 1][..] } else { &[1; 8] };
        for step in steps {
            kit.clock.skip(SECOND * *step..=SECOND * *step).await;
        }
        until("the end of the connection", || kit.connections() == 0).await;
        let lease = kit.clock.monotonic() - renewed_at;
        assert!(lease < SECOND * 15, "{lease:?}");
        store.is_down.store(false, Ordering::SeqCst);
        if hangs {
            kit.clock.skip(SECOND * 3..=SECOND * 3).await;
        }
        kit.clock.skip(RENEWAL..=RENEWAL).await;
        kit.connected().await;
        kit.tenant.block("auth0|bob").unwrap();
        kit.revoked(1).await;
    }
}

/// Waits until the position of the first connection is saved.
async fn has_position(store: &InMemoryEventStore) {
    while store.position().await.unwrap().is_none() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn one_that_has_lost_its_lease_closes_its_connection() {
    let kit = Kit::start().await;
    let store = InMemoryEventStore::with_clock(kit.clock.clone());
    let _running = kit.run(kit.builder().store(store.clone())).await;
    kit.clock.pause(RENEWAL..=RENEWAL).await;
    has_position(&store).await;
    store.resign(1).await.unwrap();
    assert_eq!(store.lead("another", SECOND * 15).await.unwrap(), Some(2));
    let lost_at = kit.clock.monotonic();
    kit.clock.advance(RENEWAL);
    until("the end of the connection", || kit.connections() == 0).await;
    assert!(kit.clock.monotonic() - lost_at < SECOND * 10, "at the next renewal");
}

#[tokio::test]
async fn one_that_was_stopped_for_a_while_changes_nothing() {
    let kit = Kit::start().await;
    let store = InMemoryEventStore::with_clock(kit.clock.clone());
    let _running = kit.run(kit.builder().store(store.clone())).await;
    kit.clock.pause(RENEWAL..=RENEWAL).await;
    has_position(&store).await;
    // Another instance takes over after the end of the lease, before the first one notices.
    kit.clock.advance(Duration::from_millis(4_900));
    store.resign(1).await.unwrap();
    assert_eq!(store.lead("another", SECOND * 15).await.unwrap(), Some(2));
    kit.tenant.block("auth0|bob").unwrap();
    until("the end of the connection", || kit.connections() == 0).await;
    let position = store.position().await.unwrap();
    assert!(!position.unwrap().ends_with(&kit.tenant.events().last_offset()), "that is refused");
}
