//! A resolver, or a part of what it says, in trouble.
use super::*;

/// Whatever is the matter with a resolver, the token may be good.
#[tokio::test(start_paused = true)]
async fn a_resolver_in_trouble_is_503_and_says_nothing() {
    for trouble in [Trouble::Fails, Trouble::Panics, Trouble::PanicsAtKey, Trouble::Hangs] {
        let tenants = tenants(1);
        let [tenant] = &tenants[..] else { panic!() };
        let (customers, host) = (Customers::of(&tenants), host(tenant));
        let auth = auth(&tenants, customers.clone());
        customers.has(trouble);
        let text = token(tenant).mint();
        let began = tokio::time::Instant::now();
        for _ in 0..20 {
            let error = ask(&auth, &host, &text).await.unwrap_err();
            assert_eq!(error.code(), ErrorCode::IssuersUnavailable);
            assert_eq!(error.kind(), ErrorKind::Unavailable);
            let challenge = error.challenge();
            assert_eq!(challenge.status(), 503);
            let names: Vec<_> = challenge.headers().map(|(name, _)| name).collect();
            assert!(names.contains(&"retry-after") && !names.contains(&"www-authenticate"));
            let body = String::from_utf8(challenge.body().to_owned()).unwrap();
            for said in [format!("{challenge:?}"), body, error.to_string()] {
                assert!(!said.contains("hunter2") && !said.contains("connection"), "{said}");
            }
            let cause = error.cause().unwrap();
            assert!(!cause.contains('\n'), "{cause}");
            match trouble {
                Trouble::Fails => assert!(cause.contains(SECRET), "the log may have it: {cause}"),
                Trouble::Hangs => assert!(cause.contains("too long"), "{cause}"),
                _ => assert!(cause.contains("panicked"), "{cause}"),
            }
        }
        assert!(began.elapsed() <= Duration::from_secs(6), "{:?}", began.elapsed());
        // It is spared for a second.
        let expected = usize::from(trouble != Trouble::PanicsAtKey);
        assert_eq!(customers.calls(), expected);
        tenant.clock().advance(Duration::from_secs(1));
        assert_eq!(refusal(&auth, &host, &text).await, ErrorCode::IssuersUnavailable);
        assert_eq!(customers.calls(), 2 * expected);
        // What is wrong with the token itself is told all the same, and not asked about.
        let none = token(tenant).unsigned().mint();
        for host in [&*host, "another.test"] {
            assert_eq!(refusal(&auth, host, &none).await, ErrorCode::AlgorithmUnsupported);
        }
        assert_eq!(customers.calls(), 2 * expected);
        customers.has(Trouble::None);
        tenant.clock().advance(Duration::from_secs(1));
        assert_eq!(ask(&auth, &host, &text).await.unwrap(), tenant.issuer());
    }
}

#[tokio::test]
async fn old_answers_go_on_only_where_that_was_said() {
    for stale in [Duration::ZERO, Duration::from_secs(300)] {
        let tenants = tenants(1);
        let [tenant] = &tenants[..] else { panic!() };
        let (customers, host) = (Customers::of(&tenants), host(tenant));
        let auth = auth(&tenants, ResolvedIssuers::by(customers.clone()).serve_stale_for(stale));
        let text = token(tenant).mint();
        ask(&auth, &host, &text).await.unwrap();
        customers.has(Trouble::Fails);
        for second in [50, 59, 60, 200, 359, 360] {
            let passed = Duration::from_secs(second);
            let now = tenant.clock().clone();
            let elapsed = auth0_core::Clock::unix_time(&now).as_secs() - 1_767_225_600;
            now.advance(passed - Duration::from_secs(elapsed));
            let expected = second < 60 || second < 60 + stale.as_secs();
            for _ in 0..2 {
                let outcome = ask(&auth, &host, &text).await;
                assert_eq!(outcome.is_ok(), expected, "{second} s, {stale:?}: {outcome:?}");
                if let Err(error) = outcome {
                    assert_eq!(error.code(), ErrorCode::IssuersUnavailable);
                }
            }
        }
        customers.has(Trouble::None);
        tenant.clock().advance(Duration::from_secs(1));
        ask(&auth, &host, &text).await.unwrap();
    }
}

