//! What a line of the log says: the reason, and of the client's bytes only what is escaped.
use crate::capture::Log;
use auth0_core::policy::scope;
use auth0_core::{Auth0, ErrorCode, adapter::RequestView, transport::HttpResponse};
use auth0_testing::{Document, Failure, Profile, Tenant, TokenBuilder};
use serde_json::json;

#[tokio::test]
async fn text_of_the_client_is_logged_escaped_and_the_token_never() {
    let log = Log::listen();
    let tenant = Tenant::new();
    let auth = tenant.builder().log_every_refusal().build().unwrap();
    for nasty in NASTY {
        for change in changes(nasty, &|| tenant.token().claim("private", "s3cr3t")) {
            let token = change.mint();
            verify(&auth, &token).await;
            let lines = log.take();
            assert!(!lines.is_empty(), "every token causes a line");
            for line in lines {
                assert_harmless(&line);
                assert!(!line.contains(nasty), "{line}");
                for secret in token.split('.').chain(["s3cr3t", "eyJ"]) {
                    assert!(secret.is_empty() || !line.contains(secret), "{secret} in {line}");
                }
            }
        }
        // The header itself.
        for header in [format!("{nasty} x"), format!("Bearer {nasty}"), format!("Basic {nasty}")] {
            let request = RequestView::new().authorization([header.as_bytes()]);
            assert!(auth.authenticate(&request).await.is_err());
            for line in log.take() {
                assert_harmless(&line);
                assert!(!line.contains(nasty), "{line}");
            }
        }
    }
}

#[tokio::test]
async fn the_client_cannot_make_a_line_long() {
    let log = Log::listen();
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let long = "k".repeat(5000);
    for change in changes(&long, &|| tenant.token()) {
        // The text of a token that verifies is that of the issuer, not of the client.
        let refused = auth.verify(&change.mint()).await.is_err();
        for line in log.take().into_iter().filter(|_| refused) {
            assert!(line.len() < 1000, "{line}");
        }
    }
}

#[tokio::test]
async fn text_of_the_issuer_is_logged_escaped() {
    let log = Log::listen();
    for nasty in NASTY {
        let page = HttpResponse::new(200, nasty).with_header("content-type", nasty);
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
            verify(&tenant.auth0(), &tenant.token().mint()).await;
            let lines = log.take();
            assert!(lines.iter().any(|line| line.starts_with("ERROR")), "{lines:?}");
            for line in lines {
                assert_harmless(&line);
            }
        }
    }
}

#[tokio::test]
async fn a_line_has_the_reason_and_the_client_of_the_token() {
    let log = Log::listen();
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

    // Missing credentials are not logged at the usual level.
    auth.authenticate(&RequestView::new()).await.unwrap_err();
    let line = log.take().pop().unwrap();
    assert!(line.starts_with("DEBUG|") && line.contains("token_missing"), "{line}");
}

/// The log says where a scope or permission is that was missing elsewhere. The client does not learn it.
#[tokio::test]
async fn a_refusal_gives_a_hint_in_the_log_and_not_on_the_wire() {
    use auth0_core::policy::{any_organization, any_scope, max_age, organization, permission};
    let log = Log::listen();
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().scope("read:a").permissions(["read:b"]).mint();
    let token = auth.verify(&token).await.unwrap();
    log.take();
    for (requirement, hint) in [
        (scope("read:b"), r#"hint="read:b" is in `permissions`, not in `scope`|"#),
        (any_scope(&["x", "read:b"]), r#"hint="read:b" is in `permissions`, not in `scope`|"#),
        (permission("read:a"), r#"hint="read:a" is in `scope`, not in `permissions`|"#),
        (any_organization(), "hint=the token has no org_id: log in through an organization|"),
        (organization("org_1"), "hint=the token has no org_id: log in through an organization|"),
        (
            max_age(60),
            "hint=the token has no auth_time: the tenant must put it into access tokens|",
        ),
        (scope("x").and(scope("read:b")), r#"hint="read:b" is in `permissions`"#),
        (scope("x").or(scope("read:b")), r#"hint="read:b" is in `permissions`"#),
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

/// Asserts that a line is one line, of characters that a terminal shows as they are.
pub(crate) fn assert_harmless(line: &str) {
    let harmful = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    assert!(!line.contains(harmful), "{line:?}");
}

pub(crate) const NASTY: [&str; 8] = [
    "a\nERROR auth0: forged",
    "a\r\nb",
    "\u{1b}[31mred\u{1b}[0m",
    "\u{9b}31m",
    "right\u{202e}to left",
    "\u{2028}line\u{2029}\u{feff}\u{2066}",
    "nul\0 bell\u{7} delete\u{7f}",
    "quote\" key_id=forged",
];

/// Returns tokens with this text in every part that a client can write.
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

/// Verifies a token and evaluates requirements, in every way there is.
async fn verify(auth: &Auth0, token: &str) {
    let header = format!("Bearer {token}").into_bytes();
    let request = RequestView::new().authorization([&*header]);
    let _ = auth.authenticate(&request).await;
    if let Ok(token) = auth.verify(token).await {
        let _ = auth.authorize(&token, &scope("not:granted"));
        let _ = auth.with_claims::<Vec<u8>>(&token);
    }
}
