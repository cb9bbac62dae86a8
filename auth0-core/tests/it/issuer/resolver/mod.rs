//! Issuers that a resolver finds: resolved once, remembered and bounded. Clients cannot cause fetches with
//! made-up issuers.
mod flood;
mod outages;
mod residency;
mod trust;

use crate::{common::Request, issuer::API};
use auth0_core::{
    Auth0, Error, ErrorCode, TrustedIssuer,
    resolver::{IssuerResolver, ResolvedIssuers, ResolverContext},
};
use auth0_testing::Tenant;
use std::{
    collections::HashMap,
    error::Error as StdError,
    future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::{sync::Notify, task::JoinHandle};

const SECRET: &str = "password=hunter2";

type BoxError = Box<dyn StdError + Send + Sync>;

/// Customers by host, as of a database.
#[derive(Clone, Default)]
struct Customers(Arc<Database>);

#[derive(Default)]
struct Database {
    customers: Mutex<HashMap<String, Vec<TrustedIssuer>>>,
    behaviour: Mutex<Behaviour>,
    calls: AtomicUsize,
    released: Notify,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Behaviour {
    #[default]
    Answers,
    Fails,
    Panics,
    PanicsAtKey,
    Hangs,
    /// Waits until it is released.
    Waits,
    HangsForUnknownHosts,
}

impl Customers {
    fn of<'a>(tenants: impl IntoIterator<Item = &'a Tenant>) -> Self {
        let customers = Self::default();
        for tenant in tenants {
            customers.set(&host(tenant), [TrustedIssuer::new(tenant.issuer())]);
        }
        customers
    }

    fn set(&self, host: &str, issuers: impl IntoIterator<Item = TrustedIssuer>) {
        self.0.customers.lock().unwrap().insert(host.into(), issuers.into_iter().collect());
    }

    /// Sets what every lookup does from now on.
    fn behave(&self, behaviour: Behaviour) {
        *self.0.behaviour.lock().unwrap() = behaviour;
    }

    /// Lets the lookups that wait continue, and all others answer.
    fn release(&self) {
        self.behave(Behaviour::Answers);
        self.0.released.notify_waiters();
    }

    fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }
}

impl IssuerResolver for Customers {
    type Key = String;

    fn key(&self, request: &ResolverContext<'_>) -> Option<String> {
        let behaviour = *self.0.behaviour.lock().unwrap();
        assert!(behaviour != Behaviour::PanicsAtKey, "{SECRET}");
        Some(request.host()?.to_owned())
    }

    async fn resolve(&self, host: String) -> Result<Vec<TrustedIssuer>, BoxError> {
        let found = self.0.customers.lock().unwrap().get(&host).cloned();
        let behaviour = *self.0.behaviour.lock().unwrap();
        let released = self.0.released.notified();
        // Last: a test that has seen the call may change the behaviour of the next ones.
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        match behaviour {
            Behaviour::Answers | Behaviour::PanicsAtKey => tokio::task::yield_now().await,
            Behaviour::Fails => return Err(format!("no connection\n{SECRET}").into()),
            Behaviour::Panics => panic!("{SECRET}"),
            Behaviour::Hangs => future::pending().await,
            Behaviour::HangsForUnknownHosts if found.is_none() => future::pending().await,
            Behaviour::HangsForUnknownHosts => {}
            Behaviour::Waits => released.await,
        }
        Ok(found.unwrap_or_default())
    }
}

/// Tenants by the digests of their issuers: the key is what the token claims.
struct ByIssuer {
    tenants: HashMap<[u8; 32], String>,
    calls: Arc<AtomicUsize>,
    /// Has one more reference for each key that is remembered.
    keys: Arc<()>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Digest([u8; 32], Arc<()>);

impl IssuerResolver for ByIssuer {
    type Key = Digest;

    fn key(&self, request: &ResolverContext<'_>) -> Option<Digest> {
        Some(Digest(request.issuer().sha256(), Arc::clone(&self.keys)))
    }

    async fn resolve(&self, Digest(digest, _): Digest) -> Result<Vec<TrustedIssuer>, BoxError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        Ok(self.tenants.get(&digest).map(TrustedIssuer::new).into_iter().collect())
    }
}

/// Returns the host at which the customer with this tenant is served.
fn host(tenant: &Tenant) -> String {
    let name = tenant.issuer().trim_start_matches("https://").trim_end_matches(".test/");
    format!("{name}.api.test")
}

fn tenants(count: usize) -> Vec<Tenant> {
    (0..count).map(|number| Tenant::named(&format!("tenant-{number}"))).collect()
}

/// Returns a verifier that trusts what the resolver finds, and reaches all tenants.
fn auth(tenants: &[Tenant], resolver: impl Into<ResolvedIssuers>) -> Auth0 {
    let builder = tenants[0].builder_with(&tenants[1..]).audience(API);
    builder.issuer_resolver(resolver).build().unwrap()
}

/// Sends a request for this host, and returns the issuer of its token.
async fn send(auth: &Auth0, host: &str, token: &str) -> Result<String, Error> {
    let request = Request::to(host).authorized("Bearer", token);
    request.authenticate(auth).await.map(|token| token.issuer().to_owned())
}

/// Sends a request in a task of its own, and returns whether it was accepted.
fn spawn_send(auth: &Auth0, tenant: &Tenant, token: &str) -> JoinHandle<bool> {
    let (auth, host, token) = (auth.clone(), host(tenant), token.to_owned());
    tokio::spawn(async move { send(&auth, &host, &token).await.is_ok() })
}

async fn refusal(auth: &Auth0, host: &str, token: &str) -> ErrorCode {
    send(auth, host, token).await.expect_err("refused").code()
}
