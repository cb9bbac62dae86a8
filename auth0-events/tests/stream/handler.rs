//! The handler of the application.
use crate::kit::{Kit, SECOND, until};
use auth0_events::{Event, EventStore, EventSubscriberBuilder, InMemoryEventStore};
use serde_json::json;
use std::{
    future::pending,
    sync::{Arc, Mutex},
};

/// What a handler does at a call.
#[derive(Clone, Copy, Debug)]
enum Step {
    Succeed,
    Fail,
    Panic,
    Hang,
}

type Calls = Arc<Mutex<Vec<String>>>;

/// A handler that takes these steps, and then succeeds.
fn handled(builder: EventSubscriberBuilder, steps: &[Step]) -> (EventSubscriberBuilder, Calls) {
    let calls = Calls::default();
    let (log, steps) = (Arc::clone(&calls), steps.to_vec());
    let builder = builder.on_event(["user.created", "user.deleted"], move |event: Event| {
        let mut log = log.lock().unwrap();
        let step = steps.get(log.len()).copied().unwrap_or(Step::Succeed);
        log.push(event.object()["user_id"].as_str().unwrap_or_default().to_owned());
        async move {
            match step {
                Step::Succeed => Ok(()),
                Step::Fail => Err("the database is down"),
                Step::Panic => panic!("a mistake of the handler"),
                Step::Hang => pending().await,
            }
        }
    });
    (builder, calls)
}

#[tokio::test]
async fn it_gets_the_types_that_it_asks_for() {
    let kit = Kit::start().await;
    let (builder, calls) = handled(kit.builder(), &[]);
    let _running = kit.run(builder).await;
    kit.tenant.block("auth0|bob").unwrap();
    for kind in ["user.created", "group.created", "user.deleted"] {
        kit.tenant.emit_event(kind, json!({ "user_id": kind })).unwrap();
    }
    until("both calls", || calls.lock().unwrap().len() == 2).await;
    assert_eq!(*calls.lock().unwrap(), ["user.created", "user.deleted"]);
    assert_eq!(kit.revocations.count(), 2);
}

#[tokio::test]
async fn it_is_called_again_before_the_offset_moves() {
    let kit = Kit::start().await;
    let store = InMemoryEventStore::with_clock(kit.clock.clone());
    let steps = [Step::Fail, Step::Panic, Step::Hang];
    let (builder, calls) = handled(kit.builder().store(store.clone()), &steps);
    let _running = kit.run(builder).await;
    kit.tenant.emit_event("user.created", json!({ "user_id": "a" })).unwrap();
    for count in [1, 2] {
        until("a call", || calls.lock().unwrap().len() == count).await;
        kit.clock.skip(SECOND..=SECOND * 2).await;
    }
    until("the call that hangs", || calls.lock().unwrap().len() == 3).await;
    // What is revoked does not wait for the handler.
    kit.tenant.block("auth0|bob").unwrap();
    kit.revoked(1).await;
    let moved = || ready(store.position()).unwrap_or_default().len() > "1767225600000 ".len();
    assert!(!moved());
    kit.clock.pass(SECOND * 30).await;
    kit.clock.skip(SECOND * 2..=SECOND * 4).await;
    until("the last call", || calls.lock().unwrap().len() == 4).await;
    until("its end", moved).await;
    assert_eq!(*calls.lock().unwrap(), ["a", "a", "a", "a"]);
}

/// The result of a future that is ready at once.
fn ready<T, E: std::fmt::Debug>(mut future: auth0_core::BoxFuture<'_, Result<T, E>>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match future.as_mut().poll(&mut context) {
        std::task::Poll::Ready(result) => result.unwrap(),
        std::task::Poll::Pending => panic!("it is not ready"),
    }
}

#[tokio::test]
async fn an_event_is_given_up_after_five_calls() {
    let kit = Kit::start().await;
    let (builder, calls) = handled(kit.builder(), &[Step::Fail; 5]);
    let _running = kit.run(builder).await;
    kit.tenant.emit_event("user.created", json!({ "user_id": "a" })).unwrap();
    kit.tenant.emit_event("user.created", json!({ "user_id": "b" })).unwrap();
    for (least, most) in [(1, 1), (1, 2), (2, 4), (4, 8)] {
        let pause = kit.clock.pause(SECOND * least..=SECOND * most).await;
        kit.clock.advance(pause);
    }
    until("the next event", || calls.lock().unwrap().len() == 6).await;
    assert_eq!(*calls.lock().unwrap(), ["a", "a", "a", "a", "a", "b"]);
}

#[tokio::test]
async fn it_can_do_without_revocations() {
    let kit = Kit::start().await;
    let subscriber = auth0_events::EventSubscriber::builder().client(&kit.client());
    let (builder, calls) = handled(subscriber.clock(kit.clock.clone()), &[]);
    let _running = kit.run(builder).await;
    kit.tenant.block("auth0|bob").unwrap();
    kit.tenant.delete_user("auth0|bob").unwrap();
    until("the call", || calls.lock().unwrap().len() == 1).await;
    assert_eq!((&*calls.lock().unwrap()[0], kit.revocations.count()), ("auth0|bob", 0));
}
