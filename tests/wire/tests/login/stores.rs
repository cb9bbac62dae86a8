//! Stores of sessions: what each of them must do, and what users see while one fails.
use crate::{
    browser::Browser,
    provider::Provider,
    servers,
    world::{builder, location},
};
use auth0_axum::{
    login::{InMemorySessionStore, NewSession, SessionKey, SessionStore},
    testing::ManualClock,
};
use auth0_login::testing::check_session_store;
use auth0_redis::RedisSessionStore;
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use wire_tests::redis_server::RedisServer;

const DAY: Duration = Duration::from_secs(86_400);

fn key(number: u8) -> SessionKey {
    SessionKey::new([number; 32])
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn session(user: u8, sid: Option<u8>, began_at: u64) -> NewSession<'static> {
    let mut session = NewSession::new("content", [user; 32], at(began_at), DAY);
    session.issuer_session = sid.map(|sid| [sid; 32]);
    session
}

async fn has(store: &dyn SessionStore, number: u8) -> bool {
    store.load(&key(number)).await.unwrap().is_some()
}

#[tokio::test]
async fn the_store_in_memory() {
    let tenant = auth0_axum::testing::Tenant::new();
    let clock = tenant.clock().clone();
    let store = InMemorySessionStore::new().clock(clock.clone());
    check_session_store(&store).await;
    clock.advance(DAY);
    assert_eq!(store.count(), 0);
    // The ids of logout tokens are bounded, and none is forgotten before its time.
    let id = |number: u32| std::array::from_fn(|at| number.to_le_bytes()[at % 4]);
    for number in 0..100_000 {
        assert!(store.use_once(id(number), DAY).await.unwrap());
    }
    store.use_once(id(100_000), DAY).await.unwrap_err();
    assert!(!store.use_once(id(0), DAY).await.unwrap());
    clock.advance(DAY);
    assert!(store.use_once(id(100_000), DAY).await.unwrap());
    assert!(!has(&store, 5).await);
    // Sessions that end first make room.
    let store = store.capacity(100);
    for number in 0..150 {
        let mut session = session(1, None, 100);
        session.lasts = DAY + Duration::from_secs(u64::from(number));
        store.create(&key(number), session).await.unwrap();
        assert!(store.count() <= 100);
    }
    assert!(has(&store, 149).await && !has(&store, 0).await);
}

#[tokio::test]
async fn the_store_in_redis() {
    let Some(redis) = RedisServer::start() else { return };
    let store = RedisSessionStore::new(redis.url()).unwrap().time_limit(PATIENT).prefix("a:");
    check_session_store(&store).await;
    // Another application with the same Redis.
    let other = RedisSessionStore::new(redis.url()).unwrap().time_limit(PATIENT).prefix("b:");
    assert!(!has(&other, 5).await);
    check_session_store(&other).await;
    // It ends by itself, and so does the lock of an instance that was killed.
    let mut short = session(1, None, 100);
    short.lasts = Duration::from_millis(20);
    short.lasts_at_most = short.lasts;
    store.create(&key(20), short).await.unwrap();
    while has(&store, 20).await {
        tokio::task::yield_now().await;
    }
    while store.lock(&key(7), Duration::from_millis(50)).await.unwrap().is_none() {}
    while store.lock(&key(7), DAY).await.unwrap().is_none() {}
    // Every key has an end.
    for key in redis.ask::<Vec<String>>("KEYS *") {
        let ttl: i64 = redis.ask(&format!("PTTL {key}"));
        assert!(ttl > 0, "{key}: {ttl}");
    }
}

/// Waits for Redis even on a slow machine.
const PATIENT: Duration = Duration::from_secs(10);
/// That of the default.
const SHORT: Duration = Duration::from_millis(250);

/// Two instances of an application, whose clock goes on as real time does.
struct Instances {
    provider: Provider,
    browsers: [Browser; 2],
    is_over: Arc<Mutex<bool>>,
}

impl Instances {
    async fn start(redis: &RedisServer) -> Self {
        Self::with_limit(redis, PATIENT).await
    }

