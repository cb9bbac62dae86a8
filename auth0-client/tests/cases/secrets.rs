//! No secret and no token in `Debug`, in errors or in the log.
use crate::{
    delegation::token_of,
    kit::{API, Answer, EC_PEM, RSA_PEM, Server, run},
};
use auth0_client::{Caller, ProofKey, SigningKey};
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
async fn debug() {
    let body = r#"{"access_token":"ACCESSTOKEN","token_type":"Bearer","expires_in":60,
        "refresh_token":"REFRESHTOKEN","id_token":"IDTOKEN"}"#;
    let server = Server::new();
    server.respond(move |_, _| Answer::json(200, body));
    let builder = server.builder().client_secret("the-secret");
    check(&format!("{builder:?}"));
    let client = builder.build().unwrap();
    check(&format!("{client:?}"));
    let source = client.machine(API).build().unwrap();
    let token = source.token().await.unwrap();
    check(&format!("{source:?} {token:?}"));
    let subject = token_of("SUBJECT", 60);
    let delegation = client.delegation(API).build().unwrap();
    check(&format!("{delegation:?} {:?}", delegation.on_behalf_of(&subject)));
    check(&format!("{:?}", Caller::from(&subject)));
    let connection = client.connection("github");
    check(&format!("{connection:?} {:?}", connection.for_refresh_token("REFRESHTOKEN")));
    let tokens = client.refresh("REFRESHTOKEN").send().await.unwrap();
    check(&format!("{tokens:?} {:?}", client.refresh("REFRESHTOKEN")));
    check(&format!(
        "{:?} {:?}",
        client.revoke("REFRESHTOKEN"),
        client.exchange("urn:a:b", "SUBJECT")
    ));
    check(&format!("{:?}", client.passwordless("a@b").log_in("the-secret")));
    check(&format!("{:?}", client.grant("x").parameter("code", "SUBJECT")));
    let key = SigningKey::from_pem(RSA_PEM).unwrap();
    check(&format!("{key:?} {:?}", ProofKey::from_pem(EC_PEM).unwrap()));
}

#[tokio::test]
async fn the_log() {
    let log = Log::default();
    let writer = log.clone();
    let layer = fmt::layer().with_ansi(false).with_writer(move || writer.clone());
    let subscriber = tracing_subscriber::registry().with(layer);
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
                run(&server, client.connection("x").for_caller(&token_of("SUBJECT", 60)).token())
                    .await
                    .unwrap_err(),
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
