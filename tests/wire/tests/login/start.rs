//! The start of a login.
use crate::world::{location, on_both, query};
use serde_json::json;

#[tokio::test]
async fn the_browser_is_sent_to_the_provider() {
    on_both(
        |login| login,
        async |world| {
            let answer = world.open("/auth/login?returnTo=/a?b=c%23d").await;
            assert_eq!(answer.status, 303);
            assert_eq!(answer.lines("referrer-policy"), ["no-referrer"]);
            let asked = query(location(&answer));
            let issuer = world.provider.tenant().issuer().to_owned();
            assert!(location(&answer).starts_with(&format!("{issuer}authorize?")));
            for (name, value) in [
                ("response_type", "code"),
                ("client_id", "web"),
                ("redirect_uri", "https://app.example/auth/callback"),
                ("scope", "email offline_access openid profile"),
                ("audience", "https://billing.test"),
                ("code_challenge_method", "S256"),
            ] {
                assert_eq!(asked.get(name).map(String::as_str), Some(value), "{name}");
            }
            for random in ["state", "nonce", "code_challenge"] {
                assert_eq!(asked[random].len(), 43, "{random}");
            }
            let cookies = answer.lines("set-cookie");
            assert_eq!(cookies.len(), 1);
            let (pair, attributes) = cookies[0].split_once("; ").unwrap();
            assert!(pair.starts_with("__Host-a0_tx."), "{pair}");
            assert_eq!(attributes, "Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600");

            let answer = world.come_back(location(&answer), "auth0|ann").await;
            assert_eq!((answer.status, location(&answer)), (303, "/a?b=c#d"));
            assert_eq!(answer.lines("referrer-policy"), ["no-referrer"]);
            // The verifier is that of the challenge.
            let exchange = world.provider.forms("oauth/token").remove(0);
            assert_eq!(exchange["redirect_uri"], "https://app.example/auth/callback");
            assert_eq!(exchange["code_verifier"].len(), 43);
            use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
            let digest = wire_tests_sha256(exchange["code_verifier"].as_bytes());
            assert_eq!(URL_SAFE_NO_PAD.encode(digest), asked["code_challenge"]);
        },
    )
    .await;
}

fn wire_tests_sha256(bytes: &[u8]) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref().to_vec()
}

#[tokio::test]
async fn a_login_comes_back_to_this_application() {
    on_both(
        |login| login,
        async |world| {
            for away in [
                "//evil",
                "/%5Cevil",
                "/%09/evil",
                "https://evil",
                "javascript:alert(1)",
                "http:evil",
                "/..//evil",
                "%5C%5Cevil",
                "https://app.example@evil/",
            ] {
                let authorize = world.start(&format!("/auth/login?returnTo={away}")).await;
                let answer = world.come_back(&authorize, "auth0|ann").await;
                assert_eq!((answer.status, location(&answer)), (303, "/"), "{away}");
            }
            let long = format!("/auth/login?returnTo=/{}", "a".repeat(3000));
            let authorize = world.start(&long).await;
            assert_eq!(location(&world.come_back(&authorize, "auth0|ann").await), "/");
            let authorize = world.start("/auth/login?returnTo=https://app.example/x?y%23z").await;
            assert_eq!(location(&world.come_back(&authorize, "auth0|ann").await), "/x?y#z");
        },
    )
    .await;
}

#[tokio::test]
async fn two_tabs_log_in_at_once() {
    on_both(
        |login| login,
        async |world| {
            let first = world.start("/auth/login?returnTo=/first").await;
            let second = world.start("/auth/login?returnTo=/second").await;
            let answer = world.come_back(&first, "auth0|ann").await;
            assert_eq!((answer.status, location(&answer)), (303, "/first"));
            let answer = world.come_back(&second, "auth0|bob").await;
            assert_eq!((answer.status, location(&answer)), (303, "/second"));
            assert_eq!(world.user().await, "auth0|bob");
        },
    )
    .await;
}

#[tokio::test]
async fn logins_that_are_given_up_leave_few_cookies() {
    on_both(
        |login| login,
        async |world| {
            let mut last = String::new();
            for _ in 0..50 {
                last = world.start("/auth/login").await;
                world.pass(std::time::Duration::from_secs(1));
                let open = world.browser.names().len();
                assert!(open <= 5, "{open}");
            }
            assert_eq!(world.come_back(&last, "auth0|ann").await.status, 303);
            assert_eq!(world.user().await, "auth0|ann");
        },
    )
    .await;
}

