//! What the log says of issuers and of a resolver over hours: changes, and not requests.
use crate::{
    capture::Log,
    common::{MINUTE, SECOND, pass, settle, verdict, with_unknown_key},
};
use auth0_core::{
    Auth0, ErrorCode, Health, TrustedIssuer,
    resolver::{IssuerResolver, ResolvedIssuers, ResolverContext},
};
use auth0_testing::{Failure, Tenant};
use std::{
    error::Error,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

/// A subscriber that reads the health while an event is logged must not deadlock.
#[tokio::test]
async fn a_subscriber_may_read_the_health() {
    static AUTH: OnceLock<Auth0> = OnceLock::new();
    static SEEN: Mutex<Vec<Health>> = Mutex::new(Vec::new());
    let log = Log::listen();
    log.on_warning(|| SEEN.lock().unwrap().extend(AUTH.get().map(Auth0::health)));
    let tenant = Tenant::new();
    tenant.fail(Failure::Unreachable);
    AUTH.get_or_init(|| tenant.auth0()).warm_up().await.unwrap_err();
    settle().await;
    let seen = SEEN.lock().unwrap();
    assert!(matches!(seen[..], [Health::Unavailable { .. }]), "{seen:?}");
}

#[tokio::test]
async fn changes_of_an_issuer_are_logged_and_requests_are_not() {
    let log = Log::listen();
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().expires_in(6000 * MINUTE).mint();
    for outage in 0..2 {
        tenant.recover();
        pass(&tenant, MINUTE).await;
        assert_eq!(verdict(&auth, &token).await, None, "outage {outage}");
        tenant.fail(Failure::Status(500));
        for _ in 0..40 {
            pass(&tenant, MINUTE).await;
            for _ in 0..5 {
                assert_eq!(verdict(&auth, &token).await, None);
            }
        }
    }
    tenant.recover();
    pass(&tenant, MINUTE).await;
    let unknown = with_unknown_key(&tenant);
    for _flood in 0..2 {
        for _ in 0..1000 {
            assert_eq!(verdict(&auth, &unknown).await, Some(ErrorCode::KeyUnknown));
            tenant.clock().advance(Duration::from_millis(10));
        }
        pass(&tenant, MINUTE).await;
    }
    let messages = log.messages();
    let flood = "tokens name unknown keys, or their signatures do not verify: keys are fetched from the \
                 issuer only every few seconds, and a new key may take some seconds to be accepted";
    assert_eq!(messages.get(flood), Some(&2), "once for each flood");
    let count = |message: &str| messages.get(message).copied().unwrap_or(0);
    assert_eq!(count("fetched the issuer's keys"), 1);
    let failing = "the issuer's keys cannot be fetched; the cached ones are fresh";
    let stale = "the issuer's keys cannot be fetched; old ones are served";
    let back = "the issuer's keys can be fetched again";
    assert_eq!((count(failing), count(stale), count(back)), (2, 2, 2), "{messages:?}");
}

#[tokio::test]
async fn changes_of_a_resolver_are_logged_and_requests_are_not() {
    let log = Log::listen();
    let count = |begin: &str| {
        let messages = log.messages().into_iter();
        messages.filter(|(message, _)| message.starts_with(begin)).map(|(_, n)| n).sum::<usize>()
    };
    let tenants: Vec<Tenant> = ["one", "two", "three"].map(Tenant::named).into();
    let trusted = || tenants.iter().map(|tenant| TrustedIssuer::new(tenant.issuer())).collect();
    let customers = Arc::new(Mutex::new(Some(trusted())));
    let resolved = ResolvedIssuers::by(Customers(Arc::clone(&customers))).max_issuers(2);
    let auth = tenants[0].builder_with(&tenants[1..]).issuer_resolver(resolved).build().unwrap();
    let text = |tenant: &Tenant| tenant.token().audience(tenants[0].audience()).mint();
    let shortage = "more issuers are in use than";
    for (number, tenant) in tenants.iter().enumerate() {
        assert_eq!(count(shortage), 0, "{number} have room");
        assert_eq!(verdict(&auth, &text(tenant)).await, None);
    }
    for tenant in &tenants {
        assert_eq!(verdict(&auth, &text(tenant)).await, None);
    }
    assert_eq!(count(shortage), 1);

    let fails = "the issuer resolver fails";
    *customers.lock().unwrap() = None;
    for minute in 1..4 {
        pass(&tenants[0], MINUTE).await;
        for _ in 0..10 {
            pass(&tenants[0], SECOND).await;
            let code = verdict(&auth, &text(&tenants[0])).await;
            assert_eq!(code, Some(ErrorCode::IssuersUnavailable));
        }
        assert_eq!(count(fails), minute, "once a minute");
    }

    let mut entries: Vec<TrustedIssuer> = trusted();
    entries.push(TrustedIssuer::domain("YOUR_DOMAIN"));
    *customers.lock().unwrap() = Some(entries);
    pass(&tenants[0], MINUTE).await;
    assert_eq!(verdict(&auth, &text(&tenants[0])).await, None);
    assert_eq!(count("the resolver found an issuer that cannot be trusted"), 1);
}

/// Trusts these issuers for any request, or fails.
struct Customers(Arc<Mutex<Option<Vec<TrustedIssuer>>>>);

impl IssuerResolver for Customers {
    type Key = ();

    fn key(&self, _: &ResolverContext<'_>) -> Option<()> {
        Some(())
    }

    async fn resolve(&self, (): ()) -> Result<Vec<TrustedIssuer>, Box<dyn Error + Send + Sync>> {
        Ok(self.0.lock().unwrap().clone().ok_or("no connection")?)
    }
}
