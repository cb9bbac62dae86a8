//! Issuer, audience, and the types of the other claims.
use crate::common::{ACCEPTED, AUDIENCE, EXPIRY, ISSUER, check, check_with, payload_with};
use auth0_core::ErrorCode::{
    AudienceMismatch, ClaimsInvalid, IssuerMismatch, TokenBindingMismatch,
};
use auth0_testing::Tenant;
use serde_json::json;

#[tokio::test]
async fn the_issuer_is_compared_byte_for_byte() {
    check(&[
        ("missing", |t| t.without("iss"), Some(IssuerMismatch)),
        ("empty", |t| t.issuer(""), Some(IssuerMismatch)),
        ("another tenant", |t| t.issuer("https://other.test/"), Some(IssuerMismatch)),
        ("without the slash", |t| t.issuer("https://tenant.test"), Some(IssuerMismatch)),
        ("with two slashes", |t| t.issuer("https://tenant.test//"), Some(IssuerMismatch)),
        ("in upper case", |t| t.issuer("https://TENANT.test/"), Some(IssuerMismatch)),
        ("plain http", |t| t.issuer("http://tenant.test/"), Some(IssuerMismatch)),
        ("with a space", |t| t.issuer("https://tenant.test/ "), Some(IssuerMismatch)),
        ("a number", |t| t.claim("iss", 1), Some(ClaimsInvalid)),
        ("null", |t| t.claim("iss", json!(null)), Some(ClaimsInvalid)),
        ("an array with it", |t| t.claim("iss", [ISSUER]), Some(ClaimsInvalid)),
        (
            "escaped",
            |t| t.raw_payload(payload_with(EXPIRY).replace("https", r"\u0068ttps")),
            ACCEPTED,
        ),
    ])
    .await;
}

#[tokio::test]
async fn the_audience_is_a_string_or_an_array_that_contains_the_configured_one() {
    check(&[
        ("missing", |t| t.without("aud"), Some(AudienceMismatch)),
        ("empty", |t| t.audience(""), Some(AudienceMismatch)),
        ("another API", |t| t.audience("https://other.test"), Some(AudienceMismatch)),
        ("with a slash", |t| t.audience("https://api.tenant.test/"), Some(AudienceMismatch)),
        ("in upper case", |t| t.audience("https://API.tenant.test"), Some(AudienceMismatch)),
        ("only its beginning", |t| t.audience("https://api.tenant"), Some(AudienceMismatch)),
        ("two in one string", |t| t.audience("https://api.tenant.test x"), Some(AudienceMismatch)),
        ("an array of one", |t| t.claim("aud", [AUDIENCE]), ACCEPTED),
        (
            "an array of two",
            |t| t.claim("aud", [AUDIENCE, "https://tenant.test/userinfo"]),
            ACCEPTED,
        ),
        ("last in an array", |t| t.claim("aud", ["a", "b", AUDIENCE]), ACCEPTED),
        ("an array of others", |t| t.claim("aud", ["a", "b"]), Some(AudienceMismatch)),
        ("an empty array", |t| t.claim("aud", json!([])), Some(AudienceMismatch)),
        ("a number", |t| t.claim("aud", 1), Some(ClaimsInvalid)),
        ("null", |t| t.claim("aud", json!(null)), Some(ClaimsInvalid)),
        ("an object", |t| t.claim("aud", json!({ AUDIENCE: AUDIENCE })), Some(ClaimsInvalid)),
        ("an array with a number", |t| t.claim("aud", json!([AUDIENCE, 1])), Some(ClaimsInvalid)),
        ("an array in an array", |t| t.claim("aud", json!([[AUDIENCE]])), Some(ClaimsInvalid)),
    ])
    .await;
    let tenant = Tenant::new();
    let auth = tenant.builder().audience("second").build().unwrap();
    check_with(
        &tenant,
        &auth,
        &[
            ("the first of two", |t| t, ACCEPTED),
            ("the second of two", |t| t.audience("second"), ACCEPTED),
            ("neither", |t| t.audience("third"), Some(AudienceMismatch)),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_subject_is_a_text() {
    check(&[
        ("no sub", |t| t.without("sub"), Some(ClaimsInvalid)),
        ("an empty sub", |t| t.subject(""), Some(ClaimsInvalid)),
        ("sub a number", |t| t.claim("sub", 1), Some(ClaimsInvalid)),
        ("sub null", |t| t.claim("sub", json!(null)), Some(ClaimsInvalid)),
    ])
    .await;
}

#[tokio::test]
async fn tokens_bound_to_a_key_or_a_certificate_are_refused_as_bearer() {
    check(&[
        ("a key", |t| t.claim("cnf", json!({ "jkt": "x" })), Some(TokenBindingMismatch)),
        (
            "a certificate",
            |t| t.claim("cnf", json!({ "x5t#S256": "x" })),
            Some(TokenBindingMismatch),
        ),
        (
            "both",
            |t| t.claim("cnf", json!({ "jkt": "x", "x5t#S256": "x" })),
            Some(TokenBindingMismatch),
        ),
        (
            "a key that is null",
            |t| t.claim("cnf", json!({ "jkt": null })),
            Some(TokenBindingMismatch),
        ),
        (
            "after an unknown member",
            |t| t.claim("cnf", json!({ "a": 1, "jkt": "x" })),
            Some(TokenBindingMismatch),
        ),
        (
            "its name escaped",
            |t| t.raw_payload(payload_with(&format!(r#"{EXPIRY},"c\u006ef":{{"j\u006bt":"x"}}"#))),
            Some(TokenBindingMismatch),
        ),
        ("an unknown member", |t| t.claim("cnf", json!({ "kid": "x" })), ACCEPTED),
        ("no member", |t| t.claim("cnf", json!({})), ACCEPTED),
        ("deeper down", |t| t.claim("cnf", json!({ "a": { "jkt": "x" } })), ACCEPTED),
        ("a string", |t| t.claim("cnf", "jkt"), Some(ClaimsInvalid)),
        ("null", |t| t.claim("cnf", json!(null)), ACCEPTED),
        ("an array", |t| t.claim("cnf", json!([{ "jkt": "x" }])), Some(ClaimsInvalid)),
    ])
    .await;
}
