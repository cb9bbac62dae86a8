//! Instances of a service that share their revocations, each with its own clock.
use crate::service::Outcome;
use auth0_axum::{
    Auth0, ErrorCode,
    auth0_core::{
        revocation::{RevocationStore, Revocations},
        time::Clock,
    },
    testing::Tenant,
};
use auth0_redis::RedisRevocationStore;
use std::time::{Duration, Instant};
use wire_tests::redis_server::RedisServer;

/// How soon a revocation, or an outage, must be known everywhere. Other tests on the machine may add `SLACK`.
pub(crate) const PROMISED: Duration = Duration::from_secs(1);
pub(crate) const SLACK: Duration = Duration::from_secs(2);
/// The end of a test that fails.
const LONGEST: Duration = Duration::from_secs(60);

/// One instance: a verifier, and its handle of the revocations.
pub(crate) struct Instance {
    pub(crate) auth: Auth0,
    pub(crate) revocations: Revocations,
}

impl Instance {
    pub(crate) fn start(tenant: &Tenant, redis: &RedisServer, ahead: Duration) -> Self {
        Self::with(tenant, store(redis), ahead)
    }

    pub(crate) fn with(tenant: &Tenant, store: impl RevocationStore, ahead: Duration) -> Self {
        let revocations = Revocations::with_store(store);
        let clock = OwnClock { start: tenant.clock().unix_time() + ahead, started: Instant::now() };
        let auth = tenant.builder().revocations(&revocations).clock(clock).build().unwrap();
        Self { auth, revocations }
    }

    pub(crate) async fn verify(&self, token: &str) -> Outcome {
        self.auth.verify(token).await.map(|_| ()).map_err(|error| error.code())
    }

    /// Verifies until this is the outcome. Returns how long it took.
    pub(crate) async fn until(&self, token: &str, expected: Outcome) -> Duration {
        let started_at = Instant::now();
        loop {
            let outcome = self.verify(token).await;
            if outcome == expected {
                return started_at.elapsed();
            }
            assert!(started_at.elapsed() < LONGEST, "{outcome:?}, not {expected:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

pub(crate) const REVOKED: Outcome = Err(ErrorCode::TokenRevoked);
pub(crate) const UNAVAILABLE: Outcome = Err(ErrorCode::RevocationsUnavailable);

/// Two instances, the second 20 s ahead, and a token.
pub(crate) async fn two(
    redis: &RedisServer,
    store: fn(&RedisServer) -> RedisRevocationStore,
) -> (Tenant, String, [Instance; 2]) {
    let tenant = Tenant::new();
    let token = tenant.token().subject("auth0|ann").mint();
    let ahead = [Duration::ZERO, Duration::from_secs(20)];
    let instances = ahead.map(|ahead| Instance::with(&tenant, store(redis), ahead));
    for instance in &instances {
        instance.until(&token, Ok(())).await;
    }
    (tenant, token, instances)
}

pub(crate) fn store(redis: &RedisServer) -> RedisRevocationStore {
    RedisRevocationStore::new(redis.url()).unwrap()
}

/// A store that waits for Redis even on a slow machine.
pub(crate) fn patient(redis: &RedisServer) -> RedisRevocationStore {
    store(redis).time_limit(Duration::from_secs(10))
}

/// Goes on like the system's clock, from its own start.
#[derive(Debug)]
struct OwnClock {
    start: Duration,
    started: Instant,
}

impl Clock for OwnClock {
    fn unix_time(&self) -> Duration {
        self.start + self.started.elapsed()
    }
    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}
