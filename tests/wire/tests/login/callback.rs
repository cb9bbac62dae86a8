//! The callback.
use crate::world::{HOUR, MINUTE, in_cookies_and_store, location, on_both, query};
use auth0_axum::{
    Algorithm,
    testing::{SigningKey, TokenBuilder},
};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn a_callback_without_its_login() {
    on_both(
        |login| login,
        async |world| {
            let answer = world.open("/auth/callback?code=x").await;
            assert_eq!(answer.status, 400);
            assert!(answer.body.contains("<h1>This is not a login</h1>"));
            // A state of another browser: one new login, and no session.
            let mut victim = world.other_browser();
            let authorize = world.start("/auth/login").await;
            let query_of_attacker = world.provider.authorize(&authorize, "auth0|mallory");
            let answer = victim.open(&format!("/auth/callback?{query_of_attacker}")).await;
            let again = location(&answer).to_owned();
            assert!(
                again.contains("/authorize?") && query(&again)["state"].starts_with("r."),
                "{again}"
            );
            assert_eq!(victim.open("/").await.body, "nobody");
            assert!(world.provider.forms("oauth/token").is_empty(), "the code was not exchanged");
            // A browser without cookies comes back, and is not sent around again.
            let mut without_cookies = world.other_browser();
            let back = world.provider.authorize(&again, "auth0|bob");
            let answer = without_cookies.open(&format!("/auth/callback?{back}")).await;
            assert_eq!(answer.status, 400);
            assert!(answer.body.contains("Allow cookies"), "{}", answer.body);
            // With cookies, the second login succeeds.
            let back = world.provider.authorize(&again, "auth0|bob");
            assert_eq!(victim.open(&format!("/auth/callback?{back}")).await.status, 303);
            assert_eq!(victim.open("/").await.body, "auth0|bob");
        },
    )
    .await;
}

#[tokio::test]
async fn a_callback_is_used_twice() {
    on_both(
        |login| login,
        async |world| {
            let authorize = world.start("/auth/login?returnTo=/me").await;
            let back =
                format!("/auth/callback?{}", world.provider.authorize(&authorize, "auth0|ann"));
            assert_eq!(location(&world.open(&back).await), "/me");
            // With a session: the button "back".
            let answer = world.open(&back).await;
            assert_eq!((answer.status, location(&answer)), (303, "/"));
            assert_eq!(world.user().await, "auth0|ann");
            // Without one.
            world.browser.jar.clear();
            assert!(location(&world.open(&back).await).contains("/authorize?"));
            assert_eq!(world.provider.forms("oauth/token").len(), 1);
        },
    )
    .await;
}

#[tokio::test]
async fn a_login_is_given_up_after_an_hour() {
    on_both(
        |login| login,
        async |world| {
            let authorize = world.start("/auth/login").await;
            let jar = world.browser.jar.clone();
            world.pass(HOUR);
            let back =
                format!("/auth/callback?{}", world.provider.authorize(&authorize, "auth0|ann"));
            assert!(location(&world.open(&back).await).contains("/authorize?"));
            // Also if the browser sends the cookie.
            world.browser.jar = jar;
            world.browser.jar.iter_mut().for_each(|cookie| *cookie = cookie.clone());
            assert_eq!(world.user().await, "nobody");
        },
    )
    .await;
}

#[tokio::test]
async fn the_provider_refuses() {
    on_both(|login| login, async |world| {
        let state = query(&world.start("/auth/login").await)["state"].clone();
        let refused = format!(
            "/auth/callback?error=access_denied&error_description=%3Cscript%3Ealert(1)%3C/script%3E&state={state}"
        );
        let answer = world.open(&refused).await;
        assert_eq!(answer.status, 403, "{answer:?}");
        assert!(!answer.body.contains("script"), "{}", answer.body);
        assert!(world.browser.names().is_empty(), "the login has ended");
    })
    .await;
    on_both(
        |login| login.after_error("/failed?x=1"),
        async |world| {
            let state = query(&world.start("/auth/login").await)["state"].clone();
            let answer = world.open(&format!("/auth/callback?error=a%26b&state={state}")).await;
            assert_eq!((answer.status, location(&answer)), (303, "/failed?x=1&error=a%26b"));
        },
    )
    .await;
}

#[tokio::test]
async fn the_code_is_not_exchanged() {
    on_both(
        |login| login,
        async |world| {
            for (status, error, expected) in [
                (400, "invalid_grant", 400),
                (403, "access_denied", 403),
                (401, "invalid_client", 500),
                (429, "too_many_requests", 503),
                (503, "temporarily_unavailable", 503),
            ] {
                let authorize = world.start("/auth/login").await;
                world.provider.refuse(Some((status, json!({ "error": error }))));
                let answer = world.come_back(&authorize, "auth0|ann").await;
                assert_eq!(answer.status, expected, "{error}: {answer:?}");
                assert_eq!(answer.lines("retry-after").is_empty(), expected != 503, "{error}");
                assert!(world.browser.names().is_empty(), "{error}");
                world.provider.refuse(None);
                // A limit is obeyed until it is over.
                world.pass(Duration::from_secs(120));
            }
        },
    )
    .await;
}

