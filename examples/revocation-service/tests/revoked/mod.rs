//! What an example of revocation does, as a client of it and its tenant see it.
mod example;
mod outages;
mod redis;

pub(crate) use outages::{closed_connections, killed_leader};

use auth0_local::{Client, LocalTenant, User};
use example::{Example, command};
use redis::Redis;
use serde_json::json;
use std::time::{Duration, Instant};

const ANN: &str = "auth0|ann";
const BOB: &str = "auth0|bob";
const API: &str = "https://api.local.test";
const SID: &str = "https://acme.com/sid";

/// A URL at which nothing listens.
const NOWHERE: &str = "http://127.0.0.1:9/api/v2/events";

async fn tenant() -> LocalTenant {
    let builder = LocalTenant::builder().audience(API).user(User::new(ANN)).user(User::new(BOB));
    builder.client(Client::confidential("web", "secret")).start().await.unwrap()
}

/// The variables of a service at this tenant, and further ones.
fn variables<'a>(
    tenant: &'a LocalTenant,
    further: &[(&'a str, &'a str)],
) -> Vec<(&'a str, &'a str)> {
    let of_tenant = [
        ("AUTH0_ISSUER", tenant.issuer()),
        ("AUTH0_AUDIENCE", API),
        ("AUTH0_LOGOUT_CLIENT_IDS", "\"mobile\", \"web\""),
    ];
    [&of_tenant, further].concat()
}

fn token(tenant: &LocalTenant, user: &str) -> String {
    tenant.token().subject(user).mint()
}

fn token_of_events(tenant: &LocalTenant) -> String {
    let token = tenant.token().machine("events").audience(&tenant.management_audience());
    token.scope("read:events").mint()
}

/// Lets the tenant send its logout tokens to an example.
fn send_logout_tokens_to(tenant: &LocalTenant, example: &Example) {
    let url = format!("{}/backchannel-logout", example.url);
    let client = Client::confidential("web", "secret").backchannel_logout_url(url);
    tenant.add_client(client).unwrap();
}

/// Logs a user out. The example that receives the logout token accepts it. Returns when.
async fn log_out(tenant: &LocalTenant, user: &str) -> Instant {
    let deliveries = tenant.log_out(user).await.unwrap();
    assert_eq!(deliveries.len(), 1);
    assert!(deliveries.iter().all(|delivery| delivery.status == Some(200)), "{deliveries:?}");
    Instant::now()
}

pub(crate) async fn one_instance_in_memory(program: &str) {
    let tenant = tenant().await;
    // Events that cannot be read do not stop the API.
    let events = [("AUTH0_EVENTS_URL", NOWHERE), ("AUTH0_EVENTS_TOKEN", "secret-of-events")];
    let api = Example::start(program, &variables(&tenant, &events));
    send_logout_tokens_to(&tenant, &api);
    let (ann, bob) = (token(&tenant, ANN), token(&tenant, BOB));
    let answer = api.get("/api/private", &ann).await;
    assert_eq!((answer.status, &answer.body["sub"]), (200, &json!(ANN)), "{answer:?}");
    for path in ["/api/private", "/api/stream"] {
        assert_eq!(api.get(path, "").await.status, 401, "{path}: without a token");
    }
    let (mut of_ann, mut of_bob) = (api.stream(&ann).await, api.stream(&bob).await);
    for stream in [&mut of_ann, &mut of_bob] {
        assert_eq!((stream.next().await, stream.next().await), (Some(0), Some(1)));
    }

    let revoked = log_out(&tenant, ANN).await;
    for path in ["/api/private", "/api/stream"] {
        api.get(path, &ann).await.is(401, "token_revoked");
    }
    of_ann.ends(revoked).await;
    assert_eq!(api.get("/api/private", &bob).await.status, 200);
    assert!(of_bob.next().await.is_some());

    tenant.tenant().clock().advance(Duration::from_secs(1));
    let later = token(&tenant, ANN);
    assert_eq!(api.get("/api/private", &later).await.status, 200, "after another login");
}

