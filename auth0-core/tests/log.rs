//! What the log says: the reason, and of the client's bytes only what is escaped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use auth0_core::{
    Auth0, ErrorCode, HttpResponse, RequestView,
    policy::scope,
    testing::{Document, Failure, Profile, Tenant, TokenBuilder},
};
use serde_json::json;
use std::{
    fmt::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
    subscriber::DefaultGuard,
};

/// Keeps every event as the simplest of subscribers would print it: nothing is escaped again.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        write!(self.0, "{field}={value:?}|").unwrap();
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        write!(self.0, "{field}={value}|").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("auth0")
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut line = Line(String::new());
        attributes.record(&mut line);
        self.0.lock().unwrap().push(line.0);
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut line = Line(String::new());
        values.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(format!("{}|", event.metadata().level()));
        event.record(&mut line);
        self.0.lock().unwrap().push(line.0);
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Listening {
    _guard: DefaultGuard,
    _turn: MutexGuard<'static, ()>,
}

impl Log {
    /// Until the guard goes, for this thread: tests run on a runtime of one thread each. And one after
    /// the other: a subscriber that is set while another thread meets an event for the first time may
    /// never hear of that event.
    fn listen() -> (Self, Listening) {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let log = Self::default();
        (log.clone(), Listening { _guard: tracing::subscriber::set_default(log), _turn: turn })
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// A line is one line, of characters that a terminal shows as they are.
fn assert_harmless(line: &str) {
    let harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    assert!(!line.contains(harmful), "{line:?}");
}

const NASTY: [&str; 8] = [
    "a\nERROR auth0: forged",
    "a\r\nb",
    "\u{1b}[31mred\u{1b}[0m",
    "\u{9b}31m",
    "right\u{202e}to left",
    "\u{2028}line\u{2029}\u{feff}\u{2066}",
    "nul\0 bell\u{7} delete\u{7f}",
    "quote\" key_id=forged",
];

fn changes(nasty: &str, token: &dyn Fn() -> TokenBuilder) -> Vec<TokenBuilder> {
    vec![
        token().header("kid", nasty),
        token().header("alg", nasty),
        token().header("typ", nasty),
        token().header(nasty, nasty),
        token().issuer(nasty),
        token().audience(nasty),
        token().claim("aud", [nasty, nasty]),
        token().claim("exp", nasty),
        token().subject(nasty),
        token().client(nasty).scope(nasty).permissions([nasty]),
        token().client(nasty).expired(),
        token().profile(Profile::Rfc9068).client(nasty).claim("jti", nasty),
        token().claim("cnf", json!({ nasty: nasty, "jkt": nasty })),
        token().claim(nasty, nasty).claim("x", json!({ nasty: nasty })),
        token().raw_header(nasty),
        token().raw_payload(nasty),
    ]
}

/// Judges it in every way there is.
async fn judge(auth: &Auth0, token: &str) {
    let field = format!("Bearer {token}").into_bytes();
    let request = RequestView::new().authorization([&*field]);
    let _ = auth.authenticate(&request).await;
    if let Ok(token) = auth.verify(token).await {
        let _ = auth.authorize(&token, &scope("nobody:has-it"));
        let _ = auth.with_claims::<Vec<u8>>(&token);
    }
}

#[tokio::test]
async fn nothing_of_the_client_is_logged_unescaped_and_the_token_never() {
    let (log, _guard) = Log::listen();
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    for nasty in NASTY {
        for change in changes(nasty, &|| tenant.token().claim("private", "s3cr3t")) {
            let token = change.mint();
            judge(&auth, &token).await;
            let lines = log.take();
            assert!(!lines.is_empty(), "something is said of each");
            for line in lines {
                assert_harmless(&line);
                assert!(!line.contains(nasty), "{line}");
                for secret in token.split('.').chain(["s3cr3t", "eyJ"]) {
                    assert!(secret.is_empty() || !line.contains(secret), "{secret} in {line}");
                }
            }
        }
        // The field itself.
        for field in [format!("{nasty} x"), format!("Bearer {nasty}"), format!("Basic {nasty}")] {
            let request = RequestView::new().authorization([field.as_bytes()]);
            assert!(auth.authenticate(&request).await.is_err());
            for line in log.take() {
                assert_harmless(&line);
                assert!(!line.contains(nasty), "{line}");
            }
        }
    }
}

#[tokio::test]
async fn what_the_client_writes_does_not_make_a_line_long() {
    let (log, _guard) = Log::listen();
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let long = "k".repeat(5000);
    for change in changes(&long, &|| tenant.token()) {
        // What stands in a token that verifies is the issuer's, not the client's.
        let refused = auth.verify(&change.mint()).await.is_err();
        for line in log.take().into_iter().filter(|_| refused) {
            assert!(line.len() < 1000, "{line}");
        }
    }
}

#[tokio::test]
async fn what_the_issuer_answers_is_logged_escaped() {
    let (log, _guard) = Log::listen();
    for nasty in NASTY {
        let mut page = HttpResponse::new(200, nasty);
        page.content_type = Some(nasty.to_owned());
        for (document, answer) in [
            (Document::Metadata, page.clone()),
            (Document::Metadata, HttpResponse::json(nasty)),
            (
                Document::Metadata,
                HttpResponse::json(json!({ "issuer": nasty, "jwks_uri": nasty }).to_string()),
            ),
            (
                Document::Metadata,
                HttpResponse::json(json!({ "issuer": 1, nasty: nasty }).to_string()),
            ),
            (Document::KeySet, page),
            (
                Document::KeySet,
                HttpResponse::json(json!({ "keys": [{ "kty": nasty, "kid": nasty }] }).to_string()),
            ),
        ] {
            let tenant = Tenant::new();
            tenant.fail_at(document, Failure::Answer(answer));
            judge(&tenant.auth0(), &tenant.token().mint()).await;
            let lines = log.take();
            assert!(lines.iter().any(|line| line.starts_with("ERROR")), "{lines:?}");
            for line in lines {
                assert_harmless(&line);
            }
        }
    }
}

#[tokio::test]
async fn a_line_says_the_reason_and_whose_token_it_was() {
    let (log, _guard) = Log::listen();
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.warm_up().await.unwrap();
    log.take();

    let accepted = auth.verify(&tenant.token().client("app").mint()).await.unwrap();
    let lines = log.take();
    let [line] = &*lines else { panic!("one event for each verification: {lines:?}") };
    for part in ["DEBUG|", "https://tenant.test/", "app", "RS256", "test-rs256-1"] {
        assert!(line.contains(part), "{part} in {line}");
    }

    let error = auth.verify(&tenant.token().header("kid", "other").mint()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeyUnknown);
    let lines = log.take();
    let refused: Vec<_> = lines.iter().filter(|line| line.starts_with("INFO|")).collect();
    let [line] = &*refused else { panic!("one event for each verification: {lines:?}") };
    for part in ["key_unknown", "RS256", "other", error.cause().unwrap()] {
        assert!(line.contains(part), "{part} in {line}");
    }

    auth.authorize(&accepted, &scope("a")).unwrap_err();
    let line = log.take().pop().unwrap();
    for part in ["INFO|", "insufficient_scope", "app", "scope(\"a\")"] {
        assert!(line.contains(part), "{part} in {line}");
    }

    // No credentials is nothing to be told of at the usual level.
    auth.authenticate(&RequestView::new()).await.unwrap_err();
    let line = log.take().pop().unwrap();
    assert!(line.starts_with("DEBUG|") && line.contains("token_missing"), "{line}");
}

/// Where a thing stands that was looked for elsewhere is for the log, and for nobody else.
#[tokio::test]
async fn a_refusal_gives_a_hint_in_the_log_and_not_on_the_wire() {
    use auth0_core::policy::{any_organization, any_scope, max_age, organization, permission};
    let (log, _guard) = Log::listen();
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().scope("read:a").permissions(["read:b"]).mint();
    let token = auth.verify(&token).await.unwrap();
    log.take();
    for (requirement, hint) in [
        (scope("read:b"), r#"hint="read:b" stands in `permissions`, not in `scope`|"#),
        (any_scope(&["x", "read:b"]), r#"hint="read:b" stands in `permissions`, not in `scope`|"#),
        (permission("read:a"), r#"hint="read:a" stands in `scope`, not in `permissions`|"#),
        (any_organization(), "hint=the token has no org_id: log in through an organization|"),
        (organization("org_1"), "hint=the token has no org_id: log in through an organization|"),
        (
            max_age(60),
            "hint=the token has no auth_time: the tenant must put it into access tokens|",
        ),
        (scope("x").and(scope("read:b")), r#"hint="read:b" stands in `permissions`"#),
        (scope("x").or(scope("read:b")), r#"hint="read:b" stands in `permissions`"#),
        (scope("x"), ""),
        (scope("x").and(any_organization().or(scope("read:a"))), ""),
    ] {
        let challenge = auth.authorize(&token, &requirement).unwrap_err().challenge();
        let lines = log.take();
        let [line] = lines.as_slice() else { panic!("{requirement}: {lines:?}") };
        assert_eq!(line.contains("hint="), !hint.is_empty(), "{line}");
        assert!(line.contains(hint), "{line}");
        assert_harmless(line);
        let wire = format!("{challenge:?}");
        assert!(!wire.contains("stands in") && !wire.contains("org_id"), "{wire}");
    }
}
