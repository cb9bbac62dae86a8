//! Connections that end, are refused, or hang.
use crate::kit::{Kit, RENEWAL, SECOND, acme, run, until};
use auth0_local::{Endpoint, Fault};
use std::time::Duration;

fn served(kit: &Kit) -> u64 {
    kit.tenant.stats().events.served
}

fn requests(kit: &Kit) -> u64 {
    served(kit) + kit.tenant.stats().events.faulted
}

#[tokio::test]
async fn a_connection_that_is_closed_is_replaced() {
    let kit = Kit::start().await;
    let _running = kit.run(kit.builder()).await;
    for number in 1..4 {
        kit.tenant.events().disconnect();
        assert_eq!(kit.clock.pause(SECOND * 2..=SECOND * 2).await, SECOND * 2, "retry: 2000");
        kit.tenant.delete_user(if number == 1 { "auth0|ann" } else { "auth0|bob" }).ok();
        kit.clock.advance(SECOND * 2);
        kit.connected().await;
        kit.revoked(number.min(2)).await;
    }
}

#[tokio::test]
async fn connections_are_cycled() {
    let kit = Kit::start().await;
    kit.tenant.events().cycle(Some(Duration::from_millis(1)));
    let _running = run(kit.builder().build().unwrap());
    for _ in 0..5 {
        kit.clock.skip(SECOND * 2..=SECOND * 2).await;
    }
    kit.clock.pause(SECOND * 2..=SECOND * 2).await;
    kit.tenant.events().cycle(None);
    kit.clock.advance(SECOND * 2);
    kit.connected().await;
    kit.tenant.block("auth0|bob").unwrap();
    kit.revoked(1).await;
}

#[tokio::test]
async fn a_silent_connection_is_replaced() {
    let kit = Kit::start().await;
    let _running = kit.run(kit.builder()).await;
    kit.clock.pause(SECOND * 45..=SECOND * 45).await;
    kit.tenant.events().hang(true);
    kit.tenant.block("auth0|bob").unwrap();
    kit.clock.pass(SECOND * 45).await;
    kit.clock.pause(SECOND..=SECOND).await;
    kit.tenant.events().hang(false);
    kit.clock.advance(SECOND);
    kit.revoked(1).await;
    until("another request", || served(&kit) == 2).await;
}

#[tokio::test]
async fn heartbeats_keep_a_connection() {
    let kit = Kit::of(acme().event_heartbeat(Duration::from_millis(1))).await;
    let _running = kit.run(kit.builder()).await;
    for _ in 0..12 {
        // Each waits anew after a heartbeat.
        kit.clock.pass(RENEWAL).await;
        until("a new pause", || kit.clock.has_begun(SECOND * 45)).await;
    }
    assert_eq!((served(&kit), kit.connections()), (1, 1));
}

#[tokio::test]
async fn pauses_grow_while_the_tenant_fails() {
    let kit = Kit::start().await;
    kit.tenant.events().refuse(500, None).unwrap();
    let _running = run(kit.builder().build().unwrap());
    for (least, most) in [(1, 1), (1, 2), (2, 4)] {
        kit.clock.skip(SECOND * least..=SECOND * most).await;
    }
    let pause = kit.clock.pause(SECOND * 4..=SECOND * 8).await;
    kit.tenant.events().clear_faults();
    kit.clock.advance(pause);
    kit.connected().await;
    kit.tenant.block("auth0|bob").unwrap();
    kit.revoked(1).await;

    kit.tenant.events().refuse(503, None).unwrap();
    kit.tenant.events().disconnect();
    kit.clock.skip(SECOND * 2..=SECOND * 2).await;
    kit.clock.skip(SECOND..=SECOND).await; // an event was received in between
}

#[tokio::test]
async fn retry_after_is_obeyed() {
    let kit = Kit::of(acme().event_connections(0)).await;
    let _running = run(kit.builder().build().unwrap());
    while served(&kit) < 2 {
        kit.clock.pass(RENEWAL).await; // as long as the server asks for
    }

    let kit = Kit::start().await;
    kit.tenant.events().refuse(429, Some(7)).unwrap();
    let _running = run(kit.builder().build().unwrap());
    kit.clock.pause(SECOND * 7..=SECOND * 7).await;
    kit.tenant.events().clear_faults();
    kit.clock.advance(SECOND * 7);
    kit.connected().await;
}

#[tokio::test]
async fn what_a_connection_can_meet() {
    let faults = [
        Fault::reset(),
        Fault::lost(),
        Fault::garbage(),
        Fault::wrong(),
        Fault::html(),
        Fault::html_with_status(502).unwrap(),
        Fault::huge(),
        Fault::redirect(),
        Fault::empty(),
        Fault::empty_with_status(500).unwrap(),
        Fault::status(401).unwrap(),
        Fault::status(403).unwrap(),
        Fault::status(404).unwrap(),
        Fault::rate_limited(SECOND * 7),
    ];
    for fault in faults {
        let kit = Kit::start().await;
        kit.tenant.set_fault(Endpoint::Events, fault);
        let _running = run(kit.builder().build().unwrap());
        let pause = kit.clock.pause(SECOND..=SECOND * 7).await;
        assert!(pause == SECOND || pause == SECOND * 7, "{pause:?}");
        let before = requests(&kit);
        assert!((1..=2).contains(&before), "{fault}: {before}");
        assert_eq!(kit.tenant.stats().redirect_target, 0);
        kit.tenant.clear_faults();
        kit.clock.advance(pause);
        kit.connected().await;
        kit.tenant.block("auth0|bob").unwrap();
        kit.revoked(1).await;
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come() {
    let kit = Kit::start().await;
    kit.tenant.set_fault(Endpoint::Events, Fault::hang());
    let _running = run(kit.builder().build().unwrap());
    until("a request", || requests(&kit) == 1).await;
    kit.tenant.clear_faults();
    kit.clock.pass(SECOND * 10).await;
    kit.clock.skip(SECOND..=SECOND).await;
    kit.connected().await;
}
