//! How often a resolver and its issuers are asked, and what is kept.
use super::{Behaviour, ByIssuer, Customers, auth, host, refusal, send, spawn_send, tenants};
use crate::{
    common::{HOUR, MINUTE, Request, SECOND, fetches, pass, settle, until},
    issuer::{API, token},
};
use auth0_core::{Algorithm, Auth0, ErrorCode, resolver::ResolvedIssuers};
use auth0_testing::{Failure, SigningKey, Tenant};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

#[tokio::test]
async fn a_resolver_is_asked_once_for_concurrent_requests() {
    let tenants = tenants(20);
    let customers = Customers::of(&tenants);
    customers.behave(Behaviour::Waits);
    let auth = auth(&tenants, customers.clone());
    let requests: Vec<_> = (0..1000)
        .map(|number| {
            let tenant = &tenants[number % tenants.len()];
            spawn_send(&auth, tenant, &token(tenant).mint())
        })
        .collect();
    until(|| customers.calls() == 20).await;
    // A request that is cancelled cancels no other.
    for request in requests.iter().take(40) {
        request.abort();
    }
    customers.release();
    for request in requests.into_iter().skip(40) {
        assert!(request.await.unwrap());
    }
    assert_eq!(customers.calls(), 20);
    for tenant in &tenants {
        assert_eq!(fetches(tenant), (1, 1));
    }
}

#[tokio::test]
async fn the_age_of_an_answer_counts_from_its_lookup() {
    let tenants = tenants(1);
    let [tenant] = &tenants[..] else { panic!() };
    let (customers, host) = (Customers::of(&tenants), host(tenant));
    let auth = auth(&tenants, customers.clone());
    customers.behave(Behaviour::Waits);
    let text = token(tenant).mint();
    let asked = spawn_send(&auth, tenant, &text);
    until(|| customers.calls() == 1).await;
    customers.set(&host, []);
    tenant.clock().advance(Duration::from_secs(4));
    customers.release();
    assert!(asked.await.unwrap());
    tenant.clock().advance(Duration::from_secs(56));
    assert_eq!(refusal(&auth, &host, &text).await, ErrorCode::IssuerMismatch);
}

#[tokio::test]
async fn answers_expire_and_those_in_use_are_renewed_before() {
    let tenants = tenants(2);
    let customers = Customers::of(&tenants);
    let auth = auth(&tenants, customers.clone());
    let clock = tenants[0].clock();
    let (one, two) = (token(&tenants[0]).mint(), token(&tenants[1]).mint());
    for (host, text) in [(&host(&tenants[0]), &one), (&host(&tenants[1]), &two)] {
        send(&auth, host, text).await.unwrap();
    }
    clock.advance(Duration::from_secs(47));
    send(&auth, &host(&tenants[0]), &one).await.unwrap();
    assert_eq!(customers.calls(), 2);
    clock.advance(Duration::from_secs(2));
    customers.behave(Behaviour::Waits);
    for _ in 0..3 {
        send(&auth, &host(&tenants[0]), &one).await.unwrap();
    }
    until(|| customers.calls() == 3).await;
    send(&auth, &host(&tenants[0]), &one).await.unwrap();
    customers.release();
    clock.advance(Duration::from_secs(30));
    let request = Request::to(&host(&tenants[0])).authorized("Bearer", &one);
    settle().await;
    assert!(
        auth.authenticate_now(&request.view()).is_some_and(|verdict| verdict.is_ok()),
        "at once"
    );
    assert_eq!(customers.calls(), 3);
    // The other answer was not in use.
    customers.set(&host(&tenants[1]), []);
    assert_eq!(refusal(&auth, &host(&tenants[1]), &two).await, ErrorCode::IssuerMismatch);
    assert_eq!(customers.calls(), 4);
}

