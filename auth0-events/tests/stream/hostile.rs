//! Servers that send something else.
use crate::{
    kit::{SECOND, TestClock, run, until},
    server::{Answer, STREAM, Server},
};
use auth0_core::Revocations;
use auth0_testing::{ManualClock, Tenant};
use std::{sync::atomic::Ordering, time::Duration};

const DELETED: &str = "event: user.deleted\nid: two\ndata: {\"event\":{\"type\":\"user.deleted\",\"time\":\"2026-01-01T00:00:00Z\",\"data\":{\"object\":{\"user_id\":\"auth0|ann\"}}}}\n\n";

fn clock() -> TestClock {
    TestClock::new(&ManualClock::at(Duration::from_secs(1_767_225_600)))
}

#[tokio::test]
async fn a_message_without_end() {
    for part in ["x".repeat(64 * 1024), format!("data: {}\n", "x".repeat(10_000))] {
        let clock = clock();
        let beginning = format!("{STREAM}data: ").into_bytes();
        let good = Answer::text(&format!("{STREAM}{DELETED}"));
        let server = Server::start([Answer::Endless(beginning, part.into()), good]).await;
        let revocations = Revocations::in_memory();
        let _running = run(server.builder(&revocations, &clock).build().unwrap());
        clock.skip(SECOND..=SECOND).await;
        until("the end of the first connection", || {
            server.open.load(Ordering::SeqCst) == 0 || revocations.count() == 1
        })
        .await;
        until("a revocation", || revocations.count() == 1).await;
    }
}

#[tokio::test]
async fn a_large_event_is_skipped() {
    let clock = clock();
    let large = format!("event: user.deleted\nid: one\ndata: {}\n\n", "x".repeat(2 << 20));
    let server =
        Server::start([Answer::Open(vec![format!("{STREAM}{large}{DELETED}").into()])]).await;
    let revocations = Revocations::in_memory();
    let _running = run(server.builder(&revocations, &clock).build().unwrap());
    until("a revocation", || revocations.count() == 1).await;
    assert_eq!(server.requests.lock().unwrap().len(), 1, "on the same connection");
}

#[tokio::test]
async fn what_is_no_event_is_skipped() {
    let clock = clock();
    let bad = [
        "data: \n\n",
        "data: {\n\n",
        "data: [[[[\n\n",
        "event: user.deleted\ndata: {\"event\":null}\n\n",
        "event: user.deleted\ndata: {\"event\":{\"type\":7}}\n\n",
        "event: user.deleted\nid: a\tb\u{e9}\ndata: {\"event\":{}}\n\n",
        "event: user.deleted\nid: x\ndata: {\"event\":{\"type\":\"user.deleted\",\"time\":\"never\",\"data\":[]}}\n\n",
        "event: offset-only\ndata: []\n\n",
        "id\n\nevent\n\nretry: -1\n\n:\n\n\u{0}\n\n",
    ];
    let text = format!("{STREAM}{}{DELETED}", bad.concat());
    let server = Server::start([Answer::Open(vec![text.into()])]).await;
    let revocations = Revocations::in_memory();
    let _running = run(server.builder(&revocations, &clock).build().unwrap());
    until("a revocation", || revocations.count() == 1).await;
}

#[tokio::test]
async fn answers_that_are_no_stream() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 500 Oops\r\ncontent-length: 99999999\r\n\r\n{",
        "no http\r\n\r\n",
        "",
    ] {
        let clock = clock();
        let good = Answer::text(&format!(
            "{}{DELETED}",
            STREAM.replace("stream", "Stream; charset=utf-8")
        ));
        let server = Server::start([Answer::text(answer), good]).await;
        let revocations = Revocations::in_memory();
        let _running = run(server.builder(&revocations, &clock).build().unwrap());
        server.request(0).await;
        clock.skip(SECOND..=SECOND).await;
        until("a revocation", || revocations.count() == 1).await;
        assert!(!server.url().is_empty());
    }
}

#[tokio::test]
async fn an_event_of_the_future() {
    let tenant = Tenant::new();
    let clock = TestClock::new(tenant.clock());
    let text = format!("{STREAM}{}", DELETED.replace("2026-01-01", "9999-12-31"));
    let server = Server::start([Answer::Open(vec![text.into()])]).await;
    let revocations = Revocations::in_memory();
    let auth = tenant.builder().revocations(&revocations).build().unwrap();
    let builder = server.builder(&revocations, &clock).issuers([tenant.issuer()]);
    let _running = run(builder.build().unwrap());
    until("both revocations", || revocations.count() == 2).await;
    let token = || tenant.token().subject("auth0|ann").mint();
    assert!(auth.verify(&token()).await.is_err());
    tenant.clock().advance(SECOND * 301);
    assert!(auth.verify(&token()).await.is_ok(), "a token of a later login");
}
