//! Instances of a service that share their used proofs in Redis, which is there, away, hung, or not what
//! it should be.
use auth0_axum::{
    Auth0, Dpop, ErrorCode, OnUnreachable, RedisReplayStore,
    auth0_core::{Connection, FieldLines, HttpParts, RequestView},
    testing::Tenant,
};
use std::{
    fmt::{self, Write as _},
    future::{Future as _, poll_fn},
    net::SocketAddr,
    pin::pin,
    sync::{Arc, Mutex, OnceLock, mpsc},
    task::Poll,
    thread,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use wire_tests::{
    client::{Answer, KeptAlive, get},
    network::Network,
    redis_server::RedisServer,
    servers,
};

const API: &str = "https://api.acme.com";
const TIME_LIMIT: Duration = Duration::from_millis(250);
/// What a machine that is busy with other tests may add to that.
const SLACK: Duration = Duration::from_secs(2);

/// Instances of one API: each has a verifier and a store of its own.
struct Service {
    tenant: Tenant,
    token: String,
    axum: SocketAddr,
    actix: SocketAddr,
}

impl Service {
    async fn start(store: impl Fn() -> RedisReplayStore) -> Self {
        let tenant = Tenant::new();
        let [(_, axum), (_, actix), _] = servers::start(|| verifier(&tenant, store())).await;
        let token = bound_token(&tenant);
        Self { tenant, token, axum, actix }
    }

    fn proof(&self) -> String {
        proof(&self.tenant, &self.token)
    }

    async fn ask(&self, instance: SocketAddr, proof: &str) -> Answer {
        let authorization = format!("DPoP {}", self.token);
        let lines = [("authorization", authorization.as_bytes()), ("dpop", proof.as_bytes())];
        get(instance, "/token", &lines).await
    }

    /// The code of a refusal, or nothing for a proof that passes.
    async fn code(&self, instance: SocketAddr, proof: &str) -> String {
        code(&self.ask(instance, proof).await)
    }

    /// Asks with new proofs until one passes. How many requests that took, and the code of the last that
    /// did not.
    async fn until_it_passes(&self, instance: SocketAddr) -> (usize, String) {
        let mut last = String::new();
        for number in 1..=200 {
            let code = self.code(instance, &self.proof()).await;
            if code.is_empty() {
                return (number, last);
            }
            last = code;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("it does not pass any more: {last}");
    }
}

fn verifier(tenant: &Tenant, store: RedisReplayStore) -> Auth0 {
    let dpop = Dpop::allowed().replay_store(store);
    tenant.builder().public_url(API).dpop(dpop).build().unwrap()
}

fn bound_token(tenant: &Tenant) -> String {
    tenant.token().subject("auth0|ann").bound_to(&tenant.client_key()).mint()
}

fn proof(tenant: &Tenant, token: &str) -> String {
    tenant.proof("GET", &format!("{API}/token")).for_token(token).mint()
}

fn code(answer: &Answer) -> String {
    let body: serde_json::Value = match answer.status {
        200 => return String::new(),
        _ => serde_json::from_str(&answer.body).unwrap(),
    };
    body["error_code"].as_str().unwrap().to_owned()
}

fn store(redis: &RedisServer) -> RedisReplayStore {
    RedisReplayStore::new(&redis.url()).unwrap()
}

/// For what has to be answered by Redis, however slow the machine is.
fn patient(redis: &RedisServer) -> RedisReplayStore {
    store(redis).time_limit(Duration::from_secs(10))
}

#[tokio::test]
async fn a_proof_used_on_one_instance_is_refused_on_the_other() {
    let Some(redis) = RedisServer::start() else { return };
    let service = Service::start(|| patient(&redis)).await;
    for (first, second) in [(service.axum, service.actix), (service.actix, service.axum)] {
        let proof = service.proof();
        assert_eq!(service.ask(first, &proof).await.status, 200);
        for instance in [second, first] {
            let answer = service.ask(instance, &proof).await;
            assert_eq!((answer.status, &*code(&answer)), (401, "dpop_proof_replayed"));
            let challenges = answer.lines("www-authenticate");
            assert!(challenges[1].starts_with("DPoP error=\"invalid_dpop_proof\""), "{answer:?}");
        }
        assert_eq!(service.ask(second, &service.proof()).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_thousand_uses_at_once_one_passes() {
    let Some(redis) = RedisServer::start() else { return };
    let service = Service::start(|| patient(&redis)).await;
    let proof = service.proof();
    let mut clients = JoinSet::new();
    for number in 0..100 {
        let instance = if number % 2 == 0 { service.axum } else { service.actix };
        let authorization = format!("DPoP {}", service.token);
        let proof = proof.clone();
        clients.spawn(async move {
            let lines = [("authorization", authorization.as_bytes()), ("dpop", proof.as_bytes())];
            let mut connection = KeptAlive::connect(instance).await;
            let mut codes = Vec::new();
            for _ in 0..100 {
                codes.push(code(&connection.get("/token", &lines).await));
            }
            codes
        });
    }
    let codes: Vec<String> = clients.join_all().await.concat();
    assert_eq!(codes.iter().filter(|code| code.is_empty()).count(), 1);
    assert_eq!(codes.iter().filter(|code| *code == "dpop_proof_replayed").count(), 9_999);
}

/// The same without sockets in front, all of them waiting for Redis at once.
#[tokio::test(flavor = "multi_thread")]
async fn of_ten_thousand_that_wait_at_once_one_passes() {
    let Some(redis) = RedisServer::start() else { return };
    let tenant = Tenant::new();
    let instances = [verifier(&tenant, patient(&redis)), verifier(&tenant, patient(&redis))];
    let token = bound_token(&tenant);
    let proof = proof(&tenant, &token);
    let mut uses = JoinSet::new();
    for number in 0..10_000 {
        let (auth, token, proof) = (instances[number % 2].clone(), token.clone(), proof.clone());
        uses.spawn(async move { authenticate(&auth, &token, &proof).await });
    }
    let outcomes = uses.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let replayed = |outcome: &&Outcome| **outcome == Err(ErrorCode::DpopProofReplayed);
    assert_eq!(outcomes.iter().filter(replayed).count(), 9_999);
}

#[tokio::test]
async fn without_redis_proofs_are_refused_and_the_rest_goes_on() {
    let Some(mut redis) = RedisServer::stopped() else { return };
    let service = Service::start(|| patient(&redis)).await;
    let instances = [service.axum, service.actix];
    let bearer = format!("Bearer {}", service.tenant.token().subject("auth0|ben").mint());
    let goes_on = async |instance| {
        let answer = get(instance, "/token", &[("authorization", bearer.as_bytes())]).await;
        assert_eq!((answer.status, &*answer.body), (200, "auth0|ben"));
    };
    let is_refused = async |instance| {
        let asked_at = Instant::now();
        let answer = service.ask(instance, &service.proof()).await;
        assert!(asked_at.elapsed() < SLACK, "{:?}", asked_at.elapsed());
        assert_eq!((answer.status, &*code(&answer)), (503, "replay_store_unavailable"));
        assert_eq!(answer.lines("retry-after"), ["1"]);
        assert_eq!(answer.lines("www-authenticate"), Vec::<&str>::new());
    };

    // Both were started while it was away.
    for instance in instances {
        is_refused(instance).await;
        goes_on(instance).await;
    }
    let mut used = Vec::new();
    for _ in 0..2 {
        redis.restart();
        for instance in instances {
            let (requests, code) = service.until_it_passes(instance).await;
            assert!(requests <= 20, "{requests} requests");
            assert!(["", "replay_store_unavailable"].contains(&&*code), "{code}");
        }
        let proof = service.proof();
        assert_eq!(service.code(service.axum, &proof).await, "");
        assert_eq!(service.code(service.actix, &proof).await, "dpop_proof_replayed");
        used.push(proof);
        redis.kill();
        for instance in instances {
            is_refused(instance).await;
            goes_on(instance).await;
            // One that was used gets nowhere, either.
            for proof in &used {
                assert_eq!(service.code(instance, proof).await, "replay_store_unavailable");
            }
        }
    }
}

#[tokio::test]
async fn a_process_can_go_on_without_redis() {
    let Some(mut redis) = RedisServer::start() else { return };
    let log = Log::start();
    let remembers = || patient(&redis).on_unreachable(OnUnreachable::RememberInProcess);
    let service = Service::start(remembers).await;
    let before = service.proof();
    service.until_it_passes(service.axum).await;
    service.until_it_passes(service.actix).await;
    assert_eq!(service.code(service.axum, &before).await, "");

    redis.kill();
    let meanwhile = service.proof();
    assert_eq!(service.code(service.axum, &meanwhile).await, "");
    for proof in [&before, &meanwhile] {
        assert_eq!(service.code(service.axum, proof).await, "dpop_proof_replayed");
    }
    assert_eq!(service.code(service.actix, &meanwhile).await, "", "once on each instance");
    assert_eq!(service.code(service.actix, &meanwhile).await, "dpop_proof_replayed");
    let warning = "WARN message=the replay store cannot be reached: used DPoP proofs are remembered \
                   in this process only";
    assert_eq!(log.count(warning), 2, "once on each instance");

    redis.restart();
    let mut requests = 0..20;
    while requests.next().is_some() {
        let proof = service.proof();
        let codes =
            [service.code(service.axum, &proof).await, service.code(service.actix, &proof).await];
        assert_eq!(codes[0], "");
        if codes[1] == "dpop_proof_replayed" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!requests.is_empty(), "they share their proofs again");
    assert!(log.count("INFO message=the replay store is back") >= 2);
    for instance in [service.axum, service.actix] {
        assert_eq!(service.code(instance, &meanwhile).await, "dpop_proof_replayed");
    }
    let after = service.proof();
    assert_eq!(service.code(service.axum, &after).await, "");
    assert_eq!(service.code(service.actix, &after).await, "dpop_proof_replayed");
}

#[tokio::test]
async fn a_redis_that_hangs_is_not_waited_for() {
    let Some(redis) = RedisServer::start() else { return };
    let service = Service::start(|| store(&redis)).await;
    let tenant = Tenant::new();
    let token = bound_token(&tenant);
    let remembers = store(&redis).on_unreachable(OnUnreachable::RememberInProcess);
    let remembers = verifier(&tenant, remembers);
    let ask = async || authenticate(&remembers, &token, &proof(&tenant, &token)).await;
    for instance in [service.axum, service.actix] {
        service.until_it_passes(instance).await;
    }
    ask().await.unwrap();

    redis.hang();
    for instance in [service.axum, service.actix, service.axum] {
        let asked_at = Instant::now();
        assert_eq!(service.code(instance, &service.proof()).await, "replay_store_unavailable");
        let waited = asked_at.elapsed();
        assert!((TIME_LIMIT..TIME_LIMIT + SLACK).contains(&waited), "{waited:?}");
    }
    // Who can do without waits once, and not with every request.
    ask().await.unwrap();
    let asked_at = Instant::now();
    for _ in 0..40 {
        ask().await.unwrap();
    }
    assert!(asked_at.elapsed() < 20 * TIME_LIMIT, "{:?}", asked_at.elapsed());

    redis.go_on();
    for instance in [service.axum, service.actix] {
        let (requests, _) = service.until_it_passes(instance).await;
        assert!(requests <= 20, "{requests} requests");
    }
}

#[tokio::test]
async fn keys_say_nothing_and_go_by_themselves() {
    let Some(redis) = RedisServer::start() else { return };
    let service = Service::start(|| patient(&redis).prefix("acme:")).await;
    let ahead = service.tenant.proof("GET", &format!("{API}/token")).for_token(&service.token);
    for (proof, lifetime) in [
        (service.proof(), 300),
        (ahead.clone().aged(Duration::from_secs(100)).mint(), 200),
        (ahead.ahead(Duration::from_secs(30)).mint(), 330),
    ] {
        redis.ask::<()>("FLUSHALL");
        assert_eq!(service.code(service.axum, &proof).await, "");
        let keys: Vec<String> = redis.ask("KEYS *");
        assert_eq!(keys.len(), 1, "{keys:?}");
        let hash = keys[0].strip_prefix("acme:").unwrap();
        assert_eq!(hash.len(), 64);
        assert!(hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hash}");
        let left: u64 = redis.ask(&format!("PTTL {}", keys[0]));
        let most = (lifetime + 60) * 1000;
        assert!((most - 20_000..=most).contains(&left), "{left} of {most}");
        let value: Vec<u8> = redis.ask(&format!("GET {}", keys[0]));
        assert_eq!(value.len(), 16, "{value:?}");
    }
    let stale = service.proof();
    service.tenant.clock().advance(Duration::from_secs(301));
    assert_eq!(service.code(service.axum, &stale).await, "dpop_proof_invalid");

    // Who shares a Redis and not a prefix does not share proofs.
    let tenant = Tenant::new();
    let token = bound_token(&tenant);
    let proof = proof(&tenant, &token);
    for prefix in ["a:", "b:"] {
        let auth = verifier(&tenant, patient(&redis).prefix(prefix));
        authenticate(&auth, &token, &proof).await.unwrap();
    }
}

/// Where commands are refused, another connection may find a server that does not: the new primary,
/// or the same one after somebody has mended it.
#[tokio::test]
async fn a_redis_that_refuses_is_asked_again() {
    let Some(redis) = RedisServer::start() else { return };
    let service = Service::start(|| patient(&redis)).await;
    for (breaks, mends) in [
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
        ("ACL SETUSER default -set", "ACL SETUSER default +set"),
    ] {
        service.until_it_passes(service.axum).await;
        redis.ask::<()>(breaks);
        let refused = service.code(service.axum, &service.proof()).await;
        assert_eq!(refused, "replay_store_unavailable", "{breaks}");
        redis.ask::<()>(mends);
        service.until_it_passes(service.axum).await;
    }
}

/// A password that is wrong when the connection is made is not wrong for ever.
#[tokio::test]
async fn a_password_can_be_put_right() {
    let Some(redis) = RedisServer::start() else { return };
    let url = format!("redis://app:secret@127.0.0.1:{}/", redis.port());
    let store = || RedisReplayStore::new(&url).unwrap().time_limit(Duration::from_secs(10));
    let text = format!("{:?}", store());
    assert!(!text.contains("secret") && text.contains("auth0:dpop:"), "{text}");
    let service = Service::start(store).await;
    assert_eq!(service.code(service.axum, &service.proof()).await, "replay_store_unavailable");
    redis.ask::<()>("ACL SETUSER app on >secret ~auth0:dpop:* +set +get");
    let (requests, _) = service.until_it_passes(service.axum).await;
    assert!(requests <= 20, "{requests} requests");
}

/// actix-web has a runtime for each worker. One that is busy or ends takes nobody with it.
#[test]
fn no_runtime_depends_on_another() {
    let Some(redis) = RedisServer::start() else { return };
    let tenant = Tenant::new();
    let token = bound_token(&tenant);
    let auth = verifier(&tenant, store(&redis).time_limit(Duration::from_secs(5)));
    let ask = |auth: &Auth0| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(authenticate(auth, &token, &proof(&tenant, &token))).unwrap();
        runtime
    };
    drop(ask(&auth));
    drop(ask(&auth));
    thread::scope(|scope| {
        let (is_busy, wait_until_busy) = mpsc::channel();
        let (end, wait_for_end) = mpsc::channel::<()>();
        let (auth, ask) = (&auth, &ask);
        scope.spawn(move || {
            let _runtime = ask(auth);
            is_busy.send(()).unwrap();
            // Its connections, if it had any, would wait for this.
            wait_for_end.recv().unwrap();
        });
        wait_until_busy.recv().unwrap();
        drop(ask(auth));
        end.send(()).unwrap();
    });
}

/// A request that is given up while it waits leaves nothing behind that others would meet.
#[tokio::test]
async fn requests_that_are_given_up_harm_nobody() {
    let Some(redis) = RedisServer::start() else { return };
    let tenant = Tenant::new();
    let token = bound_token(&tenant);
    let auth = verifier(&tenant, patient(&redis));
    auth.warm_up().await.unwrap();
    for _ in 0..200 {
        let proof = proof(&tenant, &token);
        let mut given_up = pin!(authenticate(&auth, &token, &proof));
        poll_fn(|context| Poll::Ready(given_up.as_mut().poll(context).is_ready())).await;
    }
    authenticate(&auth, &token, &proof(&tenant, &token)).await.unwrap();
}

/// What lies between a service and its Redis: connections that are closed while they are idle, that
/// are cut off before the answer, or that lead nowhere.
#[tokio::test]
async fn connections_break_without_harm() {
    let Some(redis) = RedisServer::start() else { return };
    let network = Network::start(redis.port()).await;
    let tenant = Tenant::new();
    let token = bound_token(&tenant);
    let url = format!("redis://{}/", network.address());
    let auth = |limit| {
        let store = RedisReplayStore::new(&url).unwrap().time_limit(limit);
        verifier(&tenant, store)
    };
    let patient = auth(Duration::from_secs(10));
    let ask = async |auth: &Auth0, proof: &str| authenticate(auth, &token, proof).await;
    let proof = || proof(&tenant, &token);
    let used = proof();
    assert_eq!(ask(&patient, &used).await, Ok(()));

    for _ in 0..3 {
        network.break_all().await;
        assert_eq!(ask(&patient, &proof()).await, Ok(()), "nobody is refused for that");
        network.break_all().await;
        assert_eq!(ask(&patient, &used).await, Err(ErrorCode::DpopProofReplayed));
    }

    // Cut off when Redis has carried it out and its answer is on the way.
    for _ in 0..3 {
        network.eat_next_answer();
        let proof = proof();
        assert_eq!(ask(&patient, &proof).await, Ok(()), "it was this request that used it");
        assert_eq!(ask(&patient, &proof).await, Err(ErrorCode::DpopProofReplayed));
        network.eat_next_answer();
        assert_eq!(ask(&patient, &used).await, Err(ErrorCode::DpopProofReplayed));
    }

    // Led nowhere: found out with one request, not by TCP.
    let impatient = auth(Duration::from_millis(500));
    let mut passes = 0;
    for _ in 0..50 {
        passes += usize::from(ask(&impatient, &proof()).await.is_ok());
    }
    assert!(passes > 0);
    network.swallow_all();
    let outcome = ask(&impatient, &proof()).await;
    assert_eq!(outcome, Err(ErrorCode::ReplayStoreUnavailable));
    for tries in 0.. {
        if ask(&impatient, &proof()).await.is_ok() {
            break;
        }
        assert!(tries < 10, "it is still asked where nobody answers");
    }
}

type Outcome = Result<(), ErrorCode>;

async fn authenticate(auth: &Auth0, token: &str, proof: &str) -> Outcome {
    let authorization = format!("DPoP {token}");
    let request = RequestView::new()
        .authorization([authorization.as_bytes()])
        .proof([proof.as_bytes()])
        .parts(&Parts);
    auth.authenticate(&request).await.map(|_| ()).map_err(|error| error.code())
}

/// `GET /token`, of a service whose URL is configured.
struct Parts;

impl HttpParts for Parts {
    fn method(&self) -> &str {
        "GET"
    }
    fn path(&self) -> &str {
        "/token"
    }
    fn scheme(&self) -> Option<&str> {
        None
    }
    fn authority(&self) -> Option<&str> {
        None
    }
    fn field(&self, _: &str) -> FieldLines<'_> {
        FieldLines::Absent
    }
    fn connection(&self) -> Connection {
        Connection::new()
    }
}

/// What this process says, from level INFO on.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// For all tests of this file, because actix has threads of its own.
    fn start() -> &'static Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        LOG.get_or_init(|| {
            let log = Self::default();
            tracing::subscriber::set_global_default(log.clone()).unwrap();
            log
        })
    }

    fn count(&self, beginning: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|line| line.starts_with(beginning)).count()
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "auth0" && *metadata.level() <= Level::INFO
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        let mut line = Line(event.metadata().level().to_string());
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