#[tokio::test]
async fn tokens_of_ten_thousand_unknown_issuers_cause_no_fetch_and_no_growth() {
    let tenants = tenants(3);
    let keys = Arc::new(());
    let calls = Arc::new(AtomicUsize::new(0));
    let digest = |tenant: &Tenant| {
        aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, tenant.issuer().as_bytes())
            .as_ref()
            .try_into()
            .unwrap()
    };
    let resolver = ByIssuer {
        tenants: tenants.iter().map(|tenant| (digest(tenant), tenant.issuer().into())).collect(),
        calls: Arc::clone(&calls),
        keys: Arc::clone(&keys),
    };
    let auth = auth(&tenants, ResolvedIssuers::by(resolver).max_answers(1000));
    for tenant in &tenants {
        assert_eq!(auth.verify(&token(tenant).mint()).await.unwrap().issuer(), tenant.issuer());
    }
    for number in 0..10_000 {
        let forged = token(&tenants[0]).issuer(&format!("https://evil-{number}.test/"));
        let forged = forged.signed_by(&tenants[0].signing_key()).mint();
        assert_eq!(auth.verify(&forged).await.unwrap_err().code(), ErrorCode::IssuerMismatch);
    }
    let remembered = Arc::strong_count(&keys) - 2;
    assert!(remembered <= 103, "{remembered} keys are remembered");
    assert_eq!(calls.load(Ordering::SeqCst), 10_003);
    // Known issuers are still remembered.
    for tenant in &tenants {
        auth.verify(&token(tenant).mint()).await.unwrap();
        assert_eq!(fetches(tenant), (1, 1));
    }
    assert_eq!(calls.load(Ordering::SeqCst), 10_003);
}