/// A resolver that hangs is one that fails, but nobody waits for it as long as there is an old answer.
#[tokio::test(start_paused = true)]
async fn an_old_answer_is_not_waited_for_long() {
    let tenants = tenants(1);
    let [tenant] = &tenants[..] else { panic!() };
    let (customers, host) = (Customers::of(&tenants), host(tenant));
    let minutes = Duration::from_secs(300);
    let auth = auth(&tenants, ResolvedIssuers::by(customers.clone()).serve_stale_for(minutes));
    let text = token(tenant).mint();
    ask(&auth, &host, &text).await.unwrap();
    tenant.clock().advance(Duration::from_secs(60));
    customers.has(Trouble::Hangs);
    let began = tokio::time::Instant::now();
    ask(&auth, &host, &text).await.unwrap();
    assert!(began.elapsed() <= Duration::from_secs(1), "{:?}", began.elapsed());
    // An answer that comes counts, though there is an old one.
    customers.has(Trouble::None);
    customers.set(&host, []);
    tokio::time::sleep(Duration::from_secs(5)).await;
    tenant.clock().advance(Duration::from_secs(1));
    assert_eq!(refusal(&auth, &host, &text).await, ErrorCode::IssuerMismatch);
}

#[tokio::test]
async fn an_entry_that_cannot_work_spoils_no_other() {
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
    assert_eq!(ask(&auth, "acme.test", &token(good).mint()).await.unwrap(), good.issuer());
    // It may be the one that cannot be made sense of: who knows.
    for tenant in [twice, &Tenant::named("stranger")] {
        let error = ask(&auth, "acme.test", &token(tenant).mint()).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::IssuersUnavailable);
        assert!(error.cause().unwrap().contains("twice"), "{error:?}");
    }
    assert_eq!(fetches(twice), (0, 0));
}

/// Made-up hosts keep the resolver busy. Customers do not notice.
#[tokio::test(start_paused = true)]
async fn strangers_do_not_hold_up_customers() {
    let tenants = tenants(40);
    let customers = Customers::of(&tenants);
    let auth = auth(&tenants, customers.clone());
    for tenant in &tenants {
        ask(&auth, &host(tenant), &token(tenant).mint()).await.unwrap();
    }
    customers.has(Trouble::HangsForStrangers);
    auth.forget_resolved_issuers();
    let strangers: Vec<_> = (0..3000)
        .map(|number| {
            let (auth, text) = (auth.clone(), token(&tenants[0]).mint());
            tokio::spawn(
                async move { refusal(&auth, &format!("stranger-{number}.test"), &text).await },
            )
        })
        .collect();
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    let began = tokio::time::Instant::now();
    for tenant in &tenants {
        ask(&auth, &host(tenant), &token(tenant).mint()).await.unwrap();
    }
    assert!(began.elapsed() < Duration::from_millis(100), "{:?}", began.elapsed());
    for stranger in strangers {
        assert_eq!(stranger.await.unwrap(), ErrorCode::IssuersUnavailable);
    }
    assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    let tenants = tenants(1);
    let auth = auth(&tenants, Customers::of(&tenants));
    let text = token(&tenants[0]).mint();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let asked = std::pin::pin!(ask(&auth, "tenant-0.api.test", &text)).poll(&mut context);
    match asked {
        std::task::Poll::Ready(Err(error)) => {
            assert_eq!(error.code(), ErrorCode::IssuersUnavailable);
        }
        other => panic!("{other:?}"),
    }
}

/// Customers whose lookups hang do not hold up others, however many they are.
#[tokio::test(start_paused = true)]
async fn customers_do_not_hold_up_each_other() {
    let tenants = tenants(60);
    let customers = Customers::of(&tenants);
    let auth = auth(&tenants, customers.clone());
    for tenant in &tenants {
        ask(&auth, &host(tenant), &token(tenant).mint()).await.unwrap();
    }
    let (good, others) = tenants.split_first().unwrap();
    tenants[0].clock().advance(Duration::from_secs(60));
    customers.has(Trouble::Hangs);
    let calls = customers.calls();
    let hanging: Vec<_> = others
        .iter()
        .map(|tenant| {
            let (auth, host, text) = (auth.clone(), host(tenant), token(tenant).mint());
            tokio::spawn(async move { refusal(&auth, &host, &text).await })
        })
        .collect();
    until(|| customers.calls() == calls + others.len()).await;
    customers.has(Trouble::None);
    let began = tokio::time::Instant::now();
    ask(&auth, &host(good), &token(good).mint()).await.unwrap();
    assert!(began.elapsed() < Duration::from_millis(100), "{:?}", began.elapsed());
    for hanging in hanging {
        assert_eq!(hanging.await.unwrap(), ErrorCode::IssuersUnavailable);
    }
}
