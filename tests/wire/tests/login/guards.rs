//! Requests that need a user, or one who meets a requirement.
use crate::world::{in_cookies_and_store, location, on_both, query};
use auth0_axum::auth0_core::time::Clock;
use serde_json::json;
use std::time::Duration;
use wire_tests::client::until_closed;

#[tokio::test]
async fn without_a_session() {
    on_both(
        |login| login,
        async |world| {
            let answer = world.open("/me?tab=1&x=a%26b").await;
            assert_eq!(answer.status, 303);
            assert_eq!(location(&answer), "/auth/login?returnTo=%2Fme%3Ftab%3D1%26x%3Da%2526b");
            let authorize = world.start(location(&answer)).await;
            let answer = world.come_back(&authorize, "auth0|ann").await;
            assert_eq!(location(&answer), "/me?tab=1&x=a%26b");
            world.browser.jar.clear();
            for lines in [
                vec![("accept", "*/*"), ("sec-fetch-mode", "cors")],
                vec![("accept", "text/html"), ("sec-fetch-mode", "cors")],
                vec![("accept", "application/json")],
                vec![],
                vec![("accept", "text/html"), ("sec-purpose", "prefetch")],
            ] {
                let answer = world.send("GET", "/me", &lines).await;
                assert_eq!(answer.status, 401, "{lines:?}");
                assert!(answer.lines("location").is_empty());
            }
            let answer = world.send("GET", "/me", &[("accept", "application/json")]).await;
            assert_eq!(answer.lines("content-type"), ["application/json"]);
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&answer.body).unwrap(),
                json!({
                    "error": "login_required",
                    "error_code": "login_required",
                    "error_description": "You are not logged in, or your login has ended.",
                })
            );
            // An old browser that says only what it accepts.
            assert_eq!(world.send("GET", "/me", &[("accept", "text/html,*/*")]).await.status, 303);
            // A form would lose its body.
            let navigation = [("accept", "text/html"), ("sec-fetch-mode", "navigate")];
            assert_eq!(world.send("POST", "/form", &navigation).await.status, 401);
            assert_eq!(world.user().await, "nobody");
        },
    )
    .await;
}

/// A refusal, and an answer of the login itself, end the connection of a body that has not arrived.
#[tokio::test]
async fn bodies_that_nothing_reads() {
    on_both(
        |login| login,
        async |world| {
            for (target, status) in [
                ("POST /form", 401),
                ("GET /me", 401),
                ("GET /admin", 401),
                ("GET /auth/login", 303),
                ("GET /auth/callback", 400),
                ("POST /auth/login", 405),
                ("POST /auth/callback", 405),
                ("GET /auth/logout", 303),
                ("GET /auth/backchannel-logout", 405),
            ] {
                let request = format!(
                    "{target} HTTP/1.1\r\nhost: {}\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
                    world.server
                );
                let answer = until_closed(world.server, &request).await;
                let answer = answer.unwrap_or_else(|| panic!("{target}: the connection is open"));
                assert!(answer.contains(&format!("HTTP/1.1 {status} ")), "{target}: {answer}");
            }
        },
    )
    .await;
}

#[tokio::test]
async fn requirements_on_the_user() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            assert_eq!(world.open("/admin").await.status, 303, "without a session");
            world.log_in("auth0|ann").await;
            let answer = world.open("/admin").await;
            assert_eq!(answer.status, 403);
            assert!(answer.body.contains("<h1>Not allowed</h1>"));
            assert_eq!(world.fetch("/admin").await.lines("content-type"), ["application/json"]);
            assert_eq!(world.open("/orgs/org_1").await.status, 403);

            world.provider.id_tokens(|token| {
                token
                    .claim("https://acme.com/roles", json!(["admin"]))
                    .organization("org_1", "acme")
            });
            world.log_in("auth0|root").await;
            assert_eq!(world.open("/admin").await.body, "auth0|root");
            assert_eq!(world.open("/orgs/org_1").await.body, "auth0|root");
            assert_eq!(world.open("/orgs/acme").await.body, "auth0|root");
            assert_eq!(world.open("/orgs/org_2").await.status, 403);
        },
    )
    .await;
}

#[tokio::test]
async fn a_stronger_login() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            assert_eq!(world.fetch("/factor").await.status, 403, "a script is not sent anywhere");
            let authorize = world.start("/factor").await;
            let asked = query(&authorize);
            assert_eq!(
                asked["acr_values"],
                "http://schemas.openid.net/pape/policies/2007/06/multi-factor"
            );
            // The provider does not do it: the browser is not sent around for ever.
            let answer = world.come_back(&authorize, "auth0|ann").await;
            assert_eq!(location(&answer), "/factor");
            assert_eq!(world.open("/factor").await.status, 403);
            // Later it is asked again, and the provider does it.
            world.pass(Duration::from_secs(121));
            world.provider.id_tokens(|token| token.claim("amr", json!(["pwd", "mfa"])));
            let authorize = world.start("/factor").await;
            assert_eq!(location(&world.come_back(&authorize, "auth0|ann").await), "/factor");
            assert_eq!(world.open("/factor").await.body, "auth0|ann");
        },
    )
    .await;
}

