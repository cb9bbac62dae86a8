//! Revocations while Redis is down, hangs, has lost its data, or is a replica.
use crate::{
    instances::{Instance, PROMISED, REVOKED, SLACK, UNAVAILABLE, patient, store, two},
    log::Log,
};
use auth0_axum::{
    auth0_core::revocation::{
        Changes, OnUnavailable, RevocationEntry, RevocationError, RevocationKey, RevocationStore,
        Revocations,
    },
    testing::Tenant,
};
use auth0_redis::RedisRevocationStore;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use wire_tests::redis_server::RedisServer;

#[tokio::test]
async fn without_redis_requests_get_503() {
    let Some(mut redis) = RedisServer::start() else { return };
    let (tenant, token, instances) = two(&redis, store).await;
    redis.kill();
    for instance in &instances {
        let time = instance.until(&token, UNAVAILABLE).await;
        assert!(time < PROMISED + SLACK, "{time:?}");
    }
    let outcome = instances[0].revocations.revoke_subject(tenant.issuer(), "auth0|ben").await;
    assert!(matches!(outcome, Err(RevocationError::Unavailable(_))), "{outcome:?}");
    redis.restart();
    for instance in &instances {
        let time = instance.until(&token, Ok(())).await;
        assert!(time < PROMISED + SLACK, "{time:?}");
    }
    // The revocation that reached only one instance reaches the other, because Redis has lost its data.
    let ben = tenant.token().subject("auth0|ben").mint();
    instances[1].until(&ben, REVOKED).await;
}

#[tokio::test]
async fn an_instance_starts_before_redis() {
    let Some(mut redis) = RedisServer::stopped() else { return };
    let tenant = Tenant::new();
    let token = tenant.token().mint();
    let refuses = Instance::start(&tenant, &redis, Duration::ZERO);
    assert_eq!(refuses.verify(&token).await, UNAVAILABLE);
    let accepts = Revocations::with_store(store(&redis)).on_unavailable(OnUnavailable::Accept);
    let auth = tenant.builder().revocations(&accepts).build().unwrap();
    auth.verify(&token).await.unwrap();
    redis.restart();
    refuses.until(&token, Ok(())).await;
}

#[tokio::test]
async fn a_redis_that_hangs_is_noticed() {
    let Some(redis) = RedisServer::start() else { return };
    let (tenant, token, instances) = two(&redis, store).await;
    for _ in 0..2 {
        redis.suspend();
        for instance in &instances {
            let time = instance.until(&token, UNAVAILABLE).await;
            assert!(time < PROMISED + SLACK, "{time:?}");
        }
        redis.resume();
        for instance in &instances {
            let time = instance.until(&token, Ok(())).await;
            assert!(time < PROMISED + SLACK, "{time:?}");
        }
    }
    instances[0].revocations.revoke_subject(tenant.issuer(), "auth0|ann").await.unwrap();
    instances[1].until(&token, REVOKED).await;
}

/// Both instances add again what they know, and neither has accepted the token meanwhile.
#[tokio::test]
async fn a_redis_that_has_lost_its_data_gets_it_back() {
    let Some(mut redis) = RedisServer::start() else { return };
    let (tenant, token, instances) = two(&redis, store).await;
    let mut subjects = vec!["auth0|ann".to_owned()];
    instances[0].revocations.revoke_subject(tenant.issuer(), "auth0|ann").await.unwrap();
    instances[1].until(&token, REVOKED).await;
    for round in 0..3 {
        match round {
            0 => {
                redis.kill();
                redis.restart();
            }
            1 => redis.ask::<()>("FLUSHALL"),
            _ => redis.ask::<()>("DEL auth0:revocations:log"),
        }
        for instance in &instances {
            let outcome = instance.verify(&token).await;
            assert!([REVOKED, UNAVAILABLE].contains(&outcome), "{outcome:?}");
        }
        // The first addition to the empty log must not hide that it is another one.
        let subject = format!("auth0|{round}");
        while instances[1].revocations.revoke_subject(tenant.issuer(), &subject).await.is_err() {}
        subjects.push(subject);
        let third = Instance::start(&tenant, &redis, Duration::from_secs(40));
        for subject in &subjects {
            let token = tenant.token().subject(subject).mint();
            for instance in instances.iter().chain([&third]) {
                let time = instance.until(&token, REVOKED).await;
                assert!(time < 2 * PROMISED + SLACK, "{time:?}");
            }
        }
    }
}

fn entry(number: u8) -> RevocationEntry {
    RevocationEntry::new(RevocationKey::new([number; 16]), 5, u32::MAX)
}

async fn read(store: &RedisRevocationStore, since: &Changes) -> Changes {
    store.changes(Some(&since.position), Duration::ZERO).await.unwrap()
}

