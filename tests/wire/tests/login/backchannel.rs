//! Back-channel logout of sessions.
use crate::{
    provider::encoded,
    world::{HOUR, MINUTE, World, in_cookies_and_store, on_both},
};
use auth0_axum::{
    Algorithm, Revocations,
    testing::{SigningKey, TokenBuilder},
};
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;
use wire_tests::client::{self, Answer};

async fn send(world: &World, token: &str) -> Answer {
    let body = format!("logout_token={}&other=x", encoded(token));
    let lines: [(&str, &[u8]); 1] = [("content-type", b"application/x-www-form-urlencoded")];
    let target = "POST /auth/backchannel-logout";
    let answer = client::send_body(world.server, target, &lines, body.as_bytes(), false).await;
    assert_eq!(answer.lines("cache-control"), ["no-store"]);
    answer
}

#[tokio::test]
async fn one_session_of_a_user_ends() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.provider.id_tokens(|token| token.claim("sid", "first"));
            world.log_in("auth0|ann").await;
            let mut first = world.browser.clone();
            world.browser.jar.clear();
            world.provider.id_tokens(|token| token.claim("sid", "second"));
            world.log_in("auth0|ann").await;

            let token =
                world.provider.logout_token().subject("auth0|ann").claim("sid", "first").mint();
            assert_eq!(send(world, &token).await.status, 200);
            assert_eq!(first.open("/").await.body, "nobody");
            assert_eq!(world.user().await, "auth0|ann", "the other one lives");
            assert_eq!(send(world, &token).await.status, 400, "a second time");
            // A session that is not known.
            let token = world.provider.logout_token().claim("sid", "unknown").without("sub").mint();
            assert_eq!(send(world, &token).await.status, 200);
        },
    )
    .await;
}

#[tokio::test]
async fn all_sessions_that_began_before() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            let mut before = world.browser.clone();
            world.browser.jar.clear();
            world.log_in("auth0|bob").await;
            let mut other = world.browser.clone();
            world.browser.jar.clear();
            world.pass(Duration::from_secs(10));
            let token = world.provider.logout_token().subject("auth0|ann").mint();
            world.pass(Duration::from_secs(10));
            world.log_in("auth0|ann").await;

            assert_eq!(send(world, &token).await.status, 200);
            assert_eq!(before.open("/").await.body, "nobody");
            assert_eq!(other.open("/").await.body, "auth0|bob");
            assert_eq!(world.user().await, "auth0|ann", "a later login");
        },
    )
    .await;
}

#[tokio::test]
async fn tokens_that_end_nothing() {
    type Wrong = fn(TokenBuilder) -> TokenBuilder;
    const WRONG: &[(&str, Wrong)] = &[
        ("an ID token", |t| t.without("events").claim("nonce", "x")),
        ("a nonce", |t| t.claim("nonce", "x")),
        ("a nonce that is null", |t| t.claim("nonce", json!(null))),
        ("no events", |t| t.without("events")),
        ("events are an array", |t| t.claim("events", json!([]))),
        ("the event is null", |t| {
            t.claim("events", json!({ "http://schemas.openid.net/event/backchannel-logout": null }))
        }),
        ("expired", |t| t.claim("exp", 1)),
        ("another client", |t| t.audience("other")),
        ("another issuer", |t| t.issuer("https://other.test/")),
        ("another key", |t| t.signed_by(&SigningKey::generate(Algorithm::RS256).unwrap())),
        ("no user and no session", |t| t.without("sub")),
    ];
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            for (name, wrong) in WRONG {
                let token = wrong(world.provider.logout_token().subject("auth0|ann")).mint();
                let answer = send(world, &token).await;
                assert_eq!(answer.status, 400, "{name}");
                assert!(answer.body.contains("invalid_request"), "{name}");
                assert_eq!(world.user().await, "auth0|ann", "{name}");
            }
            let target = "POST /auth/backchannel-logout";
            for (content_type, body, status) in [
                ("application/json", "{}", 415),
                ("application/x-www-form-urlencoded", "", 400),
                ("application/x-www-form-urlencoded", "token=x", 400),
            ] {
                let lines: [(&str, &[u8]); 1] = [("content-type", content_type.as_bytes())];
                let answer =
                    client::send_body(world.server, target, &lines, body.as_bytes(), true).await;
                assert_eq!(answer.status, status, "{content_type} {body}");
            }
            let lines: [(&str, &[u8]); 1] =
                [("content-type", b"application/x-www-form-urlencoded")];
            let long = vec![b'x'; 20_000];
            assert_eq!(
                client::send_body(world.server, target, &lines, &long, false).await.status,
                413
            );
            assert_eq!(world.open("/auth/backchannel-logout").await.status, 405);
        },
    )
    .await;
}

#[tokio::test]
async fn without_keys_the_provider_tries_again() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.provider.key_set_fails(true);
            let token = world.provider.logout_token().subject("auth0|ann").mint();
            let answer = send(world, &token).await;
            assert_eq!(answer.status, 503);
            assert_eq!(answer.lines("retry-after").len(), 1);
            world.provider.key_set_fails(false);
            world.pass(Duration::from_secs(60));
            assert_eq!(send(world, &token).await.status, 200, "it was not used up");
        },
    )
    .await;
}

/// The revocations are for access tokens that live for an hour, and a session lasts longer.
#[tokio::test]
async fn a_session_stays_ended_for_as_long_as_it_could_last() {
    on_both(
        |login| login.revocations(&Revocations::in_memory().max_token_lifetime(HOUR)),
        async |world| {
            world.provider.id_tokens(|token| token.claim("sid", "first"));
            world.log_in("auth0|ann").await;
            let mut copied = world.browser.clone();
            let token = world.provider.logout_token().claim("sid", "first").mint();
            assert_eq!(send(world, &token).await.status, 200);
            assert_eq!(copied.clone().open("/").await.body, "nobody");
            // What has expired makes room for other revocations.
            world.pass(HOUR + 5 * MINUTE);
            for number in 0..100 {
                let token = world.provider.logout_token().subject(&format!("auth0|{number}"));
                let token = token.claim("jti", format!("other {number}")).mint();
                assert_eq!(send(world, &token).await.status, 200);
            }
            assert_eq!(copied.open("/").await.body, "nobody", "a copied cookie");
        },
    )
    .await;
}

/// actix-http reads the body of such a request until the client closes the connection.
#[tokio::test]
async fn a_body_without_end_is_not_awaited() {
    on_both(
        |login| login,
        async |world| {
            let host = format!("host: {}\r\n", world.server);
            let form = ("content-type", &b"application/x-www-form-urlencoded"[..]);
            let websocket = ("upgrade", &b"websocket"[..]);
            for (method, lines, status) in [
                ("CONNECT", vec![], 405),
                ("GET", vec![websocket], 405),
                ("POST", vec![form, websocket], 400),
            ] {
                let target = format!("{method} /auth/backchannel-logout");
                let answer = client::send(world.server, &target, &host, &lines);
                let answer = timeout(Duration::from_secs(10), answer).await.expect("an answer");
                assert_eq!(answer.status, status, "{method}");
            }
        },
    )
    .await;
}
