//! Requests that are on their way while others change their session, or end it.
use crate::{
    browser::Browser,
    provider::API,
    revocations::Fails,
    world::{World, in_cookies_and_store, in_store, on_both},
};
use auth0_axum::Revocations;
use auth0_login::{Request, Session};
use std::{
    future::{Future, IntoFuture, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};
use wire_tests::client::{self, Answer};

const TOKEN: &str = "/session?audience=https://billing.test";

/// The session of a request that this browser has sent, and that is not answered yet.
fn in_flight(world: &World, browser: &Browser) -> Session {
    let request = Request::new("GET", "/").header("cookie", browser.cookies().as_bytes());
    world.login.session(request)
}

/// The answer arrives.
async fn arrives(session: &Session, browser: &mut Browser) {
    let headers = session.finish().await.unwrap();
    let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    browser.keep(&Answer { status: 200, headers, body: String::new() });
}

/// One request renews the tokens, another changes data meanwhile.
#[tokio::test]
async fn data_that_change_during_a_renewal_are_kept() {
    in_store(
        |login| login,
        async |world| {
            for changes_data in [false, true] {
                world.log_in("auth0|ann").await;
                world.pass(Duration::from_secs(2 * 3600));
                let first = in_flight(world, &world.browser);
                assert!(first.user().await.unwrap().is_some());
                world.fetch("/session?size=7").await;
                first.access_token(API).await.unwrap();
                assert_eq!(first.data::<String>("data").await.unwrap().unwrap().len(), 7);
                if changes_data {
                    first.set_data("other", Some(&1)).await.unwrap();
                }
                arrives(&first, &mut world.browser).await;
                assert_eq!(world.fetch("/session").await.body, "7", "{changes_data}");
                let later = in_flight(world, &world.browser);
                let other: Option<u8> = later.data("other").await.unwrap();
                assert_eq!(other, changes_data.then_some(1));
                world.fetch("/session?size=0").await;
            }
        },
    )
    .await;
}

/// What a request itself has changed before its renewal is newer than what the store has.
#[tokio::test]
async fn a_renewal_keeps_the_data_of_its_own_request() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            world.fetch("/session?size=9").await;
            world.pass(Duration::from_secs(600));
            assert_eq!(world.fetch(&format!("{TOKEN}&size=5")).await.status, 200);
            assert_eq!(world.fetch("/session").await.body, "5");
        },
    )
    .await;
}

/// A handler needs two tokens, and sees the outcome of the first renewal after that of the second.
#[tokio::test]
async fn two_renewals_of_one_request_in_the_other_order() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            world.pass(Duration::from_secs(600));
            let session = in_flight(world, &world.browser);
            assert!(session.user().await.unwrap().is_some());
            let hold = world.provider.hold();
            let mut first = pin!(session.access_token(API).into_future());
            let is_pending =
                poll_fn(|context| Poll::Ready(first.as_mut().poll(context).is_pending()));
            assert!(is_pending.await);
            while world.provider.refreshes() == 0 {
                tokio::task::yield_now().await;
            }
            hold.release();
            session.access_token("https://other.test").await.unwrap();
            assert_eq!(world.provider.refreshes(), 2);
            first.await.unwrap();
            arrives(&session, &mut world.browser).await;
            // What the process remembers of a renewal is over: the cookie has the last refresh token.
            world.pass(Duration::from_secs(660));
            assert_eq!(world.fetch(TOKEN).await.status, 200);
        },
    )
    .await;
}

