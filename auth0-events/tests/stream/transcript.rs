//! A transcript of the Events API, in one piece and byte by byte.
use crate::{
    kit::{TestClock, run, until},
    server::{Answer, STREAM, Server},
};
use auth0_core::Revocations;
use auth0_events::{Event, EventStore, InMemoryEventStore};
use auth0_testing::ManualClock;
use std::{
    convert::Infallible,
    sync::{Arc, Mutex},
    time::Duration,
};

const TRANSCRIPT: &[u8] = include_bytes!("../transcripts/events.txt");

#[tokio::test]
async fn it_does_not_matter_how_it_arrives() {
    let crlf = String::from_utf8(TRANSCRIPT.to_vec()).unwrap().replace('\n', "\r\n").into_bytes();
    for (text, size) in [
        (TRANSCRIPT, usize::MAX),
        (TRANSCRIPT, 1),
        (TRANSCRIPT, 7),
        (&*crlf, usize::MAX),
        (&*crlf, 1),
    ] {
        let clock = TestClock::new(&ManualClock::at(Duration::from_secs(1_767_225_600)));
        let mut parts = vec![STREAM.as_bytes().to_vec()];
        parts.extend(text.chunks(size).map(<[u8]>::to_vec));
        let server = Server::start([Answer::Open(parts)]).await;
        let revocations = Revocations::in_memory();
        let store = InMemoryEventStore::with_clock(clock.clone());
        let events: Arc<Mutex<Vec<Event>>> = Arc::default();
        let seen = Arc::clone(&events);
        let builder = server.builder(&revocations, &clock).store(store.clone());
        let builder = builder.on_every_event(move |event| {
            seen.lock().unwrap().push(event);
            async { Ok::<(), Infallible>(()) }
        });
        let _running = run(builder.build().unwrap());
        until("the last event", || events.lock().unwrap().len() == 6).await;
        let request = server.request(0).await;
        assert!(request.starts_with("GET /api/v2/events HTTP/1.1\r\n"), "no filter: {request}");
        let types: Vec<String> =
            events.lock().unwrap().iter().map(|event| event.event_type().to_owned()).collect();
        assert_eq!(
            types,
            [
                "user.created",
                "user.updated",
                "organization.member.deleted",
                "group.member.deleted",
                "user.deleted",
                "organization.deleted"
            ]
        );
        assert_eq!(events.lock().unwrap()[0].object()["user_id"], "auth0|507f1f77bcf86cd799439020");
        assert_eq!(revocations.count(), 4);
        let saved = async {
            while store.position().await.unwrap().as_deref() != Some("1767225600000 offset_8") {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), saved).await.expect("the last offset");
    }
}
