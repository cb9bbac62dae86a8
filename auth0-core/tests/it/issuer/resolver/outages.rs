//! A resolver that fails, or an entry of its answer that cannot work.
use super::{Behaviour, Customers, SECRET, auth, host, refusal, send, spawn_send, tenants};
use crate::{
    common::{NOW, block_on, fetches, pass, settle, until},
    issuer::token,
};
use auth0_core::{ErrorCode, ErrorKind, TrustedIssuer, resolver::ResolvedIssuers, time::Clock};
use auth0_testing::Tenant;
use std::time::Duration;

/// Whatever is wrong with a resolver, the token may be good.
#[tokio::test]
async fn a_failing_resolver_is_a_503_without_details() {
    for behaviour in [Behaviour::Fails, Behaviour::Panics, Behaviour::PanicsAtKey, Behaviour::Hangs]
    {
        let tenants = tenants(1);
        let [tenant] = &tenants[..] else { panic!() };
        let (customers, host) = (Customers::of(&tenants), host(tenant));
        let auth = auth(&tenants, customers.clone());
        customers.behave(behaviour);
        let text = token(tenant).mint();
        for number in 0..20 {
            let request = tokio::spawn({
                let (auth, host, text) = (auth.clone(), host.clone(), text.clone());
                async move { send(&auth, &host, &text).await.unwrap_err() }
            });
            if (number, behaviour) == (0, Behaviour::Hangs) {
                until(|| customers.calls() == 1).await;
                tenant.clock().advance(Duration::from_secs(5));
            }
            let error = request.await.unwrap();
            assert_eq!(error.code(), ErrorCode::IssuersUnavailable);
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            let challenge = error.challenge();
            assert_eq!(challenge.status(), 503);
            let names: Vec<_> = challenge.headers().map(|(name, _)| name).collect();
            assert!(names.contains(&"retry-after") && !names.contains(&"www-authenticate"));
            let body = String::from_utf8(challenge.body().to_owned()).unwrap();
            for text in [format!("{challenge:?}"), body, error.to_string()] {
                assert!(!text.contains("hunter2") && !text.contains("connection"), "{text}");
            }
            let cause = error.cause().unwrap();
            assert!(!cause.contains('\n'), "{cause}");
            match behaviour {
                Behaviour::Fails => assert!(cause.contains(SECRET), "the log may name it: {cause}"),
                Behaviour::Hangs => assert!(cause.contains("too long"), "{cause}"),
                _ => assert!(cause.contains("panicked"), "{cause}"),
            }
        }
        // It is not asked again for a second.
        let expected = usize::from(behaviour != Behaviour::PanicsAtKey);
        assert_eq!(customers.calls(), expected);
        tenant.clock().advance(Duration::from_secs(1));
        let request = spawn_send(&auth, tenant, &text);
        until(|| customers.calls() == 2 * expected).await;
        tenant.clock().advance(Duration::from_secs(5));
        assert!(!request.await.unwrap());
        assert_eq!(customers.calls(), 2 * expected);
        // A mistake of the token itself is reported nevertheless, without a lookup.
        let none = token(tenant).unsigned().mint();
        for host in [&*host, "another.test"] {
            assert_eq!(refusal(&auth, host, &none).await, ErrorCode::AlgorithmUnsupported);
        }
        assert_eq!(customers.calls(), 2 * expected);
        customers.behave(Behaviour::Answers);
        tenant.clock().advance(Duration::from_secs(1));
        assert_eq!(send(&auth, &host, &text).await.unwrap(), tenant.issuer());
    }
}

#[tokio::test]
async fn stale_answers_serve_only_where_configured() {
    for stale in [Duration::ZERO, Duration::from_secs(300)] {
        let tenants = tenants(1);
        let [tenant] = &tenants[..] else { panic!() };
        let (customers, host) = (Customers::of(&tenants), host(tenant));
        let auth = auth(&tenants, ResolvedIssuers::by(customers.clone()).serve_stale_for(stale));
        let text = token(tenant).mint();
        send(&auth, &host, &text).await.unwrap();
        customers.behave(Behaviour::Fails);
        for second in [50, 59, 60, 200, 359, 360] {
            let passed = Duration::from_secs(second);
            let elapsed = tenant.clock().unix_time().as_secs() - NOW;
            tenant.clock().advance(passed - Duration::from_secs(elapsed));
            let expected = second < 60 || second < 60 + stale.as_secs();
            for _ in 0..2 {
                let outcome = send(&auth, &host, &text).await;
                assert_eq!(outcome.is_ok(), expected, "{second} s, {stale:?}: {outcome:?}");
                if let Err(error) = outcome {
                    assert_eq!(error.code(), ErrorCode::IssuersUnavailable);
                }
            }
        }
        customers.behave(Behaviour::Answers);
        tenant.clock().advance(Duration::from_secs(1));
        send(&auth, &host, &text).await.unwrap();
    }
}