pub(crate) async fn logout_tokens(program: &str) {
    let tenant = tenant().await;
    let api = Example::start(program, &variables(&tenant, &[]));
    let logout = || tenant.logout_token("web").subject(ANN).session_id("s1").claim("jti", "j1");
    for refused in [
        logout().claim("sub", 7),
        logout().claim("sid", 7),
        logout().claim("nonce", "n"),
        logout().broken_signature(),
        logout().unsigned(),
        logout().expired(),
        logout().claim("aud", "another"),
        logout().issuer("https://another.test/"),
    ] {
        let answer = api.send_logout(&refused.mint()).await;
        assert_eq!(answer.status, 400, "{refused:?}: {answer:?}");
    }
    let ann = token(&tenant, ANN);
    assert_eq!(api.get("/api/private", &ann).await.status, 200, "none of them had an effect");
    for typ in ["JWT", "logout+jwt", "at+jwt"] {
        let token = logout().typ(typ).claim("aud", API).mint();
        assert_eq!(api.get("/api/private", &token).await.status, 401, "{typ}: no access token");
    }
    assert_eq!(api.get("/backchannel-logout", &ann).await.status, 405);

    // Those that were refused have not used its `jti` up.
    let good = logout().mint();
    assert_eq!(api.send_logout(&good).await.status, 200);
    assert_eq!(api.send_logout(&good).await.status, 400, "it was used");
    api.get("/api/private", &ann).await.is(401, "token_revoked");
}

pub(crate) async fn sessions(program: &str) {
    let tenant = tenant().await;
    let api = Example::start(program, &variables(&tenant, &[("AUTH0_SID_CLAIM", SID)]));
    let of_session = |id: &str| tenant.token().subject(ANN).claim(SID, id).mint();
    let (one, other, unnamed) = (of_session("s1"), of_session("s2"), token(&tenant, ANN));
    let (mut of_one, mut of_other) = (api.stream(&one).await, api.stream(&other).await);
    let logout = tenant.logout_token("web").subject(ANN).session_id("s1").mint();
    assert_eq!(api.send_logout(&logout).await.status, 200);
    of_one.ends(Instant::now()).await;
    api.get("/api/private", &one).await.is(401, "token_revoked");
    api.get("/api/private", &unnamed).await.is(401, "token_revoked");
    assert_eq!(api.get("/api/private", &other).await.status, 200, "the session goes on");
    let _ = of_other.next().await;
    assert!(of_other.next().await.is_some());
}

pub(crate) async fn events(program: &str) {
    // Its URL, and that of its tenant.
    for path in ["api/v2/events", ""] {
        let tenant = tenant().await;
        let (url, token_of_events) =
            (format!("{}{path}", tenant.issuer()), token_of_events(&tenant));
        let events = [("AUTH0_EVENTS_URL", &*url), ("AUTH0_EVENTS_TOKEN", &token_of_events)];
        let api = Example::start(program, &variables(&tenant, &events));
        let (ann, bob) = (token(&tenant, ANN), token(&tenant, BOB));
        let (mut of_ann, mut of_bob) = (api.stream(&ann).await, api.stream(&bob).await);
        while tenant.events().connections() == 0 {
            assert!(of_ann.next().await.unwrap() < 30, "the example does not read the events");
        }
        tenant.block(BOB).unwrap();
        of_bob.ends(Instant::now()).await;
        api.get("/api/private", &bob).await.is(401, "token_revoked");

        // What happens while the subscription is lost is read after it is repaired.
        tenant.events().disconnect();
        tenant.block(ANN).unwrap();
        of_ann.ends_within(5, Instant::now()).await;
        api.get("/api/private", &ann).await.is(401, "token_revoked");
    }
}

pub(crate) async fn two_instances(program: &str) {
    let Some(redis) = Redis::start() else { return };
    let tenant = tenant().await;
    let events_token = tenant
        .token()
        .machine("events")
        .audience(&tenant.management_audience())
        .scope("read:events");
    let (events_url, events_token) = (tenant.issuer(), events_token.mint());
    let shared = [
        ("REDIS_URL", redis.url.as_str()),
        ("AUTH0_EVENTS_URL", events_url),
        ("AUTH0_EVENTS_TOKEN", &events_token),
    ];
    let start = || Example::start(program, &variables(&tenant, &shared));
    let instances = [start(), start()];
    let [one, other] = &instances;
    send_logout_tokens_to(&tenant, one);
    let (ann, bob) = (token(&tenant, ANN), token(&tenant, BOB));
    let [mut ann_at_one, mut ann_at_other] = [one.stream(&ann).await, other.stream(&ann).await];
    let [mut bob_at_one, mut bob_at_other] = [one.stream(&bob).await, other.stream(&bob).await];

    let revoked = log_out(&tenant, ANN).await;
    ann_at_one.ends(revoked).await;
    ann_at_other.ends(revoked).await;
    for api in &instances {
        api.get("/api/private", &ann).await.is(401, "token_revoked");
        assert_eq!(api.get("/api/private", &bob).await.status, 200);
    }
    let used = tenant.logout_token("web").subject(ANN).mint();
    assert_eq!(one.send_logout(&used).await.status, 200);
    assert_eq!(other.send_logout(&used).await.status, 400, "it was used at the other instance");

    // One of them reads the events.
    while tenant.events().connections() == 0 {
        assert!(bob_at_one.next().await.unwrap() < 30, "no instance reads the events");
    }
    tenant.block(BOB).unwrap();
    let revoked = Instant::now();
    bob_at_one.ends(revoked).await;
    bob_at_other.ends(revoked).await;
    for api in &instances {
        api.get("/api/private", &bob).await.is(401, "token_revoked");
    }
    assert_eq!(tenant.events().connections(), 1);

    // Redis comes back empty: the instances go on, and a new one learns from them what they know.
    redis.forget_all();
    for api in &instances {
        api.get("/api/private", &ann).await.is(401, "token_revoked");
    }
    let third = start();
    if let Ok(mut stream) = third.try_stream(&ann).await {
        stream.ends(Instant::now()).await;
    }
    third.get("/api/private", &ann).await.is(401, "token_revoked");
}

