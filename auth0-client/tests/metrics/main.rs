//! The metrics. A program of its own, because the recorder is that of the process.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails panics"
)]
#[path = "../cases/kit.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod kit;

use kit::{API, Answer, Server, run};
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use std::collections::BTreeMap;

/// Returns all values by name and labels.
fn values(snapshotter: &Snapshotter) -> BTreeMap<String, f64> {
    let all = snapshotter.snapshot().into_vec().into_iter();
    all.map(|(key, _, _, value)| {
        let key = key.key();
        let labels: Vec<_> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        let value = match value {
            DebugValue::Counter(count) => f64::from(u32::try_from(count).unwrap()),
            DebugValue::Gauge(value) => value.into_inner(),
            DebugValue::Histogram(_) => 0.0,
        };
        (format!("{}{{{}}}", key.name(), labels.join(",")), value)
    })
    .collect()
}

#[tokio::test]
async fn requests_and_limits() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    recorder.install().unwrap();

    let quota = "b=per_hour;q=10;r=7;t=3540,b=per_day;q=50;r=47;t=43200";
    let server = Server::answering([
        Answer::token("a")
            .with("auth0-client-quota-limit", quota)
            .with("auth0-organization-quota-limit", "b=per_hour;q=5;r=0;t=60")
            .with("x-ratelimit-remaining", "99")
            .with("x-ratelimit-reset", "1"),
        Answer::error(503, "x"),
        Answer::error(503, "x"),
        Answer::error(400, "invalid_grant"),
        Answer::error(401, "invalid_client").with("auth0-client-quota-limit", "malformed"),
    ]);
    let client = server.client();
    for _ in 0..2 {
        client.machine(API).build().unwrap().token().await.unwrap();
    }
    run(&server, client.machine("https://b.acme.com").build().unwrap().token()).await.unwrap_err();
    run(&server, client.refresh("r").send()).await.unwrap_err();
    run(&server, client.machine("https://c.acme.com").build().unwrap().token()).await.unwrap_err();

    let values = values(&snapshotter);
    for (name, expected) in [
        ("auth0_client_requests_total{grant=client_credentials,outcome=success}", 1.0),
        ("auth0_client_requests_total{grant=client_credentials,outcome=unavailable}", 1.0),
        ("auth0_client_requests_total{grant=client_credentials,outcome=invalid_client}", 1.0),
        ("auth0_client_requests_total{grant=refresh_token,outcome=invalid_grant}", 1.0),
        ("auth0_client_cache_hits_total{grant=client_credentials}", 1.0),
        ("auth0_client_rate_limit_remaining{}", 99.0),
        ("auth0_client_quota_remaining{of=client,bucket=per_hour}", 7.0),
        ("auth0_client_quota_remaining{of=client,bucket=per_day}", 47.0),
        ("auth0_client_quota_remaining{of=organization,bucket=per_hour}", 0.0),
    ] {
        assert_eq!(values.get(name), Some(&expected), "{name} in {values:#?}");
    }
}
