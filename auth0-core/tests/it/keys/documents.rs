//! The two documents of an issuer: which answers are read, and what is reported of the others.
use crate::common::{
    Expected, HOUR, long_lived, pass, retry_after, settle, spawn_verdict, verdict, verdict_at_once,
};
use auth0_core::{
    Auth0, BoxFuture, ErrorCode,
    transport::{HttpClient, HttpError, HttpRequest, HttpResponse},
};
use auth0_testing::{Document, Failure, Tenant};
use serde_json::json;
use std::time::Duration;

fn answer(status: u16, content_type: Option<&str>, body: &str) -> Failure {
    let answer = HttpResponse::new(status, body);
    Failure::Answer(match content_type {
        Some(content_type) => answer.with_header("content-type", content_type),
        None => answer,
    })
}

#[tokio::test]
async fn answers_that_are_no_documents_are_a_503() {
    let json_type = Some("application/json");
    for (name, failure, cause) in [
        ("unreachable", Failure::Unreachable, "connection refused"),
        ("302", answer(302, None, ""), "redirects are not followed"),
        ("201", answer(201, json_type, "{}"), "status 201"),
        ("404", Failure::Status(404), "status 404"),
        ("500", Failure::Status(500), "status 500"),
        ("429", Failure::RateLimited(Duration::from_secs(17)), "status 429"),
        ("429 for a week", Failure::RateLimited(Duration::from_secs(604_800)), "status 429"),
        ("429 for ever", Failure::RateLimited(Duration::MAX), "status 429"),
        (
            "HTML",
            answer(200, Some("text/html; charset=utf-8"), "\n<html>"),
            "begins with \"<html>\"",
        ),
        (
            "HTML as JSON",
            answer(200, json_type, "<!DOCTYPE html>"),
            "begins with \"<!DOCTYPE html>\"",
        ),
        ("not JSON", answer(200, json_type, "hello"), "begins with \"hello\""),
        ("an empty body", answer(200, json_type, ""), "it is empty"),
        ("an array", answer(200, json_type, "[]"), "begins with \"[]\""),
        ("null", answer(200, json_type, "null"), "begins with \"null\""),
        ("an object of something else", answer(200, json_type, "{\"a\":1}"), "cannot be read"),
        ("not UTF-8", Failure::Answer(HttpResponse::json(b"{\"\xff".to_vec())), "cannot be read"),
    ] {
        for document in [Document::Metadata, Document::KeySet] {
            let tenant = Tenant::new();
            tenant.fail_at(document, failure.clone());
            assert_unavailable(&tenant, &format!("{document:?}: {name}"), cause).await;
        }
    }
}

/// Many issuers serve files, whose content type says nothing.
#[tokio::test]
async fn json_is_read_under_any_content_type_and_after_a_byte_order_mark() {
    for content_type in [
        Some("text/plain; charset=utf-8"),
        Some("application/octet-stream"),
        Some("application/jwk-set+json"),
        Some("text/html"),
        Some(""),
        None,
    ] {
        for start in ["", "\u{feff}", "\n \t"] {
            let tenant = Tenant::new();
            for (document, json) in [
                (Document::Metadata, tenant.metadata_json()),
                (Document::KeySet, tenant.key_set_json()),
            ] {
                let text = format!("{start}{json}");
                tenant.fail_at(document, answer(200, content_type, &text));
            }
            let token = tenant.token().mint();
            assert_eq!(verdict(&tenant.auth0(), &token).await, None, "{content_type:?} {start:?}");
        }
    }
}

#[tokio::test]
async fn a_set_must_be_an_object_with_keys() {
    let tenant = Tenant::new();
    let key = tenant.signing_key().jwk();
    for (name, body, cause) in [
        ("no keys", json!({ "keys": [] }), "the key set is empty"),
        ("keys an object", json!({ "keys": { "a": key } }), "cannot be read"),
        ("keys null", json!({ "keys": null }), "cannot be read"),
        ("a bare array of keys", json!([key]), "not JSON"),
        ("a list in a list", json!([[key]]), "not JSON"),
        ("a bare key", key.clone(), "cannot be read"),
    ] {
        let tenant = Tenant::new();
        let answer = HttpResponse::json(body.to_string());
        tenant.fail_at(Document::KeySet, Failure::Answer(answer));
        assert_unavailable(&tenant, name, cause).await;
    }
}

