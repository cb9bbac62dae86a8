//! What answers of the token endpoint mean for a session, beyond the tokens that they have.
use crate::{
    cookies::FULL_COOKIES,
    world::{in_cookies_and_store, location, on_both},
};
use serde_json::json;
use std::time::Duration;

const TOKEN: &str = "/session?audience=https://billing.test";
const OTHER: &str = "/session?audience=https://other.test";

/// An answer without `scope` grants what was requested (RFC 6749 §5.1).
#[tokio::test]
async fn an_answer_without_scope_grants_what_was_requested() {
    in_cookies_and_store(
        |login| login.scopes(["openid", "offline_access", "read:invoices"]),
        async |world| {
            world.provider.answers(|mut answer| {
                answer.as_object_mut().unwrap().remove("scope");
                answer
            });
            world.log_in("auth0|ann").await;
            for refreshes in 0..3 {
                let answer = world.fetch(&format!("{TOKEN}&scope=read:invoices")).await;
                assert_eq!(answer.status, 200);
                assert_eq!(world.provider.refreshes(), refreshes);
                // A renewal without scopes is one with those of the login (§6).
                world.pass(Duration::from_secs(600));
                assert_eq!(world.fetch(TOKEN).await.status, 200);
            }
            // What was not requested is not granted.
            let answer = world.fetch(&format!("{TOKEN}&scope=write:invoices")).await;
            assert_eq!(answer.status, 200);
            assert_eq!(world.provider.refreshes(), 4);
        },
    )
    .await;
}

/// The provider gave less at the login than was requested, and a renewal says nothing about it.
#[tokio::test]
async fn a_renewal_without_scope_grants_what_the_login_has_granted() {
    in_cookies_and_store(
        |login| login.scopes(["openid", "offline_access", "read:invoices", "write:invoices"]),
        async |world| {
            world.log_in("auth0|ann").await;
            world.provider.answers(|mut answer| {
                answer.as_object_mut().unwrap().remove("scope");
                answer
            });
            world.pass(Duration::from_secs(600));
            assert_eq!(world.fetch(TOKEN).await.status, 200);
            assert_eq!(world.fetch(&format!("{TOKEN}&scope=read:invoices")).await.status, 200);
            assert_eq!(world.provider.refreshes(), 1);
            assert_eq!(world.fetch(&format!("{TOKEN}&scope=write:invoices")).await.status, 200);
            assert_eq!(world.provider.refreshes(), 2, "it is asked for");
        },
    )
    .await;
}

/// The provider wants to see the user: it answers so at its token endpoint (OpenID Connect Core 1.0 §3.1.2.6).
#[tokio::test]
async fn a_renewal_that_needs_the_user_asks_for_a_login() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            world.pass(Duration::from_secs(600));
            for code in ["interaction_required", "login_required", "consent_required"] {
                for status in [400, 403] {
                    world.provider.refuse(Some((status, json!({ "error": code }))));
                    let answer = world.fetch(TOKEN).await;
                    assert_eq!(answer.status, 401, "{code}: {answer:?}");
                    assert!(answer.body.contains("login_required"), "{code}: {answer:?}");
                    let answer = world.open(TOKEN).await;
                    assert_eq!(answer.status, 303, "{code}: {answer:?}");
                    assert!(location(&answer).starts_with("/auth/login?returnTo="), "{code}");
                }
            }
            // A refusal is another thing.
            world.provider.refuse(Some((403, json!({ "error": "access_denied" }))));
            assert_eq!(world.fetch(TOKEN).await.status, 403);
            // Nothing was lost.
            world.provider.refuse(None);
            assert_eq!(world.fetch(TOKEN).await.status, 200);
            // A login that has just been does not bring more: the browser is not sent around.
            world.log_in("auth0|ann").await;
            world.provider.refuse(Some((400, json!({ "error": "interaction_required" }))));
            assert_eq!(world.open(OTHER).await.status, 500);
        },
    )
    .await;
}

/// Tokens of many APIs fill the cookies: those that have expired go, and then the oldest.
#[tokio::test]
async fn access_tokens_make_room_in_the_cookies() {
    let _turn = FULL_COOKIES.lock().await;
    on_both(
        |login| login,
        async |world| {
            world.provider.answers(|mut answer| {
                let token = answer["access_token"].as_str().unwrap().to_owned();
                answer["access_token"] = format!("{token}-{}", "x".repeat(3_000)).into();
                answer
            });
            world.log_in("auth0|ann").await;
            let api = |number: usize| format!("/session?audience=https://api{number}.test");
            for number in 0..8 {
                let answer = world.fetch(&api(number)).await;
                assert_eq!(answer.status, 200, "{number}: {}", answer.body.len());
            }
            assert_eq!(world.user().await, "auth0|ann");
            // The newest are kept, and the oldest are requested anew.
            let refreshes = world.provider.refreshes();
            assert_eq!(world.fetch(&api(7)).await.status, 200);
            assert_eq!(world.provider.refreshes(), refreshes);
            assert_eq!(world.fetch(&api(0)).await.status, 200);
            assert_eq!(world.provider.refreshes(), refreshes + 1);
            // After their time, one token is all that there is.
            world.pass(Duration::from_secs(600));
            assert_eq!(world.fetch(TOKEN).await.status, 200);
            assert!(world.browser.names().len() <= 2, "{:?}", world.browser.names());
        },
    )
    .await;
}
