//! No secret and no token reaches the log. A program of its own: a subscriber of one test can miss events while
//! others come and go.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]
#[path = "../cases/kit.rs"]
#[allow(dead_code, reason = "the other tests use the rest")]
mod kit;

use kit::{API, Answer, EPOCH, Server, jwt, run};
use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};
use tracing::instrument::WithSubscriber;
use tracing_subscriber::{fmt, layer::SubscriberExt};

/// Collects the log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

const SECRETS: [&str; 6] =
    ["the-secret", "ACCESSTOKEN", "REFRESHTOKEN", "IDTOKEN", "MFATOKEN", "SUBJECT"];

fn check(text: &str) {
    for secret in SECRETS.iter().chain([&"PRIVATE KEY", &"eyJ"]) {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
}

#[tokio::test]
async fn the_log() {
    let log = Log::default();
    let writer = log.clone();
    let layer = fmt::layer().with_ansi(false).with_writer(move || writer.clone());
    let subscriber = tracing_subscriber::registry().with(layer);
    let subject = &jwt(&format!(r#"{{"sub":"SUBJECT","exp":{}}}"#, EPOCH.as_secs() + 60));
    let work = async {
        for answer in [
            Answer::error(401, "invalid_client"),
            Answer::json(
                403,
                &format!(
                    r#"{{"error":"access_denied","error_description":"{}"}}"#,
                    "a\\nfake line"
                ),
            ),
            Answer::json(200, r#"{"access_token":"ACCESSTOKEN","token_type":"x"}"#),
            Answer::json(200, r#"{"access_token":["ACCESSTOKEN"],"token_type":"Bearer"}"#),
            Answer::json(403, r#"{"error":"mfa_required","mfa_token":"MFATOKEN"}"#),
            Answer::error(503, "x"),
            Answer::Lost,
            Answer::Unsent,
            Answer::Hang,
            Answer::error(429, "too_many_requests"),
        ] {
            let server = Server::new();
            server.respond(move |_, _| answer.clone());
            let client = server.client();
            for error in [
                run(&server, client.machine(API).build().unwrap().token()).await.unwrap_err(),
                run(&server, client.exchange("urn:a:b", "SUBJECT").send()).await.unwrap_err(),
                run(&server, client.refresh("REFRESHTOKEN").send()).await.unwrap_err(),
                run(&server, client.connection("x").for_caller(subject).token()).await.unwrap_err(),
            ] {
                check(&format!("{error} {error:?}"));
                check(&String::from_utf8(error.reply().into_body()).unwrap());
            }
        }
    };
    work.with_subscriber(subscriber).await;
    let text = log.text();
    check(&text);
    assert!(text.contains("ERROR") && text.contains("invalid_client"), "{text}");
    assert!(text.contains("WARN") && !text.contains("\nfake"), "{text}");
}

/// A client with a certificate, whose token is not bound to it: the operator learns of it.
#[tokio::test]
async fn a_token_that_is_not_bound_to_the_certificate() {
    let log = Log::default();
    let writer = log.clone();
    let layer = fmt::layer().with_ansi(false).with_writer(move || writer.clone());
    let subscriber = tracing_subscriber::registry().with(layer);
    let work = async {
        for (payload, is_warned) in [
            (r#"{"cnf":{"x5t#S256":"abc"}}"#, false),
            (r#"{"cnf":{"jkt":"abc"}}"#, true),
            ("{}", true),
        ] {
            let before = log.text().matches("not bound").count();
            let server = Server::answering([Answer::token(&jwt(payload))]);
            let client = server.builder().certificate_of_http_client().build().unwrap();
            client.machine(API).build().unwrap().token().await.unwrap();
            let warnings = log.text().matches("not bound").count() - before;
            assert_eq!(warnings, usize::from(is_warned), "{payload}");
        }
    };
    work.with_subscriber(subscriber).await;
}

/// What the operator has to know of another API, and of a host over http.
#[tokio::test]
async fn what_the_operator_learns() {
    let log = Log::default();
    let writer = log.clone();
    let layer = fmt::layer().with_ansi(false).with_writer(move || writer.clone());
    let subscriber = tracing_subscriber::registry().with(layer);
    let work = async {
        let server = Server::new();
        let client = server.builder().client_secret("the-secret").allow_http_hosts(["auth0"]);
        let client = client.build().unwrap();
        let lines = |level: &str| log.text().matches(level).count();
        assert_eq!(lines("WARN"), 1, "{}", log.text());
        let orders = client.machine(API).build().unwrap();
        let caller = jwt(r#"{"sub":"ann"}"#);
        let billing = client.delegation(API).build().unwrap().on_behalf_of(&caller);
        for (source, status, level) in [
            (&orders, 401, "ERROR"),
            (&orders, 403, "ERROR"),
            (&orders, 500, "WARN"),
            (&billing, 429, "WARN"),
            (&billing, 404, "WARN"),
            (&billing, 401, "DEBUG"),
            (&billing, 403, "DEBUG"),
        ] {
            let before = lines(level);
            let _ = source.refused(status, None);
            assert_eq!(lines(level), before + 1, "{status}: {}", log.text());
        }
        let before = lines("ERROR");
        let mistake = client.connection("github").parameter("scope", "x").for_caller(&caller);
        mistake.token().await.unwrap_err();
        assert_eq!(lines("ERROR"), before + 1);
    };
    work.with_subscriber(subscriber).await;
    check(&log.text());
}
