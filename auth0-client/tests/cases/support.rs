//! Calls of an API of the tenant, such as the My Account API.
use crate::kit::{Answer, ISSUER, Server, part, run, settle};
use auth0_client::{
    Client, Error, ErrorKind, ProofKey, Token,
    support::{KeptToken, call_api, token},
};
use auth0_core::{time::Clock, transport::HttpResponse};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(10);

const USE_NONCE: &str = r#"DPoP error="use_dpop_nonce""#;

/// A client with a key, and a token that is bound to it.
fn bound(server: &Server) -> (Client, Token) {
    let key = ProofKey::generate().unwrap();
    let client = server.builder().client_secret("s").dpop(key).build().unwrap();
    let now = server.clock.moment();
    let expires_at = now.unix_time + Duration::from_secs(3600);
    let kept = KeptToken { access_token: "of-ann", scope: "", is_dpop: true, expires_at };
    let token = token(&client, &kept, now);
    (client, token)
}

async fn call((client, token): &(Client, Token)) -> Result<HttpResponse, Error> {
    let url = format!("{ISSUER}me/v1/connected-accounts/accounts");
    call_api(client, token, "GET", url, None, LIMIT).await
}

fn nonces(server: &Server) -> Vec<Option<String>> {
    let nonce = |proof: &str| Some(part(proof, 1).get("nonce")?.as_str()?.to_owned());
    server.seen().iter().map(|seen| nonce(seen.header("dpop"))).collect()
}

#[tokio::test]
async fn the_nonce_of_each_answer_is_kept() {
    let server = Server::answering([
        Answer::json(401, "").with("www-authenticate", USE_NONCE).with("dpop-nonce", "n1"),
        Answer::json(200, "{}").with("dpop-nonce", "n2"),
        // Not the first challenge.
        Answer::error(401, "use_dpop_nonce")
            .with("www-authenticate", "Bearer")
            .with("dpop-nonce", "n3"),
        Answer::json(200, "{}"),
    ]);
    let bound = bound(&server);
    for _ in 0..2 {
        assert_eq!(call(&bound).await.unwrap().status(), 200);
    }
    let expected = [None, Some("n1"), Some("n2"), Some("n3")];
    assert_eq!(nonces(&server), expected.map(|nonce| nonce.map(str::to_owned)));
}

#[tokio::test]
async fn a_refused_token_is_not_sent_again() {
    let refused = r#"DPoP error="invalid_token""#;
    let answer = Answer::json(401, "").with("www-authenticate", refused).with("dpop-nonce", "n1");
    let server = Server::answering([answer]);
    assert_eq!(call(&bound(&server)).await.unwrap().status(), 401);
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn both_attempts_share_the_limit() {
    let challenge =
        Answer::json(401, "").with("www-authenticate", USE_NONCE).with("dpop-nonce", "n1");
    let (release, held) = Answer::held(challenge);
    let server = Server::answering([Answer::json(200, "{}"), held, Answer::Hang]);
    let bound = bound(&server);
    // The thread runs.
    call(&bound).await.unwrap();
    let call = tokio::spawn(async move { call(&bound).await });
    while server.count() < 2 {
        settle().await;
    }
    server.clock.advance(Duration::from_secs(6));
    release.send(true).unwrap();
    let error = run(&server, call).await.unwrap().unwrap_err();
    assert_eq!((error.kind(), server.count()), (ErrorKind::DeadlineExceeded, 3));
    assert_eq!(server.clock.passed(), LIMIT);
}