#[tokio::test]
async fn metadata_must_name_its_issuer_and_a_key_set_over_https() {
    let issuer = "https://tenant.test/";
    let keys = "https://tenant.test/.well-known/jwks.json";
    for (name, body, cause) in [
        (
            "another issuer",
            json!({ "issuer": "https://evil.test/", "jwks_uri": keys }),
            "evil.test",
        ),
        ("no issuer", json!({ "jwks_uri": keys }), "cannot be read"),
        ("issuer a number", json!({ "issuer": 1, "jwks_uri": keys }), "cannot be read"),
        ("no jwks_uri", json!({ "issuer": issuer }), "cannot be read"),
        ("jwks_uri empty", json!({ "issuer": issuer, "jwks_uri": "" }), "not a URL"),
        ("jwks_uri relative", json!({ "issuer": issuer, "jwks_uri": "/jwks" }), "not a URL"),
        (
            "http",
            json!({ "issuer": issuer, "jwks_uri": keys.replace("https", "http") }),
            "not https",
        ),
        (
            "http on loopback",
            json!({ "issuer": issuer, "jwks_uri": "http://127.0.0.1/jwks" }),
            "not https",
        ),
        ("ftp", json!({ "issuer": issuer, "jwks_uri": keys.replace("https", "ftp") }), "not https"),
        ("file", json!({ "issuer": issuer, "jwks_uri": "file:///etc/passwd" }), "not https"),
        ("a list", json!([issuer, keys]), "not JSON"),
    ] {
        let tenant = Tenant::new();
        let answer = HttpResponse::json(body.to_string());
        tenant.fail_at(Document::Metadata, Failure::Answer(answer));
        assert_unavailable(&tenant, name, cause).await;
        assert_eq!(tenant.fetches().key_set, 1, "{name}: no key set until it recovered");
    }
}

/// Asserts that a failed fetch is not the fault of the token, that the log has its cause, and that the
/// verifier recovers.
async fn assert_unavailable(tenant: &Tenant, name: &str, cause: &str) {
    let auth = tenant.auth0();
    let error = auth.verify(&tenant.token().mint()).await.expect_err(name);
    assert_eq!(error.code(), ErrorCode::KeysUnavailable, "{name}");
    assert!((1..=300).contains(&retry_after(&error)), "{name}");
    let reported = error.cause().unwrap_or_default();
    assert!(reported.contains(cause), "{name}: {reported}");
    assert_eq!(auth.warm_up().await.unwrap_err().code(), ErrorCode::KeysUnavailable, "{name}");

    tenant.recover();
    tenant.clock().advance(Duration::from_secs(300));
    assert_eq!(verdict(&auth, &tenant.token().mint()).await, None, "{name}, and it recovers");
}

#[tokio::test]
async fn the_delay_of_the_issuer_is_passed_on_within_bounds() {
    for (asked, expected) in [(0, 1), (1, 1), (17, 17), (300, 300), (301, 300), (u64::MAX, 300)] {
        let tenant = Tenant::new();
        tenant.fail(Failure::RateLimited(Duration::from_secs(asked)));
        let auth = tenant.auth0();
        let error = auth.verify(&tenant.token().mint()).await.unwrap_err();
        assert_eq!(retry_after(&error), expected, "{asked}");
        let before = tenant.fetches();
        for _ in 0..100 {
            assert!(auth.verify(&tenant.token().mint()).await.is_err());
        }
        assert_eq!(tenant.fetches(), before, "and the verifier keeps to it");
    }
}

#[tokio::test]
async fn an_answer_without_usable_keys_does_not_replace_good_ones() {
    let encryption = r#"{"keys":[{"kty":"RSA","use":"enc","n":"AQAB","e":"AQAB"}]}"#;
    for answer in [r#"{"keys":[]}"#, encryption, "{}", "null", "<html>"] {
        let tenant = Tenant::new();
        let auth = tenant.auth0();
        let token = long_lived(&tenant);
        assert_eq!(verdict(&auth, &token).await, None);
        tenant.fail_at(Document::KeySet, Failure::Answer(HttpResponse::json(answer)));
        auth.refresh().await.unwrap_err();
        assert_eq!(verdict_at_once(&auth, &token), Some(Ok(())), "{answer}");
        pass(&tenant, HOUR).await;
        assert_eq!(verdict_at_once(&auth, &token), Some(Ok(())), "{answer}");
    }
}

