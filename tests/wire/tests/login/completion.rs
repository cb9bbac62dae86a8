//! The end of a login: a browser that comes back twice, and what the application says to it.
use crate::world::{World, in_cookies_and_store, location, on_both, query};
use auth0_axum::login::{LoginBuilder, LoginRejected, Profile};
use std::{sync::Mutex, time::Duration};

/// The same callback, as a second click sends it.
async fn begun(world: &mut World) -> String {
    let url = world.start("/auth/login?returnTo=/me").await;
    format!("/auth/callback?{}", world.provider.authorize(&url, "auth0|ann"))
}

/// Waits until the provider has the code.
async fn exchange_began(world: &World) {
    while world.provider.forms("oauth/token").is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_second_click_logs_in() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            let back = begun(world).await;
            let hold = world.provider.hold();
            let (mut first, path) = (world.browser.clone(), back.clone());
            let first = tokio::spawn(async move { first.open(&path).await });
            exchange_began(world).await;
            let (mut second, path) = (world.browser.clone(), back.clone());
            let second = tokio::spawn(async move {
                let answer = second.open(&path).await;
                (answer, second)
            });
            hold.release();
            let first = first.await.unwrap();
            let (second, browser) = second.await.unwrap();
            for answer in [&first, &second] {
                assert_eq!((answer.status, location(answer)), (303, "/me"), "{answer:?}");
            }
            assert_eq!(world.provider.forms("oauth/token").len(), 1, "the code is good once");
            world.browser = browser;
            assert_eq!(world.user().await, "auth0|ann");
        },
    )
    .await;
}

/// A second click ends the request of the first.
#[tokio::test]
async fn a_click_that_is_abandoned_does_not_use_up_the_code() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            let back = begun(world).await;
            let hold = world.provider.hold();
            let (mut first, path) = (world.browser.clone(), back.clone());
            let first = tokio::spawn(async move { first.open(&path).await });
            exchange_began(world).await;
            first.abort();
            assert!(first.await.unwrap_err().is_cancelled());
            hold.release();
            let answer = world.open(&back).await;
            assert_eq!((answer.status, location(&answer)), (303, "/me"), "{answer:?}");
            assert_eq!(world.provider.forms("oauth/token").len(), 1);
            assert_eq!(world.user().await, "auth0|ann");
        },
    )
    .await;
}

/// Another browser has the URL of the callback, and not the cookie.
#[tokio::test]
async fn another_browser_has_nothing_of_it() {
    on_both(
        |login| login,
        async |world| {
            let back = begun(world).await;
            let hold = world.provider.hold();
            let (mut first, path) = (world.browser.clone(), back.clone());
            let first = tokio::spawn(async move { first.open(&path).await });
            exchange_began(world).await;
            let mut other = world.other_browser();
            let answer = other.open(&back).await;
            assert_eq!(answer.status, 303);
            assert!(
                location(&answer).starts_with(world.provider.tenant().issuer()),
                "a login anew"
            );
            assert_eq!(other.open("/").await.body, "nobody");
            hold.release();
            assert_eq!(first.await.unwrap().status, 303);
            // After half a minute it is a code that was used.
            world.pass(Duration::from_secs(31));
            let answer = world.open(&back).await;
            assert_eq!(answer.status, 400, "{answer:?}");
        },
    )
    .await;
}

/// An exchange that has failed is made anew.
#[tokio::test]
async fn a_failure_is_not_remembered() {
    on_both(
        |login| login,
        async |world| {
            let back = begun(world).await;
            let before = world.browser.clone();
            world
                .provider
                .refuse(Some((503, serde_json::json!({ "error": "temporarily_unavailable" }))));
            assert_eq!(world.open(&back).await.status, 503);
            world.provider.refuse(None);
            world.browser = before;
            assert_eq!(world.open(&back).await.status, 303);
            assert_eq!(world.user().await, "auth0|ann");
        },
    )
    .await;
}

/// The users that the hook has seen.
static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn with_hook(login: LoginBuilder) -> LoginBuilder {
    login.after_login(|login| {
        Box::pin(async move {
            let name = login.claims::<Profile>()?.name.unwrap_or_default();
            SEEN.lock().unwrap().push(format!("{} {name}", login.user().subject()));
            assert!(login.access_token().encoded().contains(login.user().subject()));
            match login.user().subject() {
                "auth0|eve" => return Err(LoginRejected::denied("no account\nwith a line break")),
                "auth0|later" => return Err(LoginRejected::unavailable("the database is down")),
                "auth0|new" => login.set_return_to("/welcome"),
                "auth0|evil" => login.set_return_to("https://evil.example/"),
                _ => assert_eq!(login.return_to(), "/me"),
            }
            login.set_data("data", &"x".repeat(7))
        })
    })
}

#[tokio::test]
async fn the_application_completes_a_login() {
    in_cookies_and_store(with_hook, async |world| {
        for (user, expected) in
            [("auth0|ann", "/me"), ("auth0|new", "/welcome"), ("auth0|evil", "/")]
        {
            let url = world.start("/auth/login?returnTo=/me").await;
            let answer = world.come_back(&url, user).await;
            assert_eq!((answer.status, location(&answer)), (303, expected));
            assert_eq!(world.user().await, user);
            assert_eq!(world.open("/session").await.body, "7", "the data are in the session");
        }
        // Refused: the session of before ends no sooner, and there is no new one.
        for (user, status, text) in [
            ("auth0|eve", 403, "The login was refused"),
            ("auth0|later", 503, "Login is not available"),
        ] {
            let mut other = world.other_browser();
            let begun = other.open("/auth/login").await;
            let back = world.provider.authorize(location(&begun), user);
            let answer = other.open(&format!("/auth/callback?{back}")).await;
            assert_eq!(answer.status, status, "{answer:?}");
            assert!(
                answer.body.contains(text) && !answer.body.contains("no account"),
                "{answer:?}"
            );
            assert_eq!(other.open("/").await.body, "nobody");
            assert!(other.names().is_empty());
        }
        let revoked = world.provider.forms("oauth/revoke");
        assert_eq!(revoked.len(), 2, "no refresh token is left over");
        assert_eq!(world.user().await, "auth0|evil");
    })
    .await;
    assert!(SEEN.lock().unwrap().contains(&"auth0|ann Name of auth0|ann".to_owned()));
}

#[tokio::test]
async fn a_refused_login_goes_to_the_page_for_errors() {
    on_both(
        |login| with_hook(login).after_error("/failed?from=login"),
        async |world| {
            let url = world.start("/auth/login").await;
            let answer = world.come_back(&url, "auth0|eve").await;
            assert_eq!(answer.status, 303);
            assert_eq!(location(&answer), "/failed?from=login&error=access_denied");
            assert_eq!(query(location(&answer))["error"], "access_denied");
        },
    )
    .await;
}