/// Another user logs in with the same browser while an answer for the first one is on its way.
#[tokio::test]
async fn a_login_ends_the_session_that_it_replaces() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            for what in
                ["to be extended", "with data", "with renewed tokens", "not read yet", "old"]
            {
                world.log_in("auth0|ann").await;
                if what == "old" {
                    world.pass(Duration::from_secs(23 * 3600));
                    assert_eq!(world.user().await, "auth0|ann");
                }
                world.pass(Duration::from_secs(2 * 3600));
                let mut old = world.browser.clone();
                let session = in_flight(world, &old);
                let is_read = !matches!(what, "not read yet" | "old");
                if is_read {
                    assert!(session.user().await.unwrap().is_some());
                }
                match what {
                    "with data" => session.set_data("data", Some(&"x")).await.unwrap(),
                    "with renewed tokens" => drop(session.access_token(API).await.unwrap()),
                    _ => {}
                }
                world.log_in("auth0|bob").await;
                if !is_read {
                    assert!(session.user().await.unwrap().is_none());
                }
                arrives(&session, &mut world.browser).await;
                assert_eq!(world.user().await, "auth0|bob", "{what}");
                // A request with the old cookie has no session, and its answer may come late, too.
                let answer = old.open("/").await;
                assert_eq!(answer.body, "nobody", "{what}");
                world.browser.keep(&answer);
                assert_eq!(world.user().await, "auth0|bob", "{what}");
            }
        },
    )
    .await;
}

#[tokio::test]
async fn an_answer_from_before_a_logout_ends_no_later_session() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            world.pass(Duration::from_secs(2 * 3600));
            let sessions = [(); 2].map(|()| in_flight(world, &world.browser));
            assert!(sessions[0].user().await.unwrap().is_some());
            world.open("/auth/logout").await;
            world.log_in("auth0|bob").await;
            assert!(sessions[1].user().await.unwrap().is_none());
            for session in &sessions {
                arrives(session, &mut world.browser).await;
                assert_eq!(world.user().await, "auth0|bob");
            }
        },
    )
    .await;
}

/// A browser that has not noticed the end of its session loses the cookie when its time is over, and not before.
#[tokio::test]
async fn a_cookie_whose_session_has_ended_goes_in_time() {
    in_store(|login| login, async |world| ended_cookie(world, [false, false, true]).await).await;
    on_both(
        |login| login.revocations(&Revocations::with_store(Fails::default())),
        async |world| ended_cookie(world, [false, false, true]).await,
    )
    .await;
    // A restart would lose the revocation: it goes when no request of before can be on its way any more.
    on_both(|login| login, async |world| ended_cookie(world, [false, true, true]).await).await;
}

/// Sends the cookie of a session that a logout has ended, at once, after half a day, and after a day.
async fn ended_cookie(world: &mut World, is_removed: [bool; 3]) {
    world.log_in("auth0|ann").await;
    let mut late = world.browser.clone();
    world.open("/auth/logout").await;
    for (hours, is_removed) in [0, 12, 12].into_iter().zip(is_removed) {
        world.pass(Duration::from_secs(hours * 3600));
        let cookie = format!("{}={}", late.jar[0].name, late.jar[0].value);
        let lines = [("accept", "text/html"), ("cookie", cookie.as_str())];
        let answer = world.other_browser().send("GET", "/", &lines).await;
        assert_eq!(answer.body, "nobody");
        assert_eq!(!answer.lines("set-cookie").is_empty(), is_removed, "{hours}");
    }
    assert_eq!(late.open("/").await.body, "nobody");
}

/// The provider ends it: a revocation in memory is lost with the process, so that the cookie must go.
#[tokio::test]
async fn a_cookie_whose_session_was_revoked_goes_at_once() {
    on_both(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            let token = world.provider.logout_token().subject("auth0|ann").mint();
            let form: [(&str, &[u8]); 1] = [("content-type", b"application/x-www-form-urlencoded")];
            let target = "POST /auth/backchannel-logout";
            let body = format!("logout_token={token}");
            client::send_body(world.server, target, &form, body.as_bytes(), false).await;
            assert_eq!(world.user().await, "nobody");
            assert!(world.browser.names().is_empty(), "{:?}", world.browser.names());
        },
    )
    .await;
}

/// A second click, while the first one has ended the session of before already.
#[tokio::test]
async fn both_callbacks_of_a_double_click_keep_the_data_of_the_user() {
    in_cookies_and_store(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            world.fetch("/session?size=9").await;
            let authorize = world.start("/auth/login").await;
            let back = world.provider.authorize(&authorize, "auth0|ann");
            let first = world.browser.clone();
            for mut browser in [first, world.browser.clone()] {
                let answer = browser.open(&format!("/auth/callback?{back}")).await;
                assert_eq!(answer.status, 303);
                assert_eq!(browser.open("/session").await.body, "9");
            }
        },
    )
    .await;
}
