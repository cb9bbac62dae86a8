//! How often a resolver is asked, how often issuers are, and what is kept.
use super::*;

#[tokio::test]
async fn a_resolver_is_asked_once() {
    let tenants = tenants(20);
    let customers = Customers::of(&tenants);
    customers.has(Trouble::Waits);
    let auth = auth(&tenants, customers.clone());
    let requests: Vec<_> = (0..1000)
        .map(|number| {
            let tenant = tenants[number % tenants.len()].clone();
            let auth = auth.clone();
            tokio::spawn(
                async move { ask(&auth, &host(&tenant), &token(&tenant).mint()).await.is_ok() },
            )
        })
        .collect();
    until(|| customers.calls() == 20).await;
    // Whoever gives up takes no other along.
    for request in requests.iter().take(40) {
        request.abort();
    }
    customers.0.released.notify_waiters();
    for request in requests.into_iter().skip(40) {
        assert!(request.await.unwrap());
    }
    assert_eq!(customers.calls(), 20);
    for tenant in &tenants {
        assert_eq!(fetches(tenant), (1, 1));
    }
}

#[tokio::test]
async fn answers_end_and_those_in_use_are_renewed_before() {
    let tenants = tenants(2);
    let customers = Customers::of(&tenants);
    let auth = auth(&tenants, customers.clone());
    let clock = tenants[0].clock();
    let (one, two) = (token(&tenants[0]).mint(), token(&tenants[1]).mint());
    for (host, text) in [(&host(&tenants[0]), &one), (&host(&tenants[1]), &two)] {
        ask(&auth, host, text).await.unwrap();
    }
    clock.advance(Duration::from_secs(47));
    ask(&auth, &host(&tenants[0]), &one).await.unwrap();
    assert_eq!(customers.calls(), 2);
    clock.advance(Duration::from_secs(2));
    customers.has(Trouble::Waits);
    for _ in 0..3 {
        ask(&auth, &host(&tenants[0]), &one).await.unwrap();
    }
    until(|| customers.calls() == 3).await;
    ask(&auth, &host(&tenants[0]), &one).await.unwrap();
    customers.has(Trouble::None);
    customers.0.released.notify_waiters();
    clock.advance(Duration::from_secs(30));
    let parts = Request { host: host(&tenants[0]), fields: Vec::new() };
    let field = format!("Bearer {one}");
    let request = RequestView::new().authorization([field.as_bytes()]).parts(&parts);
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(auth.authenticate_now(&request).is_some_and(|verdict| verdict.is_ok()), "at once");
    assert_eq!(customers.calls(), 3);
    // The other one was not in use.
    customers.set(&host(&tenants[1]), []);
    assert_eq!(refusal(&auth, &host(&tenants[1]), &two).await, ErrorCode::IssuerMismatch);
    assert_eq!(customers.calls(), 4);
}

#[tokio::test]
async fn ten_thousand_strangers_cause_no_fetch_and_no_growth() {
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
        let stranger = token(&tenants[0]).issuer(&format!("https://evil-{number}.test/"));
        let stranger = stranger.signed_by(&tenants[0].signing_key()).mint();
        assert_eq!(auth.verify(&stranger).await.unwrap_err().code(), ErrorCode::IssuerMismatch);
    }
    let remembered = Arc::strong_count(&keys) - 2;
    assert!(remembered <= 103, "{remembered} keys are remembered");
    assert_eq!(calls.load(Ordering::SeqCst), 10_003);
    // Those that mean somebody are still known.
    for tenant in &tenants {
        auth.verify(&token(tenant).mint()).await.unwrap();
        assert_eq!(fetches(tenant), (1, 1));
    }
    assert_eq!(calls.load(Ordering::SeqCst), 10_003);
}

