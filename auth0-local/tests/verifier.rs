//! A verifier's behaviour under each fault.
#![allow(clippy::unwrap_used, clippy::string_slice, reason = "helpers of tests are tests")]
mod common;

use auth0_core::{Algorithm, Error, ErrorCode};
use auth0_local::{Document, Fault, LocalTenant};
use auth0_testing::SigningKey;
use common::verifier;
use std::time::Duration;
use tokio::task;

/// How long a verifier waits for a document.
const DEADLINE: Duration = Duration::from_secs(5);

/// Verifies a token with a verifier that has no keys yet.
async fn verdict(tenant: &LocalTenant) -> Result<(), Error> {
    verifier(tenant).verify(&tenant.token().mint()).await.map(drop)
}

/// The same, where the deadline of the fetch passes once the fault is met.
async fn verdict_at_the_deadline(tenant: &LocalTenant) -> Result<(), Error> {
    let faulted = || tenant.stats().metadata.faulted + tenant.stats().key_set.faulted;
    let before = faulted();
    let (auth, token) = (verifier(tenant), tenant.token().mint());
    let verdict = task::spawn(async move { auth.verify(&token).await.map(drop) });
    while faulted() == before {
        task::yield_now().await;
    }
    tenant.tenant().clock().advance(DEADLINE);
    verdict.await.unwrap()
}

#[tokio::test]
async fn without_keys_it_is_503_until_they_can_be_fetched() {
    let tenant = LocalTenant::start().await.unwrap();
    for document in [Document::Metadata, Document::KeySet] {
        for fault in [
            "400", "404", "429", "429:30", "500", "503", "599", "slow", "hang", "reset", "garbage",
            "html", "huge", "redirect", "empty",
        ] {
            tenant.set_fault(document, fault.parse().unwrap());
            let refused = match fault {
                "slow" | "hang" => verdict_at_the_deadline(&tenant).await,
                _ => verdict(&tenant).await,
            };
            let error = refused.unwrap_err();
            assert_eq!(error.code(), ErrorCode::KeysUnavailable, "{document:?} {fault}: {error:?}");
            assert_eq!(error.challenge().status(), 503, "{document:?} {fault}");
            let challenge = error.challenge();
            let (_, after) = challenge.headers().find(|(name, _)| *name == "retry-after").unwrap();
            let expected = if fault == "429:30" { "30" } else { "1" };
            assert_eq!(after, expected, "{document:?} {fault}");

            tenant.clear_faults();
            let recovered = verdict(&tenant).await;
            assert!(recovered.is_ok(), "{document:?} {fault}: {recovered:?}");
        }
    }
    assert_eq!(tenant.stats().redirect_target, 0, "a redirect is not followed");
}

#[tokio::test]
async fn a_short_delay_is_accepted() {
    let tenant = LocalTenant::start().await.unwrap();
    tenant.set_fault(Document::KeySet, "slow:0.001".parse().unwrap());
    verdict(&tenant).await.unwrap();
    assert_eq!(tenant.stats().key_set.faulted, 1);
}

#[tokio::test]
async fn fetched_keys_stay_in_use_during_an_outage() {
    let tenant = LocalTenant::start().await.unwrap();
    let auth = verifier(&tenant);
    auth.verify(&tenant.token().mint()).await.unwrap();
    tenant.set_fault(Document::Metadata, Fault::reset());
    tenant.set_fault(Document::KeySet, Fault::reset());
    auth.verify(&tenant.token().mint()).await.unwrap();
}

#[tokio::test]
async fn rotation_and_withdrawal() {
    let tenant = LocalTenant::start().await.unwrap();
    let auth = verifier(&tenant);
    let first = tenant.tenant().signing_key();
    let old = tenant.token().mint();
    auth.verify(&old).await.unwrap();

    let second = tenant.rotate_keys().await.unwrap();
    assert_eq!(tenant.tenant().key_ids(), [second.as_str(), first.id()]);
    auth.verify(&tenant.token().mint()).await.unwrap();
    auth.verify(&old).await.unwrap();

    tenant.rotate_to(first.clone());
    assert_eq!(tenant.tenant().key_ids(), [first.id(), &second], "the key is not listed twice");
    let third = SigningKey::generate(Algorithm::RS256).unwrap();
    tenant.rotate_to(third.clone());
    assert_eq!(tenant.tenant().key_ids(), [third.id(), first.id(), &second]);
    auth.verify(&tenant.token().mint()).await.unwrap();

    tenant.withdraw_key(third.id()).unwrap();
    assert_eq!(tenant.tenant().signing_key().id(), first.id(), "the previous key signs again");
    tenant.withdraw_old_keys();
    assert_eq!(tenant.tenant().key_ids(), [first.id()]);
    for (kid, sentence) in [(first.id(), "is the only key"), (&second, "no key with the id")] {
        let error = tenant.withdraw_key(kid).unwrap_err().to_string();
        assert!(error.contains(sentence), "{error}");
    }
    let withdrawn = tenant.token().signed_by(&third).header("kid", third.id()).mint();
    let error = verifier(&tenant).verify(&withdrawn).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeyUnknown);
}
