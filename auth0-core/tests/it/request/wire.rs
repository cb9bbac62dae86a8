//! What a client receives with a refusal: status, headers and body, byte for byte.
use crate::common::{cases, runtime};
use auth0_core::policy::{all_of, any_of, authenticated, check, permission, scope};
use auth0_core::{
    Auth0, Challenge, Error, ErrorCode, RefusalBody, Requirement, VerifiedToken,
    adapter::RequestView, transport::HttpResponse,
};
use auth0_testing::{Document, Failure, Tenant, TokenBuilder};
use proptest::prelude::*;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn the_authorization_header_decides_between_400_and_401() {
    let tenant = Tenant::new();
    let token = tenant.token().mint();
    let with = |scheme: &str| format!("{scheme}{token}").into_bytes();
    let accepted = [with("Bearer "), with("bearer "), with("BEARER "), with("bEaReR   ")];
    for value in accepted {
        let request = RequestView::new().authorization([&*value]);
        assert!(tenant.auth0().authenticate(&request).await.is_ok(), "RFC 9110 §11.1");
    }

    let bearer = with("Bearer ");
    let twice = [bearer.clone(), token.clone().into_bytes()].join(&b' ');
    let comma = [bearer.clone(), bearer.clone()].join(&b", "[..]);
    let over = [b"Bearer ".as_slice(), &[b'a'; 16 * 1024 + 1]].concat();
    let no_space = with("Bearer");
    let tab = with("Bearer\t");
    let after = [&*bearer, b" "].concat();
    let basic_twice: [&[u8]; 2] = [b"Basic YTpi", b"Basic YTpi"];
    type Row<'a> = (&'a str, &'a [&'a [u8]], u16, Option<&'a str>, (&'a str, &'a str));
    let rows: [Row<'_>; 24] = [
        ("no header", &[], 401, None, NO_TOKEN),
        ("Basic", &[b"Basic YTpi"], 401, None, SCHEME),
        ("Dpo", &[&with("Dpo ")], 401, None, SCHEME),
        ("a scheme alone", &[b"Negotiate"], 401, None, SCHEME),
        ("no space before the token", &[&no_space], 401, None, SCHEME),
        ("Bearers", &[b"Bearers abc"], 401, None, SCHEME),
        ("an empty header", &[b""], 400, Some("invalid_request"), REQUEST),
        ("a space", &[b" "], 400, Some("invalid_request"), REQUEST),
        ("Bearer alone", &[b"Bearer"], 400, Some("invalid_request"), REQUEST),
        ("Bearer and a space", &[b"Bearer "], 400, Some("invalid_request"), REQUEST),
        ("a space before it", &[b" Bearer abc"], 400, Some("invalid_request"), REQUEST),
        ("a tab for the space", &[&tab], 400, Some("invalid_request"), REQUEST),
        ("two tokens", &[&twice], 400, Some("invalid_request"), REQUEST),
        ("two with a comma", &[&comma], 400, Some("invalid_request"), REQUEST),
        ("a space after it", &[&after], 400, Some("invalid_request"), REQUEST),
        ("a parameter", &[b"Bearer token=\"abc\""], 400, Some("invalid_request"), REQUEST),
        ("a quote", &[b"Bearer \"abc\""], 400, Some("invalid_request"), REQUEST),
        ("beyond ASCII", &[b"Bearer \xff\xfe"], 400, Some("invalid_request"), REQUEST),
        ("a line feed", &[b"Bearer a\r\nX-Evil: 1"], 400, Some("invalid_request"), REQUEST),
        ("over the limit", &[&over], 400, Some("invalid_request"), REQUEST),
        ("two headers", &[&bearer, &bearer], 400, Some("invalid_request"), REQUEST),
        (
            "a good and another scheme",
            &[&bearer, b"Basic YTpi"],
            400,
            Some("invalid_request"),
            REQUEST,
        ),
        ("two of another scheme", &basic_twice, 400, Some("invalid_request"), REQUEST),
        ("an opaque token", &[b"Bearer abc"], 401, Some("invalid_token"), MALFORMED),
    ];
    for (name, lines, status, error, text) in rows {
        let challenge = refusal(&tenant.auth0(), lines).await.challenge();
        let expected = error.map_or_else(|| "Bearer".to_owned(), |error| line(error, text));
        let body = body(error.unwrap_or("unauthorized"), text);
        assert_wire(name, &challenge, status, Some(&expected), &body);
    }
    assert_eq!(tenant.fetches().key_set, 4, "only the good ones");
}

