//! On behalf of callers: each gets its own token, which ends with the caller's.
use crate::kit::{API, Answer, EPOCH, Seen, Server, jwt, run, settle};
use auth0_client::{Delegation, ErrorKind, ProofKey};
use std::time::Duration;

/// Auth0's answer to a wrong secret.
const UNAUTHORIZED: &str = r#"{"error":"access_denied","error_description":"Unauthorized"}"#;

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A token of a user, for this many seconds.
pub(crate) fn token_of(user: &str, seconds: u64) -> String {
    jwt(&format!(r#"{{"sub":"{user}","exp":{}}}"#, EPOCH.as_secs() + seconds))
}

fn delegation(server: &Server) -> Delegation {
    server.client().delegation(API).scopes(["read:invoices"]).build().unwrap()
}

/// Answers with a token that names the subject token.
fn for_subject(seen: &Seen, _: usize) -> Answer {
    let subject = seen.parameter("subject_token").unwrap();
    Answer::token(&format!("for.{subject}"))
}

#[tokio::test]
async fn the_request() {
    let server = Server::new();
    let ann = token_of("ann", 3600);
    let token = delegation(&server).on_behalf_of(&ann).await.unwrap();
    let expected = [
        ("client_id", "app"),
        ("client_secret", "the-secret"),
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token_type", ACCESS_TOKEN),
        ("requested_token_type", ACCESS_TOKEN),
        ("audience", API),
        ("scope", "read:invoices"),
        ("subject_token", &ann),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(server.last().form(), expected);
    // Without `scope` in the answer, all that was requested is granted.
    assert_eq!(token.scopes().collect::<Vec<_>>(), ["read:invoices"]);
}

#[tokio::test]
async fn a_narrower_scope_is_reported() {
    let body = r#"{"access_token":"a","token_type":"Bearer","expires_in":60,"scope":"read:a"}"#;
    let server = Server::answering([Answer::json(200, body)]);
    let both = server.client().delegation(API).scopes(["read:a", "write:a"]).build().unwrap();
    let token = both.on_behalf_of(&token_of("ann", 600)).await.unwrap();
    assert!(token.has_scope("read:a") && !token.has_scope("write:a"));
}

#[tokio::test]
async fn two_users_interleaved_get_their_own() {
    let (ann, bob) = (token_of("ann", 3600), token_of("bob", 3600));
    let (release, held) = Answer::held(Answer::token("of-ann"));
    let nonce = Answer::error(400, "use_dpop_nonce").with("dpop-nonce", "n1");
    let server = Server::new();
    let builder = server.builder().client_secret("s").dpop(ProofKey::generate().unwrap());
    let delegation = builder.build().unwrap().delegation(API).build().unwrap();
    let bound = |text: &str| {
        Answer::json(
            200,
            &format!(r#"{{"access_token":"{text}","token_type":"DPoP","expires_in":600}}"#),
        )
    };
    let held = match held {
        Answer::Held(gate, _) => Answer::Held(gate, Box::new(bound("of-ann"))),
        other => other,
    };
    // Ann's answer is late; Bob's request needs a nonce meanwhile.
    server.queue([held, nonce, bound("of-bob")]);
    let of_ann = tokio::spawn({
        let source = delegation.on_behalf_of(&ann);
        async move { source.token().await.unwrap() }
    });
    settle().await;
    assert_eq!(delegation.on_behalf_of(&bob).await.unwrap().encoded(), "of-bob");
    release.send_replace(true);
    assert_eq!(of_ann.await.unwrap().encoded(), "of-ann");
    for _ in 0..3 {
        assert_eq!(delegation.on_behalf_of(&ann).await.unwrap().encoded(), "of-ann");
        assert_eq!(delegation.on_behalf_of(&bob).await.unwrap().encoded(), "of-bob");
    }
    assert_eq!(server.count(), 3);
    let subjects: Vec<_> =
        server.seen().iter().map(|seen| seen.parameter("subject_token").unwrap()).collect();
    assert_eq!(subjects, [&*ann, &bob, &bob]);
}

#[tokio::test]
async fn many_users_at_once_get_their_own() {
    let server = Server::new();
    server.respond(for_subject);
    let delegation = delegation(&server);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..400 {
        let user = token_of(&format!("user-{}", number % 40), 3600);
        let source = delegation.on_behalf_of(&user);
        tasks.spawn(async move {
            assert_eq!(source.token().await.unwrap().encoded(), format!("for.{user}"));
        });
    }
    tasks.join_all().await;
    assert_eq!(server.count(), 40);
}

#[tokio::test]
async fn a_token_ends_with_its_subject() {
    let server = Server::new();
    let delegation = delegation(&server);
    let ann = token_of("ann", 30);
    let token = delegation.on_behalf_of(&ann).await.unwrap();
    let expires_at = token.expires_at().unwrap();
    assert_eq!(expires_at, std::time::UNIX_EPOCH + EPOCH + Duration::from_secs(30));
    for (second, requests) in [(0, 1), (26, 1), (27, 2)] {
        server.clock.advance(Duration::from_secs(second) - server.clock.passed());
        run(&server, delegation.on_behalf_of(&ann).token()).await.unwrap();
        assert_eq!(server.count(), requests, "{second}");
    }
    // A subject that has expired is for Auth0 to refuse: nothing is kept.
    server.clock.advance(Duration::from_secs(60));
    server.respond(|_, _| Answer::error(401, "invalid_request"));
    let error = run(&server, delegation.on_behalf_of(&ann).token()).await.unwrap_err();
    assert_eq!((error.kind(), error.reply().status()), (ErrorKind::InvalidGrant, 401));
}

#[tokio::test]
async fn refusals_and_what_the_caller_gets() {
    let depth = r#"{"error":"invalid_request","error_description":"Delegation chain (`act` claim) depth exceeds the maximum allowed limit of 4"}"#;
    for (answer, kind, status) in [
        (Answer::json(400, depth), ErrorKind::Denied, 403),
        (Answer::error(403, "access_denied"), ErrorKind::Denied, 403),
        (Answer::error(401, "invalid_grant"), ErrorKind::InvalidGrant, 401),
        (Answer::error(403, "invalid_grant"), ErrorKind::InvalidGrant, 401),
        (Answer::error(401, "invalid_token"), ErrorKind::InvalidGrant, 401),
        (Answer::error(401, "invalid_client"), ErrorKind::InvalidClient, 502),
        (Answer::error(401, "access_denied"), ErrorKind::Denied, 403),
        (Answer::json(401, UNAUTHORIZED), ErrorKind::InvalidClient, 502),
        (Answer::error(403, "unauthorized_client"), ErrorKind::InvalidClient, 502),
        (Answer::error(400, "unsupported_grant_type"), ErrorKind::Misconfigured, 502),
        (Answer::error(403, "mfa_required"), ErrorKind::MfaRequired, 403),
        (Answer::json(200, "{}"), ErrorKind::Malformed, 502),
        (
            Answer::error(429, "too_many_requests").with("retry-after", "77"),
            ErrorKind::Throttled,
            503,
        ),
        (Answer::error(500, "server_error"), ErrorKind::Unavailable, 503),
        (Answer::Hang, ErrorKind::DeadlineExceeded, 503),
        (Answer::Unsent, ErrorKind::Unavailable, 503),
        (Answer::Lost, ErrorKind::Unavailable, 503),
    ] {
        let server = Server::new();
        server.respond(move |_, _| answer.clone());
        let source = delegation(&server).on_behalf_of(&token_of("ann", 3600));
        let error = run(&server, source.token()).await.unwrap_err();
        let reply = error.reply();
        assert_eq!((error.kind(), reply.status()), (kind, status), "{error}");
        let header = |name: &str| {
            reply.headers().find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
        };
        assert_eq!(header("www-authenticate").is_some(), status == 401, "{error}");
        assert_eq!(header("retry-after").is_some(), status == 503, "{error}");
        assert_eq!(header("cache-control").as_deref(), Some("no-store"));
        let body: serde_json::Value = serde_json::from_slice(reply.body()).unwrap();
        assert!(body["error"].is_string() && body["error_code"].is_string(), "{body}");
        assert!(!String::from_utf8_lossy(reply.body()).contains("why"), "no text of a server");
    }
}

#[tokio::test]
async fn refusals_of_another_api() {
    let server = Server::new();
    let client = server.client();
    let of_caller = delegation(&server).on_behalf_of(&token_of("ann", 3600));
    let of_service = client.machine(API).build().unwrap();
    let of_account = client.connection("google-oauth2").for_caller(&token_of("ann", 3600));
    for (status, caller, service, account) in [
        (401, 401, 502, 403),
        (403, 403, 502, 403),
        (400, 502, 502, 502),
        (404, 502, 502, 502),
        (302, 502, 502, 502),
        (408, 503, 503, 503),
        (429, 503, 503, 503),
        (500, 503, 503, 503),
        (503, 503, 503, 503),
    ] {
        for (source, expected) in
            [(&of_caller, caller), (&of_service, service), (&of_account, account)]
        {
            let reply = source.refused(status, Some("17")).reply();
            assert_eq!(reply.status(), expected, "{status} of {source:?}");
            let retry_after = reply.headers().find(|(name, _)| *name == "retry-after");
            assert_eq!(retry_after, (expected == 503).then_some(("retry-after", "17")));
        }
    }
    for (text, expected) in [
        ("soon", "5"),
        ("Thu, 26 Nov 1998 12:00:00 GMT", "1"),
        ("99999999999999999999999", "86400"),
    ] {
        let reply = of_caller.refused(503, Some(text)).reply();
        assert!(reply.headers().any(|header| header == ("retry-after", expected)), "{text}");
    }
}

#[tokio::test]
async fn subjects_that_cannot_be_one() {
    let server = Server::new();
    for (subject, sentence) in [
        ("", "is empty"),
        (" x", "spaces around"),
        ("x\n", "spaces around"),
        ("Bearer x", "begins with"),
        ("bearer x", "begins with"),
    ] {
        let error = delegation(&server).on_behalf_of(subject).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misconfigured);
        assert!(error.to_string().contains(sentence), "{error}");
    }
    assert_eq!(server.count(), 0);
}
