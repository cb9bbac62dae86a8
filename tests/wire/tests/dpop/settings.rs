//! Nonces and other algorithms, where they are configured.
use crate::client::{Mode, check, minted, start};
use auth0_axum::{
    Dpop,
    auth0_core::Algorithm,
    dpop::DpopNonces,
    testing::{SigningKey, Tenant},
};
use std::time::Duration;
use wire_tests::client::{Answer, get};

#[tokio::test]
async fn nonces_are_required_and_renewed() {
    let tenant = Tenant::new();
    let period = Duration::from_secs(60);
    let nonces = DpopNonces::with_secret([7; 32]).lifetime(period);
    let dpop = Dpop::required().nonces(nonces).max_age(Duration::from_secs(3600));
    for (server, mut client) in start(&tenant, dpop.clone()).await {
        let token = tenant.token().scope("read:messages");
        client.token = token.bound_to(&tenant.client_key()).mint();
        let ask = async |nonce: Option<&str>| {
            let proof = client.proof_for("/layer");
            let proof = nonce.map_or(proof.clone(), |nonce| proof.nonce(nonce));
            client.ask("/layer", "DPoP", &[&minted(proof)]).await
        };
        let required = |answer: &Answer| {
            check(server, answer, Mode::Required, "DPoP", "dpop_nonce_required", "");
            assert_eq!(answer.lines("dpop-nonce").len(), 1);
            answer.lines("dpop-nonce")[0].to_owned()
        };
        let first = required(&ask(None).await);
        for wrong in ["", "x", &first[1..], &first.to_lowercase(), &format!("{first}A")] {
            assert_eq!(required(&ask(Some(wrong)).await), first);
        }
        let answer = ask(Some(&first)).await;
        assert_eq!((answer.status, answer.lines("dpop-nonce").len()), (200, 0), "{server}");

        tenant.clock().advance(period);
        let answer = ask(Some(&first)).await;
        assert_eq!(answer.status, 200, "{server}: accepted for one more period");
        let second = answer.lines("dpop-nonce")[0].to_owned();
        assert_ne!(first, second);
        assert_eq!(ask(Some(&second)).await.lines("dpop-nonce").len(), 0, "{server}");

        tenant.clock().advance(period);
        let third = required(&ask(Some(&first)).await);
        assert!(third != first && third != second);
        assert_eq!(ask(Some(&second)).await.status, 200, "{server}");
    }
    // Another instance with the same secret accepts them, one with another does not.
    let clients = start(&tenant, dpop).await;
    let (_, client) = &clients[0];
    let answer = client.ask("/token", "DPoP", &[&minted(client.proof())]).await;
    let nonce = answer.lines("dpop-nonce")[0].to_owned();
    let (_, same) =
        &start(&tenant, Dpop::required().nonces(DpopNonces::with_secret([7; 32]).lifetime(period)))
            .await[0];
    let proof = minted(same.proof().nonce(&nonce));
    assert_eq!(same.ask("/token", "DPoP", &[&proof]).await.status, 200);
    let (_, other) =
        &start(&tenant, Dpop::required().nonces(DpopNonces::per_process().lifetime(period))).await
            [0];
    let proof = minted(other.proof().nonce(&nonce));
    let answer = other.ask("/token", "DPoP", &[&proof]).await;
    check("axum", &answer, Mode::Required, "DPoP", "dpop_nonce_required", "");
}

/// Other algorithms, if they are on the list.
#[tokio::test]
async fn algorithms_are_accepted_and_advertised_as_configured() {
    use Algorithm::{ES256, ES384, EdDSA, PS256, RS256};
    let tenant = Tenant::new();
    let algorithms = [RS256, PS256, ES384, EdDSA, ES256];
    for (server, mut client) in start(&tenant, Dpop::allowed().algorithms(algorithms)).await {
        for algorithm in algorithms {
            let key = SigningKey::generate(algorithm).unwrap();
            client.token = tenant.token().bound_to(&key).mint();
            for _ in 0..2 {
                let proof = minted(client.proof().key(&key));
                let answer = client.ask("/token", "DPoP", &[&proof]).await;
                assert_eq!(answer.status, 200, "{server} {algorithm}: {answer:?}");
            }
            // The header names another algorithm.
            if algorithm == RS256 {
                let proof = minted(client.proof().key(&key).algorithm(PS256));
                assert_eq!(client.ask("/token", "DPoP", &[&proof]).await.status, 200, "an RSA key");
                let proof = minted(client.proof().key(&key).algorithm(ES256));
                assert_eq!(client.ask("/token", "DPoP", &[&proof]).await.status, 401, "{server}");
            }
        }
        let answer = get(client.server, "/token", &[]).await;
        let expected = ["Bearer", "DPoP algs=\"RS256 PS256 ES384 EdDSA ES256\""];
        assert_eq!(answer.lines("www-authenticate"), expected, "{server}");
    }
}