#[tokio::test]
async fn keys_of_the_least_recently_used_make_room_and_touch_no_other() {
    let tenants = tenants(4);
    let customers = Customers::of(&tenants);
    let auth = auth(&tenants, ResolvedIssuers::by(customers).max_issuers(3));
    let clock = tenants[0].clock();
    let texts: Vec<String> = tenants.iter().map(|tenant| token(tenant).mint()).collect();
    let ask = async |number: usize| {
        clock.advance(Duration::from_secs(2));
        ask(&auth, &host(&tenants[number]), &texts[number]).await
    };
    for number in [0, 1, 2, 0, 2] {
        ask(number).await.unwrap();
    }
    let present = |number: usize| auth.health_of(tenants[number].issuer()).is_some();
    ask(3).await.unwrap();
    assert_eq!([0, 1, 2, 3].map(present), [true, false, true, true]);
    for number in [0, 2, 3] {
        ask(number).await.unwrap();
        assert_eq!(fetches(&tenants[number]), (1, 1), "{number}");
    }
    // What was dropped is fetched again, and is judged by what is true then: its key was withdrawn.
    let others: Vec<_> = [0, 2, 3].map(|number| fetches(&tenants[number])).into();
    tenants[1].rotate_keys();
    tenants[1].withdraw_old_keys();
    assert_eq!(ask(1).await.unwrap_err().code(), ErrorCode::KeyUnknown);
    // Also when there are keys again, and the token is one that the dropped ones had verified.
    self::ask(&auth, &host(&tenants[1]), &token(&tenants[1]).mint()).await.unwrap();
    assert_eq!(ask(1).await.unwrap_err().code(), ErrorCode::KeyUnknown);
    assert_eq!([0, 2, 3].map(|number| fetches(&tenants[number])).to_vec(), others);
    // refresh() asks those whose keys are there.
    auth.refresh().await.unwrap();
    let asked: usize = tenants.iter().map(|tenant| fetches(tenant).1).sum();
    let before: usize = others.iter().map(|fetches| fetches.1).sum();
    assert!(asked >= before + 3, "{asked} {before}");
}

#[tokio::test]
async fn names_alone_push_out_no_keys_that_verify_tokens() {
    let tenants = tenants(220);
    let customers = Customers::of(&tenants);
    let auth = auth(&tenants, ResolvedIssuers::by(customers).max_issuers(20));
    let clock = tenants[0].clock();
    let (good, others) = tenants.split_at(15);
    let made_up = SigningKey::generate(Algorithm::RS256).unwrap();
    for tenant in good {
        ask(&auth, &host(tenant), &token(tenant).mint()).await.unwrap();
    }
    for tenant in others {
        clock.advance(Duration::from_millis(1200));
        // Anybody can write such a token.
        let forged = token(tenant).signed_by(&made_up);
        let forged = forged.header("kid", tenant.signing_key().id()).mint();
        assert_eq!(refusal(&auth, &host(tenant), &forged).await, ErrorCode::SignatureInvalid);
    }
    for tenant in good {
        ask(&auth, &host(tenant), &token(tenant).mint()).await.unwrap();
        assert_eq!(fetches(tenant), (1, 1));
    }
    // A new customer gets a place all the same, and keeps it.
    let (last, host) = (&tenants[219], host(&tenants[219]));
    let before = fetches(last).1;
    for tenant in others.iter().take(30).chain([last]) {
        clock.advance(Duration::from_millis(1200));
        ask(&auth, &self::host(tenant), &token(tenant).mint()).await.unwrap();
    }
    let after = fetches(last).1;
    assert!(after <= before + 1);
    ask(&auth, &host, &token(last).mint()).await.unwrap();
    assert_eq!(fetches(last).1, after);
}

#[tokio::test]
async fn many_new_customers_at_once_get_their_places() {
    let tenants = tenants(50);
    let customers = Customers::of(&tenants);
    let auth = auth(&tenants, ResolvedIssuers::by(customers).max_issuers(20));
    let (before, new) = tenants.split_at(20);
    for tenant in before {
        ask(&auth, &host(tenant), &token(tenant).mint()).await.unwrap();
    }
    tenants[0].clock().advance(Duration::from_secs(2));
    let asked: Vec<_> = new
        .iter()
        .map(|tenant| {
            let (auth, host, text) = (auth.clone(), host(tenant), token(tenant).mint());
            tokio::spawn(async move { ask(&auth, &host, &text).await.is_ok() })
        })
        .collect();
    for asked in asked {
        assert!(asked.await.unwrap());
    }
    let count = |tenants: &[Tenant]| {
        tenants.iter().filter(|tenant| auth.health_of(tenant.issuer()).is_some()).count()
    };
    assert_eq!(count(before) + count(new), 20);
    // Those that had to go before they were of use are not behind the others a second time.
    for tenant in new.iter().take(20) {
        ask(&auth, &host(tenant), &token(tenant).mint()).await.unwrap();
    }
    assert_eq!((count(before), count(&new[..20])), (0, 20));
    assert!(new.iter().all(|tenant| fetches(tenant).1 <= 2));
}

