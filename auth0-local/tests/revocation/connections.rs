//! The connections to the Events API, and their faults.
use crate::{
    kit::{acme, start},
    reader::{Reader, refused, request},
};
use auth0_local::{Endpoint, Fault, LocalTenant};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;

fn emit(tenant: &LocalTenant, id: &str) {
    tenant.emit_event("user.updated", json!({ "user_id": id })).unwrap();
}

async fn next(reader: &mut Reader) -> (String, Value) {
    let message = reader.event().await;
    let id = message.object()["user_id"].as_str().unwrap().to_owned();
    (id, message.data["event"]["id"].clone())
}

#[tokio::test]
async fn the_number_of_connections_is_limited() {
    let tenant = start().await;
    let mut readers = Vec::new();
    for number in 1..=4 {
        readers.push(Reader::connect(&tenant, "").await);
        assert_eq!(tenant.events().connections(), number);
    }
    let answer = refused(&tenant, "").await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, "5"));
    assert_eq!(answer.json()["statusCode"], 429);
    assert_eq!(answer.json()["errorCode"], "too_many_requests");
    // A connection that its client closes is free again, as soon as the tenant notices.
    drop(readers.pop());
    while request(&tenant, "").send().await.unwrap().status() != 200 {}
    drop(readers);
    let one = acme().event_connections(1).start().await.unwrap();
    let reader = Reader::connect(&one, "").await;
    assert_eq!(refused(&one, "").await.status, 429);
    one.events().disconnect();
    reader.end().await;
    while request(&one, "").send().await.unwrap().status() != 200 {}
    let none = acme().event_connections(0).start().await.unwrap();
    assert_eq!(refused(&none, "").await.status, 429);
}

#[tokio::test]
async fn connections_are_closed() {
    let tenant = start().await;
    let (first, second) = (Reader::connect(&tenant, "").await, Reader::connect(&tenant, "").await);
    tenant.events().disconnect();
    first.end().await;
    second.end().await;
    let mut third = Reader::connect(&tenant, "").await;
    emit(&tenant, "a");
    assert_eq!(next(&mut third).await.0, "a", "a new one stays open");
}

#[tokio::test]
async fn connections_are_cycled() {
    let tenant = start().await;
    let open = Reader::connect(&tenant, "").await;
    tenant.events().cycle(Some(Duration::from_millis(1)));
    open.end().await;
    Reader::connect(&tenant, "").await.end().await;
    tenant.events().cycle(Some(Duration::MAX));
    let mut reader = Reader::connect(&tenant, "").await;
    tenant.events().cycle(None);
    emit(&tenant, "a");
    assert_eq!(next(&mut reader).await.0, "a");
}

#[tokio::test]
async fn streams_end_when_the_tenant_stops() {
    let tenant = start().await;
    let (open, hanging) = (Reader::connect(&tenant, "").await, Reader::connect(&tenant, "").await);
    tenant.events().hang(true);
    drop(tenant);
    open.end().await;
    hanging.end().await;
}

#[tokio::test]
async fn offsets_expire() {
    let tenant = start().await;
    let mut open = Reader::connect(&tenant, "").await;
    let old = tenant.events().last_offset();
    emit(&tenant, "a");
    let newest = tenant.events().last_offset();
    tenant.events().expire_offsets();
    for offset in [&old, &newest] {
        let mut reader = Reader::connect(&tenant, &format!("?from={offset}")).await;
        assert_eq!(reader.next().await.unwrap().error_code(), "cursor_expired");
        assert!(reader.next().await.is_none());
    }
    let query = "?from_timestamp=1970-01-01T00:00:00Z";
    let mut early = Reader::connect(&tenant, query).await;
    emit(&tenant, "b");
    assert_eq!(next(&mut early).await.0, "b", "earlier events are gone");
    assert_eq!((next(&mut open).await.0, next(&mut open).await.0), ("a".into(), "b".into()));
    let valid = tenant.events().last_offset();
    emit(&tenant, "c");
    let mut reader = Reader::connect(&tenant, &format!("?from={valid}")).await;
    assert_eq!(next(&mut reader).await.0, "c");
}