/// As after a failover to a replica that was behind.
#[tokio::test]
async fn a_log_that_has_lost_its_end_is_read_anew() {
    let Some(redis) = RedisServer::start() else { return };
    let (one, other) = (patient(&redis), patient(&redis));
    let last = || -> String {
        let last: Vec<(String, Vec<Vec<u8>>)> =
            redis.ask("XREVRANGE auth0:revocations:log + - COUNT 1");
        last[0].0.clone()
    };
    let lose_the_last = || redis.ask::<()>(&format!("XDEL auth0:revocations:log {}", last()));
    let mut since = one.changes(None, Duration::ZERO).await.unwrap();
    other.append(vec![entry(1), entry(2)]).await.unwrap();
    since = read(&one, &since).await;
    assert_eq!((&*since.entries, since.has_lost), (&[entry(1), entry(2)][..], false));

    lose_the_last();
    let lost = read(&one, &since).await;
    assert_eq!((&*lost.entries, lost.has_lost), (&[entry(1)][..], true));
    let again = read(&one, &lost).await;
    assert_eq!((&*again.entries, again.has_lost), (&[][..], false));

    // An addition after the loss does not hide it.
    other.append(vec![entry(3)]).await.unwrap();
    since = read(&one, &lost).await;
    lose_the_last();
    other.append(vec![entry(4)]).await.unwrap();
    let lost = read(&one, &since).await;
    assert_eq!((&*lost.entries, lost.has_lost), (&[entry(1), entry(4)][..], true));

    // What this instance has added and not read yet: the rest need not be read again.
    one.append(vec![entry(5), entry(6)]).await.unwrap();
    lose_the_last();
    lose_the_last();
    other.append(vec![entry(7)]).await.unwrap();
    let lost = read(&one, &lost).await;
    assert_eq!((&*lost.entries, lost.has_lost), (&[entry(7)][..], false));
    assert_eq!(lost.missing, [entry(5), entry(6)]);
    let again = read(&one, &lost).await;
    assert_eq!((&*again.entries, again.has_lost, &*again.missing), (&[][..], false, &[][..]));

    // A log whose ids are all lower: another machine, whose clock is behind.
    redis.ask::<()>("DEL auth0:revocations:log");
    redis.ask::<()>("XADD auth0:revocations:log 5-1 k kkkkkkkkkkkkkkkk r 5 e 6 l 1");
    let lost = read(&one, &again).await;
    assert!(lost.has_lost);
    assert_eq!(lost.position, "5-1");
    let key = RevocationKey::new(*b"kkkkkkkkkkkkkkkk");
    assert_eq!(lost.entries, [RevocationEntry::new(key, 5, 6)]);
}

#[tokio::test]
async fn a_log_that_was_saved_is_not_read_anew() {
    let Some(redis) = RedisServer::stopped() else { return };
    let mut redis = redis.with("--appendonly").with("yes");
    redis.restart();
    let (one, other) = (patient(&redis), patient(&redis));
    other.append(vec![entry(1)]).await.unwrap();
    let since = one.changes(None, Duration::ZERO).await.unwrap();
    other.append(vec![entry(2)]).await.unwrap();
    redis.kill();
    redis.restart();
    // It answers before it has read its data.
    while other.append(vec![entry(3)]).await.is_err() {
        tokio::task::yield_now().await;
    }
    let changes = read(&one, &since).await;
    assert_eq!((&*changes.entries, changes.has_lost), (&[entry(2), entry(3)][..], false));
}

/// It may be behind without notice.
#[tokio::test]
async fn a_replica_is_refused() {
    let Some(redis) = RedisServer::start() else { return };
    let (_, token, instances) = two(&redis, store).await;
    redis.ask::<()>("REPLICAOF 127.0.0.1 1");
    for instance in &instances {
        instance.until(&token, UNAVAILABLE).await;
    }
    let cause = patient(&redis).changes(None, Duration::ZERO).await.unwrap_err();
    assert!(cause.to_string().contains("read only replica"), "{cause}");
    redis.ask::<()>("REPLICAOF NO ONE");
    for instance in &instances {
        instance.until(&token, Ok(())).await;
    }
}

