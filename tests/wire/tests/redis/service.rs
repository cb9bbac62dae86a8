//! The service of these tests: instances that share a Redis.
use auth0_axum::{
    Auth0, Dpop, ErrorCode,
    auth0_core::adapter::{Connection, HeaderLines, HttpParts, RequestView},
    testing::Tenant,
};
use auth0_redis::RedisReplayStore;
use std::{net::SocketAddr, time::Duration};
use wire_tests::{
    client::{Answer, get},
    redis_server::RedisServer,
    servers,
};

pub(crate) const API: &str = "https://api.acme.com";
pub(crate) const TIME_LIMIT: Duration = Duration::from_millis(250);
/// What other tests on the machine may add to that.
pub(crate) const SLACK: Duration = Duration::from_secs(2);

/// Two instances of one API: each has its own verifier and store.
pub(crate) struct Service {
    pub(crate) tenant: Tenant,
    pub(crate) token: String,
    pub(crate) axum: SocketAddr,
    pub(crate) actix: SocketAddr,
}

impl Service {
    pub(crate) async fn start(store: impl Fn() -> RedisReplayStore) -> Self {
        let tenant = Tenant::new();
        let [(_, axum), (_, actix), _] = servers::start(|| verifier(&tenant, store())).await;
        let token = bound_token(&tenant);
        Self { tenant, token, axum, actix }
    }

    pub(crate) fn proof(&self) -> String {
        proof(&self.tenant, &self.token)
    }

    pub(crate) async fn ask(&self, instance: SocketAddr, proof: &str) -> Answer {
        let authorization = format!("DPoP {}", self.token);
        let lines = [("authorization", authorization.as_bytes()), ("dpop", proof.as_bytes())];
        get(instance, "/token", &lines).await
    }

    /// Returns the code of a refusal, or an empty string for a proof that passes.
    pub(crate) async fn code(&self, instance: SocketAddr, proof: &str) -> String {
        code(&self.ask(instance, proof).await)
    }

    /// Sends new proofs until one passes. Returns the number of requests, and the code of the last
    /// refusal.
    pub(crate) async fn until_it_passes(&self, instance: SocketAddr) -> (usize, String) {
        let mut last = String::new();
        for number in 1..=200 {
            let code = self.code(instance, &self.proof()).await;
            if code.is_empty() {
                return (number, last);
            }
            last = code;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no proof passes: {last}");
    }
}

pub(crate) fn verifier(tenant: &Tenant, store: RedisReplayStore) -> Auth0 {
    let dpop = Dpop::allowed().replay_store(store);
    tenant.builder().public_url(API).dpop(dpop).build().unwrap()
}

pub(crate) fn bound_token(tenant: &Tenant) -> String {
    tenant.token().subject("auth0|ann").bound_to(&tenant.client_key()).mint()
}

pub(crate) fn proof(tenant: &Tenant, token: &str) -> String {
    tenant.proof("GET", &format!("{API}/token")).for_token(token).mint()
}

pub(crate) fn code(answer: &Answer) -> String {
    let body: serde_json::Value = match answer.status {
        200 => return String::new(),
        _ => serde_json::from_str(&answer.body).unwrap(),
    };
    body["error_code"].as_str().unwrap().to_owned()
}

pub(crate) fn store(redis: &RedisServer) -> RedisReplayStore {
    RedisReplayStore::new(redis.url()).unwrap()
}

/// A store that waits for Redis even on a slow machine.
pub(crate) fn patient(redis: &RedisServer) -> RedisReplayStore {
    store(redis).time_limit(Duration::from_secs(10))
}

pub(crate) type Outcome = Result<(), ErrorCode>;

/// Verifies a request without a server.
pub(crate) async fn authenticate(auth: &Auth0, token: &str, proof: &str) -> Outcome {
    let authorization = format!("DPoP {token}");
    let request = RequestView::new()
        .authorization([authorization.as_bytes()])
        .proof([proof.as_bytes()])
        .parts(&Parts);
    auth.authenticate(&request).await.map(|_| ()).map_err(|error| error.code())
}

/// `GET /token` at a service with a configured URL.
struct Parts;

impl HttpParts for Parts {
    fn method(&self) -> &str {
        "GET"
    }
    fn path(&self) -> &str {
        "/token"
    }
    fn scheme(&self) -> Option<&str> {
        None
    }
    fn authority(&self) -> Option<&str> {
        None
    }
    fn header(&self, _: &str) -> HeaderLines<'_> {
        HeaderLines::Absent
    }
    fn connection(&self) -> Connection {
        Connection::new()
    }
}
