//! Connections to Redis: they belong to no runtime of a request, and they break without harm.
use crate::service::{authenticate, bound_token, patient, proof, store, verifier};
use auth0_axum::{Auth0, ErrorCode, testing::Tenant};
use auth0_redis::RedisReplayStore;
use std::{
    future::{Future as _, poll_fn},
    pin::pin,
    sync::mpsc,
    task::Poll,
    thread,
    time::Duration,
};
use wire_tests::{network::Network, redis_server::RedisServer};

/// actix-web has a runtime for each worker. One that is busy or has ended does not affect the others.
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
            // Connections of this runtime would wait here.
            wait_for_end.recv().unwrap();
        });
        wait_until_busy.recv().unwrap();
        drop(ask(auth));
        end.send(()).unwrap();
    });
}

/// A request that is dropped while it waits does not affect later ones.
#[tokio::test]
async fn dropped_requests_do_not_affect_others() {
    let Some(redis) = RedisServer::start() else { return };
    let tenant = Tenant::new();
    let token = bound_token(&tenant);
    let auth = verifier(&tenant, patient(&redis));
    auth.warm_up().await.unwrap();
    for _ in 0..200 {
        let proof = proof(&tenant, &token);
        let mut dropped = pin!(authenticate(&auth, &token, &proof));
        poll_fn(|context| Poll::Ready(dropped.as_mut().poll(context).is_ready())).await;
    }
    authenticate(&auth, &token, &proof(&tenant, &token)).await.unwrap();
}

/// The network between a service and its Redis closes connections while they are idle, closes them
/// before the answer, or discards what is sent.
#[tokio::test]
async fn broken_connections_do_no_harm() {
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
        assert_eq!(ask(&patient, &proof()).await, Ok(()), "the proof is not refused");
        network.break_all().await;
        assert_eq!(ask(&patient, &used).await, Err(ErrorCode::DpopProofReplayed));
    }

    // Closed when Redis has run the command and its answer is on the way.
    for _ in 0..3 {
        network.eat_next_answer();
        let proof = proof();
        assert_eq!(ask(&patient, &proof).await, Ok(()), "this request used it");
        assert_eq!(ask(&patient, &proof).await, Err(ErrorCode::DpopProofReplayed));
        network.eat_next_answer();
        assert_eq!(ask(&patient, &used).await, Err(ErrorCode::DpopProofReplayed));
    }

    // Discarded: one request detects it, not TCP.
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
        assert!(tries < 10, "the dead connection is still in use");
    }
}
