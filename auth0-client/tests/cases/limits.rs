//! Limits and repetitions: what is waited for, what is repeated, and what fails at once.
use crate::kit::{API, Answer, EPOCH, Server, jwt, run};
use auth0_client::{Client, Error, ErrorKind};
use std::time::Duration;

fn throttled() -> Answer {
    let body = r#"{"statusCode":429,"error":"Too Many Requests","message":"Global limit has been reached"}"#;
    Answer::json(429, body)
}

async fn token(server: &Server, client: &Client, api: &str) -> Result<String, Error> {
    let source = client.machine(api).build().unwrap();
    run(server, source.token()).await.map(|token| token.encoded().to_owned())
}

fn client(server: &Server, seconds: u64) -> Client {
    let builder = server.builder().client_secret("s").deadline(Duration::from_secs(seconds));
    builder.build().unwrap()
}

#[tokio::test]
async fn a_wait_within_the_deadline_is_waited() {
    let server = Server::answering([throttled().with("retry-after", "60"), Answer::token("a")]);
    assert_eq!(token(&server, &client(&server, 120), API).await.unwrap(), "a");
    let seen = server.seen();
    assert!(seen[1].at - seen[0].at >= Duration::from_secs(60), "{:?}", seen[1].at);
    assert_eq!(seen.len(), 2);
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_fails_at_once() {
    let reset = (EPOCH.as_secs() + 60).to_string();
    let quota = "b=per_hour;q=10;r=0;t=3540,b=per_day;q=50;r=40;t=43200";
    for (answer, wait) in [
        (throttled().with("retry-after", "60"), 60),
        (throttled().with("x-ratelimit-remaining", "0").with("x-ratelimit-reset", &reset), 60),
        (throttled().with("auth0-client-quota-limit", quota), 3540),
        (throttled().with("auth0-organization-quota-limit", quota), 3540),
        (throttled().with("retry-after", "Thu, 01 Jan 2026 12:01:00 GMT"), 60),
        (throttled().with("retry-after", "99999999999999999999999"), 86_400),
        // The first that is there counts.
        (throttled().with("auth0-client-quota-limit", quota).with("retry-after", "30"), 30),
    ] {
        let server = Server::answering([answer]);
        let client = client(&server, 5);
        for _ in 0..3 {
            let error = token(&server, &client, API).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Throttled);
            assert_eq!(error.retry_after(), Some(Duration::from_secs(wait)));
            let until = std::time::UNIX_EPOCH + EPOCH + Duration::from_secs(wait);
            assert_eq!(error.until(), Some(until));
        }
        assert_eq!((server.count(), server.clock.passed()), (1, Duration::ZERO));
        server.clock.advance(Duration::from_secs(wait));
        token(&server, &client, API).await.unwrap();
    }
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_clamped() {
    for (reset, expected) in
        [(EPOCH.as_secs() - 3600, 1), (EPOCH.as_secs() + 3600, 60), (0, 1), (u64::MAX, 60)]
    {
        let server = Server::answering([throttled()
            .with("x-ratelimit-remaining", "0")
            .with("x-ratelimit-reset", &reset.to_string())]);
        let client = server.builder().client_secret("s").deadline(Duration::from_millis(900));
        let error = token(&server, &client.build().unwrap(), API).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(expected)), "{reset}");
    }
}

#[tokio::test]
async fn a_limit_of_the_token_endpoint_stops_all_keys_without_a_token() {
    let reset = (EPOCH.as_secs() + 30).to_string();
    let of_endpoint =
        || throttled().with("x-ratelimit-remaining", "0").with("x-ratelimit-reset", &reset);
    for (answer, stops_others) in [
        (of_endpoint(), true),
        (of_endpoint().with("auth0-ratelimit", "client;q=10;t=1;r=0"), false),
        (of_endpoint().with("auth0-client-quota-limit", "b=per_hour;q=1;r=0;t=30"), false),
        (throttled().with("retry-after", "30"), false),
    ] {
        let server = Server::answering([Answer::token("known"), answer]);
        let client = client(&server, 5);
        assert_eq!(token(&server, &client, "https://known.acme.com").await.unwrap(), "known");
        token(&server, &client, API).await.unwrap_err();
        let other = token(&server, &client, "https://other.acme.com").await;
        assert_eq!(other.is_err(), stops_others);
        assert_eq!(
            other.err().map(|error| error.kind()),
            stops_others.then_some(ErrorKind::Throttled)
        );
        assert_eq!(token(&server, &client, "https://known.acme.com").await.unwrap(), "known");
        assert_eq!(server.count(), 2 + usize::from(!stops_others));
        server.clock.advance(Duration::from_secs(60));
        token(&server, &client, "https://third.acme.com").await.unwrap();
    }
}