#[tokio::test]
async fn another_issuer_comes_back() {
    on_both(
        |login| login,
        async |world| {
            let authorize = world.start("/auth/login").await;
            let back = world.provider.authorize(&authorize, "auth0|ann");
            let (start, _) = back.split_once("&iss=").unwrap();
            let answer =
                world.open(&format!("/auth/callback?{start}&iss=https://evil.test/")).await;
            assert_eq!(answer.status, 400);
            assert!(world.provider.forms("oauth/token").is_empty());
        },
    )
    .await;
}

/// An ID token that is wrong in one way.
#[tokio::test]
async fn id_tokens_that_are_refused() {
    type Wrong = fn(TokenBuilder) -> TokenBuilder;
    const WRONG: &[(&str, Wrong)] = &[
        ("another key", |t| t.signed_by(&SigningKey::generate(Algorithm::RS256).unwrap())),
        ("another algorithm", |t| t.signed_by(&SigningKey::generate(Algorithm::ES256).unwrap())),
        ("another issuer with the same keys", |t| t.issuer("https://custom.acme.test/")),
        ("the issuer without its slash", |t| t.issuer("https://acme.test")),
        ("another audience", |t| t.audience("other")),
        ("several audiences without azp", |t| t.claim("aud", json!(["web", "other"]))),
        ("another azp", |t| t.claim("azp", "other")),
        ("azp is no text", |t| t.claim("azp", json!(["web"]))),
        ("no audience", |t| t.without("aud")),
        ("an empty list of audiences", |t| t.claim("aud", json!([]))),
        ("no nonce", |t| t.without("nonce")),
        ("another nonce", |t| t.claim("nonce", "other")),
        ("a nonce that is no text", |t| t.claim("nonce", 7)),
        ("expired", |t| t.claim("exp", 1)),
        ("no exp", |t| t.without("exp")),
        ("exp is a text", |t| t.claim("exp", "9999999999")),
        ("issued in the future", |t| t.claim("iat", 9_999_999_999_u64)),
        ("no iat", |t| t.without("iat")),
        ("not yet valid", |t| t.claim("nbf", 9_999_999_999_u64)),
        ("no subject", |t| t.without("sub")),
        ("an empty subject", |t| t.claim("sub", "")),
        ("the hash of another access token", |t| t.claim("at_hash", "x")),
        ("at_hash is no text", |t| t.claim("at_hash", 7)),
        ("a logout token", |t| t.claim("events", json!({}))),
        ("the session has ended", |t| t.claim("session_expiry", 1_000_000_000)),
    ];
    on_both(
        |login| login,
        async |world| {
            for (name, wrong) in WRONG {
                world.provider.id_tokens(*wrong);
                let authorize = world.start("/auth/login").await;
                let answer = world.come_back(&authorize, "auth0|ann").await;
                assert_eq!(answer.status, 400, "{name}: {answer:?}");
                assert!(world.browser.names().is_empty(), "{name}");
            }
            world.provider.id_tokens(|token| token);
            world.provider.answers(|mut answer| {
                let token = answer["id_token"].as_str().unwrap().to_owned();
                let (_, rest) = token.split_once('.').unwrap();
                let (payload, _) = rest.split_once('.').unwrap();
                // {"alg":"none"}
                answer["id_token"] = format!("eyJhbGciOiJub25lIn0.{payload}.").into();
                answer
            });
            let authorize = world.start("/auth/login").await;
            assert_eq!(world.come_back(&authorize, "auth0|ann").await.status, 400, "no signature");
            world.provider.answers(|mut answer| {
                answer.as_object_mut().unwrap().remove("id_token");
                answer
            });
            let authorize = world.start("/auth/login").await;
            assert_eq!(world.come_back(&authorize, "auth0|ann").await.status, 500, "no ID token");
        },
    )
    .await;
}

#[tokio::test]
async fn id_tokens_that_are_accepted() {
    type Change = fn(TokenBuilder) -> TokenBuilder;
    const GOOD: &[(&str, Change)] = &[
        ("as it is", |t| t),
        ("a list of one", |t| t.claim("aud", json!(["web"]))),
        ("several audiences with azp", |t| {
            t.claim("aud", json!(["web", "other"])).claim("azp", "web")
        }),
        ("expired for less than the leeway", |t| t.expires_in(Duration::ZERO)),
        ("an end in milliseconds, which is ignored", |t| {
            t.claim("session_expiry", 9_999_999_999_999_u64)
        }),
        ("an end that is no number", |t| t.claim("session_expiry", "soon")),
    ];
    on_both(
        |login| login,
        async |world| {
            for (name, change) in GOOD {
                world.provider.id_tokens(*change);
                let authorize = world.start("/auth/login").await;
                let answer = world.come_back(&authorize, "auth0|ann").await;
                assert_eq!(answer.status, 303, "{name}: {answer:?}");
                assert_eq!(world.user().await, "auth0|ann", "{name}");
            }
        },
    )
    .await;
}