#[tokio::test]
async fn every_refusal_of_a_token_has_one_sentence() {
    type Row = (fn(TokenBuilder) -> TokenBuilder, (&'static str, &'static str));
    let rows: [Row; 12] = [
        (|t| t.header("crit", ["x"]), MALFORMED),
        (
            |t| t.header("alg", "dir"),
            (
                "token_opaque",
                "The token is encrypted and cannot be read by this API: request it with this API's audience.",
            ),
        ),
        (
            TokenBuilder::unsigned,
            (
                "algorithm_unsupported",
                "The access token is not signed with an algorithm that is accepted here.",
            ),
        ),
        (
            |t| t.header("kid", "x"),
            (
                "key_unknown",
                "The access token is signed with a key that its issuer does not publish.",
            ),
        ),
        (
            TokenBuilder::broken_signature,
            ("signature_invalid", "The signature of the access token is not valid."),
        ),
        (
            |t| t.issuer("https://evil.test/"),
            ("issuer_mismatch", "The issuer of the access token is not trusted here."),
        ),
        (
            |t| t.audience("x"),
            (
                "audience_mismatch",
                "The access token was issued for another audience. Ask for a token with the audience of this API.",
            ),
        ),
        (
            TokenBuilder::expired,
            ("token_expired", "The access token has expired. Get a new one and try again."),
        ),
        (|t| t.claim("nbf", 1e12), ("token_not_yet_valid", "The access token is not valid yet.")),
        (
            |t| t.without("exp"),
            (
                "claims_invalid",
                "The access token lacks a claim that is needed here, or has one of the wrong type.",
            ),
        ),
        (
            |t| t.claim("nonce", "x"),
            (
                "token_type_invalid",
                "This is not an access token. Send the access token, not the ID token or another one.",
            ),
        ),
        (
            |t| t.claim("cnf", json!({ "jkt": "x" })),
            (
                "token_binding_mismatch",
                "The access token is bound to a key or a certificate, and the request does not prove that the client holds it.",
            ),
        ),
    ];
    let tenant = Tenant::new();
    let (bare, realm) = (tenant.auth0(), tenant.builder().realm("a \"b\" \\c").build().unwrap());
    for (change, text) in rows {
        let token = change(tenant.token()).mint();
        let header = format!("Bearer {token}").into_bytes();
        let expected = line("invalid_token", text);
        let error = refusal(&bare, &[&header]).await;
        assert_eq!(error.code().as_str(), text.0);
        assert_eq!(error.to_string(), text.1);
        let body = body("invalid_token", text);
        assert_wire(text.0, &error.challenge(), 401, Some(&expected), &body);

        let expected = expected.replacen("Bearer ", r#"Bearer realm="a \"b\" \\c", "#, 1);
        let error = refusal(&realm, &[&header]).await;
        assert_wire(text.0, &error.challenge(), 401, Some(&expected), &body);
    }
    let error = refusal(&realm, &[]).await;
    let expected = r#"Bearer realm="a \"b\" \\c""#;
    assert_wire("realm", &error.challenge(), 401, Some(expected), &body("unauthorized", NO_TOKEN));
}

#[tokio::test]
async fn outages_and_misconfigurations_are_no_challenge() {
    let tenant = Tenant::new();
    tenant.fail(Failure::RateLimited(Duration::from_secs(17)));
    let auth = tenant.builder().realm("here").build().unwrap();
    let header = format!("Bearer {}", tenant.token().mint()).into_bytes();
    let challenge = refusal(&auth, &[&header]).await.challenge();
    let text =
        ("keys_unavailable", "The access token cannot be checked at the moment. Try again later.");
    assert_wire("outage", &challenge, 503, None, &body("temporarily_unavailable", text));
    assert!(challenge.headers().any(|header| header == ("retry-after", "17")));

    let challenge = Error::misconfigured("no verifier").challenge();
    let text = ("misconfigured", "The service is not set up to check access tokens.");
    assert_wire("wiring", &challenge, 500, None, &body("server_error", text));
}

#[tokio::test]
async fn a_missing_scope_is_reported_with_all_that_the_route_needs() {
    const SCOPE: (&str, &str) =
        ("insufficient_scope", "The access token is missing a required scope.");
    const PERMISSION: (&str, &str) =
        ("insufficient_permissions", "The access token lacks a permission that is needed here.");
    const CHECK: (&str, &str) =
        ("requirement_not_met", "The access token does not meet what is required here.");
    let named = Requirement::scope_named;
    let rows = [
        (scope("a"), SCOPE, Some("a")),
        (scope("a b"), SCOPE, Some("a b")),
        (scope("b  a b"), SCOPE, Some("b a")),
        (all_of![scope("have"), scope("a")], SCOPE, Some("have a")),
        (all_of![permission("p"), scope("a"), check("c", never)], SCOPE, Some("a")),
        (any_of![scope("a"), permission("p"), scope("b")], SCOPE, Some("a b")),
        (any_of![all_of![scope("a"), scope("b")], scope("b c")], SCOPE, Some("a b c")),
        (scope("a").and(scope("b")).or(permission("p")), SCOPE, Some("a b")),
        (scope(""), SCOPE, None),
        (any_of![scope("a"), scope("")], SCOPE, Some("a")),
        // A scope that RFC 6750 does not allow is left out, and cannot break out of the quoted-string.
        (named("a\" b\\ c\r\nd \u{e4} e"), SCOPE, Some("c d e")),
        (named("x\", realm=\"evil"), SCOPE, None),
        (permission("p"), PERMISSION, None),
        (all_of![scope("have"), permission("p")], PERMISSION, None),
        (any_of![permission("p"), check("c", never)], PERMISSION, None),
        (check("c", never), CHECK, None),
        (all_of![scope("have"), check("c", never)], CHECK, None),
    ];
    let tenant = Tenant::new();
    for realm in [None, Some("API")] {
        let auth = match realm {
            None => tenant.auth0(),
            Some(realm) => tenant.builder().realm(realm).build().unwrap(),
        };
        let token = auth.verify(&tenant.token().scope("have").mint()).await.unwrap();
        assert!(auth.authorize(&token, &all_of![authenticated(), scope("have")]).is_ok());
        for (requirement, text, scopes) in &rows {
            let error = auth.authorize(&token, requirement).unwrap_err();
            let mut expected = line("insufficient_scope", *text);
            if let Some(realm) = realm {
                expected = expected.replacen("Bearer ", &format!("Bearer realm=\"{realm}\", "), 1);
            }
            if let Some(scopes) = scopes {
                expected += &format!(", scope=\"{scopes}\"");
            }
            let body = body("insufficient_scope", *text);
            let name = requirement.to_string();
            assert_wire(&name, &error.challenge(), 403, Some(&expected), &body);
        }
    }
}

fn never(_: &VerifiedToken) -> bool {
    false
}

#[tokio::test]
async fn a_custom_body_changes_the_body_and_nothing_else() {
    let tenant = Tenant::new();
    let auth = tenant
        .builder()
        .refusal_body(RefusalBody::new("text/plain", |error| error.code().as_str()))
        .build()
        .unwrap();
    let own = refusal(&auth, &[]).await.challenge();
    let standard = refusal(&tenant.auth0(), &[]).await.challenge();
    assert_eq!(own.body(), b"token_missing");
    assert_eq!(own.status(), standard.status());
    let headers: Vec<_> = own.headers().collect();
    let expected = [
        ("www-authenticate", "Bearer"),
        ("www-authenticate", "DPoP algs=\"ES256\""),
        ("content-type", "text/plain"),
        ("cache-control", "no-store"),
    ];
    assert_eq!(headers, expected);

    let token = auth.verify(&tenant.token().mint()).await.unwrap();
    let forbidden = auth.authorize(&token, &scope("a")).unwrap_err().challenge();
    assert_eq!((forbidden.status(), forbidden.body()), (403, &b"insufficient_scope"[..]));
}

#[test]
fn a_media_type_that_cannot_be_sent_fails_at_build() {
    let built = |media_type| {
        let body = RefusalBody::new(media_type, |_| "");
        Tenant::new().builder().refusal_body(body).build()
    };
    for media_type in
        ["text/plain\r\nx-evil: 1", "", "text", "text/", "/plain", "tëxt/plain", "a b/c"]
    {
        let error = built(media_type).unwrap_err().to_string();
        assert!(error.contains("application/problem+json"), "{media_type:?}: {error}");
    }
    for media_type in ["application/problem+json", "text/plain; charset=utf-8"] {
        assert!(built(media_type).is_ok(), "{media_type:?}");
    }
}

/// The application's rendering may ask the error for everything, also for the challenge itself.
#[tokio::test]
async fn a_custom_body_may_ask_for_the_challenge() {
    let tenant = Tenant::new();
    let body = RefusalBody::new("application/problem+json", |error| {
        let standard = error.clone().challenge();
        assert_eq!(standard.status(), error.status());
        format!("{} {}", error.status(), String::from_utf8_lossy(standard.body()))
    });
    let auth = tenant.builder().refusal_body(body).build().unwrap();
    let challenge = refusal(&auth, &[]).await.challenge();
    let standard = refusal(&tenant.auth0(), &[]).await.challenge();
    let expected = format!("401 {}", String::from_utf8_lossy(standard.body()));
    assert_eq!(String::from_utf8_lossy(challenge.body()), expected);
}

async fn refusal(auth: &Auth0, lines: &[&[u8]]) -> Error {
    let request = RequestView::new().authorization(lines.iter().copied());
    auth.authenticate(&request).await.expect_err("refused")
}

/// Asserts the whole refusal. All but `www-authenticate` and `retry-after` is the same in each.
fn assert_wire(name: &str, challenge: &Challenge, status: u16, line: Option<&str>, body: &str) {
    assert_eq!(challenge.status(), status, "{name}");
    let mut expected: Vec<(&str, &str)> = Vec::new();
    expected.extend(line.map(|line| ("www-authenticate", line)));
    let realm = line.and_then(|line| line.strip_prefix("Bearer realm=")?.split(", error").next());
    let dpop = realm.map_or_else(
        || "DPoP algs=\"ES256\"".to_owned(),
        |realm| format!("DPoP realm={realm}, algs=\"ES256\""),
    );
    expected.extend(line.map(|_| ("www-authenticate", dpop.as_str())));
    expected.push(("content-type", "application/json"));
    expected.push(("cache-control", "no-store"));
    let headers: Vec<_> = challenge.headers().filter(|(name, _)| *name != "retry-after").collect();
    assert_eq!(headers, expected, "{name}");
    let waits = challenge.headers().any(|(name, _)| name == "retry-after");
    assert_eq!(waits, status == 503, "{name}: retry-after");
    assert_eq!(std::str::from_utf8(challenge.body()).unwrap(), body, "{name}");
    assert_eq!(challenge.clone().into_body(), body.as_bytes(), "{name}");
}

/// `error_code` and description of each code, as they are published.
const NO_TOKEN: (&str, &str) = (
    "token_missing",
    "No access token was sent. Send one in the Authorization header, after a scheme that the challenge names.",
);
const SCHEME: (&str, &str) = (
    "scheme_unsupported",
    "The authorization scheme is not supported here. Use a scheme that the challenge names.",
);
const REQUEST: (&str, &str) = (
    "request_malformed",
    "The request must carry exactly one access token, in one well-formed Authorization header; and at most one DPoP header, beside a token that is bound to a key.",
);
const MALFORMED: (&str, &str) =
    ("token_malformed", "The access token is not a well-formed JSON Web Token.");

fn body(error: &str, (code, description): (&str, &str)) -> String {
    format!(r#"{{"error":"{error}","error_description":"{description}","error_code":"{code}"}}"#)
}

fn line(error: &str, (_, description): (&str, &str)) -> String {
    format!(r#"Bearer error="{error}", error_description="{description}""#)
}

/// Text that no sentence of the verifier contains.
const MARKER: &str = "MARKERMARKER";

/// Returns text of a client that would show if it were echoed.
fn marked() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(MARKER.to_owned()),
        Just(format!("{MARKER}\r\nx-evil: 1")),
        Just(format!("{MARKER}\", realm=\"evil")),
        "[ -~]{0,10}".prop_map(|text| format!("{text}{MARKER}{text}")),
        any::<String>().prop_map(|text| format!("{text}{MARKER}")),
    ]
}

/// Asserts that the refusal echoes nothing of the client or of the issuer.
fn assert_silent(error: &Error) {
    let challenge = error.challenge();
    let headers: String =
        challenge.headers().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let text = format!("{headers}\n{}\n{error}", String::from_utf8_lossy(challenge.body()));
    assert!(!text.to_ascii_uppercase().contains(MARKER), "{text}");
    assert!(!text.contains("evil") && !text.contains("tenant.test"), "{text}");
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn a_refusal_echoes_nothing_of_the_token(text in marked()) {
        let runtime = runtime();
        let tenant = Tenant::new();
        let auth = tenant.auth0();
        let token = || tenant.token().claim("private", MARKER);
        for token in [
            token().header("kid", &text),
            token().header("alg", &text),
            token().header("typ", &text),
            token().issuer(&text),
            token().audience(&text),
            token().claim("aud", [&text]),
            token().claim("exp", &text),
            token().claim("cnf", json!({ "jkt": text })),
            token().raw_payload(&text),
            token().raw_header(&text),
        ] {
            let verdict = runtime.block_on(auth.verify(&token.mint()));
            assert_silent(&verdict.expect_err("refused"));
        }
        let header = format!("Bearer {text}").into_bytes();
        assert_silent(&runtime.block_on(refusal(&auth, &[&header])));
        let header = format!("{text} x").into_bytes();
        assert_silent(&runtime.block_on(refusal(&auth, &[&header])));
    }
}

#[tokio::test]
async fn a_refusal_echoes_nothing_of_the_issuers_answer() {
    let html = format!("<html>{MARKER}</html>");
    let page =
        HttpResponse::new(200, html.clone()).with_header("content-type", format!("text/{MARKER}"));
    let other = json!({ "issuer": MARKER, "jwks_uri": MARKER }).to_string();
    for answer in [page, HttpResponse::json(html), HttpResponse::json(other)] {
        let tenant = Tenant::new();
        tenant.fail_at(Document::Metadata, Failure::Answer(answer));
        let error = tenant.auth0().verify(&tenant.token().mint()).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::KeysUnavailable);
        assert_silent(&error);
    }
}
