//! An instance that is killed, and connections that Redis closes.
use super::{
    ANN, BOB, Example, Redis, log_out, send_logout_tokens_to, tenant, token, token_of_events,
    variables,
};
use std::time::{Duration, Instant};

/// How many seconds another instance may take until it reads the events.
const TAKEOVER: u64 = 30;

/// How many seconds an instance may take until it reads the revocations again.
const REPAIR: u64 = 5;

/// The instance that reads the events is killed. The other one continues where it has stopped.
pub(crate) async fn killed_leader(program: &str) {
    let Some(redis) = Redis::start() else { return };
    let tenant = tenant().await;
    let token_of_events = token_of_events(&tenant);
    let shared = [
        ("REDIS_URL", redis.url.as_str()),
        ("AUTH0_EVENTS_URL", tenant.issuer()),
        ("AUTH0_EVENTS_TOKEN", &token_of_events),
    ];
    let start = || Example::start(program, &variables(&tenant, &shared));
    let bob = token(&tenant, BOB);
    let leader = start();
    let mut at_leader = leader.stream(&bob).await;
    while tenant.events().connections() == 0
        || redis.run("HEXISTS auth0:events:state position") != ":1"
    {
        assert!(at_leader.next().await.unwrap() < 30, "the first instance does not lead");
    }
    let other = start();
    let mut at_other = other.stream(&bob).await;
    assert_eq!(tenant.events().connections(), 1);

    // By SIGKILL: its lease stays.
    drop(leader);
    let killed = Instant::now();
    while tenant.events().connections() > 0 {
        assert!(at_other.next().await.unwrap() < 30, "another instance reads the events");
    }
    tenant.block(BOB).unwrap();
    at_other.ends_within(TAKEOVER, killed).await;
    let took = killed.elapsed();
    println!("another instance has taken over after {took:?}");
    assert!(took < Duration::from_secs(TAKEOVER), "{took:?}");
    assert_eq!(tenant.events().connections(), 1);
    other.get("/api/private", &bob).await.is(401, "token_revoked");
}

/// Redis closes the connections on which the instances wait for revocations.
pub(crate) async fn closed_connections(program: &str) {
    let Some(redis) = Redis::start() else { return };
    let tenant = tenant().await;
    let shared = [("REDIS_URL", redis.url.as_str())];
    let start = || Example::start(program, &variables(&tenant, &shared));
    let instances = [start(), start()];
    let [one, other] = &instances;
    send_logout_tokens_to(&tenant, one);
    let (ann, bob) = (token(&tenant, ANN), token(&tenant, BOB));
    // Both have read the revocations.
    let streams = [one.stream(&ann).await, other.stream(&ann).await];

    let connections = redis.run("CLIENT KILL TYPE normal SKIPME yes");
    let closed = Instant::now();
    assert!(connections.trim_start_matches(':').parse::<u32>().unwrap() >= 2, "{connections}");
    log_out(&tenant, ANN).await;
    for mut stream in streams {
        stream.ends_within(REPAIR, closed).await;
    }
    let took = closed.elapsed();
    println!("the revocation has arrived after {took:?}");
    assert!(took < Duration::from_secs(REPAIR), "{took:?}");
    for api in &instances {
        api.get("/api/private", &ann).await.is(401, "token_revoked");
        assert_eq!(api.get("/api/private", &bob).await.status, 200);
    }
}
