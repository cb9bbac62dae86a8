//! An issuer that cannot be reached.
use auth0_axum::testing::{Failure, Tenant};
use std::time::Duration;
use wire_tests::{client::get, refusals::Refusal, servers};

/// The issuer is down when the service starts: the response is 503 at once, and 200 after its recovery.
#[tokio::test]
async fn an_outage_is_503_and_passes() {
    let tenant = Tenant::new();
    tenant.fail(Failure::Unreachable);
    let servers = servers::start(|| tenant.auth0()).await;
    let authorization = format!("Bearer {}", tenant.token().subject("auth0|ann").mint());
    let lines = [("authorization", authorization.as_bytes())];
    let refusal = Refusal::of("keys_unavailable");
    assert_eq!((refusal.status, &*refusal.error), (503, "temporarily_unavailable"));
    let body = refusal.body();
    let mut answers = Vec::new();
    for (server, address) in servers {
        for path in ["/token", "/maybe", "/layer"] {
            let answer = get(address, path, &lines).await;
            assert_eq!((answer.status, answer.body.as_str()), (503, body.as_str()), "{server}");
            assert_eq!(answer.lines("retry-after"), ["1"], "{server}");
            assert!(answer.lines("www-authenticate").is_empty(), "the token may be valid");
            answers.push(answer);
        }
        let anonymous = get(address, "/maybe", &[]).await;
        assert_eq!(anonymous.status, 200, "{server}: without a token, no keys are needed");
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));

    tenant.recover();
    tenant.clock().advance(Duration::from_secs(3));
    for (server, address) in servers {
        assert_eq!(get(address, "/token", &lines).await.status, 200, "{server}");
    }
}
