//! The end of open connections when the key of their token is withdrawn.
use crate::common::{MINUTE, SECOND, long_lived, pass, settle};
use auth0_core::{
    Auth0, TrustedIssuer, VerifiedToken,
    resolver::{IssuerResolver, ResolvedIssuers, ResolverContext},
};
use auth0_testing::{Failure, Tenant};
use std::{
    error::Error,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};
use tokio::task::JoinHandle;

fn verifier(tenant: &Tenant) -> Auth0 {
    tenant.builder().end_on_key_withdrawal().build().unwrap()
}

async fn verified(auth: &Auth0, tenant: &Tenant) -> VerifiedToken {
    auth.verify(&long_lived(tenant)).await.unwrap()
}

async fn waits(token: &VerifiedToken) -> JoinHandle<()> {
    let waiting = tokio::spawn(token.ended());
    tokio::task::yield_now().await;
    assert!(!token.has_ended() && !waiting.is_finished());
    waiting
}

fn withdraw(tenant: &Tenant) {
    tenant.rotate_keys();
    tenant.withdraw_old_keys();
}

#[tokio::test]
async fn connections_end_with_the_key_of_their_token() {
    let tenant = Tenant::new();
    let auth = verifier(&tenant);
    let old = verified(&auth, &tenant).await;
    tenant.rotate_keys();
    let new = verified(&auth, &tenant).await;
    let (old_ends, new_ends) = (waits(&old).await, waits(&new).await);
    let mut stream = pin!(old.until_ended(Ticks));
    assert_eq!(poll(stream.as_mut()), Poll::Ready(Some(())));
    let lease = auth.lease(&old);

    // Both keys are still published.
    auth.refresh().await.unwrap();
    settle().await;
    assert!(!old.has_ended() && !old_ends.is_finished());
    assert_eq!(poll(stream.as_mut()), Poll::Ready(Some(())));

    tenant.withdraw_old_keys();
    auth.refresh().await.unwrap();
    old_ends.await.unwrap();
    lease.ended().await;
    assert!(
        old.is_key_withdrawn() && old.has_ended() && lease.has_ended() && old.ended().is_ready()
    );
    assert_eq!(poll(stream.as_mut()), Poll::Ready(None));
    assert!(!new.is_key_withdrawn() && !new.has_ended() && !new_ends.is_finished());
    // A token that is kept does not keep the keys.
    drop((auth, lease));
    assert!(!old.is_key_withdrawn());
}

/// The keys are fetched again without a request.
#[tokio::test]
async fn the_refresh_in_the_background_ends_them() {
    let tenant = Tenant::new();
    let auth = verifier(&tenant);
    let token = verified(&auth, &tenant).await;
    let waiting = waits(&token).await;
    withdraw(&tenant);
    for _ in 0..10 {
        pass(&tenant, MINUTE).await;
    }
    waiting.await.unwrap();
}

#[tokio::test]
async fn without_the_option_they_go_on() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = verified(&auth, &tenant).await;
    let waiting = waits(&token).await;
    withdraw(&tenant);
    auth.refresh().await.unwrap();
    settle().await;
    assert!(auth.verify(&tenant.token().mint()).await.is_ok());
    assert!(!token.has_ended() && !token.is_key_withdrawn() && !waiting.is_finished());
}

/// Nothing was withdrawn while the issuer does not answer, also where old keys are not served any more.
#[tokio::test]
async fn an_outage_ends_nothing() {
    let tenant = Tenant::new();
    let auth = verifier(&tenant);
    let token = verified(&auth, &tenant).await;
    let waiting = waits(&token).await;
    tenant.fail(Failure::Status(500));
    withdraw(&tenant);
    for _ in 0..120 {
        pass(&tenant, MINUTE).await;
    }
    assert!(!token.has_ended() && !waiting.is_finished());
    tenant.recover();
    auth.refresh().await.unwrap();
    waiting.await.unwrap();
}

/// Another key with the id of the old one is another key.
#[tokio::test]
async fn a_key_that_is_replaced_under_its_id_is_withdrawn() {
    let tenant = Tenant::new();
    let auth = verifier(&tenant);
    let token = verified(&auth, &tenant).await;
    let id = tenant.key_ids().remove(0);
    let other = auth0_testing::SigningKey::generate(auth0_core::Algorithm::RS256).unwrap();
    tenant.add_key(other.with_id(&id));
    tenant.withdraw_old_keys();
    auth.refresh().await.unwrap();
    assert!(token.is_key_withdrawn());
}

struct All(String);

impl IssuerResolver for All {
    type Key = ();

    fn key(&self, _: &ResolverContext<'_>) -> Option<()> {
        Some(())
    }

    async fn resolve(&self, (): ()) -> Result<Vec<TrustedIssuer>, Box<dyn Error + Send + Sync>> {
        Ok(vec![TrustedIssuer::new(&self.0)])
    }
}

/// Unused keys are dropped after a quarter of an hour, but not those that a connection needs.
#[tokio::test]
async fn keys_of_resolved_issuers_stay_while_a_connection_is_open() {
    let tenant = Tenant::new();
    let resolver = ResolvedIssuers::by(All(tenant.issuer().to_owned()));
    let builder = tenant.builder_with([]).issuer_resolver(resolver).audience(tenant.audience());
    let auth = builder.end_on_key_withdrawal().build().unwrap();
    let token = verified(&auth, &tenant).await;
    let waiting = waits(&token).await;
    for _ in 0..60 {
        pass(&tenant, MINUTE).await;
    }
    assert!(!waiting.is_finished());
    withdraw(&tenant);
    for _ in 0..10 {
        pass(&tenant, MINUTE).await;
    }
    waiting.await.unwrap();

    // Without a connection they are dropped as before.
    for _ in 0..60 {
        pass(&tenant, MINUTE).await;
    }
    let fetches = tenant.fetches().key_set;
    pass(&tenant, 30 * SECOND).await;
    for _ in 0..60 {
        pass(&tenant, MINUTE).await;
    }
    assert_eq!(tenant.fetches().key_set, fetches);
}

struct Ticks;

impl futures_core::Stream for Ticks {
    type Item = ();

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<()>> {
        Poll::Ready(Some(()))
    }
}

fn poll<S: futures_core::Stream>(stream: Pin<&mut S>) -> Poll<Option<S::Item>> {
    stream.poll_next(&mut Context::from_waker(Waker::noop()))
}