#[test]
fn settings_that_cannot_work() {
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
    for (change, told) in table {
        let resolved = change(ResolvedIssuers::by(Customers::default()));
        let builder = Auth0::builder().audience(API).issuer_resolver(resolved);
        let error = builder.build().unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    let resolved = ResolvedIssuers::by(Customers::default()).max_answers(1).max_issuers(1);
    Auth0::builder().issuer_resolver(resolved).build().expect("audiences may be the issuers' own");
    Auth0::builder().audience(API).build().unwrap_err();
}

/// What an issuer is owed does not depend on whether there is room for its keys.
#[tokio::test]
async fn issuers_that_fail_are_spared_where_there_is_little_room() {
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
            assert_eq!(fetches(&tenants[0]).0, 1, "it has asked for 300 s");
        }
    }
}

#[tokio::test]
async fn requests_for_more_issuers_than_there_is_room_for_share_their_fetches() {
    let tenants = tenants(60);
    let customers = Customers::of(&tenants);
    let auth = auth(&tenants, ResolvedIssuers::by(customers).max_issuers(20));
    let asked: Vec<_> = (0..600)
        .map(|number| {
            let tenant = &tenants[number % tenants.len()];
            let (auth, host, text) = (auth.clone(), host(tenant), token(tenant).mint());
            tokio::spawn(async move { ask(&auth, &host, &text).await.is_ok() })
        })
        .collect();
    for asked in asked {
        assert!(asked.await.unwrap());
    }
    assert!(tenants.iter().all(|tenant| fetches(tenant).1 == 1));
}