#[tokio::test]
async fn a_more_recent_login() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            let clock = world.provider.tenant().clock().clone();
            let now = move || clock.unix_time().as_secs();
            world.provider.id_tokens(move |token| token.claim("auth_time", now()));
            world.log_in("auth0|ann").await;
            assert_eq!(world.open("/recent").await.body, "auth0|ann");
            world.pass(Duration::from_secs(331));
            let authorize = world.start("/recent").await;
            assert_eq!(query(&authorize)["max_age"], "300");
            assert_eq!(location(&world.come_back(&authorize, "auth0|ann").await), "/recent");
            assert_eq!(world.open("/recent").await.body, "auth0|ann");
        },
    )
    .await;
}

/// Middleware of the application reads the session before the routes of the login answer.
#[tokio::test]
async fn a_session_that_was_read_before_a_login() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            let read_first = [("accept", "text/html"), ("x-read-first", "1")];
            // Something that is no session comes with the callback.
            world.browser.jar.push(crate::browser::Cookie::of("__Host-a0_session", "1junk"));
            let begun = world.send("GET", "/auth/login", &read_first).await;
            world.browser.jar.push(crate::browser::Cookie::of("__Host-a0_session", "1junk"));
            let back = format!(
                "/auth/callback?{}",
                world.provider.authorize(location(&begun), "auth0|ann")
            );
            world.send("GET", &back, &read_first).await;
            assert_eq!(world.user().await, "auth0|ann");
            // Another user logs in while the session of the first is to be extended.
            world.pass(Duration::from_secs(2 * 3600));
            let begun = world.open("/auth/login").await;
            let back = format!(
                "/auth/callback?{}",
                world.provider.authorize(location(&begun), "auth0|bob")
            );
            world.send("GET", &back, &read_first).await;
            assert_eq!(world.user().await, "auth0|bob");
            // And a logout.
            world.pass(Duration::from_secs(2 * 3600));
            world.send("GET", "/auth/logout", &read_first).await;
            assert!(world.browser.names().is_empty(), "{:?}", world.browser.names());
            assert_eq!(world.user().await, "nobody");
        },
    )
    .await;
}

/// The guard of a whole router or scope refuses, or other middleware does: the session is set all the same.
#[tokio::test]
async fn a_session_that_was_read_before_a_refusal() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            let refused = [("accept", "*/*"), ("x-read-first", "1"), ("x-refused", "1")];
            let asked = [("accept", "*/*"), ("sec-fetch-mode", "cors")];
            for (path, lines, statuses) in
                [("/admins/users", &asked[..], [401, 403]), ("/plain", &refused[..], [418, 418])]
            {
                // Something that is no session is removed.
                world.browser.jar.push(crate::browser::Cookie::of("__Host-a0_session", "1junk"));
                let answer = world.send("GET", path, lines).await;
                assert_eq!(answer.status, statuses[0], "{answer:?}");
                assert_eq!(answer.lines("set-cookie").len(), 1, "{answer:?}");
                assert_eq!(answer.lines("vary"), ["cookie"]);
                // A session is extended.
                world.log_in("auth0|ann").await;
                world.pass(Duration::from_secs(20 * 3600));
                let answer = world.send("GET", path, lines).await;
                assert_eq!(answer.status, statuses[1], "{answer:?}");
                assert_eq!(answer.lines("vary"), ["cookie"]);
                world.pass(Duration::from_secs(20 * 3600));
                assert_eq!(world.user().await, "auth0|ann", "{path}");
                world.open("/auth/logout").await;
            }
            // Where nothing has read the session, it is not set.
            world.log_in("auth0|ann").await;
            let lines = [("accept", "*/*"), ("x-refused", "1")];
            let answer = world.send("GET", "/plain", &lines).await;
            assert_eq!((answer.status, answer.body.as_str()), (418, "refused"));
            assert!(answer.lines("vary").is_empty() && answer.lines("set-cookie").is_empty());
            // Those who may pass do.
            world
                .provider
                .id_tokens(|token| token.claim("https://acme.com/roles", json!(["admin"])));
            world.log_in("auth0|root").await;
            assert_eq!(world.open("/admins/users").await.body, "users");
        },
    )
    .await;
}
