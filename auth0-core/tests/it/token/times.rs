//! `exp`, `nbf`, `iat` and the leeway.
use crate::common::{ACCEPTED, EXPIRY, NOW, check, check_with, payload_with};
use auth0_core::ErrorCode::{ClaimsInvalid, TokenExpired, TokenMalformed, TokenNotYetValid};
use auth0_testing::{Tenant, TokenBuilder};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn exp_is_required_a_number_and_in_the_future() {
    check(&[
        ("missing", |t| t.without("exp"), Some(ClaimsInvalid)),
        ("null", |t| t.claim("exp", json!(null)), Some(ClaimsInvalid)),
        ("a string", |t| t.claim("exp", (NOW + 60).to_string()), Some(ClaimsInvalid)),
        ("true", |t| t.claim("exp", true), Some(ClaimsInvalid)),
        ("an array", |t| t.claim("exp", [NOW + 60]), Some(ClaimsInvalid)),
        ("an object", |t| t.claim("exp", json!({})), Some(ClaimsInvalid)),
        ("zero", |t| t.claim("exp", 0), Some(TokenExpired)),
        ("negative", |t| t.claim("exp", -1), Some(TokenExpired)),
        ("very negative", |t| t.claim("exp", -1e300), Some(TokenExpired)),
        ("an hour ago", TokenBuilder::expired, Some(TokenExpired)),
        ("exactly the leeway ago", |t| t.claim("exp", NOW - 5), Some(TokenExpired)),
        ("just within the leeway", |t| t.claim("exp", NOW - 4), ACCEPTED),
        ("a fraction within", |t| t.claim("exp", (NOW - 5) as f64 + 0.25), ACCEPTED),
        ("a fraction beyond", |t| t.claim("exp", (NOW - 5) as f64 - 0.25), Some(TokenExpired)),
        ("with a fraction", |t| t.claim("exp", NOW as f64 + 60.5), ACCEPTED),
        ("with an exponent", |t| t.raw_payload(payload_with(r#""exp":1.8e9"#)), ACCEPTED),
        ("huge", |t| t.claim("exp", u64::MAX), ACCEPTED),
        ("beyond every integer", |t| t.claim("exp", 1e300), ACCEPTED),
        (
            "beyond every double",
            |t| t.raw_payload(payload_with(r#""exp":1e999"#)),
            Some(TokenMalformed),
        ),
        (
            "four hundred digits",
            |t| t.raw_payload(payload_with(&format!(r#""exp":{}"#, "9".repeat(400)))),
            Some(TokenMalformed),
        ),
        ("the name escaped", |t| t.raw_payload(payload_with(r#""\u0065xp":1767312000"#)), ACCEPTED),
        (
            "the name escaped, and past",
            |t| t.raw_payload(payload_with(r#""\u0065\u0078\u0070":1"#)),
            Some(TokenExpired),
        ),
        (
            "only in a nested object",
            |t| t.raw_payload(payload_with(r#""a":{"exp":1767312000}"#)),
            Some(ClaimsInvalid),
        ),
        (
            "a name with a different case",
            |t| t.raw_payload(payload_with(r#""EXPIRY":1767312000"#)),
            Some(ClaimsInvalid),
        ),
    ])
    .await;
}

#[tokio::test]
async fn nbf_and_iat_are_optional_numbers_and_not_in_the_future() {
    check(&[
        ("no iat", |t| t.without("iat"), ACCEPTED),
        ("nbf now", |t| t.claim("nbf", NOW), ACCEPTED),
        ("nbf at the leeway", |t| t.claim("nbf", NOW + 5), ACCEPTED),
        ("nbf beyond the leeway", |t| t.claim("nbf", NOW + 6), Some(TokenNotYetValid)),
        ("nbf a fraction beyond", |t| t.claim("nbf", NOW as f64 + 5.25), Some(TokenNotYetValid)),
        ("nbf far in the future", |t| t.claim("nbf", 1e300), Some(TokenNotYetValid)),
        ("nbf before 1970", |t| t.claim("nbf", -5), ACCEPTED),
        ("nbf a string", |t| t.claim("nbf", NOW.to_string()), Some(ClaimsInvalid)),
        ("nbf null", |t| t.claim("nbf", json!(null)), ACCEPTED),
        ("nbf false", |t| t.claim("nbf", false), Some(ClaimsInvalid)),
        ("iat at the leeway", |t| t.claim("iat", NOW + 5), ACCEPTED),
        ("iat beyond the leeway", |t| t.claim("iat", NOW + 6), Some(TokenNotYetValid)),
        ("iat with a fraction", |t| t.claim("iat", NOW as f64 - 0.5), ACCEPTED),
        ("iat a string", |t| t.claim("iat", "now"), Some(ClaimsInvalid)),
        ("iat null", |t| t.claim("iat", json!(null)), ACCEPTED),
        (
            "iat escaped, and in the future",
            |t| t.raw_payload(payload_with(&format!(r#"{EXPIRY},"i\u0061t":1767999999"#))),
            Some(TokenNotYetValid),
        ),
    ])
    .await;
}

#[tokio::test]
async fn one_leeway_applies_to_all_times() {
    let tenant = Tenant::new();
    for (leeway, rows) in [
        (
            60,
            &[
                (
                    "exp at 60 s",
                    (|t| t.claim("exp", NOW - 60)) as fn(TokenBuilder) -> _,
                    Some(TokenExpired),
                ),
                ("exp at 59 s", |t| t.claim("exp", NOW - 59), ACCEPTED),
                ("nbf at 60 s", |t| t.claim("nbf", NOW + 60), ACCEPTED),
                ("nbf at 61 s", |t| t.claim("nbf", NOW + 61), Some(TokenNotYetValid)),
                ("iat at 60 s", |t| t.claim("iat", NOW + 60), ACCEPTED),
                ("iat at 61 s", |t| t.claim("iat", NOW + 61), Some(TokenNotYetValid)),
            ],
        ),
        (
            0,
            &[
                ("exp now", (|t| t.claim("exp", NOW)) as fn(TokenBuilder) -> _, Some(TokenExpired)),
                ("exp in 1 s", |t| t.claim("exp", NOW + 1), ACCEPTED),
                ("nbf now", |t| t.claim("nbf", NOW), ACCEPTED),
                ("nbf in 1 s", |t| t.claim("nbf", NOW + 1), Some(TokenNotYetValid)),
                ("iat now", |t| t.claim("iat", NOW), ACCEPTED),
                ("iat in 1 s", |t| t.claim("iat", NOW + 1), Some(TokenNotYetValid)),
            ],
        ),
    ] {
        let auth = tenant.builder().leeway(Duration::from_secs(leeway)).build().unwrap();
        check_with(&tenant, &auth, rows).await;
    }
}