/// Minutes pass, and what is due in the background happens.
async fn minutes(tenant: &Tenant, minutes: u64) {
    for _ in 0..minutes {
        tenant.clock().advance(Duration::from_secs(60));
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn keys_that_were_refreshed_are_those_that_are_used() {
    let tenants = tenants(2);
    let customers = Customers::of(&tenants);
    let auth = auth(&tenants, customers.clone());
    let [tenant, removed] = &tenants[..] else { panic!() };
    ask(&auth, &host(removed), &token(removed).mint()).await.unwrap();
    for round in 1..5 {
        ask(&auth, &host(tenant), &token(tenant).mint()).await.unwrap();
        assert_eq!(fetches(tenant).1, round);
        auth.refresh().await.unwrap();
        assert_eq!(fetches(tenant).1, round + 1);
        assert!(auth.health_of(tenant.issuer()).is_some());
    }
    // One that nobody needs any more is asked for a quarter of an hour, and then no more.
    customers.set(&host(removed), []);
    minutes(tenant, 30).await;
    let before = fetches(removed);
    minutes(tenant, 30).await;
    auth.refresh().await.unwrap();
    assert_eq!(fetches(removed), before);
    assert!(auth.health_of(removed.issuer()).is_none());
}

/// Keys that nobody has refreshed for long are not used when somebody comes back.
#[tokio::test]
async fn a_key_that_was_withdrawn_while_nobody_asked_is_refused() {
    let tenants = tenants(1);
    let [tenant] = &tenants[..] else { panic!() };
    let (customers, host) = (Customers::of(&tenants), host(tenant));
    let auth = auth(&tenants, customers);
    let text = token(tenant).mint();
    ask(&auth, &host, &text).await.unwrap();
    minutes(tenant, 30).await;
    assert!(auth.health_of(tenant.issuer()).is_none(), "dropped");
    tenant.rotate_keys();
    tenant.withdraw_old_keys();
    assert_eq!(refusal(&auth, &host, &text).await, ErrorCode::KeyUnknown);
    ask(&auth, &host, &token(tenant).mint()).await.unwrap();
    // While the issuer fails, they stay: they may be needed.
    tenant.fail(Failure::Unreachable);
    minutes(tenant, 60).await;
    ask(&auth, &host, &token(tenant).mint()).await.unwrap();
}

/// A key set with more keys than anybody needs takes no more memory and time than others.
#[tokio::test]
async fn key_sets_are_read_as_far_as_they_may_be_long() {
    let tenants = tenants(1);
    let [tenant] = &tenants[..] else { panic!() };
    let (customers, host) = (Customers::of(&tenants), host(tenant));
    let auth = auth(&tenants, customers);
    let first = tenant.signing_key();
    let text = token(tenant).mint();
    // What is added comes before the others.
    for number in 1..128 {
        let other = SigningKey::generate(Algorithm::EdDSA).unwrap();
        tenant.add_key(other.with_id(format!("key-{number}")));
    }
    ask(&auth, &host, &text).await.unwrap();
    let one_more = SigningKey::generate(Algorithm::RS256).unwrap();
    tenant.add_key(one_more.clone());
    auth.refresh().await.unwrap();
    assert_eq!(refusal(&auth, &host, &text).await, ErrorCode::KeyUnknown, "{first:?} is the 129th");
    ask(&auth, &host, &token(tenant).mint()).await.unwrap();
}

#[tokio::test]
async fn an_answer_is_as_old_as_its_question() {
    let tenants = tenants(1);
    let [tenant] = &tenants[..] else { panic!() };
    let (customers, host) = (Customers::of(&tenants), host(tenant));
    let auth = auth(&tenants, customers.clone());
    customers.has(Trouble::Waits);
    let text = token(tenant).mint();
    let asked = {
        let (auth, host, text) = (auth.clone(), host.clone(), text.clone());
        tokio::spawn(async move { ask(&auth, &host, &text).await.is_ok() })
    };
    until(|| customers.calls() == 1).await;
    customers.set(&host, []);
    tenant.clock().advance(Duration::from_secs(4));
    customers.has(Trouble::None);
    customers.0.released.notify_waiters();
    assert!(asked.await.unwrap());
    tenant.clock().advance(Duration::from_secs(56));
    assert_eq!(refusal(&auth, &host, &text).await, ErrorCode::IssuerMismatch);
}

/// Those that were dropped have to verify a token again before they count.
#[tokio::test]
async fn names_of_issuers_that_were_in_use_once_push_out_no_others() {
    let tenants = tenants(20);
    let customers = Customers::of(&tenants);
    let auth = auth(&tenants, ResolvedIssuers::by(customers).max_issuers(8));
    let made_up = SigningKey::generate(Algorithm::RS256).unwrap();
    for tenant in tenants.iter().rev() {
        ask(&auth, &host(tenant), &token(tenant).mint()).await.unwrap();
        tenants[0].clock().advance(Duration::from_secs(2));
    }
    let (in_use, dropped) = tenants.split_at(8);
    for tenant in dropped {
        let forged = token(tenant).signed_by(&made_up).header("kid", tenant.signing_key().id());
        let code = refusal(&auth, &host(tenant), &forged.mint()).await;
        assert_eq!(code, ErrorCode::SignatureInvalid);
    }
    let left = in_use.iter().filter(|tenant| auth.health_of(tenant.issuer()).is_some()).count();
    assert!(left >= 6, "{left} of 8");
}

/// An issuer that was removed and is gone is not asked for ever, nor does it spoil `refresh`.
#[tokio::test]
async fn an_issuer_that_is_gone_is_let_go() {
    let tenants = tenants(1);
    let [tenant] = &tenants[..] else { panic!() };
    let (customers, host) = (Customers::of(&tenants), host(tenant));
    let auth = auth(&tenants, customers.clone());
    let text = token(tenant).mint();
    ask(&auth, &host, &text).await.unwrap();
    customers.set(&host, []);
    tenant.fail(Failure::Status(404));
    auth.forget_resolved_issuers();
    assert_eq!(refusal(&auth, &host, &text).await, ErrorCode::IssuerMismatch);
    auth.refresh().await.unwrap();
    assert!(auth.health_of(tenant.issuer()).is_none());
    let before = fetches(tenant);
    minutes(tenant, 60).await;
    assert_eq!(fetches(tenant), before);
}