/// Fifty codes an hour and address: a user who requests more stops no login and no renewal.
#[tokio::test]
async fn a_limit_of_one_endpoint_stops_no_other() {
    let reset = (EPOCH.as_secs() + 3000).to_string();
    let limited = throttled()
        .with("x-ratelimit-remaining", "0")
        .with("x-ratelimit-reset", &reset)
        .with("retry-after", "3000");
    let (server, of_codes) = (Server::new(), limited.clone());
    server.respond(move |seen, number| match seen.path() {
        "/passwordless/start" => of_codes.clone(),
        _ => Answer::token(&format!("token-{number}")),
    });
    let client = client(&server, 5);
    let user = jwt(r#"{"sub":"ann"}"#);
    let send_code = || async {
        let error = client.passwordless("a@b").send_code().send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Throttled);
        assert_eq!(error.retry_after(), Some(Duration::from_secs(3000)));
    };
    run(&server, send_code()).await;
    token(&server, &client, API).await.unwrap();
    let delegation = client.delegation(API).build().unwrap();
    run(&server, delegation.on_behalf_of(&user).token()).await.unwrap();
    run(&server, client.refresh("r").send()).await.unwrap();
    assert_eq!((server.count(), server.clock.passed()), (4, Duration::ZERO));
    // No other code is requested.
    run(&server, send_code()).await;
    assert_eq!(server.count(), 4);
    // And one of the token endpoint stops no code.
    let server = Server::answering([limited, Answer::json(200, "{}")]);
    let client = self::client(&server, 5);
    token(&server, &client, API).await.unwrap_err();
    run(&server, client.passwordless("a@b").send_code().send()).await.unwrap();
    token(&server, &client, "https://other.acme.com").await.unwrap_err();
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn quotas_are_read_on_good_and_bad_answers() {
    let quota = "b=per_hour;q=10;r=7;t=3540, b=per_day;q=50;r=0;t=43200";
    let answer = throttled()
        .with("auth0-client-quota-limit", quota)
        .with("auth0-organization-quota-limit", "b=per_hour;q=1;r=1;t=60");
    let server = Server::answering([answer]);
    let error = token(&server, &client(&server, 5), API).await.unwrap_err();
    let quotas = &error.limits().quotas;
    let read: Vec<_> = quotas
        .iter()
        .map(|quota| {
            (
                quota.is_of_organization,
                &*quota.bucket,
                quota.quota,
                quota.remaining,
                quota.resets_after.as_secs(),
            )
        })
        .collect();
    assert_eq!(
        read,
        [
            (false, "per_hour", 10, 7, 3540),
            (false, "per_day", 50, 0, 43200),
            (true, "per_hour", 1, 1, 60)
        ]
    );
    assert_eq!(error.retry_after(), Some(Duration::from_secs(43200)));
    for malformed in [
        "",
        "b=per_hour",
        "q=1;r=1;t=1",
        "b=x;q=a;r=1;t=1",
        "b=x;q=1;r=-1;t=1",
        ";;;,,,",
        "b=a b;q=1;r=1;t=1",
        "=,=",
    ] {
        let answer = Answer::token("a").with("auth0-client-quota-limit", malformed);
        let server = Server::answering([answer]);
        assert_eq!(token(&server, &client(&server, 5), API).await.unwrap(), "a", "{malformed}");
    }
}

#[tokio::test]
async fn what_is_repeated() {
    let user = jwt(r#"{"sub":"ann"}"#);
    let failure = || Answer::error(503, "temporarily_unavailable");
    // The requests that are made in all, if they fail again and again.
    for (answer, always, unseen) in [
        (Answer::Unsent, 3, 3),
        (Answer::Lost, 2, 1),
        (Answer::Hang, 2, 1),
        (failure(), 2, 1),
        (Answer::error(400, "invalid_request"), 1, 1),
        (Answer::json(302, "").with("location", "https://evil.test/"), 1, 1),
    ] {
        for grant in [
            "machine",
            "on_behalf_of",
            "vault",
            "refresh",
            "vault_refresh",
            "exchange",
            "open",
            "passwordless",
            "revoke",
        ] {
            let server = Server::new();
            let answer = answer.clone();
            server.respond(move |_, _| answer.clone());
            let client = client(&server, 30);
            let failed = run(&server, async {
                match grant {
                    "machine" => client.machine(API).build().unwrap().token().await.is_err(),
                    "on_behalf_of" => {
                        client.delegation(API).build().unwrap().on_behalf_of(&user).await.is_err()
                    }
                    "vault" => client.connection("github").for_caller(&user).await.is_err(),
                    "vault_refresh" => {
                        client.connection("github").for_refresh_token("r").await.is_err()
                    }
                    "refresh" => client.refresh("r").send().await.is_err(),
                    "exchange" => client.exchange("urn:a:b", "x").send().await.is_err(),
                    "passwordless" => client.passwordless("a@b").send_code().send().await.is_err(),
                    "revoke" => client.revoke("r").send().await.is_err(),
                    _ => client.grant("urn:a:b").send().await.is_err(),
                }
            })
            .await;
            assert!(failed);
            let is_always = ["machine", "on_behalf_of", "vault"].contains(&grant);
            assert_eq!(server.count(), if is_always { always } else { unseen }, "{grant}");
            assert!(server.seen().iter().all(|seen| !seen.url.contains("evil")));
        }
    }
}

#[tokio::test]
async fn a_user_does_not_wait_for_a_limit() {
    let server = Server::new();
    server.respond(|_, _| throttled().with("retry-after", "1"));
    let client = client(&server, 10);
    let error = run(&server, client.passwordless("a@b").log_in("1").send()).await.unwrap_err();
    assert_eq!((error.kind(), server.count()), (ErrorKind::Throttled, 1));
    assert_eq!(server.clock.passed(), Duration::ZERO);
    // A refresh waits.
    server.queue([throttled().with("retry-after", "1"), Answer::token("a")]);
    run(&server, client.refresh("r").send()).await.unwrap();
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn a_refused_client_is_not_asked_for_again_at_once() {
    let server = Server::new();
    server.respond(|_, _| Answer::error(401, "invalid_client"));
    let client = client(&server, 10);
    for _ in 0..5 {
        let error = token(&server, &client, API).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidClient);
        token(&server, &client, "https://other.acme.com").await.unwrap_err();
    }
    assert_eq!(server.count(), 1);
    server.clock.advance(Duration::from_secs(10));
    server.respond(|_, _| Answer::token("a"));
    assert_eq!(token(&server, &client, API).await.unwrap(), "a");
    // What this client may not do is a matter of one key.
    server.respond(|_, _| Answer::error(403, "unauthorized_client"));
    for _ in 0..5 {
        token(&server, &client, "https://third.acme.com").await.unwrap_err();
    }
    assert_eq!(server.count(), 3);
    server.respond(|_, _| Answer::token("b"));
    assert_eq!(token(&server, &client, "https://fourth.acme.com").await.unwrap(), "b");
}

#[tokio::test]
async fn one_key_that_is_refused_stops_no_other() {
    let why = r#"{"error":"access_denied","error_description":"an Action says no"}"#;
    for (status, body) in
        [(401, why), (403, why), (401, "<html>"), (403, r#"{"error":"unauthorized_client"}"#)]
    {
        let server = Server::new();
        server.respond(move |seen, number| match seen.parameter("audience").as_deref() {
            Some(API) => Answer::json(status, body),
            _ => Answer::token(&format!("token-{number}")),
        });
        let client = client(&server, 10);
        for _ in 0..3 {
            token(&server, &client, API).await.unwrap_err();
        }
        assert_eq!(server.count(), 1, "{body}");
        token(&server, &client, "https://other.acme.com").await.unwrap();
    }
}

#[tokio::test]
async fn requests_that_wait_let_others_pass() {
    let server = Server::new();
    server.respond(|seen, number| match seen.parameter("connection").as_deref() {
        Some(_) => throttled().with("retry-after", "8"),
        None => Answer::token(&format!("token-{number}")),
    });
    let client = client(&server, 30);
    let user = jwt(r#"{"sub":"ann"}"#);
    let waiting: Vec<_> = (0..100)
        .map(|number| {
            let account = client.connection("github").login_hint(format!("{number}"));
            let source = account.for_caller(&user);
            tokio::spawn(async move { source.token().await })
        })
        .collect();
    crate::kit::settle().await;
    client.machine(API).build().unwrap().token().await.unwrap();
    assert_eq!(server.clock.passed(), Duration::ZERO);
    for call in waiting {
        call.abort();
    }
}

/// The rate limit is on each answer of Auth0, and says nothing about a failure or a poll.
#[tokio::test]
async fn a_failure_does_not_wait_for_the_rate_limit() {
    let reset = (EPOCH.as_secs() + 59).to_string();
    let failure = Answer::error(503, "temporarily_unavailable")
        .with("x-ratelimit-remaining", "90")
        .with("x-ratelimit-reset", &reset);
    let server = Server::answering([failure, Answer::token("a")]);
    assert_eq!(token(&server, &client(&server, 10), API).await.unwrap(), "a");
    assert!(server.clock.passed() < Duration::from_secs(1), "{:?}", server.clock.passed());
}

/// Keys whose limits are active are not forgotten for others.
#[tokio::test]
async fn many_keys_that_are_held_back() {
    let server = Server::new();
    server.respond(|_, _| throttled().with("retry-after", "600"));
    let delegation = client(&server, 1).delegation(API).build().unwrap();
    let user = |number: usize| jwt(&format!(r#"{{"sub":"{number}"}}"#));
    for number in 0..9_000 {
        delegation.on_behalf_of(&user(number)).await.unwrap_err();
    }
    assert_eq!(server.count(), 9_000);
    for number in 0..1_000 {
        delegation.on_behalf_of(&user(number)).await.unwrap_err();
    }
    assert_eq!(server.count(), 9_000, "the first are still held back");
}

#[tokio::test]
async fn the_deadline_ends_a_call() {
    let server = Server::new();
    server.respond(|_, _| Answer::Hang);
    let error = token(&server, &client(&server, 3), API).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeadlineExceeded);
    assert_eq!(server.clock.passed(), Duration::from_secs(3));
    let server = Server::new();
    server.respond(|_, _| Answer::Hang);
    let default = server.client();
    let error = token(&server, &default, API).await.unwrap_err();
    assert!(
        error.to_string().contains("10 s") || error.kind() == ErrorKind::Unavailable,
        "{error}"
    );
    assert!(server.clock.passed() <= Duration::from_secs(10));
}
