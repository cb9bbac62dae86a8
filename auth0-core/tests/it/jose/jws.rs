//! The compact form of a token, its header and its payload: strict to the byte.
use crate::common::{ACCEPTED, EXPIRY, check, header_with, payload_with, verdict};
use auth0_core::ErrorCode::{RequestMalformed, SignatureInvalid, TokenMalformed, TokenOpaque};
use auth0_testing::Tenant;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

#[tokio::test]
async fn headers_are_strict() {
    check(&[
        ("crit", |t| t.header("crit", ["exp"]), Some(TokenMalformed)),
        ("an empty crit", |t| t.header("crit", json!([])), Some(TokenMalformed)),
        ("crit null", |t| t.header("crit", json!(null)), Some(TokenMalformed)),
        (
            "crit escaped",
            |t| t.raw_header(header_with(r#""cr\u0069t":["x"]"#)),
            Some(TokenMalformed),
        ),
        ("b64 false", |t| t.header("b64", false), Some(TokenMalformed)),
        ("b64 true", |t| t.header("b64", true), Some(TokenMalformed)),
        ("unknown members", |t| t.header("x", json!({ "crit": ["a"] })), ACCEPTED),
        ("alg twice", |t| t.raw_header(header_with(r#""alg":"RS256""#)), Some(TokenMalformed)),
        (
            "alg twice, once escaped",
            |t| t.raw_header(header_with(r#""al\u0067":"none""#)),
            Some(TokenMalformed),
        ),
        (
            "an unknown member twice",
            |t| t.raw_header(header_with(r#""x":1,"x":1"#)),
            Some(TokenMalformed),
        ),
        (
            "twice deeper down",
            |t| t.raw_header(header_with(r#""x":[{"y":1,"y":1}]"#)),
            Some(TokenMalformed),
        ),
        ("an array", |t| t.raw_header("[]"), Some(TokenMalformed)),
        ("a string", |t| t.raw_header(r#""RS256""#), Some(TokenMalformed)),
        ("null", |t| t.raw_header("null"), Some(TokenMalformed)),
        ("empty", |t| t.raw_header(""), Some(TokenMalformed)),
        ("not closed", |t| t.raw_header(r#"{"alg":"RS256""#), Some(TokenMalformed)),
        (
            "something after it",
            |t| t.raw_header(header_with(r#""x":1"#) + "x"),
            Some(TokenMalformed),
        ),
        (
            "a byte order mark",
            |t| t.raw_header("\u{feff}".to_owned() + &header_with(r#""x":1"#)),
            Some(TokenMalformed),
        ),
        (
            "white space around it",
            |t| t.raw_header(format!(" {}\r\n", header_with(r#""x":1"#))),
            ACCEPTED,
        ),
        ("a comma too many", |t| t.raw_header(r#"{"alg":"RS256",}"#), Some(TokenMalformed)),
        ("nested a little", |t| t.raw_header(header_with(&nested(31))), ACCEPTED),
        ("nested too deeply", |t| t.raw_header(header_with(&nested(32))), Some(TokenMalformed)),
        (
            "nested into the stack",
            |t| t.raw_header(header_with(&nested(5000))),
            Some(TokenMalformed),
        ),
    ])
    .await;
}

#[tokio::test]
async fn payloads_are_strict() {
    check(&[
        (
            "exp twice",
            |t| t.raw_payload(payload_with(r#""exp":1767312000,"exp":1767312000"#)),
            Some(TokenMalformed),
        ),
        (
            "exp twice, once escaped",
            |t| t.raw_payload(payload_with(r#""exp":1767312000,"e\u0078p":1"#)),
            Some(TokenMalformed),
        ),
        (
            "aud twice",
            |t| t.raw_payload(payload_with(&format!(r#"{EXPIRY},"aud":"x""#))),
            Some(TokenMalformed),
        ),
        (
            "an unknown claim twice",
            |t| t.raw_payload(payload_with(&format!(r#"{EXPIRY},"x":1,"x":2"#))),
            Some(TokenMalformed),
        ),
        (
            "twice deeper down",
            |t| t.raw_payload(payload_with(&format!(r#"{EXPIRY},"x":[{{"y":{{"z":1,"z":1}}}}]"#))),
            Some(TokenMalformed),
        ),
        (
            "alike in different objects",
            |t| t.raw_payload(payload_with(&format!(r#"{EXPIRY},"x":{{"exp":1,"x":{{"x":1}}}}"#))),
            ACCEPTED,
        ),
        ("an array", |t| t.raw_payload("[]"), Some(TokenMalformed)),
        ("empty", |t| t.raw_payload(""), Some(TokenMalformed)),
        ("text", |t| t.raw_payload("hello"), Some(TokenMalformed)),
        (
            "something after it",
            |t| t.raw_payload(payload_with(EXPIRY) + "{}"),
            Some(TokenMalformed),
        ),
        (
            "a lone surrogate",
            |t| t.raw_payload(payload_with(&format!(r#"{EXPIRY},"x":"\ud800""#))),
            Some(TokenMalformed),
        ),
        (
            "a raw line feed",
            |t| t.raw_payload(payload_with(&format!("{EXPIRY},\"x\":\"\n\""))),
            Some(TokenMalformed),
        ),
        (
            "a number with a zero before it",
            |t| t.raw_payload(payload_with(r#""exp":01767312000"#)),
            Some(TokenMalformed),
        ),
        (
            "a comment",
            |t| t.raw_payload(payload_with(&format!("{EXPIRY}/**/"))),
            Some(TokenMalformed),
        ),
        (
            "white space around it",
            |t| t.raw_payload(format!("\t{}\n", payload_with(EXPIRY))),
            ACCEPTED,
        ),
        (
            "nested a little",
            |t| t.raw_payload(payload_with(&format!("{EXPIRY},{}", nested(31)))),
            ACCEPTED,
        ),
        (
            "nested too deeply",
            |t| t.raw_payload(payload_with(&format!("{EXPIRY},{}", nested(32)))),
            Some(TokenMalformed),
        ),
        (
            "nested into the stack",
            |t| t.raw_payload(payload_with(&format!("{EXPIRY},{}", nested(5000)))),
            Some(TokenMalformed),
        ),
    ])
    .await;
}

fn nested(depth: usize) -> String {
    format!(r#""x":{}{}"#, "[".repeat(depth), "]".repeat(depth))
}

#[tokio::test]
async fn the_compact_form_is_strict() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().mint();
    let parts: Vec<&str> = token.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    assert_eq!(signature.len() % 4, 2, "the last character has stray bits");
    let stray = |part: &str| {
        let last = part.chars().next_back().unwrap();
        let alphabet: Vec<char> =
            ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']).collect();
        let index = alphabet.iter().position(|c| *c == last).unwrap();
        format!("{}{}", &part[..part.len() - 1], alphabet[index ^ 1])
    };
    let invalid_utf8 = URL_SAFE_NO_PAD.encode(b"{\"alg\":\"RS256\",\"x\":\"\xff\"}");
    for (name, token, expected) in [
        ("as it is", token.clone(), ACCEPTED),
        ("one part", header.to_owned(), Some(TokenMalformed)),
        ("an opaque text", "8sPO0MHCnbkQWvVRxJ2k4Jq7".to_owned(), Some(TokenMalformed)),
        ("two parts", format!("{header}.{payload}"), Some(TokenMalformed)),
        ("four parts", format!("{token}.{signature}"), Some(TokenMalformed)),
        ("five parts", format!("{token}.a.b"), Some(TokenOpaque)),
        ("five empty parts", "....".to_owned(), Some(TokenOpaque)),
        ("six parts", format!("{token}.a.b.c"), Some(TokenMalformed)),
        ("a hundred parts", ".".repeat(99), Some(TokenMalformed)),
        ("a point after it", format!("{token}."), Some(TokenMalformed)),
        ("a point before it", format!(".{token}"), Some(TokenMalformed)),
        ("three empty parts", "..".to_owned(), Some(TokenMalformed)),
        ("no signature", format!("{header}.{payload}."), Some(SignatureInvalid)),
        ("no payload", format!("{header}..{signature}"), Some(TokenMalformed)),
        ("no header", format!(".{payload}.{signature}"), Some(TokenMalformed)),
        ("a padded signature", format!("{token}=="), Some(TokenMalformed)),
        ("a padded header", format!("{header}=.{payload}.{signature}"), Some(RequestMalformed)),
        ("a stray bit in the signature", stray(&token), Some(TokenMalformed)),
        (
            "a header that is not UTF-8",
            format!("{invalid_utf8}.{payload}.{signature}"),
            Some(TokenMalformed),
        ),
        (
            "a payload that is not UTF-8",
            format!("{header}.{invalid_utf8}.{signature}"),
            Some(TokenMalformed),
        ),
        (
            "the other alphabet",
            format!("{header}.{payload}.{}+/", &signature[2..]),
            Some(TokenMalformed),
        ),
        ("a space in it", format!("{header}. {payload}.{signature}"), Some(RequestMalformed)),
        ("a line feed after it", format!("{token}\n"), Some(RequestMalformed)),
        ("a NUL after it", format!("{token}\0"), Some(RequestMalformed)),
        ("a letter beyond ASCII", format!("{token}ä"), Some(RequestMalformed)),
        ("nothing", String::new(), Some(RequestMalformed)),
        ("only padding", "==".to_owned(), Some(RequestMalformed)),
    ] {
        assert_eq!(verdict(&auth, &token).await, expected, "{name}");
    }
}

#[tokio::test]
async fn a_token_is_accepted_up_to_the_size_limit() {
    let tenant = Tenant::new();
    let token = tenant.token().mint();
    let exactly = tenant.builder().max_token_bytes(token.len()).build().unwrap();
    assert_eq!(verdict(&exactly, &token).await, ACCEPTED);
    let below = tenant.builder().max_token_bytes(token.len() - 1).build().unwrap();
    assert_eq!(verdict(&below, &token).await, Some(RequestMalformed));

    // The default is 16 KiB. Base64 does not reach every length, so the limit is approached from both sides.
    let auth = tenant.auth0();
    let padded = |bytes: usize| tenant.token().claim("x", "x".repeat(bytes)).mint();
    let fits = (11_000..12_000).rev().find(|bytes| padded(*bytes).len() <= 16 * 1024).unwrap();
    assert!(padded(fits).len() > 16 * 1024 - 4);
    assert_eq!(verdict(&auth, &padded(fits)).await, ACCEPTED);
    assert_eq!(verdict(&auth, &padded(fits + 1)).await, Some(RequestMalformed));
}
