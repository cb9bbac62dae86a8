//! What a browser keeps, and what another may make of it.
use crate::{
    browser::Cookie,
    log::Log,
    world::{World, builder, on_both},
};
use auth0_axum::login::InMemorySessionStore;
use std::time::Duration;
use tokio::sync::Mutex;

const OTHER_SECRET: &str = "fedcba9876543210fedcba9876543210";

#[tokio::test]
async fn sessions_of_all_sizes() {
    on_both(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            for size in [12_000, 6_000, 10, 9_000, 3_000, 0, 12_000] {
                assert_eq!(
                    world.open(&format!("/session?size={size}")).await.body,
                    size.to_string()
                );
                assert_eq!(
                    world.open("/session").await.body,
                    size.to_string(),
                    "at the next request"
                );
                assert_eq!(world.user().await, "auth0|ann");
                // What the browser has is the session and nothing of a larger one.
                let names = world.browser.names().len();
                let expected = match size {
                    12_000 => 5,
                    9_000 => 4,
                    6_000 => 3,
                    3_000 => 2,
                    _ => 1,
                };
                assert!(names <= expected, "{size}: {:?}", world.browser.names());
            }
            // It does not fit: the old one stays.
            let answer = world.open("/session?size=30000").await;
            assert_eq!(answer.status, 500);
            assert_eq!(world.open("/session").await.body, "12000");
        },
    )
    .await;
    // In a store, any size fits.
    on_both(with_store, async |world| {
        world.log_in("auth0|ann").await;
        assert_eq!(world.open("/session?size=30000").await.body, "30000");
        assert_eq!(world.open("/session").await.body, "30000");
        assert_eq!(world.browser.names(), ["__Host-a0_session"]);
    })
    .await;
}

/// Held by tests whose cookies are full: the log is that of the process.
pub(crate) static FULL_COOKIES: Mutex<()> = Mutex::const_new(());

/// A token that the cookies have no room for is renewed with each use. One that cannot be renewed must not be lost.
#[tokio::test]
async fn an_access_token_that_fits_into_no_cookie() {
    const FULL: &str = "WARN message=the cookies of a session are full";
    for has_refresh_token in [false, true] {
        let scenario = async |world: &mut World| {
            world.provider.answers(move |mut answer| {
                answer["access_token"] = "x".repeat(4_000).into();
                if !has_refresh_token {
                    answer.as_object_mut().unwrap().remove("refresh_token");
                }
                answer
            });
            world.log_in("auth0|ann").await;
            let _turn = FULL_COOKIES.lock().await;
            let log = Log::start();
            let before = log.count(FULL);
            let answer = world.open("/session?size=12000").await;
            let (status, warnings) = if has_refresh_token { (200, 1) } else { (500, 0) };
            assert_eq!(answer.status, status, "{answer:?}");
            assert_eq!(log.count(FULL) - before, warnings);
            // Also for a page: it is not sent to another login, which would bring the same.
            let token = world.open("/session?audience=https://billing.test").await;
            assert_eq!((token.status, token.body.len()), (200, 4_000));
            assert_eq!(world.provider.refreshes(), usize::from(has_refresh_token));
        };
        on_both(|login| login, scenario).await;
    }
}

fn with_store(login: auth0_axum::login::LoginBuilder) -> auth0_axum::login::LoginBuilder {
    login.store(InMemorySessionStore::new())
}

/// Sends these cookies, and expects a user.
async fn expect(world: &mut World, cookies: &[(String, String)], user: &str, what: &str) {
    let pairs: Vec<String> =
        cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let cookie = pairs.join("; ");
    let mut browser = world.other_browser();
    let lines = [("accept", "text/html"), ("cookie", cookie.as_str())];
    let answer = browser.send("GET", "/", &lines).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, user), "{what}");
}

