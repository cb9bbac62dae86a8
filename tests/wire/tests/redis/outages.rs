//! Redis that is down, suspended, or refuses commands.
use crate::{
    log::Log,
    service::{
        SLACK, Service, TIME_LIMIT, authenticate, bound_token, code, patient, proof, store,
        verifier,
    },
};
use auth0_axum::testing::Tenant;
use auth0_redis::{OnUnreachable, RedisReplayStore};
use std::time::{Duration, Instant};
use wire_tests::{client::get, redis_server::RedisServer};

#[tokio::test]
async fn without_redis_proofs_are_refused_and_other_requests_pass() {
    let Some(mut redis) = RedisServer::stopped() else { return };
    let service = Service::start(|| patient(&redis)).await;
    let instances = [service.axum, service.actix];
    let bearer = format!("Bearer {}", service.tenant.token().subject("auth0|ben").mint());
    let passes_bearer = async |instance| {
        let answer = get(instance, "/token", &[("authorization", bearer.as_bytes())]).await;
        assert_eq!((answer.status, &*answer.body), (200, "auth0|ben"));
    };
    let is_refused = async |instance| {
        let started_at = Instant::now();
        let answer = service.ask(instance, &service.proof()).await;
        assert!(started_at.elapsed() < SLACK, "{:?}", started_at.elapsed());
        assert_eq!((answer.status, &*code(&answer)), (503, "replay_store_unavailable"));
        assert_eq!(answer.lines("retry-after"), ["1"]);
        assert_eq!(answer.lines("www-authenticate"), Vec::<&str>::new());
    };

    // Both were started while it was down.
    for instance in instances {
        is_refused(instance).await;
        passes_bearer(instance).await;
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
            passes_bearer(instance).await;
            // Used proofs are refused too.
            for proof in &used {
                assert_eq!(service.code(instance, proof).await, "replay_store_unavailable");
            }
        }
    }
}

#[tokio::test]
async fn a_process_can_continue_without_redis() {
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
    assert!(!requests.is_empty(), "the instances share their proofs again");
    assert!(log.count("INFO message=the replay store is back") >= 2);
    for instance in [service.axum, service.actix] {
        assert_eq!(service.code(instance, &meanwhile).await, "dpop_proof_replayed");
    }
    let after = service.proof();
    assert_eq!(service.code(service.axum, &after).await, "");
    assert_eq!(service.code(service.actix, &after).await, "dpop_proof_replayed");
}

#[tokio::test]
async fn a_suspended_redis_is_waited_for_within_the_limit() {
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

    redis.suspend();
    for instance in [service.axum, service.actix, service.axum] {
        let started_at = Instant::now();
        assert_eq!(service.code(instance, &service.proof()).await, "replay_store_unavailable");
        let waited = started_at.elapsed();
        assert!((TIME_LIMIT..TIME_LIMIT + SLACK).contains(&waited), "{waited:?}");
    }
    // A verifier that remembers in process waits once, not with every request.
    ask().await.unwrap();
    let started_at = Instant::now();
    for _ in 0..40 {
        ask().await.unwrap();
    }
    assert!(started_at.elapsed() < 20 * TIME_LIMIT, "{:?}", started_at.elapsed());

    redis.resume();
    for instance in [service.axum, service.actix] {
        let (requests, _) = service.until_it_passes(instance).await;
        assert!(requests <= 20, "{requests} requests");
    }
}

/// Where Redis refuses commands, another connection may find a server that accepts them: the new
/// primary, or the same one after a repair.
#[tokio::test]
async fn a_redis_that_refuses_is_tried_again() {
    let Some(redis) = RedisServer::start() else { return };
    let service = Service::start(|| patient(&redis)).await;
    for (breaks, repairs) in [
        ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
        ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
        ("ACL SETUSER default -set", "ACL SETUSER default +set"),
    ] {
        service.until_it_passes(service.axum).await;
        redis.ask::<()>(breaks);
        let refused = service.code(service.axum, &service.proof()).await;
        assert_eq!(refused, "replay_store_unavailable", "{breaks}");
        redis.ask::<()>(repairs);
        service.until_it_passes(service.axum).await;
    }
}

/// A password that is wrong at first may be set in Redis later.
#[tokio::test]
async fn a_password_can_be_corrected() {
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
