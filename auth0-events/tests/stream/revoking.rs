//! What events revoke.
use crate::kit::{Kit, SECOND, acme, until};
use auth0_core::{
    BoxFuture, Revocations,
    revocation::{Changes, RevocationEntry, RevocationStore, RevocationStoreError, UsedId},
};
use auth0_events::{EventStore, InMemoryEventStore};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

#[tokio::test]
async fn users_and_members_lose_their_tokens() {
    let kit = Kit::start().await;
    let _running = kit.run(kit.builder()).await;
    let token = |subject: &str| kit.tenant.token().subject(subject);
    let bob = token("auth0|bob").mint();
    let ann = token("auth0|ann").mint();
    let member = token("auth0|ann").organization("org_acme", "acme").mint();
    let other_member = token("auth0|carl").organization("org_acme", "acme").mint();
    for token in [&bob, &ann, &member, &other_member] {
        assert!(kit.accepts(token).await);
    }

    kit.tenant.unblock("auth0|bob").unwrap(); // an update of a user who is not blocked
    kit.tenant.block("auth0|bob").unwrap();
    kit.revoked(1).await;
    assert!(!kit.accepts(&bob).await);
    assert!(kit.accepts(&ann).await);

    kit.tenant.remove_member("acme", "auth0|ann").unwrap();
    kit.revoked(2).await;
    assert!(!kit.accepts(&member).await);
    assert!(kit.accepts(&ann).await, "without the organization");
    assert!(kit.accepts(&other_member).await);

    kit.tenant.emit_event("organization.deleted", json!({ "id": "org_acme" })).unwrap();
    kit.revoked(3).await;
    assert!(!kit.accepts(&other_member).await);

    kit.tenant.delete_user("auth0|ann").unwrap();
    kit.revoked(4).await;
    assert!(!kit.accepts(&ann).await);

    kit.clock.advance(SECOND);
    assert!(kit.accepts(&token("auth0|bob").mint()).await, "a token of a later login");
}

#[tokio::test]
async fn tokens_of_custom_domains_end_too() {
    let kit = Kit::start().await;
    let builder =
        kit.builder().issuers(["login.acme.com", "https://id.acme.com/", "login.acme.com"]);
    let _running = kit.run(builder).await;
    let token = kit.tenant.token().subject("auth0|bob").mint();
    kit.tenant.block("auth0|bob").unwrap();
    kit.revoked(3).await;
    assert!(!kit.accepts(&token).await);
}

#[tokio::test]
async fn an_older_event_that_arrives_late_lowers_nothing() {
    let kit = Kit::start().await;
    let _running = kit.run(kit.builder()).await;
    kit.tenant.events().swap_next_two();
    kit.tenant.events().duplicate_next(3);
    kit.tenant.block("auth0|bob").unwrap();
    kit.clock.advance(SECOND * 3);
    let between = kit.tenant.token().subject("auth0|bob").mint();
    kit.clock.advance(SECOND);
    kit.tenant.block("auth0|bob").unwrap();
    kit.tenant.delete_user("auth0|ann").unwrap(); // the last event of all
    kit.revoked(2).await;
    assert!(!kit.accepts(&between).await);
    kit.clock.advance(SECOND);
    assert!(kit.accepts(&kit.tenant.token().subject("auth0|bob").mint()).await);
}

#[tokio::test]
async fn the_time_of_an_event_counts_and_not_that_of_its_arrival() {
    let kit = Kit::start().await;
    let running = kit.run(kit.builder()).await;
    kit.tenant.events().hang(true);
    kit.tenant.block("auth0|bob").unwrap();
    kit.clock.advance(SECOND * 2);
    let after = kit.tenant.token().subject("auth0|bob").mint();
    kit.tenant.events().hang(false);
    kit.revoked(1).await;
    assert!(kit.accepts(&after).await);
    drop(running);
}

#[tokio::test]
async fn what_cannot_be_read_is_skipped() {
    let kit = Kit::start().await;
    let _running = kit.run(kit.builder()).await;
    let token = kit.tenant.token().subject("auth0|bob").mint();
    for (kind, object) in [
        ("user.deleted", json!({})),
        ("user.deleted", json!({ "user_id": ["auth0|ann"] })),
        ("user.updated", json!({ "user_id": "", "blocked": true })),
        ("organization.member.deleted", json!({ "organization": "org_acme", "user": 1 })),
        ("organization.deleted", json!({ "name": "acme" })),
        ("user.deleted", json!({ "user_id": "auth0|bob", "unknown": { "member": [1, 2] } })),
    ] {
        kit.tenant.emit_event(kind, object).unwrap();
    }
    kit.revoked(1).await;
    assert!(!kit.accepts(&token).await);
}

/// A store of revocations that can be down.
#[derive(Clone, Debug, Default)]
struct Switched {
    is_down: Arc<AtomicBool>,
    attempts: Arc<AtomicUsize>,
}

impl RevocationStore for Switched {
    fn append(&self, _: Vec<RevocationEntry>) -> BoxFuture<'_, Result<(), RevocationStoreError>> {
        self.attempts.fetch_add(1, Ordering::SeqCst);
        let result = match self.is_down.load(Ordering::SeqCst) {
            true => Err(RevocationStoreError::new("it is down")),
            false => Ok(()),
        };
        Box::pin(async { result })
    }

    fn changes<'a>(
        &'a self,
        _: Option<&'a str>,
        _: Duration,
    ) -> BoxFuture<'a, Result<Changes, RevocationStoreError>> {
        Box::pin(async { Ok(Changes::new(Vec::new(), "0")) })
    }

    fn use_once(&self, _: UsedId) -> BoxFuture<'_, Result<bool, RevocationStoreError>> {
        Box::pin(async { Ok(true) })
    }
}

#[tokio::test]
async fn the_offset_waits_for_the_store_of_revocations() {
    let down = Switched::default();
    let kit = Kit::with(acme(), Revocations::with_store(down.clone())).await;
    let store = InMemoryEventStore::with_clock(kit.clock.clone());
    let _running = kit.run(kit.builder().store(store.clone())).await;
    down.is_down.store(true, Ordering::SeqCst);
    kit.tenant.block("auth0|bob").unwrap();
    until("the first attempt", || down.attempts.load(Ordering::SeqCst) >= 1).await;
    let offset = kit.tenant.events().last_offset();
    let position = async || store.position().await.unwrap().unwrap_or_default();
    assert!(!position().await.ends_with(&offset));
    down.is_down.store(false, Ordering::SeqCst);
    kit.clock.skip(SECOND..=SECOND * 2).await;
    while !position().await.ends_with(&offset) {
        tokio::task::yield_now().await;
    }
}