    /// Starts instances that wait this long for Redis.
    async fn with_limit(redis: &RedisServer, limit: Duration) -> Self {
        let provider = Provider::new();
        let login = || {
            let store = RedisSessionStore::new(redis.url()).unwrap().time_limit(limit);
            builder(&provider).store(store).build().unwrap()
        };
        let clock = provider.tenant().clock();
        let browsers = [
            Browser::new(servers::axum(&login()).await, clock, true),
            Browser::new(servers::actix(&login()), clock, true),
        ];
        let is_over = Arc::new(Mutex::new(false));
        let (clock, over): (ManualClock, _) = (clock.clone(), Arc::clone(&is_over));
        std::thread::spawn(move || {
            let mut before = Instant::now();
            while !*over.lock().unwrap() {
                std::thread::sleep(Duration::from_millis(5));
                clock.advance(before.elapsed());
                before = Instant::now();
            }
        });
        Self { provider, browsers, is_over }
    }

    /// Logs a user in at the first instance; both have the cookie then.
    async fn log_in(&mut self, user: &str) {
        let [first, second] = &mut self.browsers;
        let begun = first.open("/auth/login").await;
        let back = self.provider.authorize(location(&begun), user);
        assert_eq!(first.open(&format!("/auth/callback?{back}")).await.status, 303);
        second.jar.clone_from(&first.jar);
    }
}

impl Drop for Instances {
    fn drop(&mut self) {
        *self.is_over.lock().unwrap() = true;
    }
}

const TOKEN: &str = "/session?audience=https://billing.test";

#[tokio::test]
async fn two_instances_renew_once() {
    let Some(redis) = RedisServer::start() else { return };
    let mut instances = Instances::start(&redis).await;
    instances.log_in("auth0|ann").await;
    instances.provider.tenant().clock().advance(Duration::from_secs(600));
    let mut tasks = Vec::new();
    for number in 0..20 {
        let mut browser = instances.browsers[number % 2].clone();
        tasks.push(tokio::spawn(async move { browser.fetch(TOKEN).await }));
    }
    let mut tokens = Vec::new();
    for task in tasks {
        let answer = task.await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        tokens.push(answer.body);
    }
    tokens.dedup();
    assert_eq!((tokens.len(), instances.provider.refreshes()), (1, 1));
    // A logout at one ends it at the other.
    let [first, second] = &mut instances.browsers;
    first.open("/auth/logout").await;
    assert_eq!(second.open("/").await.body, "nobody");
}

#[tokio::test]
async fn while_redis_hangs_nothing_is_lost() {
    let Some(redis) = RedisServer::start() else { return };
    let mut instances = Instances::with_limit(&redis, SHORT).await;
    instances.log_in("auth0|ann").await;
    redis.suspend();
    for browser in &mut instances.browsers {
        let jar = browser.jar.clone();
        let answer = browser.open("/").await;
        assert_eq!(answer.status, 503, "{answer:?}");
        assert_eq!(answer.lines("retry-after").len(), 1);
        assert_eq!(browser.open("/me").await.status, 503);
        assert_eq!(browser.jar, jar, "the cookie stays");
        assert_eq!(browser.open("/plain").await.body, "plain", "what needs no session goes on");
    }
    redis.resume();
    for browser in &mut instances.browsers {
        while browser.open("/").await.status == 503 {}
        assert_eq!(browser.open("/").await.body, "auth0|ann");
    }
}

/// The provider has answered, and the store cannot keep the answer at once.
#[tokio::test]
async fn a_store_that_hangs_during_a_renewal() {
    let Some(redis) = RedisServer::start() else { return };
    let redis = Arc::new(redis);
    let mut instances = Instances::with_limit(&redis, SHORT).await;
    instances.log_in("auth0|ann").await;
    instances.provider.tenant().clock().advance(Duration::from_secs(600));
    let at_answer = Arc::clone(&redis);
    instances.provider.answers(move |answer| {
        at_answer.suspend();
        let resumed = Arc::clone(&at_answer);
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(700));
            resumed.resume();
        });
        answer
    });
    let [first, second] = &mut instances.browsers;
    let answer = first.fetch(TOKEN).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    instances.provider.answers(|answer| answer);
    let token = second.fetch(TOKEN).await;
    assert_eq!((token.status, &token.body), (200, &answer.body));
    assert_eq!(instances.provider.refreshes(), 1);
}

