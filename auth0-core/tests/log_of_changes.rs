//! What the log tells of issuers and of a resolver over hours: changes, and not requests. The only test of its program,
//! because a subscriber that is set while another thread meets an event for the first time may never hear
//! of that event.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use auth0_core::{
    Auth0, ErrorCode, IssuerResolver, ResolvedIssuers, ResolverContext, TrustedIssuer,
    testing::{Failure, Tenant},
};
use std::{
    collections::BTreeMap,
    error::Error,
    fmt,
    sync::{Arc, Mutex},
    time::Duration,
};

const MINUTE: Duration = Duration::from_secs(60);

async fn verdict(auth: &Auth0, token: &str) -> Option<ErrorCode> {
    auth.verify(token).await.err().map(|error| error.code())
}

/// Lets time pass, and what goes on in the background come to its end.
async fn pass(tenant: &Tenant, time: Duration) {
    tenant.clock().advance(time);
    for _ in 0..30 {
        tokio::task::yield_now().await;
    }
}

/// Counts events of each message.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<BTreeMap<String, usize>>>);

impl tracing::Subscriber for Log {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target() == "auth0" && *metadata.level() <= tracing::Level::INFO
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        struct Message(String);
        impl tracing::field::Visit for Message {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        *self.0.lock().unwrap().entry(message.0).or_default() += 1;
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn the_log_tells_of_changes_and_not_of_requests() {
    of_an_issuer().await;
    of_a_resolver().await;
}

/// Trusts these for any request, or fails.
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

async fn of_a_resolver() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let count = |begin: &str| {
        let log = log.0.lock().unwrap();
        log.iter().filter(|(message, _)| message.starts_with(begin)).map(|(_, n)| n).sum::<usize>()
    };
    let tenants: Vec<Tenant> = ["one", "two", "three"].map(Tenant::named).into();
    let trusted = || tenants.iter().map(|tenant| TrustedIssuer::new(tenant.issuer())).collect();
    let customers = Arc::new(Mutex::new(Some(trusted())));
    let resolved = ResolvedIssuers::by(Customers(Arc::clone(&customers))).max_issuers(2);
    let auth = tenants[0].builder_with(&tenants[1..]).issuer_resolver(resolved).build().unwrap();
    let text = |tenant: &Tenant| tenant.token().audience(tenants[0].audience()).mint();
    let shortage = "more issuers are in use than there is room for";
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
            pass(&tenants[0], Duration::from_secs(1)).await;
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

async fn of_an_issuer() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
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
    let made_up = tenant.token().header("kid", "made-up").mint();
    for _flood in 0..2 {
        for _ in 0..1000 {
            assert_eq!(verdict(&auth, &made_up).await, Some(ErrorCode::KeyUnknown));
            tenant.clock().advance(Duration::from_millis(10));
        }
        pass(&tenant, MINUTE).await;
    }
    let log = log.0.lock().unwrap();
    let flood = "tokens name unknown keys: the issuer is asked for them only now and then, and a new \
                 key may take some seconds to be accepted";
    assert_eq!(log.get(flood), Some(&2), "once for each flood");
    let count = |message: &str| log.get(message).copied().unwrap_or(0);
    assert_eq!(count("have the issuer's keys"), 1);
    let failing = "the issuer's keys cannot be fetched; those at hand are fresh";
    let stale = "the issuer's keys cannot be fetched; old ones are served";
    let back = "the issuer's keys can be fetched again";
    assert_eq!((count(failing), count(stale), count(back)), (2, 2, 2), "{log:?}");
}
