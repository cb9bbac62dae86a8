//! A proof is used once, whichever instance gets it.
use crate::service::{Outcome, Service, authenticate, bound_token, code, patient, proof, verifier};
use auth0_axum::{ErrorCode, testing::Tenant};
use tokio::task::JoinSet;
use wire_tests::{client::KeptAlive, redis_server::RedisServer};

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

/// The same without sockets: all uses wait for Redis at once.
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