/// The user logs out while a renewal is on its way.
#[tokio::test]
async fn a_renewal_revives_no_session() {
    for has_store in [false, true] {
        let provider = Provider::new();
        let store = InMemorySessionStore::new().clock(provider.tenant().clock().clone());
        let mut login = builder(&provider);
        if has_store {
            login = login.store(store.clone());
        }
        let login = login.build().unwrap();
        let server = servers::axum(&login).await;
        let mut browser = Browser::new(server, provider.tenant().clock(), true);
        let begun = browser.open("/auth/login").await;
        let back = provider.authorize(location(&begun), "auth0|ann");
        browser.open(&format!("/auth/callback?{back}")).await;
        provider.tenant().clock().advance(Duration::from_secs(600));
        let hold = provider.hold();
        let mut renewing = browser.clone();
        let renewal = tokio::spawn(async move {
            let answer = renewing.fetch(TOKEN).await;
            (answer, renewing)
        });
        while provider.refreshes() == 0 {
            tokio::task::yield_now().await;
        }
        browser.open("/auth/logout").await;
        hold.release();
        let (answer, mut renewing) = renewal.await.unwrap();
        assert_eq!(answer.status, 401, "{answer:?}");
        assert_eq!(renewing.open("/").await.body, "nobody");
        assert_eq!(store.count(), 0);
        // The refresh token that came too late is given back, too.
        assert_eq!(provider.forms("oauth/revoke").len(), 2);
    }
}

/// A login replaces the session while a renewal is on its way. Auth0 may revoke all refresh tokens of the user with one.
#[tokio::test]
async fn a_late_renewal_leaves_the_tokens_of_a_newer_session() {
    for (has_store, user, given_back) in [
        (false, "auth0|ann", 0),
        (true, "auth0|ann", 0),
        (false, "auth0|bob", 1),
        (true, "auth0|bob", 1),
    ] {
        let provider = Provider::new();
        let mut login = builder(&provider);
        if has_store {
            let clock = provider.tenant().clock().clone();
            login = login.store(InMemorySessionStore::new().clock(clock));
        }
        let server = servers::axum(&login.build().unwrap()).await;
        let mut browser = Browser::new(server, provider.tenant().clock(), true);
        let begun = browser.open("/auth/login").await;
        let back = provider.authorize(location(&begun), "auth0|ann");
        browser.open(&format!("/auth/callback?{back}")).await;
        provider.tenant().clock().advance(Duration::from_secs(600));
        let hold = provider.hold_renewals();
        let mut renewing = browser.clone();
        let renewal = tokio::spawn(async move { renewing.fetch(TOKEN).await });
        while provider.refreshes() == 0 {
            tokio::task::yield_now().await;
        }
        let begun = browser.open("/auth/login").await;
        let back = provider.authorize(location(&begun), user);
        assert_eq!(browser.open(&format!("/auth/callback?{back}")).await.status, 303);
        hold.release();
        assert_eq!(renewal.await.unwrap().status, 401);
        let revoked = provider.forms("oauth/revoke").len();
        assert_eq!(revoked, given_back, "{user}, {has_store}");
        assert_eq!(browser.open("/").await.body, user);
    }
}

/// Sixty-four browsers of eight users at once, with renewals, logouts and outages: no user sees another's session.
#[tokio::test]
async fn no_user_sees_the_session_of_another() {
    for has_store in [false, true] {
        let provider = Provider::new();
        let mut login = builder(&provider);
        if has_store {
            login =
                login.store(InMemorySessionStore::new().clock(provider.tenant().clock().clone()));
        }
        let login = login.build().unwrap();
        let servers = [servers::axum(&login).await, servers::actix(&login)];
        let mut tasks = Vec::new();
        for number in 0..64 {
            let provider = provider.clone();
            let user = format!("auth0|user{}", number % 8);
            let mut browser = Browser::new(servers[number % 2], provider.tenant().clock(), true);
            tasks.push(tokio::spawn(async move {
                let mut seen = 0;
                for round in 0..6 {
                    let begun = browser.open("/auth/login").await;
                    if begun.status != 303 {
                        continue; // an outage
                    }
                    let back = provider.authorize(location(&begun), &user);
                    browser.open(&format!("/auth/callback?{back}")).await;
                    for path in ["/", TOKEN, "/session?size=5000", "/", TOKEN] {
                        let answer = browser.fetch(path).await;
                        if number == 0 && round % 2 == 0 {
                            provider.tenant().clock().advance(Duration::from_secs(300));
                            provider.down(round == 2);
                        }
                        match (path, answer.status) {
                            ("/", 200) if answer.body == "nobody" => {}
                            ("/", 200) => {
                                assert_eq!(answer.body, user);
                                seen += 1;
                            }
                            (TOKEN, 200) => {
                                assert!(answer.body.contains(&user), "{user}: {answer:?}")
                            }
                            _ => {}
                        }
                    }
                    if round % 3 == 2 {
                        browser.open("/auth/logout").await;
                        assert_eq!(browser.fetch("/").await.body, "nobody");
                    }
                    if number == 0 {
                        provider.down(false);
                    }
                }
                seen
            }));
        }
        let mut seen = 0;
        for task in tasks {
            seen += task.await.unwrap();
        }
        assert!(seen > 100, "{seen}");
    }
}

