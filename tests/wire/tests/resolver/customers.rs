//! The resolver of these tests.
use auth0_axum::{
    TrustedIssuer,
    resolver::{IssuerResolver, ResolverContext},
    testing::ManualClock,
};
use std::{
    collections::HashMap,
    error::Error,
    future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

/// How long a verifier waits for a resolver.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The error of a database, which must not leave the service.
const SECRET: &str = "no route to customers.internal for user hunter2";

/// The part of a request that selects the customer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum By {
    Host,
    Path,
    Header(&'static str),
    /// The issuer of its token.
    Issuer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Fails,
    PanicsInKey,
    PanicsInResolve,
    /// The call does not end, and the time that a verifier waits for it passes.
    Hangs,
}

/// A resolver that counts its calls and fails on demand. Clones share their state.
#[derive(Clone)]
pub(crate) struct Customers(Arc<State>);

struct State {
    /// The clock of the verifiers.
    clock: ManualClock,
    by: By,
    issuers: Mutex<HashMap<&'static str, Vec<TrustedIssuer>>>,
    /// The customer of each issuer.
    names: HashMap<String, &'static str>,
    fault: Mutex<Option<Fault>>,
    keys: AtomicUsize,
    resolved: AtomicUsize,
    /// How many calls hung until they were dropped.
    dropped: AtomicUsize,
}

impl Customers {
    pub(crate) fn new(clock: &ManualClock, by: By, names: HashMap<String, &'static str>) -> Self {
        Self(Arc::new(State {
            clock: clock.clone(),
            by,
            issuers: Mutex::default(),
            names,
            fault: Mutex::new(None),
            keys: AtomicUsize::new(0),
            resolved: AtomicUsize::new(0),
            dropped: AtomicUsize::new(0),
        }))
    }

    pub(crate) fn resolved(&self) -> usize {
        self.0.resolved.load(Ordering::Relaxed)
    }

    pub(crate) fn keys(&self) -> usize {
        self.0.keys.load(Ordering::Relaxed)
    }

    pub(crate) fn dropped(&self) -> usize {
        self.0.dropped.load(Ordering::Relaxed)
    }

    pub(crate) fn add<I: Into<TrustedIssuer>>(
        &self,
        name: &'static str,
        issuers: impl IntoIterator<Item = I>,
    ) {
        let issuers = issuers.into_iter().map(Into::into).collect();
        self.0.issuers.lock().unwrap().insert(name, issuers);
    }

    pub(crate) fn remove(&self, name: &str) {
        self.0.issuers.lock().unwrap().remove(name);
    }

    pub(crate) fn set_fault(&self, fault: Option<Fault>) {
        *self.0.fault.lock().unwrap() = fault;
    }

    fn fault(&self) -> Option<Fault> {
        *self.0.fault.lock().unwrap()
    }
}

impl IssuerResolver for Customers {
    type Key = String;

    fn key(&self, request: &ResolverContext<'_>) -> Option<String> {
        self.0.keys.fetch_add(1, Ordering::Relaxed);
        assert!(self.fault() != Some(Fault::PanicsInKey), "{SECRET}");
        let customer = match self.0.by {
            By::Host => request.host()?.strip_suffix(".api.test")?,
            By::Path => request.path().strip_prefix("/customers/")?.split_once('/')?.0,
            By::Header(name) => request.header(name)?,
            By::Issuer => request.issuer().find_in(&self.0.names)?,
        };
        Some(customer.to_owned())
    }

    async fn resolve(
        &self,
        customer: String,
    ) -> Result<Vec<TrustedIssuer>, Box<dyn Error + Send + Sync>> {
        self.0.resolved.fetch_add(1, Ordering::Relaxed);
        match self.fault() {
            Some(Fault::Fails) => return Err(SECRET.into()),
            Some(Fault::PanicsInResolve) => panic!("{SECRET}"),
            Some(Fault::Hangs) => {
                let _dropped = Dropped(&self.0.dropped);
                self.0.clock.advance(TIMEOUT);
                future::pending::<()>().await;
            }
            Some(Fault::PanicsInKey) | None => {}
        }
        Ok(self.0.issuers.lock().unwrap().get(&*customer).cloned().unwrap_or_default())
    }
}

/// Counts a call that is dropped.
struct Dropped<'a>(&'a AtomicUsize);

impl Drop for Dropped<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}
