//! The metrics. A program of its own, because the recorder is that of the process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]
#[path = "../stream/kit.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod kit;

use auth0_events::{Event, EventStore, InMemoryEventStore};
use kit::{Kit, SECOND, run, until};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use serde_json::json;
use std::{
    collections::BTreeMap,
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Returns all values by name and labels.
fn values(snapshotter: &Snapshotter) -> BTreeMap<String, f64> {
    let all = snapshotter.snapshot().into_vec().into_iter();
    all.map(|(key, _, _, value)| {
        let key = key.key();
        let labels: Vec<_> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let value = match value {
            DebugValue::Counter(count) => f64::from(u32::try_from(count).unwrap()),
            DebugValue::Gauge(value) => value.into_inner(),
            DebugValue::Histogram(_) => 0.0,
        };
        (format!("{}{{{}}}", key.name(), labels.join(",")), value)
    })
    .collect()
}

#[tokio::test]
async fn events_and_connections() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().unwrap();

    let kit = Kit::start().await;
    let store = InMemoryEventStore::with_clock(kit.clock.clone());
    store.lead("another instance", SECOND * 15).await.unwrap();
    let waiting = run(kit.builder().store(store).build().unwrap());
    until("a look at the lease", || values(&snapshotter).contains_key("auth0_events_leader{}"))
        .await;
    assert_eq!(values(&snapshotter).get("auth0_events_connected{}"), Some(&0.0), "from the start");
    drop(waiting);

    let calls = Arc::<AtomicUsize>::default();
    let count = Arc::clone(&calls);
    let store = InMemoryEventStore::with_clock(kit.clock.clone());
    let fence = store.lead("another release", SECOND * 15).await.unwrap().unwrap();
    store.save(fence, "what this release cannot read").await.unwrap();
    store.resign(fence).await.unwrap();
    let builder = kit.builder().store(store).on_every_event(move |_: Event| {
        count.fetch_add(1, Ordering::SeqCst);
        async { Ok::<(), Infallible>(()) }
    });
    let running = kit.run(builder).await;
    // It would begin at a time, which is refused.
    kit.tenant.events().refuse(400, None).unwrap();
    kit.tenant.events().disconnect();
    kit.clock.skip(SECOND * 2..=SECOND * 2).await;
    kit.clock.pause(SECOND..=SECOND).await;
    kit.tenant.events().clear_faults();
    kit.clock.skip(SECOND..=SECOND).await;
    kit.connected().await;
    kit.tenant.events().disconnect();
    kit.clock.skip(SECOND * 2..=SECOND * 2).await;
    kit.connected().await;
    kit.tenant.block("auth0|bob").unwrap();
    kit.tenant.unblock("auth0|bob").unwrap();
    kit.tenant.emit_event("user.deleted", json!({})).unwrap();
    kit.tenant.emit_event("anything.new", json!({})).unwrap();
    until("all calls", || calls.load(Ordering::SeqCst) == 4).await;
    kit.tenant.events().refuse(500, None).unwrap();
    kit.tenant.events().disconnect();
    kit.clock.skip(SECOND * 2..=SECOND * 2).await;
    kit.clock.pause(SECOND..=SECOND).await;

    let seen = values(&snapshotter);
    for (name, expected) in [
        ("auth0_events_total{type=user.updated,outcome=revoked}", 1.0),
        ("auth0_events_total{type=user.updated,outcome=ignored}", 1.0),
        ("auth0_events_total{type=user.deleted,outcome=malformed}", 1.0),
        ("auth0_events_total{type=other,outcome=ignored}", 1.0),
        ("auth0_events_total{type=user.updated,outcome=handled}", 2.0),
        ("auth0_events_total{type=other,outcome=handled}", 1.0),
        ("auth0_events_connections_total{outcome=offset_lost}", 2.0),
        ("auth0_events_connections_total{outcome=closed}", 3.0),
        ("auth0_events_connections_total{outcome=refused}", 1.0),
        ("auth0_events_leader{}", 1.0),
        ("auth0_events_connected{}", 0.0),
    ] {
        assert_eq!(seen.get(name), Some(&expected), "{name} in {seen:#?}");
    }
    assert!(seen.contains_key("auth0_events_lag_seconds{}"), "{seen:#?}");
    drop(running);
    until("it reads no more", || values(&snapshotter).get("auth0_events_leader{}") == Some(&0.0))
        .await;
}