/// The client goes away while its request renews the tokens.
#[tokio::test]
async fn a_client_that_leaves_loses_no_successor() {
    for has_store in [false, true] {
        let provider = Provider::new();
        let mut login = builder(&provider);
        if has_store {
            login =
                login.store(InMemorySessionStore::new().clock(provider.tenant().clock().clone()));
        }
        let login = login.build().unwrap();
        for server in [servers::axum(&login).await, servers::actix(&login)] {
            let mut browser = Browser::new(server, provider.tenant().clock(), true);
            let begun = browser.open("/auth/login").await;
            let back = provider.authorize(location(&begun), "auth0|ann");
            browser.open(&format!("/auth/callback?{back}")).await;
            provider.tenant().clock().advance(Duration::from_secs(600));
            let before = provider.refreshes();
            let hold = provider.hold();
            let request = format!(
                "GET {TOKEN} HTTP/1.1\r\nhost: app.example\r\ncookie: {}\r\n\r\n",
                browser.cookies()
            );
            let mut leaving = tokio::net::TcpStream::connect(server).await.unwrap();
            tokio::io::AsyncWriteExt::write_all(&mut leaving, request.as_bytes()).await.unwrap();
            while provider.refreshes() == before {
                tokio::task::yield_now().await;
            }
            drop(leaving);
            // The server has noticed it, because it answers others.
            for _ in 0..20 {
                browser.fetch("/plain").await;
            }
            hold.release();
            let answer = browser.fetch(TOKEN).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(provider.refreshes(), before + 1);
        }
    }
}

/// Redis refuses what a session needs: a logout is not claimed, and can be repeated.
#[tokio::test]
async fn a_logout_that_redis_refuses() {
    let Some(redis) = RedisServer::start() else { return };
    for command in ["-del", "-hmget"] {
        let mut instances = Instances::start(&redis).await;
        instances.log_in("auth0|ann").await;
        redis.ask::<String>(&format!("ACL SETUSER default {command}"));
        let [first, second] = &mut instances.browsers;
        if command == "-del" {
            let answer = first.open("/auth/logout").await;
            assert_eq!(answer.status, 503, "{answer:?}");
            assert!(answer.body.contains("You are still logged in"));
            assert_eq!(first.open("/").await.body, "auth0|ann", "it is true");
        } else {
            // Without its content, it ends as well.
            assert_eq!(first.open("/auth/logout").await.status, 303);
        }
        redis.ask::<String>("ACL SETUSER default +@all");
        if command == "-del" {
            assert_eq!(first.open("/auth/logout").await.status, 303);
        }
        assert_eq!(second.open("/").await.body, "nobody");
    }
}

/// A session that cannot be extended is served, and data that cannot be kept are an error.
#[tokio::test]
async fn a_redis_that_takes_no_writes() {
    let Some(redis) = RedisServer::start() else { return };
    let mut instances = Instances::start(&redis).await;
    instances.log_in("auth0|ann").await;
    redis.ask::<String>("ACL SETUSER default -hset");
    instances.provider.tenant().clock().advance(Duration::from_secs(2 * 3600));
    for browser in &mut instances.browsers {
        assert_eq!(browser.open("/").await.body, "auth0|ann");
        assert_eq!(browser.open("/session?size=10").await.status, 503);
    }
    redis.ask::<String>("ACL SETUSER default +@all");
    let [first, _] = &mut instances.browsers;
    assert_eq!(first.open("/session?size=10").await.body, "10");
}
