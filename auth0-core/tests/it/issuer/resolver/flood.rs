//! A flood of forged tokens with made-up issuers, while customers are new to the instance. The time is that of
//! the test: the resolver takes 20 ms for each answer, and 5,000 forged tokens come in a second.
use super::tenants;
use crate::{
    common::{Request, pass},
    issuer::{API, token},
};
use auth0_core::{
    Auth0, Error, ErrorCode, TrustedIssuer,
    resolver::{IssuerResolver, ResolvedIssuers, ResolverContext},
    time::Clock,
};
use auth0_testing::{ManualClock, Tenant};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{
    collections::HashMap,
    error::Error as StdError,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinHandle;

const CUSTOMERS: usize = 100;

const STEP: Duration = Duration::from_millis(10);
const FORGED_IN_A_STEP: usize = 50;

/// Tenants by the digests of their issuers, as of a database that takes its time.
#[derive(Clone)]
struct Slow(Arc<Database>);

struct Database {
    tenants: HashMap<[u8; 32], String>,
    clock: ManualClock,
    takes: Duration,
    calls: AtomicUsize,
    running: AtomicUsize,
    most: AtomicUsize,
}

impl Slow {
    fn new(tenants: &[Tenant], takes: Duration) -> Self {
        Self(Arc::new(Database {
            tenants: tenants
                .iter()
                .map(|tenant| (sha256(tenant.issuer()), tenant.issuer().to_owned()))
                .collect(),
            clock: tenants[0].clock().clone(),
            takes,
            calls: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
        }))
    }
}

/// A call that runs.
struct Running(Arc<Database>);

impl Running {
    fn of(database: Arc<Database>) -> Self {
        let running = database.running.fetch_add(1, Ordering::SeqCst) + 1;
        database.most.fetch_max(running, Ordering::SeqCst);
        Self(database)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

fn sha256(text: &str) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    digest.as_ref().try_into().unwrap()
}

impl IssuerResolver for Slow {
    type Key = [u8; 32];

    fn key(&self, request: &ResolverContext<'_>) -> Option<[u8; 32]> {
        Some(request.issuer().sha256())
    }

    async fn resolve(
        &self,
        digest: [u8; 32],
    ) -> Result<Vec<TrustedIssuer>, Box<dyn StdError + Send + Sync>> {
        let database = &self.0;
        database.calls.fetch_add(1, Ordering::SeqCst);
        let _running = Running::of(Arc::clone(database));
        database.clock.sleep(database.takes).await;
        Ok(database.tenants.get(&digest).map(TrustedIssuer::new).into_iter().collect())
    }
}

/// Where the requests come from.
#[derive(Clone, Copy, PartialEq)]
enum From {
    /// The flood from so many addresses, and each customer from one of its own.
    Addresses(usize),
    /// The same from one address, through a proxy that appends it to what the client has sent.
    AProxy,
    /// All from one address.
    OneAddress,
}

impl From {
    fn flood(self, number: usize) -> Request {
        match self {
            Self::Addresses(count) => {
                let number = number % count;
                at(&format!("198.51.{}.{}", number / 256, number % 256))
            }
            Self::AProxy => {
                at(PROXY).with("x-forwarded-for", format!("192.0.2.{}, {FLOOD}", number % 256))
            }
            Self::OneAddress => at(FLOOD),
        }
    }

    fn customer(self, number: usize) -> Request {
        match self {
            Self::Addresses(_) => at(&format!("192.0.2.{number}")),
            Self::AProxy => at(PROXY).with("x-forwarded-for", format!("192.0.2.{number}")),
            Self::OneAddress => at(FLOOD),
        }
    }
}

const FLOOD: &str = "198.51.100.9";
const PROXY: &str = "10.0.0.7";

fn at(peer: &str) -> Request {
    Request::to("api.test").from(peer)
}

/// Returns why first requests of customers were refused.
async fn refused(from: From, resolver: impl FnOnce(Slow) -> ResolvedIssuers) -> (Vec<Error>, Slow) {
    let tenants = tenants(CUSTOMERS);
    let slow = Slow::new(&tenants, Duration::from_millis(20));
    let builder = tenants[0].builder_with(&tenants[1..]).audience(API);
    let auth = builder.issuer_resolver(resolver(slow.clone())).trusted_proxies([PROXY]);
    let auth = auth.build().unwrap();
    let forged = Forged::like(&token(&tenants[0]).mint());
    let (mut flood, mut customers) = (Vec::new(), Vec::new());
    for step in 0..CUSTOMERS {
        for number in (0..FORGED_IN_A_STEP).map(|number| step * FORGED_IN_A_STEP + number) {
            flood.push(send(&auth, from.flood(number), &forged.token(number)));
        }
        customers.push(send(&auth, from.customer(step), &token(&tenants[step]).mint()));
        pass(&tenants[0], STEP).await;
    }
    // The queue empties at the same pace, and then the last deadline passes.
    for _ in 0..CUSTOMERS {
        pass(&tenants[0], STEP).await;
    }
    pass(&tenants[0], Duration::from_secs(5)).await;
    let mut refused = Vec::new();
    for customer in customers {
        refused.extend(customer.await.unwrap());
    }
    for request in flood {
        let code = request.await.unwrap().expect("a forged token is refused").code();
        assert!([ErrorCode::IssuersUnavailable, ErrorCode::IssuerMismatch].contains(&code));
    }
    (refused, slow)
}

fn send(auth: &Auth0, request: Request, token: &str) -> JoinHandle<Option<Error>> {
    let (auth, request) = (auth.clone(), request.authorized("Bearer", token));
    tokio::spawn(async move { request.authenticate(&auth).await.err() })
}

/// Tokens that nothing has signed.
struct Forged {
    header: String,
    signature: String,
}

impl Forged {
    fn like(token: &str) -> Self {
        let parts: Vec<_> = token.split('.').collect();
        Self { header: parts[0].to_owned(), signature: parts[2].to_owned() }
    }

    fn token(&self, number: usize) -> String {
        let payload = format!(r#"{{"iss":"https://made-up-{number}.test/","aud":"{API}"}}"#);
        format!("{}.{}.{}", self.header, URL_SAFE_NO_PAD.encode(payload), self.signature)
    }
}

/// With the default settings, also where the clients cannot be told apart.
#[tokio::test]
async fn a_flood_refuses_no_customer() {
    for from in [From::Addresses(1), From::OneAddress] {
        let (refused, slow) = refused(from, ResolvedIssuers::by).await;
        assert!(refused.is_empty(), "{} of {CUSTOMERS}: {:?}", refused.len(), refused[0]);
        assert!(slow.0.most.load(Ordering::SeqCst) <= 256);
    }
}

/// A database that serves only 32 calls at once, which is a third of the flood: clients take turns.
#[tokio::test]
async fn clients_take_turns() {
    for from in [From::Addresses(1), From::Addresses(20), From::AProxy] {
        let (refused, slow) = refused(from, |slow| ResolvedIssuers::by(slow).max_calls(32)).await;
        assert!(refused.is_empty(), "{} of {CUSTOMERS}: {:?}", refused.len(), refused[0]);
        assert!(slow.0.most.load(Ordering::SeqCst) <= 32);
    }
}

/// The same database, with a set of all customers in memory.
#[tokio::test]
async fn made_up_keys_need_not_be_asked_for() {
    struct Filtered(Slow);

    impl IssuerResolver for Filtered {
        type Key = [u8; 32];

        fn key(&self, request: &ResolverContext<'_>) -> Option<[u8; 32]> {
            self.0.key(request)
        }

        fn may_exist(&self, digest: &[u8; 32]) -> bool {
            self.0.0.tenants.contains_key(digest)
        }

        async fn resolve(
            &self,
            digest: [u8; 32],
        ) -> Result<Vec<TrustedIssuer>, Box<dyn StdError + Send + Sync>> {
            self.0.resolve(digest).await
        }
    }

    let resolver = |slow| ResolvedIssuers::by(Arc::new(Filtered(slow))).max_calls(32);
    let (refused, slow) = refused(From::OneAddress, resolver).await;
    assert!(refused.is_empty(), "{} of {CUSTOMERS}: {:?}", refused.len(), refused[0]);
    assert_eq!(slow.0.calls.load(Ordering::SeqCst), CUSTOMERS);
}
