//! Issuers that a resolver finds: asked once, remembered, bounded, and never a way for a stranger to cause a
//! fetch.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use auth0_core::{
    Algorithm, Auth0, Connection, DpopMode, Error, ErrorCode, ErrorKind, FieldLines, HttpParts,
    HttpResponse, IssuerResolver, RequestView, ResolvedIssuers, ResolverContext, TrustedIssuer,
    policy::organization,
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
use tokio::sync::Notify;

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

#[tokio::test]
async fn each_customers_issuers_are_trusted_on_its_own_host() {
    let tenants = tenants(3);
    let customers = Customers::of(&tenants);
    let auth = auth(&tenants, customers.clone());
    let [one, two, three] = &tenants[..] else { panic!() };
    let text = token(one).mint();
    for _ in 0..2 {
        assert_eq!(ask(&auth, &host(one), &text).await.unwrap(), one.issuer());
        // Also right after it was verified and remembered.
        assert_eq!(refusal(&auth, &host(two), &text).await, ErrorCode::IssuerMismatch);
        assert_eq!(refusal(&auth, "stranger.test", &text).await, ErrorCode::IssuerMismatch);
        assert_eq!(refusal(&auth, "a/b", &text).await, ErrorCode::IssuerMismatch, "no host");
    }
    let error = ask(&auth, &host(two), &text).await.unwrap_err();
    let cause = error.cause().unwrap();
    assert!(cause.contains("https://tenant-0.test/") && cause.contains("resolver"), "{cause}");
    let error = ask(&auth, "a/b", &text).await.unwrap_err();
    assert!(error.cause().unwrap().contains("Host"), "{error:?}");
    // First on the wrong host, then on the right one; and however the host is written.
    let text = token(two).mint();
    assert_eq!(refusal(&auth, &host(three), &text).await, ErrorCode::IssuerMismatch);
    for host in ["tenant-1.api.test", "TENANT-1.API.test:8443", "tenant-1.api.test."] {
        assert_eq!(ask(&auth, host, &text).await.unwrap(), two.issuer(), "{host}");
    }
    assert_eq!((fetches(one), fetches(two), fetches(three)), ((1, 1), (1, 1), (0, 0)));
    assert_eq!(customers.calls(), 4, "three customers and a stranger");
    // Without a request there is no host.
    assert_eq!(auth.verify(&text).await.unwrap_err().code(), ErrorCode::IssuerMismatch);
}

#[tokio::test]
async fn what_is_configured_needs_no_resolver() {
    let tenants = tenants(2);
    let customers = Customers::of(&tenants);
    customers.has(Trouble::Fails);
    let [configured, resolved] = &tenants[..] else { panic!() };
    let builder = configured.builder_with([resolved]).audience(API).issuer(configured.issuer());
    let auth = builder.issuer_resolver(customers.clone()).build().unwrap();
    auth.warm_up().await.unwrap();
    assert_eq!(auth.issuers().collect::<Vec<_>>(), [configured.issuer()]);
    for host in ["tenant-1.api.test", "anywhere.test"] {
        ask(&auth, host, &token(configured).mint()).await.unwrap();
    }
    assert_eq!(customers.calls(), 0);
    let code = refusal(&auth, &host(resolved), &token(resolved).mint()).await;
    assert_eq!(code, ErrorCode::IssuersUnavailable);
    assert!(auth.health().is_available(), "that of those that are configured");
    assert!(auth.health_of(resolved.issuer()).is_none());
}

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
async fn an_issuer_that_was_removed_is_trusted_no_longer() {
    let tenants = tenants(1);
    let [tenant] = &tenants[..] else { panic!() };
    let (customers, host) = (Customers::of(&tenants), host(tenant));
    let auth = auth(&tenants, customers.clone());
    let text = token(tenant).mint();
    let trusted = || [TrustedIssuer::new(tenant.issuer())];
    // When its time is over.
    ask(&auth, &host, &text).await.unwrap();
    customers.set(&host, []);
    ask(&auth, &host, &text).await.unwrap();
    tenant.clock().advance(Duration::from_secs(60));
    assert_eq!(refusal(&auth, &host, &text).await, ErrorCode::IssuerMismatch);
    // One that is new is trusted within ten seconds.
    customers.set(&host, trusted());
    assert_eq!(refusal(&auth, &host, &text).await, ErrorCode::IssuerMismatch);
    tenant.clock().advance(Duration::from_secs(10));
    ask(&auth, &host, &text).await.unwrap();
    // When it is said so.
    customers.set(&host, []);
    auth.forget_resolved_issuers();
    assert_eq!(refusal(&auth, &host, &text).await, ErrorCode::IssuerMismatch);
    customers.set(&host, trusted());
    auth.refresh().await.unwrap();
    ask(&auth, &host, &text).await.unwrap();
    // In the background, when it is renewed.
    customers.set(&host, []);
    tenant.clock().advance(Duration::from_secs(50));
    ask(&auth, &host, &text).await.unwrap();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(refusal(&auth, &host, &text).await, ErrorCode::IssuerMismatch);
    // An answer that was on its way when all was forgotten is not remembered.
    customers.set(&host, trusted());
    customers.has(Trouble::Waits);
    auth.forget_resolved_issuers();
    let asked = {
        let (auth, host, text) = (auth.clone(), host.clone(), text.clone());
        tokio::spawn(async move { ask(&auth, &host, &text).await.is_ok() })
    };
    let calls = customers.calls();
    until(|| customers.calls() > calls).await;
    customers.set(&host, []);
    auth.forget_resolved_issuers();
    customers.has(Trouble::None);
    customers.0.released.notify_waiters();
    assert!(asked.await.unwrap(), "it had asked before");
    assert_eq!(refusal(&auth, &host, &text).await, ErrorCode::IssuerMismatch);
}

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

