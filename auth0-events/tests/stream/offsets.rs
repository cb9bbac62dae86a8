//! Where connections begin.
use crate::kit::{Kit, SECOND, run, until};
use crate::server::{Answer, STREAM, Server};
use crate::{kit::TestClock, kit::acme};
use auth0_core::Revocations;
use auth0_events::{EventStore, InMemoryEventStore};
use auth0_testing::ManualClock;
use std::time::Duration;

const EVENT: &str = "event: user.created\nid: one\ndata: {\"offset\":\"one\",\"event\":{\"type\":\"user.created\",\"id\":\"e\",\"time\":\"2026-01-01T00:00:00.5Z\"}}\n\n";

/// Waits until a position ends with an offset.
async fn saved(store: &InMemoryEventStore, offset: &str) {
    let wait = async {
        while !store.position().await.unwrap().is_some_and(|position| position.ends_with(offset)) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), wait).await.expect("the position is saved");
}

#[tokio::test]
async fn a_restart_continues_at_the_saved_offset() {
    let kit = Kit::start().await;
    let store = InMemoryEventStore::with_clock(kit.clock.clone());
    let running = kit.run(kit.builder().store(store.clone())).await;
    kit.tenant.block("auth0|bob").unwrap();
    saved(&store, &kit.tenant.events().last_offset()).await;
    drop(running);
    until("the end of the connection", || kit.connections() == 0).await;
    kit.tenant.delete_user("auth0|ann").unwrap();
    let _running = run(kit.builder().store(store.clone()).build().unwrap());
    // The lease of the first run has to end.
    kit.clock.pass(SECOND * 15).await;
    kit.revoked(2).await;
}

#[tokio::test]
async fn a_message_without_an_event_moves_the_offset() {
    let kit = Kit::of(acme().event_heartbeat(Duration::from_millis(1))).await;
    let store = InMemoryEventStore::with_clock(kit.clock.clone());
    let _running = kit.run(kit.builder().store(store.clone())).await;
    kit.tenant.emit_event("group.created", serde_json::json!({})).unwrap(); // is filtered out
    saved(&store, &kit.tenant.events().last_offset()).await;
}

#[tokio::test]
async fn an_offset_that_has_expired() {
    let kit = Kit::start().await;
    let store = InMemoryEventStore::with_clock(kit.clock.clone());
    let _running = kit.run(kit.builder().store(store.clone())).await;
    kit.tenant.block("auth0|bob").unwrap();
    saved(&store, &kit.tenant.events().last_offset()).await;
    kit.tenant.events().expire_offsets();
    kit.tenant.events().disconnect();
    kit.clock.skip(SECOND * 2..=SECOND * 2).await;
    kit.clock.pause(SECOND..=SECOND).await;
    // From the time of the last event on.
    kit.tenant.delete_user("auth0|ann").unwrap();
    kit.clock.advance(SECOND);
    kit.revoked(2).await;
}

#[tokio::test]
async fn an_offset_that_the_status_of_an_answer_refuses() {
    let status =
        |line: &str| Answer::text(&format!("HTTP/1.1 {line}\r\ncontent-length: 0\r\n\r\n"));
    let body = r#"{"statusCode":400,"errorCode":"invalid_cursor"}"#;
    let cursor =
        format!("HTTP/1.1 400 Bad Request\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    for (answer, is_lost) in [
        (status("410 Gone"), true),
        (Answer::text(&cursor), true),
        (status("400 Bad Request"), false),
        (status("500 Oops"), false),
    ] {
        let clock = TestClock::new(&ManualClock::at(Duration::from_secs(1_767_225_600)));
        let event = format!("{STREAM}{EVENT}");
        let server = Server::start([Answer::text(&event), answer, Answer::Open(Vec::new())]).await;
        let builder = server.builder(&Revocations::in_memory(), &clock);
        let _running = run(builder.build().unwrap());
        clock.skip(SECOND * 2..=SECOND * 2).await;
        assert!(server.request(1).await.contains("last-event-id: one\r\n"));
        clock.skip(SECOND..=SECOND).await;
        let request = server.request(2).await;
        assert_eq!(request.contains("from_timestamp=2025-12-31T23%3A55%3A00.000Z"), is_lost);
        assert_eq!(request.contains("last-event-id: one\r\n"), !is_lost);
    }
}

#[tokio::test]
async fn how_the_next_connection_begins() {
    let clock = TestClock::new(&ManualClock::at(Duration::from_secs(1_767_225_600)));
    let error = |code: &str| {
        format!(
            "{STREAM}event: error\ndata: {{\"error\":{{\"code\":\"{code}\",\"message\":\"x\"}}}}\n\n"
        )
    };
    let with_offset = "event: error\ndata: {\"error\":{\"code\":\"timeout\",\"message\":\"x\",\"offset\":\"two\"}}\n\n";
    let server = Server::start([
        Answer::text(&format!("{STREAM}:connected\n\nretry: 0\n\n")),
        Answer::text(&format!("{STREAM}{EVENT}")),
        Answer::text(&format!("{STREAM}{with_offset}")),
        Answer::text(&error("cursor_expired")),
        Answer::text("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"),
        Answer::text(&format!(
            "{STREAM}event: offset-only\nid: three\ndata: {{\"offset\":\"three\"}}\n\n"
        )),
        Answer::text(&error("processing_error")),
        Answer::Open(vec![STREAM.into()]),
    ])
    .await;
    let builder = server.builder(&Revocations::in_memory(), &clock);
    let _running = run(builder.build().unwrap());
    let path = "GET /api/v2/events?event_type=organization.deleted&event_type=organization.member.deleted&\
                event_type=user.deleted&event_type=user.updated";
    for (number, (query, offset)) in [
        ("", None),
        ("&from_timestamp=2025-12-31T23%3A55%3A00.000Z", None),
        ("", Some("one")),
        ("", Some("two")),
        ("&from_timestamp=2025-12-31T23%3A55%3A00.500Z", None),
        ("", None),
        ("", Some("three")),
        ("", Some("three")),
    ]
    .into_iter()
    .enumerate()
    {
        let request = server.request(number).await;
        let (line, headers) = request.split_once("\r\n").unwrap();
        assert_eq!(line, format!("{path}{query} HTTP/1.1"), "{number}");
        assert!(headers.contains("accept: text/event-stream\r\n"), "{headers}");
        assert!(headers.contains("authorization: Bearer the-token\r\n"), "{headers}");
        let sent = headers.lines().find_map(|line| line.strip_prefix("last-event-id: "));
        assert_eq!(sent, offset, "{number}");
        if number < 7 {
            clock.skip(SECOND..=SECOND * 4).await;
        }
    }
}
