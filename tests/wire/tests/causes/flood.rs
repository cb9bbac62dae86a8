//! Refusals of a client do not flood the log.
use super::log::{Line, Log};
use auth0_axum::{
    Revocations,
    testing::{Failure, Tenant},
};
use serde_json::json;
use std::{net::SocketAddr, time::Duration};
use wire_tests::{
    client::{KeptAlive, send_body},
    servers,
};

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

/// Forged logout tokens do not hide that genuine ones could not be handled.
#[tokio::test]
async fn refused_logout_tokens_have_a_rate_of_their_own() {
    let log = Log::listen().await;
    let tenant = Tenant::new();
    let revocations = Revocations::in_memory();
    let auth = || tenant.builder().revocations(&revocations).build().unwrap();
    let logout_token = tenant.token().without("azp").audience("web").claim("jti", "l1");
    let event = json!({ "http://schemas.openid.net/event/backchannel-logout": {} });
    let genuine = logout_token.claim("events", event).mint();
    tenant.fail(Failure::Unreachable);
    for (server, address) in servers::start(auth).await {
        let messages = async |token: &str, times| {
            log.take();
            for _ in 0..times {
                let form = [("content-type", &b"application/x-www-form-urlencoded"[..])];
                let body = format!("logout_token={token}");
                let target = "POST /backchannel-logout";
                send_body(address, target, &form, body.as_bytes(), false).await;
            }
            let lines =
                log.take().into_iter().map(|line| format!("{} {}", line.level, message(&line)));
            lines.filter(|line| line.contains("logout token")).collect::<Vec<_>>()
        };
        let refused = "WARN refused a logout token";
        assert_eq!(messages("forged", 25).await, [refused; 20], "{server}");
        let failed = "ERROR a logout token could not be handled";
        assert_eq!(messages(&genuine, 1).await, [failed], "{server}");
        tenant.clock().advance(Duration::from_secs(61));
        let more = "INFO 5 more refused logout tokens were not logged in the last 61 s";
        assert_eq!(messages("forged", 1).await, [more, refused], "{server}");
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
