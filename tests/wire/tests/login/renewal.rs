//! Tokens of the user, and their renewal. The provider rotates refresh tokens, and accepts each once.
use crate::world::{HOUR, World, in_cookies_and_store, on_both};
use serde_json::json;
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

const TOKEN: &str = "/session?audience=https://billing.test";
const OTHER: &str = "/session?audience=https://other.test";

#[tokio::test]
async fn a_token_comes_from_the_session_while_it_is_good() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            assert_eq!(world.fetch(TOKEN).await.status, 401);
            world.log_in("auth0|ann").await;
            let first = world.fetch(TOKEN).await.body;
            assert!(first.contains("auth0|ann"), "{first}");
            world.pass(Duration::from_secs(539));
            assert_eq!(world.fetch(TOKEN).await.body, first);
            assert_eq!(world.provider.refreshes(), 0);
            world.pass(Duration::from_secs(2));
            let second = world.fetch(TOKEN).await.body;
            assert_ne!(second, first);
            assert_eq!(world.fetch(TOKEN).await.body, second);
            assert_eq!(world.provider.refreshes(), 1);
            // The audience of the login is the refresh token's own.
            let refresh = world.provider.forms("oauth/token").pop().unwrap();
            assert!(!refresh.contains_key("audience") && !refresh.contains_key("scope"));
        },
    )
    .await;
}

/// Twenty requests of one browser, sent at once.
async fn at_once(world: &mut World, paths: &[&str]) -> Vec<wire_tests::client::Answer> {
    let mut tasks = Vec::new();
    for path in paths {
        let (mut browser, path) = (world.browser.clone(), (*path).to_owned());
        tasks.push(tokio::spawn(async move { browser.fetch(&path).await }));
    }
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

#[tokio::test]
async fn twenty_requests_renew_once() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            world.pass(Duration::from_secs(600));
            let answers = at_once(world, &[TOKEN; 20]).await;
            let first = &answers[0].body;
            assert!(answers.iter().all(|answer| answer.status == 200 && answer.body == *first));
            assert_eq!(world.provider.refreshes(), 1);
            // None of the answers has reached the browser yet: it sends the old cookie once more.
            assert_eq!(world.browser.clone().fetch(TOKEN).await.body, *first);
            assert_eq!(world.provider.refreshes(), 1);
            // A later renewal begins at the successor.
            world.pass(Duration::from_secs(30));
            world.browser.keep(&answers[7]);
            world.pass(Duration::from_secs(600));
            assert_eq!(world.fetch(TOKEN).await.status, 200);
            assert_eq!(world.provider.refreshes(), 2);
        },
    )
    .await;
}

#[tokio::test]
async fn two_apis_renew_one_after_the_other() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            world.pass(Duration::from_secs(600));
            let answers = at_once(world, &[TOKEN, OTHER, TOKEN, OTHER]).await;
            assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
            assert_eq!(world.provider.refreshes(), 2);
            let forms = world.provider.forms("oauth/token");
            let used: Vec<&String> =
                forms.iter().filter_map(|form| form.get("refresh_token")).collect();
            assert_ne!(used[0], used[1], "the second uses the successor");
            assert!(
                forms.iter().any(|form| form
                    .get("audience")
                    .is_some_and(|api| api == "https://other.test"))
            );
        },
    )
    .await;
}

#[tokio::test]
async fn two_users_at_once_have_their_own_tokens() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            let mut others = Vec::new();
            for user in ["auth0|ann", "auth0|bob", "auth0|eve"] {
                world.browser.jar.clear();
                world.log_in(user).await;
                others.push((user, world.browser.clone()));
            }
            world.pass(Duration::from_secs(600));
            let mut tasks = Vec::new();
            for _ in 0..8 {
                for (user, browser) in &others {
                    let (user, mut browser) = (*user, browser.clone());
                    tasks.push(tokio::spawn(async move { (user, browser.fetch(TOKEN).await) }));
                }
            }
            for task in tasks {
                let (user, answer) = task.await.unwrap();
                assert!(answer.status == 200 && answer.body.contains(user), "{user}: {answer:?}");
            }
            assert_eq!(world.provider.refreshes(), 3);
        },
    )
    .await;
}

#[tokio::test]
async fn a_refresh_token_that_is_over() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            world.pass(Duration::from_secs(600));
            world.provider.refuse(Some((403, json!({ "error": "invalid_grant" }))));
            let answer = world.fetch(TOKEN).await;
            assert_eq!(answer.status, 401);
            assert!(answer.body.contains("login_required"), "{}", answer.body);
            // The user is still signed in.
            assert_eq!(world.user().await, "auth0|ann");
            // A page is sent to the login; no further request of this session asks the provider.
            let calls = world.provider.forms("oauth/token").len();
            let answer = world.open(TOKEN).await;
            assert_eq!(answer.status, 303);
            assert!(
                answer.lines("location")[0].starts_with("/auth/login?returnTo=%2Fsession"),
                "{answer:?}"
            );
            assert_eq!(world.provider.forms("oauth/token").len(), calls);
            world.provider.refuse(None);
            world.log_in("auth0|ann").await;
            assert_eq!(world.fetch(TOKEN).await.status, 200);
        },
    )
    .await;
}