#[tokio::test]
async fn a_body_is_read_up_to_512_kib() {
    fn padded(metadata: bool, length: usize) -> HttpResponse {
        let tenant = Tenant::new();
        let body = if metadata { tenant.metadata_json() } else { tenant.key_set_json() };
        let spaces = vec![b' '; length - body.len()];
        HttpResponse::json([spaces, body.into()].concat())
    }
    let rows: [(&str, Respond, Expected); 3] = [
        ("exactly", |metadata| padded(metadata, 512 * 1024), None),
        ("one over", |metadata| padded(metadata, 512 * 1024 + 1), Some(ErrorCode::KeysUnavailable)),
        ("200 MB", |metadata| padded(metadata, 200_000_000), Some(ErrorCode::KeysUnavailable)),
    ];
    for (name, answer, expected) in rows {
        let tenant = Tenant::new();
        let auth = tenant.builder().http_client(Answers(answer)).build().unwrap();
        assert_eq!(verdict(&auth, &tenant.token().mint()).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_transport_that_panics_is_an_outage() {
    let tenant = Tenant::new();
    let client = Answers(|_| panic!("a bug of the transport"));
    let auth = tenant.builder().http_client(client).build().unwrap();
    let error = auth.verify(&tenant.token().mint()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeysUnavailable);
}

/// Returns the metadata (`true`) or the key set.
type Respond = fn(bool) -> HttpResponse;

/// A transport that does not keep to its limit.
#[derive(Debug)]
struct Answers(Respond);

impl HttpClient for Answers {
    fn send<'a>(
        &'a self,
        request: HttpRequest<'a>,
    ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
        let metadata = request.url.ends_with("openid-configuration");
        Box::pin(async move { Ok((self.0)(metadata)) })
    }
}

/// Returns a verifier that has keys, whose issuer has rotated them while its metadata fail, a quarter of an hour ago.
async fn rotated_behind(failure: &Failure) -> (Tenant, Auth0) {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    auth.verify(&long_lived(&tenant)).await.unwrap();
    tenant.fail_at(Document::Metadata, failure.clone());
    tenant.rotate_keys();
    pass(&tenant, HOUR / 4).await;
    (tenant, auth)
}

/// The metadata fail alone, as behind a firewall that answers them itself. Keys are renewed, and a new one is found.
#[tokio::test]
async fn a_key_set_is_read_while_the_metadata_fail() {
    for failure in [
        Failure::Unreachable,
        Failure::Status(403),
        Failure::Status(500),
        answer(200, Some("text/html"), "<html>"),
    ] {
        let (tenant, auth) = rotated_behind(&failure).await;
        assert_eq!(verdict(&auth, &long_lived(&tenant)).await, None, "{failure:?}");
        assert!(auth.health().is_available(), "{failure:?}");
        // What is asked for all documents says that one is missing.
        assert!(auth.refresh().await.is_err(), "{failure:?}");
        // Not for longer than keys are kept.
        pass(&tenant, 25 * HOUR).await;
        tenant.rotate_keys();
        let expected = Some(ErrorCode::KeysUnavailable);
        assert_eq!(verdict(&auth, &long_lived(&tenant)).await, expected, "{failure:?}");
    }
    // What is no outage is a failure at once: there are no metadata any more, or they are of another issuer.
    let other = r#"{"issuer":"https://other.test/","jwks_uri":"https://other.test/keys"}"#;
    for failure in [Failure::Status(404), answer(200, None, other)] {
        let (tenant, auth) = rotated_behind(&failure).await;
        let expected = Some(ErrorCode::KeysUnavailable);
        assert_eq!(verdict(&auth, &long_lived(&tenant)).await, expected, "{failure:?}");
    }
}

/// Metadata that hang leave time for the key set: a request waits for two of its five seconds.
#[tokio::test]
async fn a_key_set_is_read_while_the_metadata_hang() {
    let (tenant, auth) = rotated_behind(&Failure::Hang).await;
    let pending = spawn_verdict(&auth, &long_lived(&tenant));
    settle().await;
    assert!(!pending.is_finished());
    tenant.clock().advance(Duration::from_secs(2));
    assert_eq!(pending.await.unwrap(), None);
}

/// Neither clock needs to be right: the date is compared with that of the answer.
#[tokio::test]
async fn a_date_to_come_back_at_is_obeyed() {
    for (after, date, expected) in [
        ("Sun, 06 Nov 1994 08:49:57 GMT", Some("Sun, 06 Nov 1994 08:49:37 GMT"), 20),
        ("Sun, 06 Nov 1994 10:00:00 GMT", Some("Sun, 06 Nov 1994 08:49:37 GMT"), 300),
        // As without the header.
        ("Sun, 06 Nov 1994 08:49:57 GMT", None, 1),
        ("soon", Some("Sun, 06 Nov 1994 08:49:37 GMT"), 1),
    ] {
        let tenant = Tenant::new();
        let answer = HttpResponse::new(503, "").with_header("Retry-After", after);
        tenant.fail(Failure::Answer(match date {
            Some(date) => answer.with_header("Date", date),
            None => answer,
        }));
        let auth = tenant.auth0();
        auth.verify(&long_lived(&tenant)).await.unwrap_err();
        // Of the pause, and not of the first answer.
        let error = auth.verify(&long_lived(&tenant)).await.unwrap_err();
        assert_eq!(retry_after(&error), expected, "{after} {date:?}");
    }
}
