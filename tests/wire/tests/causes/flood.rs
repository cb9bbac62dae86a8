//! Refusals of a client do not flood the log.
use super::log::{Line, Log};
use auth0_axum::testing::Tenant;
use std::{net::SocketAddr, time::Duration};
use wire_tests::{client::KeptAlive, servers};

async fn flood(server: SocketAddr, requests: usize, path: &str, authorization: &str) {
    let mut client = KeptAlive::connect(server).await;
    for _ in 0..requests {
        let answer = client.get(path, &[("authorization", authorization.as_bytes())]).await;
        assert_ne!(answer.status, 200);
    }
}

fn message(line: &Line) -> &str {
    line.get("message")
}

#[tokio::test]
async fn refusals_beyond_the_rate_are_counted() {
    let log = Log::listen().await;
    let tenant = Tenant::new();
    let servers = servers::start(|| tenant.auth0()).await;
    let expired = format!("Bearer {}", tenant.token().expired().mint());
    let unscoped = format!("Bearer {}", tenant.token().mint());
    for (server, address) in servers {
        log.take();
        for (path, authorization) in [("/token", &expired), ("/scope", &unscoped)] {
            flood(address, 120, path, authorization).await;
            assert_eq!(log.refusals().len(), 20, "{server} {path}");
        }
        // Another code of the same client has a rate of its own.
        flood(address, 1, "/token", "Bearer x").await;
        assert_eq!(log.refusals().len(), 1, "{server}");

        tenant.clock().advance(Duration::from_secs(61));
        flood(address, 1, "/token", &expired).await;
        let lines = log.refusals();
        let [count, refusal] = &*lines else { panic!("{server}: {lines:?}") };
        let text = "100 more refusals with this code were not logged in the last 61 s";
        assert_eq!(message(count), text, "{server}");
        assert_eq!(
            (count.get("error_code"), count.get("issuer")),
            ("token_expired", "https://tenant.test/")
        );
        assert_eq!(message(refusal), "refused an access token", "{server}");
    }
}

#[tokio::test]
async fn every_refusal_is_logged_if_configured() {
    let log = Log::listen().await;
    let tenant = Tenant::new();
    let auth = || tenant.builder().log_every_refusal().build().unwrap();
    for (server, address) in servers::start(auth).await {
        log.take();
        flood(address, 50, "/token", "Bearer x").await;
        assert_eq!(log.refusals().len(), 50, "{server}");
    }
}