#[tokio::test]
async fn while_the_provider_fails() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            let token = world.fetch(TOKEN).await.body;
            world.provider.down(true);
            // Good for less than a minute: used, because there is no other.
            world.pass(Duration::from_secs(570));
            assert_eq!(world.fetch(TOKEN).await.body, token);
            world.pass(Duration::from_secs(40));
            let answer = world.fetch(TOKEN).await;
            assert_eq!(answer.status, 503);
            assert_eq!(answer.lines("retry-after").len(), 1);
            assert_eq!(world.user().await, "auth0|ann");
            world.provider.down(false);
            assert_eq!(world.fetch(TOKEN).await.status, 200);
        },
    )
    .await;
}

#[tokio::test]
async fn scopes_that_are_not_granted() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            assert_eq!(world.fetch(&format!("{TOKEN}&scope=read:invoices")).await.status, 200);
            assert_eq!(world.provider.refreshes(), 0);
            world.provider.answers(|mut answer| {
                answer["scope"] = "read:invoices".into();
                answer
            });
            let answer = world.fetch(&format!("{TOKEN}&scope=write:invoices")).await;
            assert_eq!(answer.status, 403);
            assert!(answer.body.contains("insufficient_scope"), "{}", answer.body);
            assert_eq!(world.provider.refreshes(), 1);
        },
    )
    .await;
}

/// A provider may leave `scope` out where it granted what it was asked for (RFC 6749 §5.1).
#[tokio::test]
async fn a_renewal_for_another_api_forgets_no_scopes() {
    in_cookies_and_store(
        |login| login.scopes(["openid", "offline_access", "read:x"]),
        async |world| {
            world.provider.answers(|mut answer| {
                answer.as_object_mut().unwrap().remove("scope");
                answer
            });
            world.log_in("auth0|ann").await;
            for _ in 0..2 {
                world.pass(Duration::from_secs(600));
                assert_eq!(world.fetch(OTHER).await.status, 200);
                let refreshes = world.provider.refreshes();
                let token = world.fetch(TOKEN).await;
                assert_eq!(token.status, 200);
                let with_scope = world.fetch(&format!("{TOKEN}&scope=read:x")).await;
                assert_eq!(with_scope.body, token.body, "it has the scopes of the login");
                assert_eq!(world.provider.refreshes(), refreshes + 1);
            }
            // The other API has none of them.
            world.fetch(&format!("{OTHER}&scope=read:x")).await;
            let refresh = world.provider.forms("oauth/token").pop().unwrap();
            assert_eq!(
                (&*refresh["audience"], &*refresh["scope"]),
                ("https://other.test", "read:x")
            );
        },
    )
    .await;
}

#[tokio::test]
async fn a_renewal_that_says_little() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            world.provider.answers(|mut answer| {
                let members = answer.as_object_mut().unwrap();
                members.remove("id_token");
                members.remove("refresh_token");
                answer
            });
            world.pass(Duration::from_secs(600));
            assert_eq!(world.fetch(TOKEN).await.status, 200);
            assert_eq!(world.open("/me").await.body, "Name of auth0|ann");
            // An ID token without sid: that of the login stays, for the logout.
            world.provider.answers(|answer| answer);
            world.provider.id_tokens(|token| token.without("sid").claim("name", "Ann"));
        },
    )
    .await;
}

#[tokio::test]
async fn the_tokens_of_another_user_are_refused() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            world.provider.id_tokens(|token| token.subject("auth0|eve"));
            world.pass(Duration::from_secs(600));
            let answer = world.fetch(TOKEN).await;
            assert_eq!(answer.status, 401, "{answer:?}");
            assert_eq!(world.user().await, "auth0|ann");
            assert_eq!(world.fetch(TOKEN).await.status, 401);
        },
    )
    .await;
}

#[tokio::test]
async fn a_newer_name_comes_with_a_renewal() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            world.provider.id_tokens(|token| token.without("sid").claim("name", "Ann"));
            world.pass(Duration::from_secs(600));
            assert_eq!(world.fetch(TOKEN).await.status, 200);
            assert_eq!(world.open("/me").await.body, "Ann");
            // The session at the provider is still known.
            let answer = world.open("/auth/logout").await;
            assert!(
                answer.lines("location")[0].contains("logout_hint=sid-auth0%7Cann"),
                "{answer:?}"
            );
        },
    )
    .await;
}