#[tokio::test]
async fn the_log_is_bounded() {
    let tenant = start().await;
    let before = tenant.events().last_offset();
    emit(&tenant, "first");
    let first = tenant.events().last_offset();
    for _ in 0..10_000 {
        emit(&tenant, "more");
    }
    let query = |offset: &str| format!("?from={offset}");
    let mut expired = Reader::connect(&tenant, &query(&before)).await;
    assert_eq!(expired.next().await.unwrap().error_code(), "cursor_expired");
    let mut kept = Reader::connect(&tenant, &query(&first)).await;
    assert_eq!(next(&mut kept).await.0, "more");
}

#[tokio::test]
async fn events_arrive_twice() {
    let tenant = start().await;
    let mut reader = Reader::connect(&tenant, "").await;
    tenant.events().duplicate_next(2);
    for id in ["a", "b", "c"] {
        emit(&tenant, id);
    }
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(next(&mut reader).await);
    }
    let ids: Vec<&str> = seen.iter().map(|(id, _)| &**id).collect();
    assert_eq!(ids, ["a", "a", "b", "b", "c"]);
    assert!(seen[0].1 == seen[1].1 && seen[2].1 == seen[3].1, "the same id of the event");
    assert_ne!(seen[1].1, seen[2].1);
}

#[tokio::test]
async fn events_arrive_out_of_order() {
    let tenant = start().await;
    let mut reader = Reader::connect(&tenant, "").await;
    tenant.events().swap_next_two();
    for id in ["a", "b", "c", "d"] {
        tenant.tenant().clock().advance(Duration::from_secs(1));
        emit(&tenant, id);
    }
    let mut times = Vec::new();
    for expected in ["b", "a", "c", "d"] {
        let message = reader.event().await;
        assert_eq!(message.object()["user_id"], expected);
        times.push(message.data["event"]["time"].as_str().unwrap().to_owned());
    }
    assert!(times[1] < times[0] && times[0] < times[2], "the times show it: {times:?}");

    tenant.events().swap_next_two();
    emit(&tenant, "held");
    tenant.events().hang(false); // another fault does not send it
    tenant.events().clear_faults();
    emit(&tenant, "next");
    assert_eq!(
        (next(&mut reader).await.0, next(&mut reader).await.0),
        ("held".into(), "next".into())
    );
}

/// The clock of the test jumps from one heartbeat to the next.
#[tokio::test(start_paused = true)]
async fn connections_hang() {
    let hour = Duration::from_secs(3600);
    let tenant = start().await;
    let mut reader = Reader::connect(&tenant, "").await;
    let heartbeat = timeout(hour, reader.next()).await.unwrap().unwrap();
    assert_eq!(heartbeat.event, "offset-only");
    tenant.events().hang(true);
    emit(&tenant, "a");
    let mut new = Reader::connect(&tenant, "").await;
    let received = timeout(hour, new.next()).await;
    assert!(received.is_err(), "neither events nor heartbeats: {received:?}");
    tenant.events().hang(false);
    assert_eq!(next(&mut reader).await.0, "a", "it was not lost");
    assert_eq!(new.next().await.unwrap().event, "offset-only");
}

#[tokio::test]
async fn new_connections_are_refused() {
    let tenant = start().await;
    let mut open = Reader::connect(&tenant, "").await;
    for (status, retry_after, error) in [
        (410, None, "Gone"),
        (429, Some(7), "Too Many Requests"),
        (500, None, "Internal Server Error"),
        (599, None, "Error"),
    ] {
        tenant.events().refuse(status, retry_after).unwrap();
        let answer = refused(&tenant, "").await;
        let expected = retry_after.map(|seconds| seconds.to_string()).unwrap_or_default();
        assert_eq!((answer.status, answer.header("retry-after")), (status, &*expected));
        assert_eq!(
            (&answer.json()["statusCode"], &answer.json()["error"]),
            (&json!(status), &json!(error))
        );
    }
    for status in [0, 200, 301, 399, 600, u16::MAX] {
        let error = tenant.events().refuse(status, None).unwrap_err().to_string();
        assert!(error.contains("is not the status of an error"), "{error}");
    }
    emit(&tenant, "a");
    assert_eq!(next(&mut open).await.0, "a");
    tenant.events().clear_faults();
    drop(Reader::connect(&tenant, "").await);

    tenant.set_fault(Endpoint::Events, Fault::status(502).unwrap());
    assert_eq!(refused(&tenant, "").await.status, 502);
    let counts = tenant.stats().events;
    assert_eq!((counts.served, counts.faulted), (6, 1));
}
