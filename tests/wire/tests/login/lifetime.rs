//! How long sessions last.
use crate::{
    browser::Browser,
    provider::Provider,
    revocations::Keeps,
    servers,
    world::{HOUR, MINUTE, builder, in_cookies_and_store, location},
};
use auth0_axum::{Revocations, auth0_core::time::Clock, revocation::OnUnavailable};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test]
async fn a_day_without_a_request() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            let jar = world.browser.jar.clone();
            world.pass(DAY - MINUTE);
            assert_eq!(world.user().await, "auth0|ann");
            world.pass(DAY);
            assert_eq!(world.user().await, "nobody");
            // The browser would have dropped the cookie. One that sends it is nobody, and loses it.
            let cookie = format!("{}={}", jar[0].name, jar[0].value);
            let lines = [("accept", "text/html"), ("cookie", cookie.as_str())];
            let answer = world.other_browser().send("GET", "/", &lines).await;
            assert_eq!((answer.status, answer.body.as_str()), (200, "nobody"));
            assert!(answer.lines("set-cookie")[0].contains("Max-Age=0"), "{answer:?}");
        },
    )
    .await;
}

#[tokio::test]
async fn three_days_however_active() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            for hour in 1..72 {
                world.pass(HOUR);
                assert_eq!(world.user().await, "auth0|ann", "{hour}");
                if hour % 7 == 0 {
                    // Renewed tokens do not make it longer.
                    assert_eq!(
                        world.fetch("/session?audience=https://billing.test").await.status,
                        200
                    );
                }
            }
            world.pass(HOUR);
            assert_eq!(world.user().await, "nobody");
        },
    )
    .await;
}

#[tokio::test]
async fn the_provider_sets_an_end() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            let now = world.provider.tenant().clock().unix_time().as_secs();
            world.provider.id_tokens(move |token| token.claim("session_expiry", now + 3600));
            world.log_in("auth0|ann").await;
            // A later end that comes with a renewal changes nothing.
            world.provider.id_tokens(move |token| token.claim("session_expiry", now + 36_000));
            world.pass(30 * MINUTE);
            assert_eq!(world.fetch("/session?audience=https://billing.test").await.status, 200);
            world.pass(29 * MINUTE);
            assert_eq!(world.user().await, "auth0|ann");
            world.pass(Duration::from_secs(31));
            assert_eq!(world.user().await, "nobody", "30 s before the end");
        },
    )
    .await;
}

#[tokio::test]
async fn the_application_sets_an_end() {
    in_cookies_and_store(
        |login| login.inactivity(10 * MINUTE).absolute_lifetime(HOUR),
        async |world| {
            world.log_in("auth0|ann").await;
            world.pass(9 * MINUTE);
            assert_eq!(world.user().await, "auth0|ann");
            world.pass(10 * MINUTE);
            assert_eq!(world.user().await, "nobody");
            world.log_in("auth0|ann").await;
            for _ in 0..11 {
                world.pass(5 * MINUTE);
                assert_eq!(world.user().await, "auth0|ann");
            }
            world.pass(5 * MINUTE);
            assert_eq!(world.user().await, "nobody");
        },
    )
    .await;
}

#[tokio::test]
async fn the_clock_jumps() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            world.provider.tenant().clock().set_back(2 * HOUR);
            assert_eq!(world.user().await, "auth0|ann");
            world.provider.tenant().clock().advance(4 * HOUR);
            assert_eq!(world.user().await, "auth0|ann");
        },
    )
    .await;
}

/// An application that writes the longest time means "for ever".
#[tokio::test]
async fn the_longest_time_that_can_be_written() {
    in_cookies_and_store(
        |login| {
            let login = login.inactivity(Duration::MAX).absolute_lifetime(Duration::MAX);
            login.max_age(Duration::MAX)
        },
        async |world| {
            let now = world.provider.tenant().clock().unix_time().as_secs();
            world.provider.id_tokens(move |token| token.claim("auth_time", now));
            world.log_in("auth0|ann").await;
            world.pass(400 * DAY);
            assert_eq!(world.fetch("/session?size=5").await.body, "5");
            world.pass(400 * DAY);
            assert_eq!(world.user().await, "auth0|ann");
            assert_eq!(world.open("/auth/logout").await.status, 303);
            assert_eq!(world.user().await, "nobody");
        },
    )
    .await;
}

/// Logins and logouts do not fill the revocations that instances share.
#[tokio::test]
async fn a_revocation_lasts_as_long_as_a_cookie_of_the_session() {
    let provider = Provider::new();
    let clock = provider.tenant().clock();
    let kept = Keeps::default();
    // The clock goes on faster than the store is read.
    let revocations = Revocations::with_store(kept.clone()).on_unavailable(OnUnavailable::Accept);
    let login = builder(&provider).revocations(&revocations);
    let server = servers::axum(&login.build().unwrap()).await;
    let mut browser = Browser::new(server, clock, true);
    let mut expected = Vec::new();
    let end = |lasts: Duration| (clock.unix_time() + lasts + MINUTE).as_secs();
    for hours in [0, 20, 70] {
        // The second login ends the session of the first one.
        for is_second in [false, true] {
            let begun = browser.open("/auth/login").await;
            let back = provider.authorize(location(&begun), "auth0|ann");
            assert_eq!(browser.open(&format!("/auth/callback?{back}")).await.status, 303);
            if is_second {
                expected.push(end(DAY));
            }
        }
        for _ in 0..hours {
            clock.advance(HOUR);
            assert_eq!(browser.open("/").await.body, "auth0|ann");
        }
        assert_eq!(browser.open("/auth/logout").await.status, 303);
        expected.push(end(DAY.min(DAY * 3 - HOUR * hours)));
    }
    let entries = kept.0.lock().unwrap();
    let ends: Vec<u64> = entries.iter().map(|entry| entry.expires_at.into()).collect();
    assert_eq!(ends, expected);
}