/// Without an audience and offline access there is no refresh token.
#[tokio::test]
async fn an_application_that_calls_no_api() {
    on_both(
        |login| login.scopes(["openid"]),
        async |world| {
            world.provider.answers(|mut answer| {
                answer.as_object_mut().unwrap().remove("refresh_token");
                answer
            });
            world.log_in("auth0|ann").await;
            assert_eq!(world.fetch(TOKEN).await.status, 200);
            assert_eq!(world.fetch(OTHER).await.status, 401);
        },
    )
    .await;
}

#[tokio::test]
async fn the_tokens_of_another_user_while_keys_are_missing() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            world.provider.id_tokens(|token| token.subject("auth0|eve"));
            world.provider.tenant().rotate_keys();
            world.provider.key_set_fails(true);
            world.pass(Duration::from_secs(600));
            assert_eq!(world.fetch(TOKEN).await.status, 401);
            assert_eq!(world.user().await, "auth0|ann");
        },
    )
    .await;
    // The tokens of the same user are kept.
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            world.provider.tenant().rotate_keys();
            world.provider.key_set_fails(true);
            world.pass(Duration::from_secs(600));
            assert_eq!(world.fetch(TOKEN).await.status, 200);
        },
    )
    .await;
}

/// A role that was taken away comes back with none of the answers.
#[tokio::test]
async fn claims_and_tokens_are_renewed_together() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world
                .provider
                .id_tokens(|token| token.claim("https://acme.com/roles", json!(["admin"])));
            world.log_in("auth0|ann").await;
            assert_eq!(world.fetch("/admin").await.status, 200);
            world.provider.id_tokens(|token| token);
            world.pass(Duration::from_secs(600));
            let answers = at_once(world, &[TOKEN; 4]).await;
            for answer in &answers {
                let mut browser = world.browser.clone();
                browser.keep(answer);
                assert_eq!(browser.fetch("/admin").await.status, 403);
            }
            // Nor with a late request that has the old cookie.
            let mut late = world.browser.clone();
            late.fetch(TOKEN).await;
            assert_eq!(late.fetch("/admin").await.status, 403);
        },
    )
    .await;
}

/// A browser is not sent around without end for a token that another login does not bring.
#[tokio::test]
async fn a_token_that_no_login_brings() {
    on_both(
        |login| login,
        async |world| {
            world.provider.answers(|mut answer| {
                answer.as_object_mut().unwrap().remove("refresh_token");
                answer["expires_in"] = 50.into();
                answer
            });
            world.log_in("auth0|ann").await;
            assert_eq!(world.open(TOKEN).await.status, 200, "it is good for 50 s");
            let answer = world.open(OTHER).await;
            assert_eq!(answer.status, 500, "{answer:?}");
            world.pass(Duration::from_secs(121));
            assert_eq!(world.open(OTHER).await.status, 303, "later it is tried");
        },
    )
    .await;
}

/// The task of a request, or the process, does not run when the answer comes.
#[tokio::test]
async fn a_token_that_ends_before_it_is_seen_is_renewed_again() {
    for (late_answers, refreshes, status) in [(0, 1, 200), (1, 2, 200), (2, 2, 503)] {
        let scenario = async |world: &mut World| {
            world.log_in("auth0|ann").await;
            world.pass(Duration::from_secs(600));
            world.provider.id_tokens(|token| token.expires_in(24 * HOUR));
            let (clock, answered) = (world.provider.tenant().clock().clone(), AtomicUsize::new(0));
            world.provider.answers(move |answer| {
                if answered.fetch_add(1, Ordering::SeqCst) < late_answers {
                    clock.advance(Duration::from_secs(600));
                }
                answer
            });
            let answer = world.fetch(TOKEN).await;
            assert_eq!(answer.status, status, "{late_answers}: {answer:?}");
            assert_eq!(world.provider.refreshes(), refreshes, "{late_answers}");
            // Nothing was lost: the last refresh token is in the session.
            let refreshes = refreshes + usize::from(status != 200);
            assert_eq!(world.fetch(TOKEN).await.status, 200, "{late_answers}");
            assert_eq!(world.provider.refreshes(), refreshes, "{late_answers}");
        };
        in_cookies_and_store(|login| login, scenario).await;
    }
}

/// `expires_in` is recommended only (RFC 6749 §5.1). Without it, a token is used once.
#[tokio::test]
async fn a_token_whose_end_is_not_known_is_used_once() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.provider.answers(|mut answer| {
                answer.as_object_mut().unwrap().remove("expires_in");
                answer
            });
            world.log_in("auth0|ann").await;
            let first = world.fetch(TOKEN).await;
            assert!(first.status == 200 && first.body.contains("auth0|ann"), "{first:?}");
            assert_ne!(world.fetch(TOKEN).await.body, first.body);
            assert_eq!(world.provider.refreshes(), 2);
        },
    )
    .await;
}