/// Without variables there is a tenant in the process.
pub(crate) async fn tenant_inside(program: &str) {
    let api = Example::start(program, &[]);
    let drills = ["__local/logout -d", "__local/block -d"];
    assert!(drills.iter().all(|drill| api.output.contains(drill)), "{}", api.output);
    let (ann, bob) = (api.token(ANN).await, api.token(BOB).await);
    let (mut of_ann, mut of_bob) = (api.stream(&ann).await, api.stream(&bob).await);
    let answer = api.drill("logout", json!({ "user": ANN })).await;
    let revoked = Instant::now();
    assert_eq!(answer.body["deliveries"][0]["status"], 200, "{answer:?}");
    of_ann.ends(revoked).await;
    api.get("/api/private", &ann).await.is(401, "token_revoked");
    assert_eq!(api.get("/api/private", &bob).await.status, 200);

    while api.event_connections().await == 0 {
        assert!(of_bob.next().await.unwrap() < 30, "the example does not read the events");
    }
    assert_eq!(api.drill("block", json!({ "user": BOB })).await.status, 200);
    let revoked = Instant::now();
    of_bob.ends(revoked).await;
    api.get("/api/private", &bob).await.is(401, "token_revoked");
}

pub(crate) fn wrong_environment(program: &str) {
    let all = [
        ("AUTH0_ISSUER", "http://127.0.0.1:9/"),
        ("AUTH0_AUDIENCE", API),
        ("AUTH0_LOGOUT_CLIENT_IDS", "web"),
        ("AUTH0_EVENTS_URL", NOWHERE),
        ("AUTH0_EVENTS_TOKEN", "secret-of-events"),
        ("REDIS_URL", "redis://127.0.0.1:9/"),
    ];
    for (name, value, sentence) in [
        ("AUTH0_ISSUER", "", "AUTH0_DOMAIN is not set"),
        ("AUTH0_AUDIENCE", "", "AUTH0_AUDIENCE is not set"),
        ("AUTH0_LOGOUT_CLIENT_IDS", "", "AUTH0_LOGOUT_CLIENT_IDS is not set"),
        ("AUTH0_LOGOUT_CLIENT_IDS", " , ", "AUTH0_LOGOUT_CLIENT_IDS is not set"),
        ("AUTH0_LOGOUT_CLIENT_IDS", "YOUR_CLIENT_ID", "still a placeholder"),
        ("AUTH0_EVENTS_URL", "", "AUTH0_EVENTS_URL is not set"),
        ("AUTH0_EVENTS_TOKEN", "", "AUTH0_EVENTS_TOKEN is not set"),
        ("AUTH0_EVENTS_URL", "http://acme.com/api/v2/events", "AUTH0_EVENTS_URL"),
        ("AUTH0_EVENTS_TOKEN", "secret-of-events and more", "AUTH0_EVENTS_TOKEN"),
        ("REDIS_URL", "127.0.0.1:secret-of-events", "REDIS_URL: "),
        ("HOST", "here", "HOST="),
    ] {
        let mut variables = all.to_vec();
        variables.retain(|(known, _)| *known != name);
        variables.push((name, value));
        let output = command(program, &variables).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && text.contains(sentence), "{sentence}: {text}");
        assert!(!text.contains("secret-of-events"), "{text}");
    }
}
