//! Requests that are on their way while others change their session, or end it.
use crate::{
    browser::Browser,
    provider::API,
    world::{World, in_cookies_and_store, in_store},
};
use auth0_login::{Request, Session};
use std::{
    future::{Future, IntoFuture, poll_fn},
    pin::pin,
    task::Poll,
    time::Duration,
};
use wire_tests::client::Answer;

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
