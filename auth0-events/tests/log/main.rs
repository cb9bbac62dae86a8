//! What the log says, and what never reaches it. A program of its own: a subscriber of one test can miss events while
//! others come and go.
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

use auth0_events::{Event, EventStore, EventSubscriber, InMemoryEventStore};
use kit::{Kit, SECOND, acme, run, until};
use serde_json::json;
use std::{
    io,
    sync::{Arc, Mutex},
};
use tracing_subscriber::filter::LevelFilter;

/// Collects the log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// Waits for a line with these parts.
    async fn line(&self, parts: &[&str]) -> String {
        let find = || {
            let text = self.text();
            let mut lines = text.lines();
            lines.find(|line| parts.iter().all(|part| line.contains(part))).map(str::to_owned)
        };
        until(&format!("a line with {parts:?}"), || find().is_some()).await;
        find().unwrap()
    }
}

/// One test, because the subscriber is that of the process.
#[tokio::test]
async fn the_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone());
    subscriber.with_max_level(LevelFilter::DEBUG).init();

    what_an_operator_learns(&log).await;
    a_position_that_cannot_be_read(&log).await;
    a_token_that_is_refused(&log).await;
    other_answers(&log).await;
    a_lease(&log).await;

    let text = log.text();
    let own: Vec<&str> = text.lines().filter(|line| line.contains(" auth0: ")).collect();
    assert!(own.len() > 10, "{text}");
    for hidden in ["s3cret", "eyJ", "auth0|ann", "auth0|bob", "ann@acme.com", "org_acme"] {
        let found = own.iter().find(|line| line.contains(hidden));
        assert!(found.is_none(), "{hidden} is in {found:?}");
    }
}

async fn what_an_operator_learns(log: &Log) {
    let kit = Kit::start().await;
    let store = InMemoryEventStore::with_clock(kit.clock.clone());
    let builder = kit
        .builder()
        .store(store)
        .on_event(["user.created"], |_: Event| async { Err::<(), _>("the database\nis down") });
    let _running = kit.run(builder).await;
    log.line(&["INFO", "this instance reads the events of the tenant", "fence=1"]).await;
    let ann = json!({ "user_id": "auth0|ann", "email": "ann@acme.com" });
    kit.tenant.emit_event("user.deleted", &ann).unwrap();
    log.line(&["DEBUG", "an event was received", "user.deleted", "evt_"]).await;
    kit.tenant
        .emit_event("user.updated", json!({ "blocked": true, "email": "ann@acme.com" }))
        .unwrap();
    log.line(&["WARN", "cannot be read, and is skipped", "/user_id"]).await;
    kit.tenant.emit_event("user.created", &ann).unwrap();
    log.line(&["WARN", "the handler of an event has failed", "the database\\nis down"]).await;
    for (least, most) in [(1, 1), (1, 2), (2, 4), (4, 8)] {
        kit.clock.skip(SECOND * least..=SECOND * most).await;
    }
    log.line(&["ERROR", "an event was given up", "user.created", "evt_"]).await;

    kit.tenant.events().expire_offsets();
    kit.tenant.events().disconnect();
    kit.clock.skip(SECOND * 2..=SECOND * 2).await;
    let line = log.line(&["ERROR", "events may have been lost", "cursor_expired"]).await;
    assert!(line.contains("since=\"20") && line.contains("begins_at_a_time=true"), "{line}");
    assert!(!log.text().contains("WARN auth0: the connection"), "that it was closed is normal");

    let hanging = Kit::start().await;
    let _running = hanging.run(hanging.builder()).await;
    hanging.clock.pause(SECOND * 45..=SECOND * 45).await;
    hanging.tenant.events().hang(true);
    hanging.clock.pass(SECOND * 45).await;
    log.line(&["WARN", "is silent"]).await;
}

async fn a_position_that_cannot_be_read(log: &Log) {
    let kit = Kit::start().await;
    let store = InMemoryEventStore::with_clock(kit.clock.clone());
    let fence = store.lead("another release", SECOND * 15).await.unwrap().unwrap();
    store.save(fence, "s3cret").await.unwrap();
    store.resign(fence).await.unwrap();
    let _running = kit.run(kit.builder().store(store)).await;
    log.line(&["ERROR", "events may have been lost", "the position in the store cannot be read"])
        .await;
}

async fn a_token_that_is_refused(log: &Log) {
    let kit = Kit::start().await;
    let audience = kit.tenant.management_audience();
    let token = || kit.tenant.token().machine("m").audience(&audience);
    for (token, expected) in [
        (token().scope("read:users").mint(), "read:events"),
        (token().scope("read:events").expired().mint(), "must be one for the Management API"),
    ] {
        let builder = EventSubscriber::builder().issuer(kit.tenant.issuer()).token(token);
        let builder = builder.revocations(&kit.revocations).clock(kit.clock.clone());
        let _running = run(builder.build().unwrap());
        log.line(&["ERROR", "the Events API refuses the token", expected]).await;
    }
}

async fn other_answers(log: &Log) {
    for (status, parts) in [
        (429, ["WARN", "no connection to the Events API left"]),
        (500, ["WARN", "the Events API fails"]),
        (404, ["ERROR", "the Events API refuses the request"]),
    ] {
        let kit = Kit::of(acme()).await;
        kit.tenant.events().refuse(status, None).unwrap();
        let _running = run(kit.builder().build().unwrap());
        log.line(&[&parts[..], &[&format!("status={status}")]].concat()).await;
    }
    let kit = Kit::start().await;
    let issuer = kit.tenant.issuer().to_owned();
    let builder = kit.builder();
    drop(kit);
    let _running = run(builder.build().unwrap());
    let line = log.line(&["ERROR", "there is no token for the Events API"]).await;
    assert!(line.contains("tenant") || !issuer.is_empty(), "{line}");
}

async fn a_lease(log: &Log) {
    let kit = Kit::start().await;
    let store = InMemoryEventStore::with_clock(kit.clock.clone());
    let _first = kit.run(kit.builder().store(store.clone())).await;
    let _second = run(kit.builder().store(store.clone()).build().unwrap());
    log.line(&["INFO", "another instance reads the events of the tenant"]).await;
    kit.clock.advance(SECOND * 20);
    log.line(&["WARN", "it has lost its lease"]).await;
}
