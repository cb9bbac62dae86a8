//! A token that is revoked at one instance is refused at all.
use crate::instances::{Instance, PROMISED, REVOKED, SLACK, patient, two};
use auth0_axum::{
    auth0_core::revocation::{Changes, RevocationEntry, RevocationKey, RevocationStore, UsedId},
    testing::Tenant,
};
use auth0_redis::RedisRevocationStore;
use futures_util::poll;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::task::JoinSet;
use wire_tests::{network::Network, redis_server::RedisServer};

#[tokio::test]
async fn a_token_revoked_on_one_instance_is_refused_on_the_other() {
    let Some(redis) = RedisServer::start() else { return };
    let (tenant, token, instances) = two(&redis, patient).await;
    let other = tenant.token().subject("auth0|ben").mint();
    let [first, second] = &instances;
    for (here, there, subject, token) in
        [(first, second, "auth0|ann", &token), (second, first, "auth0|ben", &other)]
    {
        assert_eq!(there.verify(token).await, Ok(()));
        here.revocations.revoke_subject(tenant.issuer(), subject).await.unwrap();
        assert_eq!(here.verify(token).await, REVOKED);
        let time = there.until(token, REVOKED).await;
        assert!(time < PROMISED + SLACK, "{time:?}");
    }
    let third = Instance::with(&tenant, patient(&redis), Duration::ZERO);
    assert_eq!(third.verify(&token).await, REVOKED, "it knows what was before its start");
    assert_eq!(third.verify(&other).await, REVOKED);
    assert_eq!(third.verify(&tenant.token().subject("auth0|cat").mint()).await, Ok(()));
}

/// Without waiting for the next question.
#[tokio::test]
async fn a_read_ends_with_the_next_revocation() {
    let Some(redis) = RedisServer::start() else { return };
    let (reader, writer) = (patient(&redis), patient(&redis));
    let empty = reader.changes(None, Duration::ZERO).await.unwrap();
    assert!(empty.entries.is_empty() && !empty.has_more && !empty.has_lost);
    let day = Duration::from_secs(24 * 60 * 60);
    for number in 0..100 {
        let entry = RevocationEntry::new(RevocationKey::new([number; 16]), 5, u32::MAX);
        let position = writer.changes(None, Duration::ZERO).await.unwrap().position;
        let (read, written) =
            tokio::join!(reader.changes(Some(&position), day), writer.append(vec![entry]));
        written.unwrap();
        assert_eq!(read.unwrap().entries, [entry]);
    }
}