#[tokio::test]
async fn what_is_no_session_is_nobody() {
    on_both(
        |login| login,
        async |world| {
            let opened = world.start("/auth/login").await;
            let transaction = world.browser.jar[0].value.clone();
            drop(opened);
            world.log_in("auth0|ann").await;
            let session =
                world.browser.jar.iter().find(|cookie| cookie.name == "__Host-a0_session");
            let Cookie { name, value, .. } = session.unwrap().clone();
            let one = |value: String| vec![(name.clone(), value)];
            expect(world, &one(value.clone()), "auth0|ann", "as it is").await;
            for place in 0..value.len() {
                let mut changed = value.clone().into_bytes();
                changed[place] = if changed[place] == b'A' { b'B' } else { b'A' };
                let changed = String::from_utf8(changed).unwrap();
                // The last character of base64 may have bits that say nothing.
                if place + 1 < value.len() {
                    expect(world, &one(changed), "nobody", &format!("changed at {place}")).await;
                }
            }
            for end in [0, 1, 2, 40, value.len() / 2, value.len() - 1] {
                expect(world, &one(value[..end].to_owned()), "nobody", &format!("cut at {end}"))
                    .await;
            }
            let longer = format!("{value}A");
            for (what, value) in [
                ("longer", longer.as_str()),
                ("empty", ""),
                ("no base64", "1%%%"),
                ("not ASCII", "1\u{e9}\u{e9}"),
                ("a transaction", transaction.as_str()),
                ("a transaction with a number", &format!("1{transaction}")),
            ] {
                expect(world, &one(value.to_owned()), "nobody", what).await;
            }
            // Its value under another name.
            expect(world, &[("a0_session".into(), value.clone())], "nobody", "without the prefix")
                .await;
            let transaction_name = "__Host-a0_tx.0000000000abc".to_owned();
            expect(world, &[(transaction_name, value.clone())], "nobody", "as a transaction").await;
            // What is no session is removed.
            let lines = [
                ("accept", "text/html"),
                ("cookie", "__Host-a0_session=1junk; __Host-a0_session.3=x"),
            ];
            let answer = world.other_browser().send("GET", "/", &lines).await;
            assert_eq!(answer.lines("set-cookie").len(), 2, "{answer:?}");
        },
    )
    .await;
}

#[tokio::test]
async fn cookies_of_other_hosts_beside_a_session() {
    on_both(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            let session = world.browser.jar[0].clone();
            let good = (session.name.clone(), session.value.clone());
            let junk = |value: &str| (session.name.clone(), value.to_owned());
            for (what, cookies) in [
                ("before it", vec![junk("1junk"), good.clone()]),
                ("after it", vec![good.clone(), junk("1junk")]),
                ("three", vec![junk("1a"), junk("1b"), junk("1c"), good.clone()]),
                (
                    "odd names",
                    vec![
                        ("__Host-a0_session.x".into(), "1".into()),
                        ("__Host-a0_session.99".into(), "1".into()),
                        ("__Host-a0_session.".into(), "1".into()),
                        ("__Host-a0_session.0".into(), "9junk".into()),
                        ("__Host-a0_session.-1".into(), "1".into()),
                        good.clone(),
                    ],
                ),
                (
                    "two hundred others",
                    (0..200)
                        .map(|number| (format!("c{number}"), "x".into()))
                        .chain([good.clone()])
                        .collect(),
                ),
            ] {
                expect(world, &cookies, "auth0|ann", what).await;
            }
            let many: Vec<_> = (0..200).map(|number| junk(&format!("1{number}"))).collect();
            expect(world, &many, "nobody", "two hundred of the name").await;
        },
    )
    .await;
}

#[tokio::test]
async fn chunks_that_are_not_complete() {
    on_both(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            world.open("/session?size=9000").await;
            let chunks: Vec<(String, String)> = world
                .browser
                .jar
                .iter()
                .filter(|cookie| cookie.name.starts_with("__Host-a0_session."))
                .map(|cookie| (cookie.name.clone(), cookie.value.clone()))
                .collect();
            let count = chunks.len();
            assert!(count >= 3);
            expect(world, &chunks, "auth0|ann", "all").await;
            let reversed: Vec<_> = chunks.iter().rev().cloned().collect();
            expect(world, &reversed, "auth0|ann", "in another order").await;
            for missing in 0..count {
                let mut some = chunks.clone();
                some.remove(missing);
                expect(world, &some, "nobody", &format!("without {missing}")).await;
            }
            let mut swapped = chunks.clone();
            let (first, second) = (swapped[1].1.clone(), swapped[2].1.clone());
            (swapped[1].1, swapped[2].1) = (second, first);
            expect(world, &swapped, "nobody", "swapped").await;
            let mut more = chunks.clone();
            more.push((format!("__Host-a0_session.{count}"), "left".into()));
            expect(world, &more, "auth0|ann", "one too many").await;
            // Of a longer session: the end says nothing to the count of the first.
            let shorter: Vec<_> = [("__Host-a0_session".to_owned(), "1junk".to_owned())]
                .into_iter()
                .chain(chunks)
                .collect();
            expect(world, &shorter, "auth0|ann", "junk under the name of one cookie").await;
        },
    )
    .await;
}

