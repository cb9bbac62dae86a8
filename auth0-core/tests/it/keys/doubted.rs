//! Signatures that do not verify: the issuer may have given a new key the id of an old one.
use crate::common::{
    Documents, SECOND, fetches, spawn_verdict, until, verdict, verdict_at_once, with_unknown_key,
};
use auth0_core::{Auth0, ErrorCode::SignatureInvalid, TrustedIssuer};
use auth0_testing::{Failure, SigningKey, Tenant};
use serde_json::json;
use std::time::Duration;

/// Replaces the tenant's key by another one of the same id.
fn replace_key(tenant: &Tenant) {
    let old = tenant.signing_key();
    let new = SigningKey::generate(auth0_core::Algorithm::RS256).unwrap().with_id("aside");
    tenant.add_key(new.clone());
    tenant.withdraw_key(old.id()).unwrap();
    tenant.add_key(new.with_id(old.id()));
    tenant.withdraw_key("aside").unwrap();
}

#[tokio::test]
async fn a_new_key_under_an_old_id_is_accepted_at_once() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let old = tenant.token().mint();
    assert_eq!(verdict(&auth, &old).await, None);
    replace_key(&tenant);
    let new = tenant.token().mint();
    assert_ne!(old, new);
    assert_eq!(verdict(&auth, &new).await, None);
    assert_eq!(fetches(&tenant).1, 2);
    assert_eq!(verdict_at_once(&auth, &new), Some(Ok(())));
    assert_eq!(verdict(&auth, &old).await, Some(SignatureInvalid), "the old key is gone");
}

#[tokio::test]
async fn without_ids_a_new_key_is_accepted_too() {
    let tenant = Tenant::new();
    let documents = Documents::default();
    let publish = || {
        let mut key = tenant.signing_key().jwk();
        key.as_object_mut().unwrap().remove("kid");
        documents.put_metadata(&tenant, "keys");
        documents.put(&tenant, "keys", json!({ "keys": [key] }).to_string());
    };
    publish();
    let auth = tenant.builder().http_client(documents.clone()).build().unwrap();
    for without_id in [true, false] {
        let token =
            || if without_id { tenant.token().without_header("kid") } else { tenant.token() };
        assert_eq!(verdict(&auth, &token().mint()).await, None);
        replace_key(&tenant);
        publish();
        assert_eq!(verdict(&auth, &token().mint()).await, None, "{without_id}");
        tenant.clock().advance(60 * SECOND);
    }
}

/// A flood of forged signatures costs the issuer no more than one of unknown keys, and delays no good token.
#[tokio::test]
async fn a_flood_of_forged_signatures_costs_no_more_than_one_of_unknown_keys() {
    let mut costs = Vec::new();
    for is_forged in [true, false] {
        let tenant = Tenant::new();
        let auth = tenant.auth0();
        let good = tenant.token().mint();
        assert_eq!(verdict(&auth, &good).await, None);
        let bad = match is_forged {
            true => tenant.token().broken_signature().mint(),
            false => with_unknown_key(&tenant),
        };
        for _ in 0..5000 {
            assert!(verdict(&auth, &bad).await.is_some());
            assert_eq!(verdict_at_once(&auth, &good), Some(Ok(())));
            tenant.clock().advance(Duration::from_millis(10));
        }
        costs.push(fetches(&tenant));
        // A rotation in the flood is found with the next fetch.
        tenant.rotate_keys();
        tenant.clock().advance(5 * SECOND);
        assert_eq!(verdict(&auth, &tenant.token().mint()).await, None);
    }
    assert_eq!(costs[0], costs[1]);
    assert!(costs[0].1 <= 14, "{costs:?}");
}

/// While the issuer fails, a forged token is still a forged token.
#[tokio::test]
async fn an_outage_does_not_make_a_forged_token_doubtful() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    assert_eq!(verdict(&auth, &tenant.token().mint()).await, None);
    tenant.fail(Failure::Status(500));
    for _ in 0..5 {
        let forged = tenant.token().broken_signature().mint();
        assert_eq!(verdict(&auth, &forged).await, Some(SignatureInvalid));
        tenant.clock().advance(SECOND);
    }
    assert_eq!(verdict(&auth, &tenant.token().mint()).await, None);
}

#[tokio::test]
async fn fixed_keys_are_not_doubted() {
    let tenant = Tenant::new();
    let issuer = TrustedIssuer::new(tenant.issuer()).key_set(tenant.key_set_json());
    let auth = Auth0::builder().issuer(issuer).audience(tenant.audience());
    let auth = auth.clock(tenant.clock().clone()).build().unwrap();
    assert_eq!(verdict(&auth, &tenant.token().mint()).await, None);
    let forged = tenant.token().broken_signature().mint();
    assert_eq!(verdict(&auth, &forged).await, Some(SignatureInvalid));
}

/// Requests with made-up keys wait for at most the pending fetch and one more, however many come.
#[tokio::test]
async fn no_request_waits_for_more_than_two_fetches() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    let unknown = with_unknown_key(&tenant);
    tenant.hold();
    let mut waiting = vec![spawn_verdict(&auth, &unknown)];
    until(|| fetches(&tenant).1 == 2).await;
    // These join the pending fetch, which may have begun before their key was published.
    waiting.extend((0..20).map(|_| spawn_verdict(&auth, &unknown)));
    tenant.release();
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    for task in waiting {
        assert!(task.await.unwrap().is_some());
    }
    assert!(fetches(&tenant).1 <= 3, "one pending, one more: {:?}", fetches(&tenant));
}