#[test]
fn settings_that_cannot_work_are_refused_at_build() {
    type Change = fn(ResolvedIssuers) -> ResolvedIssuers;
    let table: [(Change, &str); 8] = [
        (|resolved| resolved.ttl(Duration::ZERO), "ttl"),
        (|resolved| resolved.ttl(Duration::from_secs(86_401)), "ttl"),
        (|resolved| resolved.serve_stale_for(Duration::from_secs(86_401)), "serve_stale_for"),
        (|resolved| resolved.max_answers(0), "max_answers"),
        (|resolved| resolved.max_answers(1_000_001), "1000000"),
        (|resolved| resolved.max_issuers(0), "max_issuers"),
        (|resolved| resolved.max_issuers(10_001), "10000"),
        (|resolved| resolved.private_hosts(["https://id.acme.internal"]), "private host"),
    ];
    for (change, expected) in table {
        let resolved = change(ResolvedIssuers::by(Customers::default()));
        let builder = Auth0::builder().audience(API).issuer_resolver(resolved);
        let error = builder.build().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let resolved = ResolvedIssuers::by(Customers::default()).max_answers(1).max_issuers(1);
    Auth0::builder().issuer_resolver(resolved).build().expect("audiences may be the issuers' own");
    Auth0::builder().audience(API).build().unwrap_err();
}

#[tokio::test]
async fn the_keys_of_the_least_recently_used_issuer_are_evicted() {
    let tenants = tenants(4);
    let customers = Customers::of(&tenants);
    let auth = auth(&tenants, ResolvedIssuers::by(customers).max_issuers(3));
    let clock = tenants[0].clock();
    let texts: Vec<String> = tenants.iter().map(|tenant| token(tenant).mint()).collect();
    let send_to = async |number: usize| {
        clock.advance(Duration::from_secs(2));
        send(&auth, &host(&tenants[number]), &texts[number]).await
    };
    for number in [0, 1, 2, 0, 2] {
        send_to(number).await.unwrap();
    }
    let present = |number: usize| auth.health_of(tenants[number].issuer()).is_some();
    send_to(3).await.unwrap();
    assert_eq!([0, 1, 2, 3].map(present), [true, false, true, true]);
    for number in [0, 2, 3] {
        send_to(number).await.unwrap();
        assert_eq!(fetches(&tenants[number]), (1, 1), "{number}");
    }
    // Evicted keys are fetched again as they are now: the first key was withdrawn.
    let others: Vec<_> = [0, 2, 3].map(|number| fetches(&tenants[number])).into();
    tenants[1].rotate_keys();
    tenants[1].withdraw_old_keys();
    assert_eq!(send_to(1).await.unwrap_err().code(), ErrorCode::KeyUnknown);
    // Also when there are keys again, and the evicted ones had verified the token.
    send(&auth, &host(&tenants[1]), &token(&tenants[1]).mint()).await.unwrap();
    assert_eq!(send_to(1).await.unwrap_err().code(), ErrorCode::KeyUnknown);
    assert_eq!([0, 2, 3].map(|number| fetches(&tenants[number])).to_vec(), others);
    // `refresh` asks the issuers whose keys are resident.
    auth.refresh().await.unwrap();
    let asked: usize = tenants.iter().map(|tenant| fetches(tenant).1).sum();
    let before: usize = others.iter().map(|fetches| fetches.1).sum();
    assert!(asked >= before + 3, "{asked} {before}");
}

#[tokio::test]
async fn tokens_that_do_not_verify_evict_no_keys() {
    let tenants = tenants(220);
    let customers = Customers::of(&tenants);
    let auth = auth(&tenants, ResolvedIssuers::by(customers).max_issuers(20));
    let clock = tenants[0].clock();
    let (good, others) = tenants.split_at(15);
    let unknown_key = SigningKey::generate(Algorithm::RS256).unwrap();
    for tenant in good {
        send(&auth, &host(tenant), &token(tenant).mint()).await.unwrap();
    }
    for tenant in others {
        clock.advance(Duration::from_millis(1200));
        // Every client can write such a token.
        let forged = token(tenant).signed_by(&unknown_key);
        let forged = forged.header("kid", tenant.signing_key().id()).mint();
        assert_eq!(refusal(&auth, &host(tenant), &forged).await, ErrorCode::SignatureInvalid);
    }
    for tenant in good {
        send(&auth, &host(tenant), &token(tenant).mint()).await.unwrap();
        assert_eq!(fetches(tenant), (1, 1));
    }
    // A new customer gets its keys nevertheless, and they stay.
    let (last, host) = (&tenants[219], host(&tenants[219]));
    let before = fetches(last).1;
    for tenant in others.iter().take(30).chain([last]) {
        clock.advance(Duration::from_millis(1200));
        send(&auth, &self::host(tenant), &token(tenant).mint()).await.unwrap();
    }
    let after = fetches(last).1;
    assert!(after <= before + 1);
    send(&auth, &host, &token(last).mint()).await.unwrap();
    assert_eq!(fetches(last).1, after);
}

/// Evicted issuers count only after they verified a token again.
#[tokio::test]
async fn an_evicted_issuer_must_verify_a_token_again_to_evict_others() {
    let tenants = tenants(20);
    let customers = Customers::of(&tenants);
    let auth = auth(&tenants, ResolvedIssuers::by(customers).max_issuers(8));
    let unknown_key = SigningKey::generate(Algorithm::RS256).unwrap();
    for tenant in tenants.iter().rev() {
        send(&auth, &host(tenant), &token(tenant).mint()).await.unwrap();
        tenants[0].clock().advance(Duration::from_secs(2));
    }
    let (in_use, evicted) = tenants.split_at(8);
    for tenant in evicted {
        let forged = token(tenant).signed_by(&unknown_key).header("kid", tenant.signing_key().id());
        let code = refusal(&auth, &host(tenant), &forged.mint()).await;
        assert_eq!(code, ErrorCode::SignatureInvalid);
    }
    let left = in_use.iter().filter(|tenant| auth.health_of(tenant.issuer()).is_some()).count();
    assert!(left >= 6, "{left} of 8");
}

#[tokio::test]
async fn many_new_customers_at_once_get_their_keys() {
    let tenants = tenants(50);
    let customers = Customers::of(&tenants);
    let auth = auth(&tenants, ResolvedIssuers::by(customers).max_issuers(20));
    let (before, new) = tenants.split_at(20);
    for tenant in before {
        send(&auth, &host(tenant), &token(tenant).mint()).await.unwrap();
    }
    tenants[0].clock().advance(Duration::from_secs(2));
    let requests: Vec<_> =
        new.iter().map(|tenant| spawn_send(&auth, tenant, &token(tenant).mint())).collect();
    for request in requests {
        assert!(request.await.unwrap());
    }
    let count = |tenants: &[Tenant]| {
        tenants.iter().filter(|tenant| auth.health_of(tenant.issuer()).is_some()).count()
    };
    assert_eq!(count(before) + count(new), 20);
    tenants[0].clock().advance(Duration::from_secs(2));
    // Issuers that were evicted before use are not evicted first again.
    for tenant in new.iter().take(20) {
        send(&auth, &host(tenant), &token(tenant).mint()).await.unwrap();
    }
    assert_eq!((count(before), count(&new[..20])), (0, 20));
    assert!(new.iter().all(|tenant| fetches(tenant).1 <= 2));
}

#[tokio::test]
async fn requests_share_fetches_where_there_is_little_room() {
    let tenants = tenants(60);
    let customers = Customers::of(&tenants);
    let auth = auth(&tenants, ResolvedIssuers::by(customers).max_issuers(20));
    // No answer comes before all requests wait for one.
    tenants.iter().for_each(Tenant::hold);
    let requests: Vec<_> = (0..600)
        .map(|number| {
            let tenant = &tenants[number % tenants.len()];
            spawn_send(&auth, tenant, &token(tenant).mint())
        })
        .collect();
    settle().await;
    tenants.iter().for_each(Tenant::release);
    for request in requests {
        assert!(request.await.unwrap());
    }
    // One for each of 60 issuers: ten requests share it, although there is room for 20 issuers only.
    let total: usize = tenants.iter().map(|tenant| fetches(tenant).1).sum();
    assert_eq!(total, 60, "for 600 requests");
}

/// The back-off of an issuer does not depend on whether there is room for its keys.
#[tokio::test]
async fn failing_issuers_are_backed_off_where_there_is_little_room() {
    for failure in [Failure::Status(503), Failure::RateLimited(Duration::from_secs(300))] {
        let tenants = tenants(40);
        let customers = Customers::of(&tenants);
        let auth = auth(&tenants, ResolvedIssuers::by(customers).max_issuers(20));
        for tenant in &tenants {
            tenant.fail(failure.clone());
        }
        for _ in 0..10 {
            for tenant in &tenants {
                let code = refusal(&auth, &host(tenant), &token(tenant).mint()).await;
                assert_eq!(code, ErrorCode::KeysUnavailable);
            }
        }
        assert!(tenants.iter().all(|tenant| fetches(tenant).0 == 1));
        if let Failure::RateLimited(_) = failure {
            tenants[0].clock().advance(Duration::from_secs(30));
            refusal(&auth, &host(&tenants[0]), &token(&tenants[0]).mint()).await;
            assert_eq!(fetches(&tenants[0]).0, 1, "its `Retry-After` is 300 s");
        }
    }
}

#[tokio::test]
async fn refreshed_keys_are_those_in_use() {
    let tenants = tenants(2);
    let customers = Customers::of(&tenants);
    let auth = auth(&tenants, customers.clone());
    let [tenant, removed] = &tenants[..] else { panic!() };
    send(&auth, &host(removed), &token(removed).mint()).await.unwrap();
    for round in 1..5 {
        send(&auth, &host(tenant), &token(tenant).mint()).await.unwrap();
        assert_eq!(fetches(tenant).1, round);
        auth.refresh().await.unwrap();
        assert_eq!(fetches(tenant).1, round + 1);
        assert!(auth.health_of(tenant.issuer()).is_some());
    }
    // A removed issuer is refreshed for a quarter of an hour, and then no more.
    customers.set(&host(removed), []);
    pass_minutes(tenant, 30).await;
    let before = fetches(removed);
    pass_minutes(tenant, 30).await;
    auth.refresh().await.unwrap();
    assert_eq!(fetches(removed), before);
    assert!(auth.health_of(removed.issuer()).is_none());
}

/// Keys without a refresh for long are not used for the next request.
#[tokio::test]
async fn a_key_that_was_withdrawn_while_idle_is_refused() {
    let tenants = tenants(1);
    let [tenant] = &tenants[..] else { panic!() };
    let (customers, host) = (Customers::of(&tenants), host(tenant));
    let auth = auth(&tenants, customers);
    let text = token(tenant).mint();
    send(&auth, &host, &text).await.unwrap();
    pass_minutes(tenant, 30).await;
    assert!(auth.health_of(tenant.issuer()).is_none(), "dropped");
    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    assert_eq!(refusal(&auth, &host, &text).await, ErrorCode::KeyUnknown);
    send(&auth, &host, &token(tenant).mint()).await.unwrap();
    // While the issuer fails, its keys stay: they may be needed.
    tenant.fail(Failure::Unreachable);
    pass_minutes(tenant, 60).await;
    send(&auth, &host, &token(tenant).mint()).await.unwrap();
}

/// A removed issuer that answers no more is not asked for ever, and does not fail `refresh`.
#[tokio::test]
async fn a_removed_issuer_is_forgotten() {
    let tenants = tenants(1);
    let [tenant] = &tenants[..] else { panic!() };
    let (customers, host) = (Customers::of(&tenants), host(tenant));
    let auth = auth(&tenants, customers.clone());
    let text = token(tenant).mint();
    send(&auth, &host, &text).await.unwrap();
    customers.set(&host, []);
    tenant.fail(Failure::Status(404));
    auth.forget_resolved_issuers();
    assert_eq!(refusal(&auth, &host, &text).await, ErrorCode::IssuerMismatch);
    auth.refresh().await.unwrap();
    assert!(auth.health_of(tenant.issuer()).is_none());
    let before = fetches(tenant);
    pass_minutes(tenant, 60).await;
    assert_eq!(fetches(tenant), before);
}

/// Lets minutes pass one by one.
async fn pass_minutes(tenant: &Tenant, minutes: u64) {
    for _ in 0..minutes {
        pass(tenant, MINUTE).await;
    }
}

/// An oversized key set takes no more memory and time than others.
#[tokio::test]
async fn key_sets_are_read_up_to_their_limit() {
    let tenants = tenants(1);
    let [tenant] = &tenants[..] else { panic!() };
    let (customers, host) = (Customers::of(&tenants), host(tenant));
    let auth = auth(&tenants, customers);
    let first = tenant.signing_key();
    let text = token(tenant).mint();
    // Added keys come before the others.
    for number in 1..128 {
        let other = SigningKey::generate(Algorithm::EdDSA).unwrap();
        tenant.add_key(other.with_id(format!("key-{number}")));
    }
    send(&auth, &host, &text).await.unwrap();
    let one_more = SigningKey::generate(Algorithm::RS256).unwrap();
    tenant.add_key(one_more.clone());
    auth.refresh().await.unwrap();
    assert_eq!(refusal(&auth, &host, &text).await, ErrorCode::KeyUnknown, "{first:?} is the 129th");
    send(&auth, &host, &token(tenant).mint()).await.unwrap();
}

/// Other keys are dropped while there are some: without its keys, a connection cannot learn that they were withdrawn.
#[tokio::test]
async fn keys_that_connections_end_with_are_dropped_last() {
    let tenants = tenants(4);
    let resolver = ResolvedIssuers::by(Customers::of(&tenants)).max_issuers(2);
    let auth = tenants[0].builder_with(&tenants[1..]).issuer_resolver(resolver).audience(API);
    let auth = auth.end_on_key_withdrawal().build().unwrap();
    let opened = async |tenant: &Tenant| {
        tenants[0].clock().advance(SECOND);
        let text = token(tenant).expires_in(24 * HOUR).mint();
        let host = host(tenant);
        let request = Request::to(&host).authorized("Bearer", &text);
        request.authenticate(&auth).await.unwrap()
    };
    let held = opened(&tenants[0]).await;
    let waiting = tokio::spawn(held.ended());
    settle().await;
    for tenant in &tenants[1..] {
        opened(tenant).await;
    }
    tenants[0].rotate_keys();
    tenants[0].withdraw_old_keys();
    auth.refresh().await.unwrap();
    until(|| waiting.is_finished()).await;
    assert!(held.is_key_withdrawn());
}