#[tokio::test]
async fn secrets_are_replaced() {
    for (secrets, is_opened) in
        [(vec![OTHER_SECRET, crate::world::SECRET], true), (vec![OTHER_SECRET], false)]
    {
        let provider = crate::provider::Provider::new();
        let old = builder(&provider).build().unwrap();
        let mut replaced = auth0_axum::login::Login::builder()
            .issuer(provider.tenant().issuer())
            .client_id("web")
            .client_secret("s3cret")
            .base_url("https://app.example")
            .http_client(provider.clone())
            .clock(provider.tenant().clock().clone());
        for secret in secrets {
            replaced = replaced.secret(secret);
        }
        let (old, new) = (old, replaced.build().unwrap());
        let servers = [crate::servers::axum(&old).await, crate::servers::axum(&new).await];
        let mut browser = crate::browser::Browser::new(servers[0], provider.tenant().clock(), true);
        let answer = browser.open("/auth/login").await;
        let back = provider.authorize(crate::world::location(&answer), "auth0|ann");
        browser.open(&format!("/auth/callback?{back}")).await;
        let before = browser.jar.clone();
        browser.server = servers[1];
        let answer = browser.open("/").await;
        assert_eq!(answer.body, if is_opened { "auth0|ann" } else { "nobody" });
        if is_opened {
            // Sealed anew, with the newer secret.
            assert_ne!(browser.jar, before);
            let only = auth0_axum::login::Login::builder()
                .issuer(provider.tenant().issuer())
                .client_id("web")
                .client_secret("s3cret")
                .secret(OTHER_SECRET)
                .base_url("https://app.example")
                .http_client(provider.clone())
                .clock(provider.tenant().clock().clone());
            browser.server = crate::servers::actix(&only.build().unwrap());
            assert_eq!(browser.open("/").await.body, "auth0|ann");
        } else {
            assert!(browser.jar.is_empty(), "what is no session is removed");
        }
    }
}

#[tokio::test]
async fn a_session_that_has_not_changed_sets_no_cookie() {
    on_both(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            for path in ["/", "/me", "/session", "/cached", "/plain"] {
                let answer = world.open(path).await;
                assert!(answer.lines("set-cookie").is_empty(), "{path}");
            }
            assert_eq!(world.open("/cached").await.lines("cache-control"), ["public, max-age=60"]);
            // A twentieth of the day has passed: it is extended, and not cached.
            world.pass(Duration::from_secs(73 * 60));
            assert!(
                world.open("/plain").await.lines("set-cookie").is_empty(),
                "nothing has read it"
            );
            let answer = world.open("/cached").await;
            assert_eq!(answer.lines("cache-control"), ["private, no-store"]);
            assert_eq!(answer.lines("vary"), ["cookie"]);
            assert!(world.open("/cached").await.lines("set-cookie").is_empty());
        },
    )
    .await;
}

#[tokio::test]
async fn on_this_machine_cookies_have_plain_names() {
    on_both(
        |login| login.base_url("http://localhost:3000"),
        async |world| {
            assert!(world.login.callback_url().starts_with("http://localhost:3000/"));
            world.log_in("auth0|ann").await;
            assert_eq!(world.browser.names(), ["a0_session"]);
        },
    )
    .await;
}

/// An attacker has visited, and has made the victim's browser have the attacker's session.
#[tokio::test]
async fn each_login_has_a_session_of_its_own() {
    on_both(
        |login| login.store(InMemorySessionStore::new()),
        async |world| {
            world.log_in("auth0|mallory").await;
            let mut attacker = world.browser.clone();
            world.open("/session?size=7").await;
            world.log_in("auth0|ann").await;
            assert_ne!(world.browser.jar, attacker.jar);
            assert_eq!(attacker.open("/").await.body, "nobody", "the old session has ended");
            assert_eq!(world.open("/session").await.body, "0", "nothing of the first user");
            // The same user keeps the data of the application.
            world.open("/session?size=9").await;
            world.log_in("auth0|ann").await;
            assert_eq!(world.open("/session").await.body, "9");
        },
    )
    .await;
}

/// Two applications of a tenant have the same secret.
#[tokio::test]
async fn a_session_of_another_application() {
    on_both(
        |login| login,
        async |world| {
            world.log_in("auth0|ann").await;
            let other = builder(&world.provider).client_id("other").build().unwrap();
            for server in [crate::servers::axum(&other).await, crate::servers::actix(&other)] {
                let mut browser = world.browser.clone();
                browser.server = server;
                assert_eq!(browser.open("/").await.body, "nobody");
            }
        },
    )
    .await;
}
