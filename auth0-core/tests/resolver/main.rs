//! Issuers that a resolver finds: asked once, remembered, bounded, and never a way for a stranger to cause a
//! fetch.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod bounds;
mod outages;
mod trust;

use auth0_core::{
    AccessToken, Algorithm, Auth0, BoxFuture, Connection, DpopMode, Error, ErrorCode, ErrorKind,
    FieldLines, HttpClient, HttpError, HttpParts, HttpRequest, HttpResponse, IssuerResolver,
    RequestView, ResolvedIssuers, ResolverContext, TrustedIssuer,
    policy::{check, organization},
    testing::{Document, Failure, SigningKey, Tenant, TokenBuilder},
};
use std::{
    collections::HashMap,
    error::Error as StdError,
    future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, Semaphore};

const API: &str = "https://api.acme.com";
const SECRET: &str = "password=hunter2";

type BoxError = Box<dyn StdError + Send + Sync>;

/// Customers by host, in what stands for a database.
#[derive(Clone, Default)]
struct Customers(Arc<Database>);

#[derive(Default)]
struct Database {
    customers: Mutex<HashMap<String, Vec<TrustedIssuer>>>,
    trouble: Mutex<Trouble>,
    calls: AtomicUsize,
    released: Notify,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Trouble {
    #[default]
    None,
    Fails,
    Panics,
    PanicsAtKey,
    Hangs,
    /// Until it is released.
    Waits,
    HangsForStrangers,
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

    fn has(&self, trouble: Trouble) {
        *self.0.trouble.lock().unwrap() = trouble;
    }

    fn calls(&self) -> usize {
        self.0.calls.load(Ordering::SeqCst)
    }
}

impl IssuerResolver for Customers {
    type Key = String;

    fn key(&self, request: &ResolverContext<'_>) -> Option<String> {
        let trouble = *self.0.trouble.lock().unwrap();
        assert!(trouble != Trouble::PanicsAtKey, "{SECRET}");
        Some(request.host()?.to_owned())
    }

    async fn resolve(&self, host: String) -> Result<Vec<TrustedIssuer>, BoxError> {
        self.0.calls.fetch_add(1, Ordering::SeqCst);
        let found = self.0.customers.lock().unwrap().get(&host).cloned();
        let trouble = *self.0.trouble.lock().unwrap();
        match trouble {
            Trouble::None | Trouble::PanicsAtKey => tokio::task::yield_now().await,
            Trouble::Fails => return Err(format!("no connection\n{SECRET}").into()),
            Trouble::Panics => panic!("{SECRET}"),
            Trouble::Hangs => future::pending().await,
            Trouble::HangsForStrangers if found.is_none() => future::pending().await,
            Trouble::HangsForStrangers => {}
            Trouble::Waits => self.0.released.notified().await,
        }
        Ok(found.unwrap_or_default())
    }
}

/// Tenants in a table by their issuers' digests: what the token says is the key.
struct ByIssuer {
    tenants: HashMap<[u8; 32], String>,
    calls: Arc<AtomicUsize>,
    /// One more reference for each key that is remembered.
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

struct Request {
    host: String,
    fields: Vec<(&'static str, String)>,
}

impl HttpParts for Request {
    fn method(&self) -> &str {
        "GET"
    }

    fn path(&self) -> &str {
        "/me"
    }

    fn scheme(&self) -> Option<&str> {
        Some("https")
    }

    fn authority(&self) -> Option<&str> {
        None
    }

    fn field(&self, name: &str) -> FieldLines<'_> {
        let own = [("host", &self.host)];
        let fields = self.fields.iter().map(|(name, value)| (*name, value));
        let lines = own.into_iter().chain(fields).filter(|(known, _)| *known == name);
        FieldLines::of(lines.map(|(_, value)| value.as_bytes()))
    }

    fn connection(&self) -> Connection {
        Connection::new()
    }
}

fn host(tenant: &Tenant) -> String {
    let name = tenant.issuer().trim_start_matches("https://").trim_end_matches(".test/");
    format!("{name}.api.test")
}

fn tenants(count: usize) -> Vec<Tenant> {
    (0..count).map(|number| Tenant::named(&format!("tenant-{number}"))).collect()
}

fn token(tenant: &Tenant) -> TokenBuilder {
    tenant.token().audience(API)
}

fn auth(tenants: &[Tenant], resolver: impl Into<ResolvedIssuers>) -> Auth0 {
    let builder = tenants[0].builder_with(&tenants[1..]).audience(API);
    builder.issuer_resolver(resolver).build().unwrap()
}

/// One request for a host.
async fn ask(auth: &Auth0, host: &str, token: &str) -> Result<String, Error> {
    let parts = Request { host: host.into(), fields: Vec::new() };
    let field = format!("Bearer {token}");
    let request = RequestView::new().authorization([field.as_bytes()]).parts(&parts);
    auth.authenticate(&request).await.map(|token| token.issuer().to_owned())
}

async fn refusal(auth: &Auth0, host: &str, token: &str) -> ErrorCode {
    ask(auth, host, token).await.expect_err("refused").code()
}

fn fetches(tenant: &Tenant) -> (usize, usize) {
    (tenant.fetches().metadata, tenant.fetches().key_set)
}

/// Lets what runs in the background go on until it has led to this.
async fn until(is_so: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if is_so() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it has not come to that");
}