#[tokio::test]
async fn what_is_prefetched_starts_nothing() {
    on_both(
        |login| login,
        async |world| {
            for (name, value) in [
                ("sec-purpose", "prefetch;prerender"),
                ("purpose", "prefetch"),
                ("next-router-prefetch", "1"),
                ("x-moz", "prefetch"),
            ] {
                for path in ["/auth/login", "/auth/callback?state=x&code=y", "/auth/logout"] {
                    let lines = [("accept", "text/html"), (name, value)];
                    let answer = world.send("GET", path, &lines).await;
                    assert_eq!(answer.status, 204, "{name} {path}");
                    assert!(answer.lines("set-cookie").is_empty());
                }
            }
        },
    )
    .await;
}

#[tokio::test]
async fn a_link_chooses_little() {
    on_both(|login| login, async |world| {
        let chosen = "/auth/login?redirect_uri=https://evil&scope=admin&audience=x&acr_values=weak&max_age=9&prompt=none\
            &response_type=token&response_mode=query&request=x&claims=x&state=mine&nonce=mine&code_challenge=mine";
        let asked = query(&world.start(chosen).await);
        for (name, value) in &asked {
            let is_chosen = ["evil", "admin", "x", "weak", "9", "none", "token", "query", "mine"];
            assert!(!is_chosen.contains(&value.as_str()), "{name}");
        }
        let invitation = "/auth/login?invitation=i&organization=org_1&organization_name=n&screen_hint=signup&login_hint=ann\
            &ui_locales=de&connection=github";
        let asked = query(&world.start(invitation).await);
        for (name, value) in [
            ("invitation", "i"),
            ("organization", "org_1"),
            ("screen_hint", "signup"),
            ("login_hint", "ann"),
            ("ui_locales", "de"),
            ("connection", "github"),
        ] {
            assert_eq!(asked.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert!(!asked.contains_key("organization_name"));
        // Somebody who is signed in goes there as well.
        world.log_in("auth0|ann").await;
        assert!(world.start("/auth/login?invitation=i&organization=org_1").await.contains("invitation=i"));
    })
    .await;
}

#[tokio::test]
async fn pushed_requests() {
    on_both(
        |login| login.pushed_requests(),
        async |world| {
            let asked = query(&world.start("/auth/login").await);
            let mut names: Vec<&str> = asked.keys().map(String::as_str).collect();
            names.sort_unstable();
            assert_eq!(names, ["client_id", "request_uri"]);
            assert_eq!(
                world.provider.forms("oauth/par")[0]["scope"],
                "email offline_access openid profile"
            );

            world.provider.refuse(Some((429, json!({ "error": "too_many_requests" }))));
            let answer = world.open("/auth/login").await;
            assert_eq!(answer.status, 503, "{answer:?}");
            assert_eq!(answer.lines("retry-after").len(), 1);
        },
    )
    .await;
    on_both(
        |login| login.pushed_requests(),
        async |world| {
            world.provider.without_push_endpoint();
            assert_eq!(world.open("/auth/login").await.status, 500);
        },
    )
    .await;
}

#[tokio::test]
async fn while_the_provider_is_down() {
    on_both(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            world.provider.down(true);
            assert_eq!(world.user().await, "auth0|ann");
            assert_eq!(world.open("/me").await.body, "Name of auth0|ann");
        },
    )
    .await;
    on_both(
        |login| login,
        async |world| {
            world.provider.down(true);
            let answer = world.open("/auth/login").await;
            assert_eq!(answer.status, 503);
            assert_eq!(answer.lines("retry-after").len(), 1);
            assert!(answer.body.contains("<h1>Login is not available</h1>"), "{}", answer.body);
            assert!(world.browser.names().is_empty());
            let answer = world.fetch("/auth/login").await;
            assert_eq!(
                (answer.status, answer.lines("content-type")),
                (503, vec!["application/json"])
            );
        },
    )
    .await;
}

/// What the application has set, no link changes.
#[tokio::test]
async fn a_link_changes_nothing_that_is_configured() {
    on_both(
        |login| login.organization("org_acme").parameter("connection", "corp"),
        async |world| {
            let link = "/auth/login?organization=org_evil&connection=google-oauth2&login_hint=ann&ui_locales=de&ui_locales=fr";
            let url = world.start(link).await;
            let asked = query(&url);
            assert_eq!((asked["organization"].as_str(), asked["connection"].as_str()), ("org_acme", "corp"));
            assert_eq!(asked["login_hint"], "ann");
            assert_eq!(url.matches("ui_locales=").count(), 1);
            world.provider.id_tokens(|token| token.organization("org_evil", "evil"));
            assert_eq!(world.come_back(&url, "auth0|ann").await.status, 400);
        },
    )
    .await;
}