#[tokio::test]
async fn what_was_asked_for_must_be_there() {
    on_both(
        |login| login.organization("Acme"),
        async |world| {
            let names = ["acme", "ACME"];
            for (name, is_good) in
                names.map(|name| (json!(name), true)).into_iter().chain([(json!("other"), false)])
            {
                world.provider.id_tokens(move |token| token.claim("org_name", name.clone()));
                let authorize = world.start("/auth/login").await;
                let answer = world.come_back(&authorize, "auth0|ann").await;
                assert_eq!(answer.status == 303, is_good);
            }
        },
    )
    .await;
    on_both(
        |login| login,
        async |world| {
            let authorize = world.start("/auth/login?organization=org_1").await;
            assert_eq!(world.come_back(&authorize, "auth0|ann").await.status, 400, "no org_id");
            for (id, is_good) in [("org_1", true), ("org_2", false), ("ORG_1", false)] {
                world.provider.id_tokens(move |token| token.organization(id, "acme"));
                let authorize = world.start("/auth/login?organization=org_1").await;
                assert_eq!(
                    world.come_back(&authorize, "auth0|ann").await.status == 303,
                    is_good,
                    "{id}"
                );
            }
        },
    )
    .await;
    on_both(
        |login| login.max_age(MINUTE),
        async |world| {
            use auth0_axum::auth0_core::time::Clock;
            let now = world.provider.tenant().clock().unix_time().as_secs();
            for (ago, is_good) in [(0, true), (60, true), (89, true), (91, false), (3600, false)] {
                world.provider.id_tokens(move |token| token.claim("auth_time", now - ago));
                let authorize = world.start("/auth/login").await;
                assert_eq!(query(&authorize)["max_age"], "60");
                assert_eq!(
                    world.come_back(&authorize, "auth0|ann").await.status == 303,
                    is_good,
                    "{ago}"
                );
            }
            world.provider.id_tokens(|token| token);
            let authorize = world.start("/auth/login").await;
            assert_eq!(world.come_back(&authorize, "auth0|ann").await.status, 400, "no auth_time");
        },
    )
    .await;
}

/// Keys that cannot be fetched are not the fault of the login.
#[tokio::test]
async fn without_keys_a_login_waits() {
    on_both(
        |login| login,
        async |world| {
            let authorize = world.start("/auth/login").await;
            world.provider.key_set_fails(true);
            let answer = world.come_back(&authorize, "auth0|ann").await;
            assert_eq!(answer.status, 503, "{answer:?}");
            assert_eq!(answer.lines("retry-after").len(), 1);
            world.provider.key_set_fails(false);
            world.pass(MINUTE);
            world.log_in("auth0|ann").await;
        },
    )
    .await;
}

/// Claims that nothing needs have any type.
#[tokio::test]
async fn claims_of_an_unexpected_type_lock_no_user_out() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.provider.id_tokens(|token| {
                let token = token.claim("email_verified", "true").claim("picture", json!({}));
                let token =
                    token.claim("org_id", 5).claim("nickname", json!(null)).claim("amr", json!({}));
                token
                    .claim("azp", json!(null))
                    .claim("nbf", json!(null))
                    .claim("events", json!(null))
            });
            world.log_in("auth0|ann").await;
            assert_eq!(world.open("/me").await.body, "Name of auth0|ann");
            world.provider.id_tokens(|token| token.claim("name", 5));
            world.log_in("auth0|ann").await;
            assert_eq!(
                (world.open("/me").await.status, world.user().await.as_str()),
                (200, "auth0|ann")
            );
        },
    )
    .await;
}

/// The metadata says whether the issuer ends with a slash.
#[tokio::test]
async fn the_issuer_is_configured_without_its_slash() {
    on_both(
        |login| login.issuer("https://acme.test"),
        async |world| {
            world.log_in("auth0|ann").await;
            let token =
                world.provider.logout_token().claim("sid", "sid-auth0|ann").without("sub").mint();
            let body = format!("logout_token={}", crate::provider::encoded(&token));
            let lines: [(&str, &[u8]); 1] =
                [("content-type", b"application/x-www-form-urlencoded")];
            let target = "POST /auth/backchannel-logout";
            let answer =
                wire_tests::client::send_body(world.server, target, &lines, body.as_bytes(), false)
                    .await;
            assert_eq!(answer.status, 200);
            assert_eq!(world.user().await, "nobody");
        },
    )
    .await;
}