#[tokio::test]
async fn two_answers_may_trust_one_issuer_in_different_ways() {
    let tenants = tenants(1);
    let [tenant] = &tenants[..] else { panic!() };
    let customers = Customers::default();
    let issuer = || TrustedIssuer::new(tenant.issuer());
    customers.set("plain.test", [issuer()]);
    customers.set("same.test", [issuer()]);
    customers.set("other.test", [issuer().audience("urn:other")]);
    customers.set("org.test", [issuer().require(organization("org_a1"))]);
    customers.set("bound.test", [issuer().dpop(DpopMode::Required)]);
    let auth = auth(&tenants, customers.clone());
    let plain = token(tenant).mint();
    let other = tenant.token().audience("urn:other").mint();
    let member = token(tenant).organization("org_a1", "acme").mint();
    for _ in 0..3 {
        for (host, text, expected) in [
            ("plain.test", &plain, None),
            ("same.test", &plain, None),
            ("other.test", &plain, Some(ErrorCode::AudienceMismatch)),
            ("org.test", &plain, Some(ErrorCode::OrganizationMismatch)),
            ("bound.test", &plain, Some(ErrorCode::SchemeUnsupported)),
            ("plain.test", &other, Some(ErrorCode::AudienceMismatch)),
            ("other.test", &other, None),
            ("plain.test", &member, None),
            ("org.test", &member, None),
        ] {
            let code = ask(&auth, host, text).await.err().map(|error| error.code());
            assert_eq!(code, expected, "{host}");
        }
    }
    assert_eq!(fetches(tenant), (1, 1), "one set of keys for all");
    let error = ask(&auth, "bound.test", &plain).await.unwrap_err();
    let challenge = error.challenge();
    let (_, line) = challenge.headers().find(|(name, _)| *name == "www-authenticate").unwrap();
    assert!(line.starts_with("DPoP "), "its own: {line}");
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

#[tokio::test]
async fn nothing_is_fetched_from_private_addresses() {
    let tenants = tenants(3);
    let [one, two, three] = &tenants[..] else { panic!() };
    let customers = Customers::default();
    let at = |tenant: &Tenant, url: &str| TrustedIssuer::new(tenant.issuer()).key_set_url(url);
    customers.set("address.test", [TrustedIssuer::new("https://10.0.0.7/")]);
    customers.set("loopback.test", [TrustedIssuer::new("http://localhost:4400/")]);
    customers.set("keys.test", [at(one, "https://[fd00::1]/keys")]);
    customers.set("metadata.test", [TrustedIssuer::new(two.issuer())]);
    let metadata =
        format!(r#"{{"issuer":"{}","jwks_uri":"https://169.254.169.254/"}}"#, two.issuer());
    two.fail_at(Document::Metadata, Failure::Answer(HttpResponse::json(metadata)));
    let auth = |private: &[&str]| {
        let resolved = ResolvedIssuers::by(customers.clone());
        auth(&tenants, resolved.private_hosts(private.iter().copied()))
    };
    let guarded = auth(&[]);
    let named = |issuer: &str| token(three).issuer(issuer).mint();
    for (host, text, issuer, told) in [
        ("address.test", named("https://10.0.0.7/"), "10.0.0.7", "10.0.0.7"),
        ("loopback.test", named("http://localhost:4400/"), "localhost", "localhost"),
        ("keys.test", token(one).mint(), "tenant-0.test", "fd00::1"),
        ("metadata.test", token(two).mint(), "tenant-1.test", "169.254.169.254"),
    ] {
        let error = ask(&guarded, host, &text).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::KeysUnavailable, "{host}");
        let cause = error.cause().unwrap();
        assert!(cause.contains(told) && cause.contains("private_hosts"), "{cause}");
        // Where it is allowed, the transport is asked, which here reaches none of them.
        let error = ask(&auth(&[issuer, told]), host, &text).await.unwrap_err();
        assert!(error.cause().unwrap().contains("reaches no other host"), "{error:?}");
        if issuer != told {
            // It is allowed for another issuer, which does not make it this one's.
            let error = ask(&auth(&[told]), host, &text).await.unwrap_err();
            assert!(error.cause().unwrap().contains("private_hosts"), "{error:?}");
        }
    }
    // What is configured is the operator's word.
    let builder = one.builder_with([]).audience(API).issuer("https://10.0.0.7/");
    let error = builder.build().unwrap().verify(&named("https://10.0.0.7/")).await.unwrap_err();
    assert!(error.cause().unwrap().contains("reaches no other host"), "{error:?}");
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
    tenants[0].clock().advance(Duration::from_secs(60));
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

#[tokio::test]
async fn what_a_resolver_sees_of_a_request() {
    #[derive(Clone, Default)]
    struct Spy(Arc<Mutex<Vec<String>>>);

    impl IssuerResolver for Spy {
        type Key = ();

        fn key(&self, request: &ResolverContext<'_>) -> Option<()> {
            let mut seen = self.0.lock().unwrap();
            seen.push(format!("{:?} {}", request.host(), request.path()));
            for name in
                ["X-Tenant", "x-twice", "x-none", "Authorization", "DPoP", "proxy-authorization"]
            {
                seen.push(format!("{name}: {:?}", request.header(name)));
            }
            let issuer = request.issuer();
            seen.push(format!("{issuer:?} {}", issuer == "https://tenant-0.test/"));
            let table = HashMap::from([("https://tenant-0.test/".to_owned(), 7)]);
            seen.push(format!("{:?}", issuer.find_in(&table)));
            None
        }

        async fn resolve(&self, (): ()) -> Result<Vec<TrustedIssuer>, BoxError> {
            panic!("nobody has asked");
        }
    }

    let tenants = tenants(1);
    let spy = Spy::default();
    let auth = auth(&tenants, spy.clone());
    let text = token(&tenants[0]).mint();
    let fields = [
        ("x-tenant", "acme"),
        ("x-twice", "a"),
        ("x-twice", "b"),
        ("authorization", &text),
        ("dpop", "proof"),
        ("proxy-authorization", "Basic eA=="),
        ("x-forwarded-host", "evil.test"),
    ];
    let fields = fields.map(|(name, value)| (name, value.to_owned())).into();
    let parts = Request { host: "API.Acme.test:8443".into(), fields };
    let field = format!("Bearer {text}");
    let request = RequestView::new().authorization([field.as_bytes()]).parts(&parts);
    let error = auth.authenticate(&request).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::IssuerMismatch);
    assert_eq!(
        *spy.0.lock().unwrap(),
        [
            r#"Some("api.acme.test") /me"#,
            r#"X-Tenant: Some("acme")"#,
            "x-twice: None",
            "x-none: None",
            "Authorization: None",
            "DPoP: None",
            "proxy-authorization: None",
            "UnverifiedIssuer([unverified]) true",
            "Some(7)",
        ]
    );
    spy.0.lock().unwrap().clear();
    auth.verify(&text).await.unwrap_err();
    assert_eq!(spy.0.lock().unwrap()[0], "None ");
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