#[tokio::test]
async fn a_user_needs_the_documented_commands() {
    let Some(redis) = RedisServer::start() else { return };
    let url = format!("redis://app:secret@127.0.0.1:{}/", redis.port());
    let app = || RedisRevocationStore::new(&url).unwrap().time_limit(Duration::from_secs(10));
    let text = format!("{:?}", app());
    assert!(!text.contains("secret") && text.contains("auth0:revocations:"), "{text}");
    assert!(app().changes(None, Duration::ZERO).await.is_err());
    let commands = "eval get set time xadd xdel xrange xread xrevrange xtrim";
    let allowed = commands.replace(' ', " +");
    redis.ask::<()>(&format!("ACL SETUSER app on >secret ~auth0:revocations:* +{allowed}"));
    let passes = async || {
        let store = app();
        let since = store.changes(None, Duration::ZERO).await?;
        store.append(vec![entry(1)]).await?;
        store.append(vec![entry(2)]).await?;
        store.changes(Some(&since.position), Duration::ZERO).await
    };
    // An addition that is old enough for every command of the script.
    redis.ask::<()>("XADD auth0:revocations:log 1-0 begin 1");
    assert_eq!(passes().await.unwrap().entries, [entry(1), entry(2)]);
    for command in commands.split(' ').filter(|command| !["get", "set"].contains(command)) {
        redis.ask::<()>("DEL auth0:revocations:log");
        redis.ask::<()>("XADD auth0:revocations:log 1-0 begin 1");
        redis.ask::<()>(&format!("ACL SETUSER app -{command}"));
        assert!(passes().await.is_err(), "without {command}");
        redis.ask::<()>(&format!("ACL SETUSER app +{command}"));
        assert!(passes().await.is_ok(), "with {command}");
    }
}

#[tokio::test]
async fn entries_of_other_programs_are_reported() {
    let Some(redis) = RedisServer::start() else { return };
    let log = Log::start();
    let store = patient(&redis);
    let since = store.changes(None, Duration::ZERO).await.unwrap();
    redis.ask::<()>("XADD auth0:revocations:log * k short r 5 e 6");
    redis.ask::<()>("XADD auth0:revocations:log * message hello");
    store.append(vec![entry(1)]).await.unwrap();
    let changes = read(&store, &since).await;
    assert_eq!((changes.entries, changes.has_lost), (vec![entry(1)], false));
    let warning = "WARN message=the log of revocations has entries that are not revocations";
    assert_eq!(log.count(warning), 1);
    redis.ask::<()>("DEL auth0:revocations:log");
    redis.ask::<()>("SET auth0:revocations:log hello");
    let cause = store.changes(None, Duration::ZERO).await.unwrap_err().to_string();
    assert!(cause.contains("WRONGTYPE"), "{cause}");
    assert!(store.append(vec![entry(2)]).await.is_err());
}

/// Two instances serve more than 10,000 requests, while subjects are revoked at either, and Redis hangs and restarts.
#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_accepted_long_after_its_revocation() {
    const SUBJECTS: usize = 24;
    let Some(mut redis) = RedisServer::start() else { return };
    let (tenant, _, instances) = two(&redis, store).await;
    let instances = Arc::new(instances);
    let subject = |number: usize| format!("auth0|{number}");
    let tokens: Vec<_> =
        (0..=SUBJECTS).map(|number| tenant.token().subject(&subject(number)).mint()).collect();
    let revoked: Arc<Mutex<HashMap<usize, Instant>>> = Arc::default();

    let (all, times, issuer) = (instances.clone(), revoked.clone(), tenant.issuer().to_owned());
    let of_revoked = tokens.clone();
    let revoking = tokio::spawn(async move {
        for number in 0..SUBJECTS {
            if matches!(number, 6 | 12) {
                // What only one instance knows when Redis loses it is accepted by the other until Redis has it again.
                let known: Vec<_> = times.lock().unwrap().keys().copied().collect();
                for number in known {
                    for instance in &*all {
                        instance.until(&of_revoked[number], REVOKED).await;
                    }
                }
            }
            match number {
                6 => redis.suspend(),
                8 => redis.resume(),
                12 => redis.kill(),
                14 => redis.restart(),
                _ => {}
            }
            let revocations = &all[number % 2].revocations;
            let is_down = matches!(number, 6 | 7 | 12 | 13);
            while revocations.revoke_subject(&issuer, subject(number)).await.is_err() && !is_down {}
            if !is_down {
                times.lock().unwrap().insert(number, Instant::now());
            }
        }
        redis
    });

    let mut requests = 0;
    let is_over = || revoked.lock().unwrap().len() >= SUBJECTS - 4;
    let mut refused_by_both = false;
    while !(is_over() && refused_by_both && requests >= 10_000) {
        refused_by_both = true;
        for (number, token) in tokens.iter().enumerate() {
            for instance in &*instances {
                let at = revoked.lock().unwrap().get(&number).copied();
                let late = at.map_or(Duration::ZERO, |at| at.elapsed());
                let outcome = instance.verify(token).await;
                requests += 1;
                // The time was read before the request, and the verifier counts in milliseconds.
                let allowed = PROMISED + Duration::from_millis(1);
                assert!(outcome != Ok(()) || late < allowed, "{number}: {late:?}");
                refused_by_both &= at.is_none() || outcome == REVOKED;
            }
        }
        tokio::task::yield_now().await;
    }
    let _redis = revoking.await.unwrap();
    for instance in &*instances {
        instance.until(&tokens[SUBJECTS], Ok(())).await;
    }
}
