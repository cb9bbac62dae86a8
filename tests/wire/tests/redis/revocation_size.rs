//! How large the log becomes.
use crate::instances::{Instance, patient};
use auth0_axum::{
    auth0_core::revocation::{RevocationEntry, RevocationKey, RevocationStore},
    testing::Tenant,
};
use std::{collections::HashSet, time::Duration};
use wire_tests::redis_server::RedisServer;

const LOG: &str = "auth0:revocations:log";

fn entries(count: u32) -> Vec<RevocationEntry> {
    // As after a hash.
    let key = |number: u32| {
        let number = u128::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        RevocationKey::new(number.to_le_bytes())
    };
    (0..count)
        .map(|number| RevocationEntry::new(key(number), 1_790_000_000, 1_900_000_000))
        .collect()
}

#[tokio::test]
async fn a_new_instance_reads_all_in_pages() {
    let Some(redis) = RedisServer::start() else { return };
    let memory = || -> u64 {
        let text: String = redis.ask("INFO memory");
        let line = text.lines().find_map(|line| line.strip_prefix("used_memory:"));
        line.unwrap().parse().unwrap()
    };
    let before = memory();
    let store = patient(&redis);
    store.append(entries(100_000)).await.unwrap();
    let each = (memory() - before) / 100_000;
    assert!(each <= 50, "{each} bytes, and the documentation says at most 50");

    let mut found = HashSet::new();
    let mut pages = Vec::new();
    let mut since = None;
    loop {
        let page = store.changes(since.as_deref(), Duration::ZERO).await.unwrap();
        pages.push(page.entries.len());
        found.extend(page.entries.iter().map(|entry| *entry.key.as_bytes()));
        since = Some(page.position);
        if !page.has_more {
            break;
        }
    }
    assert_eq!((pages.len(), pages[0], found.len()), (51, 2000, 100_000));

    let tenant = Tenant::new();
    let instance = Instance::with(&tenant, patient(&redis), Duration::ZERO);
    instance.until(&tenant.token().mint(), Ok(())).await;
    assert_eq!(instance.revocations.count(), 100_000);
}

/// Redis cannot be made to wait, so the entries that have expired are written with the ids of earlier times.
#[tokio::test]
async fn expired_entries_are_removed() {
    let Some(redis) = RedisServer::start() else { return };
    let store = patient(&redis);
    let (seconds, _): (u64, u64) = redis.ask("TIME");
    let add = |age: u64, number: u64, life: u64| {
        let millis = (seconds - age) * 1000;
        redis.ask::<()>(&format!(
            "XADD {LOG} {millis}-{number} k kkkkkkkkkkkkkkkk r 5 e 6 l {life}"
        ));
    };
    let length = || -> u64 { redis.ask(&format!("XLEN {LOG}")) };
    for number in 0..250 {
        add(10_000, number, 3_000);
    }
    redis.ask::<()>(&format!("XADD {LOG} {}-0 message hello", (seconds - 9_000) * 1000));
    add(8_000, 0, 9_000); // not expired
    add(7_000, 0, 1_000);
    add(6_000, 0, 1_000);
    add(300, 0, 0); // younger than ten minutes
    assert_eq!(length(), 255);
    // A bounded number for each addition: 100 and those that are added.
    for left in [156, 57, 7, 8] {
        store.append(entries(1)).await.unwrap();
        assert_eq!(length(), left);
    }
}

/// Readers are at the last entry that is older than ten minutes, or later.
#[tokio::test]
async fn the_entry_at_which_a_reader_waits_stays() {
    let Some(redis) = RedisServer::start() else { return };
    let store = patient(&redis);
    redis.ask::<()>(&format!("XADD {LOG} 1-0 begin 1"));
    redis.ask::<()>(&format!("XADD {LOG} 2-0 k kkkkkkkkkkkkkkkk r 5 e 6 l 1"));
    let since = store.changes(None, Duration::ZERO).await.unwrap();
    assert_eq!(since.position, "2-0");
    for _ in 0..3 {
        store.append(entries(1)).await.unwrap();
    }
    let changes = store.changes(Some("2-0"), Duration::ZERO).await.unwrap();
    assert_eq!((changes.entries.len(), changes.has_lost), (3, false));
    let length: u64 = redis.ask(&format!("XLEN {LOG}"));
    assert_eq!(length, 4);

    // A position of more than ten minutes ago, which is no longer there: everything is read again.
    let changes = store.changes(Some("1-0"), Duration::ZERO).await.unwrap();
    assert_eq!((changes.entries.len(), changes.has_lost), (4, true));
    for hostile in ["", "1", "$", "+", "9-9-9", "18446744073709551616-0", "2-0 COUNT 1", "\r\n"] {
        let changes = store.changes(Some(hostile), Duration::ZERO).await.unwrap();
        assert_eq!((changes.entries.len(), changes.has_lost), (4, true), "{hostile:?}");
    }
}
