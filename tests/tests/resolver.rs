//! Issuers that are found for each request, on the wire of all three servers.
use auth0_axum::{
    Auth0, Builder, DpopMode, IssuerResolver, ResolverContext, TrustedIssuer,
    policy::organization,
    testing::{Failure, Tenant},
};
use std::{
    collections::HashMap,
    error::Error,
    future,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use wire_tests::{
    client::{Answer, get_over_http2, send},
    servers,
};

const API: &str = "https://api.test";

/// What a database says when it fails, which is nobody else's business.
const SECRET: &str = "no route to customers.internal for user hunter2";

/// What of a request says whose it is.
#[derive(Clone, Copy, Debug)]
enum By {
    Host,
    Path,
    Header(&'static str),
    /// What its token says.
    Issuer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mishap {
    Fails,
    PanicsInKey,
    PanicsInResolve,
    Hangs,
}

/// A resolver that counts its calls, and does what it is told. Clones are the same.
#[derive(Clone)]
struct Customers(Arc<Inner>);

struct Inner {
    by: By,
    issuers: Mutex<HashMap<&'static str, Vec<TrustedIssuer>>>,
    /// The customers by their issuers.
    names: HashMap<String, &'static str>,
    mishap: Mutex<Option<Mishap>>,
    keys: AtomicUsize,
    resolved: AtomicUsize,
    /// How many calls hung until they were given up.
    given_up: AtomicUsize,
}

impl Customers {
    fn resolved(&self) -> usize {
        self.0.resolved.load(Ordering::Relaxed)
    }

    fn keys(&self) -> usize {
        self.0.keys.load(Ordering::Relaxed)
    }

    fn add<I: Into<TrustedIssuer>>(
        &self,
        name: &'static str,
        issuers: impl IntoIterator<Item = I>,
    ) {
        let issuers = issuers.into_iter().map(Into::into).collect();
        self.0.issuers.lock().unwrap().insert(name, issuers);
    }

    fn remove(&self, name: &str) {
        self.0.issuers.lock().unwrap().remove(name);
    }

    fn suffer(&self, mishap: Option<Mishap>) {
        *self.0.mishap.lock().unwrap() = mishap;
    }

    fn mishap(&self) -> Option<Mishap> {
        *self.0.mishap.lock().unwrap()
    }
}

impl IssuerResolver for Customers {
    type Key = String;

    fn key(&self, request: &ResolverContext<'_>) -> Option<String> {
        self.0.keys.fetch_add(1, Ordering::Relaxed);
        assert!(self.mishap() != Some(Mishap::PanicsInKey), "{SECRET}");
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
        match self.mishap() {
            Some(Mishap::Fails) => return Err(SECRET.into()),
            Some(Mishap::PanicsInResolve) => panic!("{SECRET}"),
            Some(Mishap::Hangs) => {
                let _paused = Paused::new(&self.0.given_up);
                future::pending::<()>().await;
            }
            Some(Mishap::PanicsInKey) | None => {}
        }
        Ok(self.0.issuers.lock().unwrap().get(&*customer).cloned().unwrap_or_default())
    }
}

/// Makes the time of this runtime jump to the next timer while there is nothing to do, so that nobody waits for
/// a resolver that hangs.
struct Paused<'a>(&'a AtomicUsize);

impl<'a> Paused<'a> {
    fn new(given_up: &'a AtomicUsize) -> Self {
        tokio::time::pause();
        Self(given_up)
    }
}

impl Drop for Paused<'_> {
    fn drop(&mut self) {
        tokio::time::resume();
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Two customers with a tenant each, and a tenant that is nobody's.
struct World {
    acme: Tenant,
    globex: Tenant,
    stranger: Tenant,
    customers: Customers,
}

impl World {
    fn new(by: By) -> Self {
        let [acme, globex, stranger] = ["acme", "globex", "stranger"].map(Tenant::named);
        let names = [("acme", &acme), ("globex", &globex)];
        let names = names.map(|(name, tenant)| (tenant.issuer().to_owned(), name)).into();
        let customers = Customers(Arc::new(Inner {
            by,
            issuers: Mutex::default(),
            names,
            mishap: Mutex::new(None),
            keys: AtomicUsize::new(0),
            resolved: AtomicUsize::new(0),
            given_up: AtomicUsize::new(0),
        }));
        customers.add("acme", [acme.issuer()]);
        customers.add("globex", [globex.issuer()]);
        Self { acme, globex, stranger, customers }
    }

    fn builder(&self) -> Builder {
        let Self { acme, globex, stranger, .. } = self;
        // Of no tenant: no audience but this one, and no issuer but those that are found.
        acme.builder_with([globex, stranger]).audience(API).issuer_resolver(self.customers.clone())
    }

    async fn start(&self) -> Servers {
        self.start_with(|builder| builder).await
    }

    async fn start_with(&self, settings: impl Fn(Builder) -> Builder) -> Servers {
        Servers(servers::start(|| settings(self.builder()).build().unwrap()).await)
    }
}

/// The token of a user of this tenant, for the API of all.
fn token(tenant: &Tenant) -> String {
    tenant.token().audience(API).subject("auth0|ann").scope("read:messages").mint()
}

struct Servers([(&'static str, SocketAddr); 3]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Accepted,
    /// Nobody is trusted for the request whose token this is.
    Stranger,
}

use Expected::{Accepted, Stranger};

impl Servers {
    /// Sends one request to each server. A refusal is the same bytes everywhere.
    async fn send(
        &self,
        target: &str,
        hosts: &[&str],
        token: &str,
        fields: &[(&str, &[u8])],
    ) -> [Answer; 3] {
        let authorization = format!("Bearer {token}");
        let mut lines = vec![("authorization", authorization.as_bytes())];
        lines.extend(fields);
        let host: String = hosts.iter().map(|host| format!("host: {host}\r\n")).collect();
        let mut answers = Vec::new();
        for (_, address) in self.0 {
            answers.push(send(address, &format!("GET {target}"), &host, &lines).await);
        }
        let answers: [Answer; 3] = answers.try_into().unwrap();
        if answers[0].status != 200 {
            assert_eq!(answers[0], answers[1], "axum and actix: {target} at {hosts:?}, {fields:?}");
            assert_eq!(answers[0], answers[2], "axum and tower: {target} at {hosts:?}, {fields:?}");
        }
        answers
    }

    async fn expect(
        &self,
        expected: Expected,
        target: &str,
        hosts: &[&str],
        token: &str,
        fields: &[(&str, &[u8])],
    ) {
        let answers = self.send(target, hosts, token, fields).await;
        for ((server, _), answer) in self.0.iter().zip(&answers) {
            let case = format!("{server}: {target} at {hosts:?}, {fields:?}: {answer:?}");
            match expected {
                Accepted => {
                    assert_eq!((answer.status, &*answer.body), (200, "auth0|ann"), "{case}")
                }
                Stranger => check_stranger(answer, &case),
            }
        }
    }

    /// A token that comes to a host.
    async fn at(&self, host: &str, token: &str, expected: Expected) {
        self.expect(expected, "/token", &[host], token, &[]).await;
    }
}

/// Said once more than in the code, so that a changed word is a decision.
fn check_stranger(answer: &Answer, case: &str) {
    let body = concat!(
        r#"{"error":"invalid_token","#,
        r#""error_description":"The issuer of the access token is not trusted here.","#,
        r#""error_code":"issuer_mismatch"}"#
    );
    let challenges = [
        "Bearer error=\"invalid_token\", error_description=\"The issuer of the access token is not trusted here.\"",
        "DPoP algs=\"ES256\"",
    ];
    assert_eq!((answer.status, &*answer.body), (401, body), "{case}");
    assert_eq!(answer.lines("www-authenticate"), challenges, "{case}");
    check_fields(answer, case);
}

fn check_unavailable(answer: &Answer, case: &str) {
    let body = concat!(
        r#"{"error":"temporarily_unavailable","#,
        r#""error_description":"The access token cannot be checked at the moment. Try again later.","#,
        r#""error_code":"issuers_unavailable"}"#
    );
    assert_eq!((answer.status, &*answer.body), (503, body), "{case}");
    assert_eq!(answer.lines("retry-after"), ["1"], "{case}");
    assert!(answer.lines("www-authenticate").is_empty(), "the token may be good: {case}");
    check_fields(answer, case);
}

fn check_fields(answer: &Answer, case: &str) {
    assert_eq!(answer.lines("content-type"), ["application/json"], "{case}");
    assert_eq!(answer.lines("cache-control"), ["no-store"], "{case}");
    assert_eq!(answer.lines("content-length"), [answer.body.len().to_string()], "{case}");
}

/// Also a token that was accepted a moment before where it is good, and is remembered.
#[tokio::test]
async fn each_customer_is_at_home_at_its_own_host() {
    for first_at_home in [true, false] {
        let world = World::new(By::Host);
        let servers = world.start().await;
        for (tenant, home, away) in [
            (&world.acme, "acme.api.test", "globex.api.test"),
            (&world.globex, "globex.api.test", "acme.api.test"),
        ] {
            let token = token(tenant);
            if first_at_home {
                servers.at(home, &token, Accepted).await;
                servers.at(home, &token, Accepted).await;
            }
            for _ in 0..2 {
                servers.at(away, &token, Stranger).await;
                servers.at(home, &token, Accepted).await;
            }
            servers.at(away, &token, Stranger).await;
        }
        // Where `None` would be taken for somebody who has not logged in.
        let token = token(&world.acme);
        servers.expect(Stranger, "/maybe", &["globex.api.test"], &token, &[]).await;
        servers.expect(Accepted, "/maybe", &["acme.api.test"], &token, &[]).await;
        servers.expect(Stranger, "/maybe", &["globex.api.test"], &token, &[]).await;
    }
}

#[tokio::test]
async fn a_host_is_a_name_however_it_is_written() {
    let world = World::new(By::Host);
    let servers = world.start().await;
    let token = token(&world.acme);
    for (expected, hosts) in [
        (Accepted, &["acme.api.test"][..]),
        (Accepted, &["ACME.Api.Test"]),
        (Accepted, &["acme.api.test:443"]),
        (Accepted, &["acme.api.test:8443"]),
        (Accepted, &["acme.api.test."]),
        (Accepted, &["%61cme.api.test"]),
        // A customer that there is not, and hosts that are nobody's.
        (Stranger, &["initech.api.test"]),
        (Stranger, &["api.test"]),
        (Stranger, &[".api.test"]),
        (Stranger, &["www.acme.api.test"]),
        (Stranger, &["acme.api.test.evil.test"]),
        (Stranger, &["evil.test"]),
        (Stranger, &["127.0.0.1"]),
        (Stranger, &["acme.api.test:https"]),
        (Stranger, &["acme.api.test/"]),
        (Stranger, &["globex.api.test@acme.api.test"]),
        (Stranger, &["acme.api.test,globex.api.test"]),
        (Stranger, &[""]),
    ] {
        servers.expect(expected, "/token", hosts, &token, &[]).await;
    }
    // The target names the host, too (RFC 9112 §3.2.2).
    let absolute = "http://acme.api.test/token";
    servers.expect(Accepted, absolute, &["acme.api.test"], &token, &[]).await;
    servers.expect(Stranger, absolute, &["globex.api.test"], &token, &[]).await;
    servers.expect(Stranger, "http://globex.api.test/token", &["acme.api.test"], &token, &[]).await;
    let authorization = format!("Bearer {token}");
    let lines = [("authorization", authorization.as_bytes())];
    for (server, address) in servers.0 {
        // Two lines are none, and to actix-web no request.
        for second in ["acme.api.test", "globex.api.test"] {
            let hosts = format!("host: acme.api.test\r\nhost: {second}\r\n");
            let answer = send(address, "GET /token", &hosts, &lines).await;
            match server {
                "actix" => assert_eq!(answer.status, 400, "{answer:?}"),
                _ => check_stranger(&answer, &format!("{server}: {hosts}{answer:?}")),
            }
        }
        // And over HTTP/2.
        for (url, status) in [
            ("http://acme.api.test/token", 200),
            ("http://globex.api.test/token", 401),
            ("http://initech.api.test/token", 401),
        ] {
            assert_eq!(get_over_http2(address, url, &lines).await, status, "{server}: {url}");
        }
    }
}

/// Nobody is asked for the keys of an issuer that is not trusted for the request.
#[tokio::test]
async fn a_stranger_costs_no_fetch() {
    let world = World::new(By::Host);
    let servers = world.start().await;
    for host in ["acme.api.test", "globex.api.test", "stranger.api.test", "evil.test"] {
        servers.at(host, &token(&world.stranger), Stranger).await;
    }
    servers.at("globex.api.test", &token(&world.acme), Stranger).await;
    for tenant in [&world.acme, &world.globex, &world.stranger] {
        let fetches = tenant.fetches();
        assert_eq!((fetches.metadata, fetches.key_set), (0, 0), "{}", tenant.issuer());
    }
}

#[tokio::test]
async fn each_customer_is_at_home_below_its_own_path() {
    let world = World::new(By::Path);
    let servers = world.start().await;
    let (acme, globex) = (token(&world.acme), token(&world.globex));
    for _ in 0..2 {
        for (path, of_acme, of_globex) in [
            ("/customers/acme/token", Accepted, Stranger),
            ("/customers/globex/token", Stranger, Accepted),
            ("/customers/acme/token?customer=/customers/globex/", Accepted, Stranger),
            ("/customers/initech/token", Stranger, Stranger),
            // Not decoded: who takes it apart decides.
            ("/customers/%61cme/token", Stranger, Stranger),
            ("/customers/ACME/token", Stranger, Stranger),
            ("/token", Stranger, Stranger),
            ("/token?/customers/acme/", Stranger, Stranger),
        ] {
            servers.expect(of_acme, path, &["api.test"], &acme, &[]).await;
            servers.expect(of_globex, path, &["api.test"], &globex, &[]).await;
        }
    }
}

#[tokio::test]
async fn each_customer_is_at_home_under_its_own_header() {
    let world = World::new(By::Header("X-Tenant"));
    let servers = world.start().await;
    let (acme, globex) = (token(&world.acme), token(&world.globex));
    type Fields = &'static [(&'static str, &'static [u8])];
    let rows: [(Fields, Expected, Expected); 9] = [
        (&[("X-Tenant", b"acme")], Accepted, Stranger),
        (&[("x-tenant", b"globex")], Stranger, Accepted),
        (&[("X-TENANT", b"acme")], Accepted, Stranger),
        (&[("X-Tenant", b"initech")], Stranger, Stranger),
        (&[("X-Tenant", b"")], Stranger, Stranger),
        (&[("X-Tenant", b"ac\xffme")], Stranger, Stranger),
        // Which of the two a client means, nobody knows.
        (&[("X-Tenant", b"acme"), ("X-Tenant", b"acme")], Stranger, Stranger),
        (&[("X-Tenant", b"acme"), ("X-Tenant", b"globex")], Stranger, Stranger),
        (&[], Stranger, Stranger),
    ];
    for _ in 0..2 {
        for (fields, of_acme, of_globex) in rows {
            servers.expect(of_acme, "/token", &["api.test"], &acme, fields).await;
            servers.expect(of_globex, "/token", &["api.test"], &globex, fields).await;
        }
    }
}

/// Where nothing else of a request says whose it is. A stranger is nobody, whatever its token says.
#[tokio::test]
async fn a_token_may_say_which_customer_is_looked_up() {
    let world = World::new(By::Issuer);
    let servers = world.start().await;
    for _ in 0..2 {
        servers.at("api.test", &token(&world.acme), Accepted).await;
        servers.at("api.test", &token(&world.globex), Accepted).await;
        servers.at("api.test", &token(&world.stranger), Stranger).await;
    }
    assert_eq!(world.customers.resolved(), 6, "once for each of the two at each server");
    assert_eq!(world.stranger.fetches().metadata, 0);
}

/// A key is remembered, and a credential must not be.
#[tokio::test]
async fn credentials_are_no_header_of_a_resolver() {
    let world = World::new(By::Header("Authorization"));
    let token = token(&world.acme);
    let field: &'static str = format!("Bearer {token}").leak();
    world.customers.add(field, [world.acme.issuer()]);
    let servers = world.start().await;
    servers.at("api.test", &token, Stranger).await;
    assert_eq!(world.customers.resolved(), 0);
}

#[tokio::test]
async fn a_forwarded_host_counts_from_a_trusted_proxy_only() {
    let world = World::new(By::Host);
    let (acme, globex) = (token(&world.acme), token(&world.globex));
    type Fields = &'static [(&'static str, &'static [u8])];
    // The host, what is forwarded, and what acme's token gets then, and globex's: from a proxy, from a client.
    type Row = (&'static str, Fields, [[Expected; 2]; 2]);
    const ACME: [Expected; 2] = [Accepted, Stranger];
    const GLOBEX: [Expected; 2] = [Stranger, Accepted];
    const NOBODY: [Expected; 2] = [Stranger, Stranger];
    let rows: [Row; 9] = [
        ("gateway.internal", &[("X-Forwarded-Host", b"acme.api.test")], [ACME, NOBODY]),
        ("gateway.internal", &[("X-Forwarded-Host", b"ACME.api.test:443")], [ACME, NOBODY]),
        ("gateway.internal", &[("Forwarded", b"host=globex.api.test")], [GLOBEX, NOBODY]),
        ("acme.api.test", &[("X-Forwarded-Host", b"globex.api.test")], [GLOBEX, ACME]),
        ("globex.api.test", &[("X-Forwarded-Host", b"acme.api.test")], [ACME, GLOBEX]),
        ("acme.api.test", &[("X-Forwarded-Host", b"evil.test")], [NOBODY, ACME]),
        ("acme.api.test", &[], [ACME, ACME]),
        (
            "acme.api.test",
            &[("X-Forwarded-Host", b"acme.api.test"), ("X-Forwarded-Host", b"globex.api.test")],
            [NOBODY, ACME],
        ),
        (
            "acme.api.test",
            &[("Forwarded", b"host=globex.api.test"), ("X-Forwarded-Host", b"acme.api.test")],
            [NOBODY, ACME],
        ),
    ];
    let proxies = [&["127.0.0.1"][..], &["10.0.0.1"], &[]];
    for (proxies, from) in proxies.into_iter().zip([0, 1, 1]) {
        let servers =
            world.start_with(|builder| builder.trusted_proxies(proxies.iter().copied())).await;
        for (host, fields, expected) in rows {
            let [of_acme, of_globex] = expected[from];
            servers.expect(of_acme, "/token", &[host], &acme, fields).await;
            servers.expect(of_globex, "/token", &[host], &globex, fields).await;
        }
    }
}

/// One issuer may be trusted at two hosts in different ways, and a token that was judged by the rules of the one
/// is judged by those of the other.
#[tokio::test]
async fn an_issuer_has_rules_of_its_own_at_each_host() {
    let world = World::new(By::Host);
    let issuer = || TrustedIssuer::new(world.acme.issuer());
    world.customers.add("plain", [issuer()]);
    world.customers.add("audience", [issuer().audience("https://other.test")]);
    world.customers.add("organization", [issuer().require(organization("org_a1"))]);
    world.customers.add("bound", [issuer().dpop(DpopMode::Required)]);
    let ann = || world.acme.token().subject("auth0|ann");
    let plain = ann().audience(API).mint();
    let other = ann().audience("https://other.test").mint();
    let organized = ann().audience(API).organization("org_a1", "acme").mint();
    let hosts = ["plain", "audience", "organization", "bound"];
    let rows = [
        (plain, ["", "audience_mismatch", "organization_mismatch", "scheme_unsupported"]),
        (other, ["audience_mismatch", "", "audience_mismatch", "scheme_unsupported"]),
        (organized, ["", "audience_mismatch", "", "scheme_unsupported"]),
    ];
    for tokens in [0, 100] {
        let servers = world.start_with(|builder| builder.token_cache(tokens)).await;
        for (token, codes) in rows.iter().chain(&rows) {
            for (host, code) in hosts.iter().zip(codes) {
                let host = format!("{host}.api.test");
                for answer in servers.send("/token", &[&host], token, &[]).await {
                    let case = format!("{host}: {answer:?}");
                    match *code {
                        "" => assert_eq!(answer.status, 200, "{case}"),
                        code => assert!(answer.body.contains(&format!("\"{code}\"}}")), "{case}"),
                    }
                }
            }
        }
    }
}

/// One that cannot be made sense of costs the others nothing. Whose tokens it means, nobody knows.
#[tokio::test]
async fn an_issuer_that_is_none_is_503_for_those_who_may_mean_it() {
    let world = World::new(By::Host);
    let issuers = [TrustedIssuer::domain("no domain"), world.acme.issuer().into()];
    world.customers.add("acme", issuers);
    let servers = world.start().await;
    let (acme, globex) = (token(&world.acme), token(&world.globex));
    for _ in 0..2 {
        servers.at("acme.api.test", &acme, Accepted).await;
        for path in ["/token", "/maybe", "/layer"] {
            for answer in servers.send(path, &["acme.api.test"], &globex, &[]).await {
                check_unavailable(&answer, &format!("{path}: {answer:?}"));
            }
        }
        servers.at("globex.api.test", &globex, Accepted).await;
        servers.at("globex.api.test", &acme, Stranger).await;
    }
}

/// Those who are configured are at home everywhere, and need no resolver.
#[tokio::test]
async fn a_configured_issuer_asks_no_resolver() {
    let world = World::new(By::Host);
    let servers = world.start_with(|builder| builder.issuer(world.stranger.issuer())).await;
    for mishap in [Some(Mishap::PanicsInKey), Some(Mishap::Fails), None] {
        world.customers.suffer(mishap);
        for host in ["acme.api.test", "globex.api.test", "evil.test"] {
            servers.at(host, &token(&world.stranger), Accepted).await;
        }
    }
    assert_eq!((world.customers.keys(), world.customers.resolved()), (0, 0));
    servers.at("acme.api.test", &token(&world.acme), Accepted).await;
    servers.at("globex.api.test", &token(&world.acme), Stranger).await;
}

/// What is wrong with a token whatever the resolver says is told also while it says nothing.
#[tokio::test]
async fn a_bad_token_is_refused_without_a_resolver() {
    let world = World::new(By::Host);
    world.customers.suffer(Some(Mishap::Fails));
    let servers = world.start().await;
    let acme = || world.acme.token().audience(API);
    for (code, token) in [
        ("algorithm_unsupported", acme().unsigned().mint()),
        ("algorithm_unsupported", acme().symmetric().mint()),
        ("token_malformed", acme().raw_payload("{").mint()),
        ("token_malformed", "a.b.c".to_owned()),
        ("issuer_mismatch", acme().without("iss").mint()),
        ("claims_invalid", acme().claim("iss", [1]).mint()),
    ] {
        for answer in servers.send("/token", &["acme.api.test"], &token, &[]).await {
            assert_eq!(answer.status, 401, "{answer:?}");
            assert!(answer.body.contains(code), "{answer:?}");
        }
    }
    assert_eq!(world.customers.resolved(), 0);
}

/// The token may be good, so it is 503 whatever goes wrong with the resolver, and good again when it is.
#[tokio::test]
async fn a_resolver_that_fails_is_503_and_tells_nothing() {
    for mishap in [Mishap::Fails, Mishap::PanicsInKey, Mishap::PanicsInResolve, Mishap::Hangs] {
        let world = World::new(By::Host);
        world.customers.suffer(Some(mishap));
        let servers = world.start().await;
        let token = token(&world.acme);
        let hosts = ["acme.api.test"];
        for path in ["/token", "/maybe", "/layer"] {
            for answer in servers.send(path, &hosts, &token, &[]).await {
                let case = format!("{mishap:?} {path}: {answer:?}");
                check_unavailable(&answer, &case);
                for told in ["customers.internal", "hunter2", "panick", "resolver", "too long"] {
                    assert!(!format!("{answer:?}").contains(told), "{case}");
                }
            }
        }
        let given_up = if mishap == Mishap::Hangs { 3 } else { 0 };
        assert_eq!(world.customers.0.given_up.load(Ordering::Relaxed), given_up, "{mishap:?}");
        // Once at each server: then it is spared for a second. Who is asked for a key panics at once.
        let asked = if mishap == Mishap::PanicsInKey { 0 } else { 3 };
        assert_eq!(world.customers.resolved(), asked, "{mishap:?}");
        for (server, address) in servers.0 {
            let anonymous = send(address, "GET /maybe", "host: acme.api.test\r\n", &[]).await;
            assert_eq!(
                (anonymous.status, &*anonymous.body),
                (200, "anonymous"),
                "{server}: no token, no need of issuers"
            );
        }

        world.customers.suffer(None);
        world.acme.clock().advance(Duration::from_secs(2));
        servers.at("acme.api.test", &token, Accepted).await;
        servers.at("globex.api.test", &token, Stranger).await;
    }
}

/// To a client, an outage is an outage: only the code says whose.
#[tokio::test]
async fn a_failing_resolver_looks_like_a_failing_issuer() {
    let world = World::new(By::Host);
    let servers = world.start().await;
    let token = token(&world.acme);
    world.acme.fail(Failure::Unreachable);
    let keys = servers.send("/token", &["acme.api.test"], &token, &[]).await;
    world.customers.suffer(Some(Mishap::Fails));
    let issuers = servers.send("/token", &["acme2.api.test"], &token, &[]).await;
    for (keys, issuers) in keys.into_iter().zip(issuers) {
        assert_eq!(keys.status, issuers.status);
        assert_eq!(keys.body.replace("keys_unavailable", "issuers_unavailable"), issuers.body);
        let others = |answer: &Answer| {
            let mut headers = answer.headers.clone();
            headers.retain(|(name, _)| name != "content-length");
            headers
        };
        assert_eq!(others(&keys), others(&issuers));
        check_unavailable(&issuers, "the resolver fails");
    }
}

/// A layer and an extractor judge once between them, whether the token is remembered or not.
#[tokio::test]
async fn a_resolver_is_asked_once_for_a_request() {
    const HOSTS: [&str; 4] = ["a.api.test", "b.api.test", "c.api.test", "d.api.test"];
    for tokens in [0, 100] {
        let world = World::new(By::Host);
        for name in ["a", "b", "c", "d"] {
            world.customers.add(name, [world.acme.issuer()]);
        }
        let token = token(&world.acme);
        let authorization = format!("Bearer {token}");
        let lines = [("authorization", authorization.as_bytes())];
        let Servers(servers) = world.start_with(|builder| builder.token_cache(tokens)).await;
        for (server, address) in servers {
            let ask = async |path: &str, host: &str| {
                let before = (world.customers.keys(), world.customers.resolved());
                let host = format!("host: {host}\r\n");
                let answer = send(address, &format!("GET {path}"), &host, &lines).await;
                assert_eq!(answer.status, 200, "{server}: {answer:?}");
                (world.customers.keys() - before.0, world.customers.resolved() - before.1)
            };
            // Each host is a question of its own, and a request's first answer comes with it.
            for host in HOSTS {
                assert_eq!(ask("/layer", host).await.1, 1, "{server}: {host}");
            }
            for host in HOSTS {
                let (keys, resolved) = ask("/layer", host).await;
                assert_eq!(resolved, 0, "{server}: {host}");
                if tokens == 0 {
                    assert_eq!(keys, ask("/token", host).await.0, "{server}: judged once");
                }
            }
        }
        world.acme.clock().advance(Duration::from_secs(61));
        let before = world.customers.resolved();
        for (server, address) in servers {
            let answer = send(address, "GET /layer", "host: a.api.test\r\n", &lines).await;
            assert_eq!(answer.status, 200, "{server}: {answer:?}");
        }
        assert_eq!(world.customers.resolved() - before, servers.len(), "each when its answer ends");
    }
}

/// Also one whose token is remembered.
#[tokio::test]
async fn a_customer_who_leaves_is_refused_at_once_if_that_is_said() {
    let world = World::new(By::Host);
    let handles: Mutex<Vec<Auth0>> = Mutex::default();
    let start = || {
        let auth = world.builder().build().unwrap();
        handles.lock().unwrap().push(auth.clone());
        auth
    };
    let servers = Servers(servers::start(start).await);
    let (acme, globex) = (token(&world.acme), token(&world.globex));
    servers.at("acme.api.test", &acme, Accepted).await;
    servers.at("globex.api.test", &globex, Accepted).await;
    world.customers.remove("acme");
    world.customers.remove("globex");
    servers.at("acme.api.test", &acme, Accepted).await;
    for auth in &*handles.lock().unwrap() {
        auth.forget_resolved_issuers();
    }
    servers.at("acme.api.test", &acme, Stranger).await;
    servers.at("globex.api.test", &globex, Stranger).await;
    // Else when the answer's time is over.
    world.customers.add("acme", [world.acme.issuer()]);
    world.acme.clock().advance(Duration::from_secs(11));
    servers.at("acme.api.test", &acme, Accepted).await;
    world.customers.remove("acme");
    world.acme.clock().advance(Duration::from_secs(61));
    servers.at("acme.api.test", &acme, Stranger).await;
}