/// The reader has read what was added before the task of the addition goes on.
#[tokio::test]
async fn what_is_read_before_its_addition_has_ended_is_not_lost() {
    let Some(redis) = RedisServer::start() else { return };
    let store = patient(&redis);
    store.append(vec![entry(1)]).await.unwrap();
    let mut since = store.changes(None, Duration::ZERO).await.unwrap();
    for number in 2..10 {
        let mut addition = store.append(vec![entry(number)]);
        // Redis answers on another thread, and may be faster than the poll returns.
        redis.ask::<()>("CLIENT PAUSE 60000 WRITE");
        assert!(poll!(&mut addition).is_pending());
        redis.ask::<()>("CLIENT UNPAUSE");
        let page = read(&store, &since, Duration::from_secs(10)).await;
        assert_eq!(page.entries.last(), Some(&entry(number)));
        addition.await.unwrap();
        let next = read(&store, &page, Duration::ZERO).await;
        assert_eq!((&*next.entries, next.has_lost, &*next.missing), (&[][..], false, &[][..]));
        since = next;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_revoked_at_once_on_both() {
    let Some(redis) = RedisServer::start() else { return };
    let (tenant, _, instances) = two(&redis, patient).await;
    let instances = Arc::new(instances);
    let mut revoked = JoinSet::new();
    for number in 0..64 {
        let (instances, tenant) = (Arc::clone(&instances), tenant.clone());
        revoked.spawn(async move {
            let here = &instances[number % 2];
            here.revocations.revoke_subject(tenant.issuer(), format!("auth0|{number}")).await
        });
    }
    assert!(revoked.join_all().await.iter().all(Result::is_ok));
    for number in 0..64 {
        let token = tenant.token().subject(&format!("auth0|{number}")).mint();
        for instance in &*instances {
            let time = instance.until(&token, REVOKED).await;
            assert!(time < PROMISED + SLACK, "{time:?}");
        }
    }
    for instance in &*instances {
        assert_eq!(instance.revocations.count(), 64);
    }
}

fn entry(number: u8) -> RevocationEntry {
    RevocationEntry::new(RevocationKey::new([number; 16]), 5, u32::MAX)
}

async fn read(store: &RedisRevocationStore, since: &Changes, wait: Duration) -> Changes {
    store.changes(Some(&since.position), wait).await.unwrap()
}

fn used(number: u8) -> UsedId {
    UsedId::new([number; 32], Duration::from_secs(120))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_uses_at_once_one_is_the_first() {
    let Some(redis) = RedisServer::start() else { return };
    let stores = [Arc::new(patient(&redis)), Arc::new(patient(&redis))];
    let mut uses = JoinSet::new();
    for number in 0..64 {
        let store = Arc::clone(&stores[number % 2]);
        uses.spawn(async move { store.use_once(used(1)).await.unwrap() });
    }
    let outcomes = uses.join_all().await;
    assert_eq!(outcomes.iter().filter(|is_first| **is_first).count(), 1);

    let keys: Vec<String> = redis.ask("KEYS *");
    assert_eq!(keys, [format!("auth0:revocations:used:{}", "01".repeat(32))]);
    let left: u64 = redis.ask(&format!("PTTL {}", keys[0]));
    assert!((120_000..=180_000).contains(&left), "{left}");
}

/// The connection is closed when Redis has run the command and its answer is on the way.
#[tokio::test]
async fn lost_answers_do_no_harm() {
    let Some(redis) = RedisServer::start() else { return };
    let network = Network::start(redis.port()).await;
    let store = RedisRevocationStore::new(format!("redis://{}/", network.address())).unwrap();
    let store = store.time_limit(Duration::from_secs(10));
    assert!(store.use_once(used(0)).await.unwrap());
    let mut position = store.changes(None, Duration::ZERO).await.unwrap().position;
    for number in 1..4 {
        network.eat_next_answer();
        assert!(store.use_once(used(number)).await.unwrap(), "this caller used it");
        assert!(!store.use_once(used(number)).await.unwrap());
        network.eat_next_answer();
        assert!(!store.use_once(used(0)).await.unwrap());

        network.eat_next_answer();
        let entry = RevocationEntry::new(RevocationKey::new([number; 16]), 5, u32::MAX);
        store.append(vec![entry]).await.unwrap();
        let read = store.changes(Some(&position), Duration::ZERO).await.unwrap();
        assert!(!read.has_lost && !read.entries.is_empty());
        assert!(read.entries.iter().all(|found| *found == entry), "{:?}", read.entries);
        position = read.position;
    }
}

/// The network discards what is sent: a read notices it, not TCP.
#[tokio::test]
async fn a_dead_connection_is_replaced() {
    let Some(redis) = RedisServer::start() else { return };
    let network = Network::start(redis.port()).await;
    let store = RedisRevocationStore::new(format!("redis://{}/", network.address())).unwrap();
    let store = store.time_limit(PROMISED);
    let since = store.changes(None, Duration::ZERO).await.unwrap().position;
    for _ in 0..2 {
        network.swallow_all();
        let started_at = Instant::now();
        store.changes(Some(&since), Duration::from_millis(50)).await.unwrap_err();
        assert!(started_at.elapsed() < PROMISED + SLACK, "{:?}", started_at.elapsed());
        assert!(!store.changes(Some(&since), Duration::ZERO).await.unwrap().has_lost);
    }
}

#[tokio::test]
async fn services_with_different_prefixes_share_nothing() {
    let Some(redis) = RedisServer::start() else { return };
    let tenant = Tenant::new();
    let token = tenant.token().subject("auth0|ann").mint();
    let [one, two] = ["a:", "b:"]
        .map(|prefix| Instance::with(&tenant, patient(&redis).prefix(prefix), Duration::ZERO));
    one.revocations.revoke_subject(tenant.issuer(), "auth0|ann").await.unwrap();
    assert_eq!(one.verify(&token).await, REVOKED);
    two.until(&token, Ok(())).await;
    let mut keys: Vec<String> = redis.ask("KEYS *");
    keys.sort();
    assert_eq!(keys, ["a:log", "b:log"]);
}
