//! What stands in Redis.
use crate::service::{API, Service, authenticate, bound_token, patient, proof, verifier};
use auth0_axum::testing::Tenant;
use std::time::Duration;
use wire_tests::redis_server::RedisServer;

#[tokio::test]
async fn keys_reveal_nothing_and_expire() {
    let Some(redis) = RedisServer::start() else { return };
    let service = Service::start(|| patient(&redis).prefix("acme:")).await;
    let ahead = service.tenant.proof("GET", &format!("{API}/token")).for_token(&service.token);
    for (proof, lifetime) in [
        (service.proof(), 300),
        (ahead.clone().aged(Duration::from_secs(100)).mint(), 200),
        (ahead.ahead(Duration::from_secs(30)).mint(), 330),
    ] {
        redis.ask::<()>("FLUSHALL");
        assert_eq!(service.code(service.axum, &proof).await, "");
        let keys: Vec<String> = redis.ask("KEYS *");
        assert_eq!(keys.len(), 1, "{keys:?}");
        let hash = keys[0].strip_prefix("acme:").unwrap();
        assert_eq!(hash.len(), 64);
        assert!(hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{hash}");
        let left: u64 = redis.ask(&format!("PTTL {}", keys[0]));
        let most = (lifetime + 60) * 1000;
        assert!((most - 20_000..=most).contains(&left), "{left} of {most}");
        let value: Vec<u8> = redis.ask(&format!("GET {}", keys[0]));
        assert_eq!(value.len(), 16, "{value:?}");
    }
    let stale = service.proof();
    service.tenant.clock().advance(Duration::from_secs(301));
    assert_eq!(service.code(service.axum, &stale).await, "dpop_proof_invalid");

    // Services that share a Redis but not a prefix do not share proofs.
    let tenant = Tenant::new();
    let token = bound_token(&tenant);
    let proof = proof(&tenant, &token);
    for prefix in ["a:", "b:"] {
        let auth = verifier(&tenant, patient(&redis).prefix(prefix));
        authenticate(&auth, &token, &proof).await.unwrap();
    }
}
