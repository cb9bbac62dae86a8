//! Proofs that are sent again.
use crate::client::{Mode, check, decoded, minted, start};
use auth0_axum::{
    Algorithm, Dpop,
    testing::{SigningKey, Tenant},
};
use std::time::Duration;

/// A request uses its proof once, however many extractors and layers it has. A second request is refused.
#[tokio::test]
async fn a_proof_is_used_once() {
    let tenant = Tenant::new();
    for (server, mut client) in start(&tenant, Dpop::required()).await {
        let token = tenant.token().subject("auth0|ann").scope("read:messages");
        client.token = token.organization("org_a1", "acme").bound_to(&tenant.client_key()).mint();
        for path in ["/token", "/layer", "/organization-extractor", "/maybe", "/nested/token"] {
            let proof = minted(client.proof_for(path));
            let answer = client.ask(path, "DPoP", &[&proof]).await;
            assert_eq!(answer.status, 200, "{server} {path}: {answer:?}");
            let answer = client.ask(path, "DPoP", &[&proof]).await;
            check(server, &answer, Mode::Required, "DPoP", "dpop_proof_replayed", "");
            // The same identifier, signed once more.
            let payload = decoded(std::str::from_utf8(&proof).unwrap().split('.').nth(1).unwrap());
            let again = minted(client.proof_for(path).claim("jti", &payload["jti"]));
            let answer = client.ask(path, "DPoP", &[&again]).await;
            check(server, &answer, Mode::Required, "DPoP", "dpop_proof_replayed", "");
            // An identifier belongs to one key and one URL.
            let other = if path == "/token" { "/nested/token" } else { "/token" };
            let elsewhere = minted(client.proof_for(other).claim("jti", &payload["jti"]));
            assert_eq!(client.ask(other, "DPoP", &[&elsewhere]).await.status, 200, "{server}");
        }
        let without_prefix = minted(client.proof_for("/token"));
        let answer = client.ask("/nested/token", "DPoP", &[&without_prefix]).await;
        check(server, &answer, Mode::Required, "DPoP", "dpop_proof_invalid", "");
        // A refusal by the requirement uses up the proof too, and stands on the same line.
        client.token = tenant.token().bound_to(&tenant.client_key()).mint();
        let proof = minted(client.proof_for("/scope"));
        let answer = client.ask("/scope", "DPoP", &[&proof]).await;
        let scope = ", scope=\"read:messages\"";
        check(server, &answer, Mode::Required, "DPoP", "insufficient_scope", scope);
    }
}

#[tokio::test]
async fn a_full_store_refuses_and_forgets_nothing() {
    let tenant = Tenant::new();
    for (server, client) in start(&tenant, Dpop::allowed().replay_capacity(3)).await {
        let proofs: Vec<Vec<u8>> = (0..3).map(|_| minted(client.proof())).collect();
        for proof in &proofs {
            assert_eq!(client.ask("/token", "DPoP", &[proof]).await.status, 200, "{server}");
        }
        let answer = client.ask("/token", "DPoP", &[&minted(client.proof())]).await;
        check(server, &answer, Mode::Allowed, "DPoP", "replay_store_unavailable", "");
        for proof in &proofs {
            let answer = client.ask("/token", "DPoP", &[proof]).await;
            check(server, &answer, Mode::Allowed, "DPoP", "dpop_proof_replayed", "");
        }
        tenant.clock().advance(Duration::from_secs(301));
        let answer = client.ask("/token", "DPoP", &[&minted(client.proof())]).await;
        assert_eq!(answer.status, 200, "{server}: the old proofs are gone");
    }
}

/// One client sends as many proofs as it can: it gets `503`, another client does not.
#[tokio::test]
async fn one_client_does_not_fill_the_store_for_others() {
    let tenant = Tenant::new();
    for (server, mut client) in start(&tenant, Dpop::allowed().replay_capacity(100)).await {
        for number in 0..15 {
            let proof = minted(client.proof());
            let answer = client.ask("/token", "DPoP", &[&proof]).await;
            if number < 10 {
                assert_eq!(answer.status, 200, "{server} {number}");
            } else {
                check(server, &answer, Mode::Allowed, "DPoP", "replay_store_unavailable", "");
            }
        }
        // Another token of the same key does not help.
        let first = client.token.clone();
        client.token = tenant.token().subject("auth0|ben").bound_to(&tenant.client_key()).mint();
        let answer = client.ask("/token", "DPoP", &[&minted(client.proof())]).await;
        check(server, &answer, Mode::Allowed, "DPoP", "replay_store_unavailable", "");

        let other = SigningKey::generate(Algorithm::ES256).unwrap();
        client.token = tenant.token().subject("auth0|eve").bound_to(&other).mint();
        let proof = minted(client.proof().key(&other));
        assert_eq!(client.ask("/token", "DPoP", &[&proof]).await.status, 200, "{server}");

        tenant.clock().advance(Duration::from_secs(301));
        client.token = first;
        let answer = client.ask("/token", "DPoP", &[&minted(client.proof())]).await;
        assert_eq!(answer.status, 200, "{server}: a new period");
    }
}
