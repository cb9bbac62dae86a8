//! Tokens of the service itself: one request in flight, renewal ahead, the old token while the issuer fails.
use crate::kit::{API, Answer, EPOCH, Server, run, settle};
use auth0_client::ErrorKind;
use std::{
    collections::BTreeSet,
    future,
    task::Poll,
    time::{Duration, UNIX_EPOCH},
};
use tokio::task::JoinSet;

const DAY: u64 = 86_400;

#[tokio::test]
async fn a_hundred_callers_share_one_request() {
    let server = Server::new();
    let orders = server.client().machine(API).build().unwrap();
    let mut callers = JoinSet::new();
    for _ in 0..100 {
        let orders = orders.clone();
        callers.spawn(async move { orders.token().await.unwrap().encoded().to_owned() });
    }
    let tokens: BTreeSet<String> = callers.join_all().await.into_iter().collect();
    assert_eq!(tokens.len(), 1);
    assert_eq!(server.count(), 1);
    let seen = server.last();
    assert_eq!((seen.method.as_str(), seen.path()), ("POST", "/oauth/token"));
    assert_eq!(seen.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(
        seen.body,
        "client_id=app&client_secret=the-secret&grant_type=client_credentials\
         &audience=https%3A%2F%2Forders.acme.com"
    );
}

/// Without a client grant, for example: no caller can correct it.
#[tokio::test]
async fn a_denied_token_is_for_the_operator_to_correct() {
    let server = Server::answering([Answer::error(403, "access_denied")]);
    let error = server.client().machine(API).build().unwrap().token().await.unwrap_err();
    assert_eq!((error.kind(), error.reply().status()), (ErrorKind::Denied, 502));
    let body = String::from_utf8(error.reply().into_body()).unwrap();
    assert!(body.contains("client_misconfigured"), "{body}");
}

#[tokio::test]
async fn the_caller_that_started_the_request_may_go() {
    let (release, held) = Answer::held(Answer::token("a"));
    let server = Server::answering([held]);
    let orders = server.client().machine(API).build().unwrap();
    let first = tokio::spawn({
        let orders = orders.clone();
        async move { orders.token().await }
    });
    settle().await;
    assert_eq!(server.count(), 1);
    let others: Vec<_> = (0..10)
        .map(|_| {
            let orders = orders.clone();
            tokio::spawn(async move { orders.token().await })
        })
        .collect();
    settle().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    release.send_replace(true);
    for other in others {
        assert_eq!(other.await.unwrap().unwrap().encoded(), "a");
    }
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn a_token_is_renewed_in_the_background() {
    let server = Server::new();
    let orders = server.client().machine(API).build().unwrap();
    let first = orders.token().await.unwrap();
    assert_eq!(first.expires_at(), UNIX_EPOCH.checked_add(EPOCH + Duration::from_secs(DAY)));
    // 80 % of the life, less the jitter.
    server.clock.advance(Duration::from_secs(DAY * 75 / 100 - 1));
    assert_eq!(orders.token().await.unwrap().encoded(), "token-1");
    settle().await;
    assert_eq!(server.count(), 1);
    server.clock.advance(Duration::from_secs(DAY / 10 + 2));
    for _ in 0..10 {
        // The old one is served meanwhile.
        assert!(["token-1", "token-2"].contains(&orders.token().await.unwrap().encoded()));
    }
    settle().await;
    assert_eq!(orders.token().await.unwrap().encoded(), "token-2");
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn the_old_token_is_served_while_the_issuer_fails() {
    let server = Server::answering([Answer::token("old")]);
    server.respond(|_, _| Answer::error(503, "temporarily_unavailable"));
    let orders = server.client().machine(API).build().unwrap();
    orders.token().await.unwrap();
    server.clock.advance(Duration::from_secs(DAY * 86 / 100));
    for _ in 0..3 {
        for _ in 0..100 {
            assert_eq!(run(&server, orders.token()).await.unwrap().encoded(), "old");
        }
        settle().await;
        // One request with its repetition for each pause, not one for each caller.
        server.clock.advance(Duration::from_secs(60));
    }
    assert!((2..=8).contains(&(server.count() - 1)), "{}", server.count());
    let age = server.clock.passed();
    server.clock.advance(Duration::from_secs(DAY - 1) - age);
    assert_eq!(run(&server, orders.token()).await.unwrap().encoded(), "old");
    server.clock.advance(Duration::from_secs(2));
    let error = run(&server, orders.token()).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::Unavailable, Some(503)));
}

#[tokio::test]
async fn the_key_is_everything_that_the_token_depends_on() {
    let server = Server::new();
    let client = server.client();
    let same = [
        client.machine(API).scopes(["b", "a"]).build().unwrap(),
        client.machine(API).scopes(["a", "b"]).build().unwrap(),
        client.machine(API).scopes(["a b", "a"]).build().unwrap(),
    ];
    for source in same {
        assert_eq!(source.token().await.unwrap().encoded(), "token-1");
    }
    assert_eq!(server.last().parameter("scope").as_deref(), Some("a b"));
    let others = [
        client.machine(API).build().unwrap(),
        client.machine("https://other.acme.com").scopes(["a", "b"]).build().unwrap(),
        client.machine(API).scopes(["a", "b"]).organization("org_1").build().unwrap(),
        client.machine(API).scopes(["a", "b"]).organization("org_2").build().unwrap(),
        client.machine(API).scopes(["a", "b"]).resource("https://r.acme.com").build().unwrap(),
        client.machine(API).scopes(["a", "b"]).parameter("x", "y").build().unwrap(),
        client.machine(API).scopes(["a", "b"]).parameter("x", "z").build().unwrap(),
    ];
    let mut tokens = BTreeSet::new();
    for source in &others {
        tokens.insert(source.token().await.unwrap().encoded().to_owned());
    }
    assert_eq!((tokens.len(), server.count()), (7, 8));
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let server = Server::new();
    let client = server.client();
    let (one, other) = (client.machine(API).build().unwrap(), client.machine(API).build().unwrap());
    let first = one.token().await.unwrap();
    assert_eq!(other.token().await.unwrap().encoded(), first.encoded());
    assert!(one.forget(&first));
    assert!(other.forget(&first), "it is forgotten already");
    let second = other.token().await.unwrap();
    assert_eq!(one.token().await.unwrap().encoded(), second.encoded());
    assert_eq!((second.encoded(), server.count()), ("token-2", 2));
    assert!(!one.forget(&second), "one in ten seconds");
    assert_eq!(one.token().await.unwrap().encoded(), "token-2");
    server.clock.advance(Duration::from_secs(10));
    assert!(other.forget(&second));
    assert_eq!(one.token().await.unwrap().encoded(), "token-3");
}

/// In its last minute, a call waits a second for the next token. The request for it has the time of a call.
#[tokio::test]
async fn a_slow_issuer_in_the_last_minute() {
    let (release, held) = Answer::held(Answer::token("new"));
    let server = Server::answering([Answer::token("old"), held]);
    let orders = server.client().machine(API).build().unwrap();
    orders.token().await.unwrap();
    server.clock.advance(Duration::from_secs(DAY - 30));
    assert_eq!(run(&server, orders.token()).await.unwrap().encoded(), "old");
    server.clock.advance(Duration::from_secs(2));
    settle().await;
    release.send_replace(true);
    settle().await;
    assert_eq!(orders.token().await.unwrap().encoded(), "new");
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_token_without_a_life_is_used_once() {
    for expires_in in [
        "",
        r#","expires_in":null"#,
        r#","expires_in":0"#,
        r#","expires_in":-5"#,
        r#","expires_in":"soon""#,
    ] {
        let server = Server::new();
        let body = format!(r#"{{"access_token":"a","token_type":"Bearer"{expires_in}}}"#);
        server.respond(move |_, _| Answer::json(200, &body));
        let orders = server.client().machine(API).build().unwrap();
        for count in 1..=3 {
            let token = orders.token().await.unwrap();
            assert_eq!((token.expires_at(), server.count()), (None, count), "{expires_in}");
        }
    }
    for expires_in in ["3600", "\"3600\"", "3600.0"] {
        let server = Server::new();
        let body =
            format!(r#"{{"access_token":"a","token_type":"bearer","expires_in":{expires_in}}}"#);
        server.respond(move |_, _| Answer::json(200, &body));
        let orders = server.client().machine(API).build().unwrap();
        for _ in 0..3 {
            orders.token().await.unwrap();
        }
        assert_eq!(server.count(), 1, "{expires_in}");
    }
}

#[tokio::test]
async fn either_clock_ends_a_token() {
    let server = Server::new();
    let orders = server.client().machine(API).build().unwrap();
    orders.token().await.unwrap();
    // The wall clock was set back: the token has aged all the same.
    server.clock.set_back(Duration::from_secs(7200));
    server.clock.advance(Duration::from_secs(DAY));
    assert_eq!(orders.token().await.unwrap().encoded(), "token-2");
}

#[tokio::test]
async fn a_panic_of_the_transport_frees_the_key() {
    let server = Server::answering([Answer::Panic, Answer::Panic]);
    let orders = server.client().machine(API).build().unwrap();
    let error = run(&server, orders.token()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(orders.token().await.unwrap().encoded(), "token-3");
}

#[tokio::test]
async fn a_caller_with_more_time_goes_on() {
    let server = Server::answering([Answer::Hang]);
    let client = server.client();
    let short = client.machine(API).deadline(Duration::from_secs(1)).build().unwrap();
    let long = client.machine(API).deadline(Duration::from_secs(20)).build().unwrap();
    let both = async { tokio::join!(short.token(), long.token()) };
    let (short, long) = run(&server, both).await;
    assert_eq!(short.unwrap_err().kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(long.unwrap().encoded(), "token-2");
}

#[tokio::test]
async fn the_metadata_is_read_once() {
    let server = Server::new();
    let client = server.client();
    let sources: Vec<_> = (0..20)
        .map(|number| client.machine(format!("https://{number}.acme.com")).build().unwrap())
        .collect();
    let mut callers = JoinSet::new();
    for source in sources {
        callers.spawn(async move { source.token().await.unwrap() });
    }
    callers.join_all().await;
    assert_eq!((server.count(), server.metadata_reads()), (20, 1));
    server.clock.advance(Duration::from_secs(3601));
    client.machine("https://new.acme.com").build().unwrap().token().await.unwrap();
    settle().await;
    assert_eq!(server.metadata_reads(), 2);
    // Known endpoints are used while the document cannot be read, and no request waits for it.
    server.clock.advance(Duration::from_secs(3601));
    server.hide_metadata();
    for number in 0..3 {
        let api = format!("https://more-{number}.acme.com");
        client.machine(api).build().unwrap().token().await.unwrap();
    }
    assert_eq!(server.count(), 24);
}

#[tokio::test]
async fn clearing_forgets_what_no_source_holds() {
    let server = Server::new();
    let client = server.client();
    client.machine(API).build().unwrap().token().await.unwrap();
    client.machine(API).build().unwrap().token().await.unwrap();
    assert_eq!(server.count(), 1);
    client.clear();
    client.machine(API).build().unwrap().token().await.unwrap();
    assert_eq!(server.count(), 2);
}

/// The task of a call, or the process, does not run when the answer comes.
#[tokio::test]
async fn a_call_that_sees_its_token_late_gets_another() {
    for (life, age, requests) in [
        (60, 59, 1),
        (60, 60, 2),
        // Longer than a call may take.
        (60, DAY, 2),
        // Another token would have no life, either.
        (0, 60, 1),
    ] {
        let (release, first) = Answer::held(Answer::token_for("a", life));
        let server = Server::answering([first, Answer::token_for("b", life)]);
        let orders = server.client().machine(API).build().unwrap();
        let mut call = Box::pin(orders.token());
        let polled = future::poll_fn(|context| Poll::Ready(call.as_mut().poll(context))).await;
        assert!(polled.is_pending());
        settle().await;
        assert_eq!(server.count(), 1);
        release.send_replace(true);
        settle().await;
        server.clock.advance(Duration::from_secs(age));
        let token = run(&server, call).await.unwrap();
        assert_eq!(server.count(), requests, "a life of {life} seconds, seen after {age}");
        let now = UNIX_EPOCH + EPOCH + server.clock.passed();
        assert_eq!(token.expires_at().is_some_and(|end| end > now), life > 0, "{life} {age}");
    }
}
