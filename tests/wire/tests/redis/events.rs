//! The lease and the position of the subscriber of events in Redis.
use auth0_events::EventStore;
use auth0_redis::RedisEventStore;
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;
use wire_tests::{network::Network, redis_server::RedisServer};

const LEASE: Duration = Duration::from_secs(60);

fn store(redis: &RedisServer) -> RedisEventStore {
    RedisEventStore::new(redis.url()).unwrap().time_limit(Duration::from_secs(10))
}

#[tokio::test]
async fn one_leads_and_its_successor_has_a_larger_number() {
    let Some(redis) = RedisServer::start() else { return };
    let (one, two) = (store(&redis), store(&redis));
    let first = one.lead("one", LEASE).await.unwrap().unwrap();
    assert_eq!(two.lead("two", LEASE).await.unwrap(), None);
    assert_eq!(one.lead("one", LEASE).await.unwrap(), Some(first), "renewed");
    assert_eq!(two.position().await.unwrap(), None);
    assert!(one.save(first, "position 1\r\n").await.unwrap());
    assert_eq!(two.position().await.unwrap().as_deref(), Some("position 1\r\n"));

    two.resign(first + 1).await.unwrap();
    assert_eq!(two.lead("two", LEASE).await.unwrap(), None, "not its lease");
    one.resign(first).await.unwrap();
    let second = two.lead("two", Duration::ZERO).await.unwrap().unwrap();
    assert!(second > first);
    assert!(!one.save(first, "position 2").await.unwrap(), "of an earlier leader");
    assert!(two.save(second, "position 3").await.unwrap());
    let third = two.lead("two", LEASE).await.unwrap().unwrap();
    assert!(third > second, "the lease had ended");
    one.resign(first).await.unwrap();
    assert_eq!(one.lead("one", LEASE).await.unwrap(), None);
    assert_eq!(one.position().await.unwrap().as_deref(), Some("position 3"));
    let other_tenant = store(&redis).prefix("other:");
    assert_eq!(other_tenant.position().await.unwrap(), None);

    // Redis has lost the number.
    redis.ask::<()>("FLUSHALL");
    assert!(one.lead("one", LEASE).await.unwrap().unwrap() > third);
    assert!(!two.save(third, "position 4").await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_at_once_one_leads() {
    let Some(redis) = RedisServer::start() else { return };
    let stores = [Arc::new(store(&redis)), Arc::new(store(&redis))];
    let mut all = JoinSet::new();
    for number in 0..64 {
        let store = Arc::clone(&stores[number % 2]);
        all.spawn(async move { store.lead(&format!("holder {number}"), LEASE).await.unwrap() });
    }
    assert_eq!(all.join_all().await.iter().flatten().count(), 1);
}

/// The connection is closed when Redis has run the script and its answer is on the way.
#[tokio::test]
async fn a_lost_answer_loses_no_lease() {
    let Some(redis) = RedisServer::start() else { return };
    let network = Network::start(redis.port()).await;
    let store = RedisEventStore::new(format!("redis://{}/", network.address())).unwrap();
    let store = store.time_limit(Duration::from_secs(10));
    assert_eq!(store.position().await.unwrap(), None);
    network.eat_next_answer();
    let fence = store.lead("one", LEASE).await.unwrap().unwrap();
    network.eat_next_answer();
    assert_eq!(store.lead("one", LEASE).await.unwrap(), Some(fence));
    network.eat_next_answer();
    assert!(store.save(fence, "position").await.unwrap());
}

#[tokio::test]
async fn a_user_needs_the_documented_commands_for_events() {
    let Some(mut redis) = RedisServer::start() else { return };
    let url = format!("redis://app:secret@127.0.0.1:{}/", redis.port());
    redis.ask::<()>("ACL SETUSER app on >secret ~auth0:events:* +eval +hget +hmget +hset +time");
    let store = RedisEventStore::new(&url).unwrap().time_limit(Duration::from_secs(10));
    let text = format!("{store:?}");
    assert!(!text.contains("secret") && text.contains("auth0:events:"), "{text}");
    let fence = store.lead("one", LEASE).await.unwrap().unwrap();
    assert!(store.save(fence, "position").await.unwrap());
    assert_eq!(store.position().await.unwrap().as_deref(), Some("position"));
    store.resign(fence).await.unwrap();
    redis.kill();
    assert!(store.lead("one", LEASE).await.is_err());
    assert!(RedisEventStore::new("http://:secret@host/").is_err());
}
