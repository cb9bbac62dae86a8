//! The token for the Events API.
use crate::kit::{Kit, SECOND, run, until};
use auth0_events::EventSubscriber;
use std::time::Duration;

fn token_requests(kit: &Kit) -> u64 {
    kit.tenant.stats().token.served
}

#[tokio::test]
async fn it_is_renewed_before_the_next_connection() {
    let kit = Kit::start().await;
    let _running = kit.run(kit.builder()).await;
    assert_eq!(token_requests(&kit), 1);
    kit.tenant.events().disconnect();
    kit.clock.skip(SECOND * 2..=SECOND * 2).await;
    until("the second connection", || kit.tenant.stats().events.served == 2).await;
    assert_eq!(token_requests(&kit), 1, "it is still valid");

    kit.tenant.events().disconnect();
    kit.clock.pause(SECOND * 2..=SECOND * 2).await;
    kit.clock.advance(Duration::from_secs(2 * 86_400));
    until("another connection", || kit.connections() == 1).await;
    assert_eq!(token_requests(&kit), 2);
    kit.tenant.block("auth0|bob").unwrap();
    kit.revoked(1).await;
}

#[tokio::test]
async fn one_that_is_refused_is_forgotten_once() {
    let kit = Kit::start().await;
    let _running = kit.run(kit.builder()).await;
    kit.tenant.rotate_keys().await.unwrap();
    kit.tenant.withdraw_old_keys();
    kit.tenant.events().disconnect();
    kit.clock.skip(SECOND * 2..=SECOND * 2).await;
    // 401, and at once another attempt with a new token.
    until("the third request", || kit.tenant.stats().events.served == 3).await;
    kit.connected().await;
    assert_eq!(token_requests(&kit), 2);
    kit.tenant.block("auth0|bob").unwrap();
    kit.revoked(1).await;
}

#[tokio::test]
async fn without_a_token_there_are_pauses() {
    let kit = Kit::start().await;
    let client = auth0_client::Client::builder()
        .issuer(kit.tenant.issuer())
        .client_id("events")
        .client_secret("wrong")
        .clock(kit.tenant.tenant().clock().clone())
        .build()
        .unwrap();
    let builder = EventSubscriber::builder().client(&client).clock(kit.clock.clone());
    let _running = run(builder.revocations(&kit.revocations).build().unwrap());
    kit.clock.skip(SECOND..=SECOND).await;
    kit.clock.skip(SECOND..=SECOND * 60).await;
    assert_eq!(kit.tenant.stats().events.served, 0);
}

#[tokio::test]
async fn a_given_token_is_used_as_it_is() {
    let kit = Kit::start().await;
    let audience = kit.tenant.management_audience();
    let token = kit.tenant.token().machine("m").audience(&audience).scope("read:events").mint();
    let builder = EventSubscriber::builder().issuer(kit.tenant.issuer()).token(token);
    let builder = builder.revocations(&kit.revocations).clock(kit.clock.clone());
    let _running = kit.run(builder).await;
    kit.tenant.block("auth0|bob").unwrap();
    kit.revoked(1).await;
    assert_eq!(token_requests(&kit), 0);
}

#[tokio::test]
async fn a_token_without_the_scope() {
    let kit = Kit::start().await;
    let audience = kit.tenant.management_audience();
    let token = kit.tenant.token().machine("m").audience(&audience).scope("read:users").mint();
    let builder = EventSubscriber::builder().issuer(kit.tenant.issuer()).token(token);
    let _running =
        run(builder.revocations(&kit.revocations).clock(kit.clock.clone()).build().unwrap());
    for (least, most) in [(1, 1), (1, 2), (2, 4)] {
        kit.clock.skip(SECOND * least..=SECOND * most).await;
    }
    assert_eq!(kit.connections(), 0);
}