/// A resolver that hangs fails. With a stale answer, no request waits for it for long.
#[tokio::test]
async fn a_stale_answer_serves_after_a_second() {
    let tenants = tenants(1);
    let [tenant] = &tenants[..] else { panic!() };
    let (customers, host) = (Customers::of(&tenants), host(tenant));
    let minutes = Duration::from_secs(300);
    let auth = auth(&tenants, ResolvedIssuers::by(customers.clone()).serve_stale_for(minutes));
    let text = token(tenant).mint();
    send(&auth, &host, &text).await.unwrap();
    tenant.clock().advance(Duration::from_secs(60));
    customers.behave(Behaviour::Hangs);
    let request = spawn_send(&auth, tenant, &text);
    until(|| customers.calls() == 2).await;
    pass(tenant, Duration::from_millis(999)).await;
    assert!(!request.is_finished());
    tenant.clock().advance(Duration::from_millis(1));
    assert!(request.await.unwrap());
    // An answer that comes replaces the stale one.
    customers.behave(Behaviour::Answers);
    customers.set(&host, []);
    pass(tenant, Duration::from_secs(5)).await; // the question's deadline passes
    tenant.clock().advance(Duration::from_secs(1));
    assert_eq!(refusal(&auth, &host, &text).await, ErrorCode::IssuerMismatch);
}

#[tokio::test]
async fn an_entry_that_cannot_work_affects_no_other() {
    let tenants = tenants(2);
    let [good, twice] = &tenants[..] else { panic!() };
    let customers = Customers::default();
    let issuer = |tenant: &Tenant| TrustedIssuer::new(tenant.issuer());
    customers.set(
        "acme.test",
        [
            issuer(good),
            TrustedIssuer::domain("YOUR_DOMAIN"),
            issuer(good),
            issuer(twice),
            issuer(twice).audience("urn:other"),
            issuer(twice),
        ],
    );
    let auth = auth(&tenants, customers);
    assert_eq!(send(&auth, "acme.test", &token(good).mint()).await.unwrap(), good.issuer());
    // Such an issuer may be the entry that cannot be read.
    for tenant in [twice, &Tenant::named("unknown")] {
        let error = send(&auth, "acme.test", &token(tenant).mint()).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::IssuersUnavailable);
        assert!(error.cause().unwrap().contains("twice"), "{error:?}");
    }
    assert_eq!(fetches(twice), (0, 0));
}

/// Lookups of made-up hosts hang. They do not delay customers.
#[tokio::test]
async fn lookups_of_unknown_hosts_do_not_delay_customers() {
    let tenants = tenants(40);
    let customers = Customers::of(&tenants);
    let auth = auth(&tenants, customers.clone());
    for tenant in &tenants {
        send(&auth, &host(tenant), &token(tenant).mint()).await.unwrap();
    }
    customers.behave(Behaviour::HangsForUnknownHosts);
    auth.forget_resolved_issuers();
    let lookups: Vec<_> = (0..3000)
        .map(|number| {
            let (auth, text) = (auth.clone(), token(&tenants[0]).mint());
            tokio::spawn(
                async move { refusal(&auth, &format!("unknown-{number}.test"), &text).await },
            )
        })
        .collect();
    settle().await;
    // No time passes: they do not wait for a deadline of the others.
    for tenant in &tenants {
        send(&auth, &host(tenant), &token(tenant).mint()).await.unwrap();
    }
    tenants[0].clock().advance(Duration::from_secs(5));
    for lookup in lookups {
        assert_eq!(lookup.await.unwrap(), ErrorCode::IssuersUnavailable);
    }
}

/// However many lookups of customers hang, they do not delay others.
#[tokio::test]
async fn customers_do_not_delay_each_other() {
    let tenants = tenants(60);
    let customers = Customers::of(&tenants);
    let auth = auth(&tenants, customers.clone());
    for tenant in &tenants {
        send(&auth, &host(tenant), &token(tenant).mint()).await.unwrap();
    }
    let (good, others) = tenants.split_first().unwrap();
    tenants[0].clock().advance(Duration::from_secs(60));
    customers.behave(Behaviour::Hangs);
    let calls = customers.calls();
    let hanging: Vec<_> = others
        .iter()
        .map(|tenant| {
            let (auth, host, text) = (auth.clone(), host(tenant), token(tenant).mint());
            tokio::spawn(async move { refusal(&auth, &host, &text).await })
        })
        .collect();
    until(|| customers.calls() == calls + others.len()).await;
    customers.behave(Behaviour::Answers);
    // No time passes: it does not wait for a deadline of the others.
    send(&auth, &host(good), &token(good).mint()).await.unwrap();
    tenants[0].clock().advance(Duration::from_secs(5));
    for hanging in hanging {
        assert_eq!(hanging.await.unwrap(), ErrorCode::IssuersUnavailable);
    }
}

/// A resolver is asked on a thread of its own: no runtime is needed.
#[test]
fn a_resolver_is_asked_without_a_runtime() {
    let tenants = tenants(1);
    let auth = auth(&tenants, Customers::of(&tenants));
    let text = token(&tenants[0]).mint();
    let issuer = block_on(send(&auth, "tenant-0.api.test", &text)).unwrap();
    assert_eq!(issuer, tenants[0].issuer());
}
