//! Inputs and options that cannot be used, and what is found in what people paste.
use crate::kit::{Directory, Inspected};
use auth0_testing::Tenant;
use serde_json::{Value, json};
use std::fs;

#[test]
fn an_input_that_is_no_token_has_a_reason() {
    let junk = "j".repeat(1024 * 1024);
    let nearly = "é".repeat(100 * 1024);
    for (input, error, sentence) in [
        ("", "empty", "The input is empty"),
        (" \r\n", "empty", "The input is empty"),
        ("\"\"", "empty", "The input is empty"),
        ("Bearer ", "empty", "No token follows the word Bearer"),
        (&junk, "too_long", "longer than 256 KiB"),
        (&nearly, "request_malformed", "has 204800 bytes"),
        ("hello", "token_malformed", "an opaque text"),
        ("hello world", "request_malformed", "not one token"),
        (
            "Fe26.2**0cdd607945dd1dffb7da0b0bf5f1a7daa6218cbae14cac51dcbd91fb077aeb5b",
            "request_malformed",
            "not one token",
        ),
        ("v1.MjAyNS0xMS0yNw", "token_malformed", "2 parts"),
        ("eyJhbGciOiJSUzI1NiJ9.e30", "token_malformed", "cut off"),
        ("eyJhbGciOiJkaXIifQ..a.b.c", "token_opaque", "five parts, so it is encrypted"),
        ("Bearer eyJhbGciOiJkaXIifQ..a.b.c", "token_opaque", "the audience of your API"),
        ("a.b.c.d.e.f.g", "token_malformed", "more than five parts"),
        ("hello.world.foo", "token_malformed", "not the header of a JWT"),
        ("...", "token_malformed", "4 parts"),
        ("undefined", "token_malformed", "the text \"undefined\""),
        ("[object Object]", "request_malformed", "the name of an object"),
        ("$TOKEN", "request_malformed", "a placeholder"),
        ("{\"error\":\"access_denied\"}", "not_a_token", "error response"),
        ("{\"refresh_token\":\"v1.abc\"}", "not_a_token", "without an access_token"),
        ("{\"access_token\":\"opaque\"}", "token_malformed", "an opaque text"),
        ("{", "not_a_token", "not complete JSON"),
        ("[1]", "request_malformed", "not one token"),
        ("eyJ.e30.AA\neyJ.e30.BB", "several_tokens", "more than one token"),
        ("\u{1b}[2J\u{202e}", "request_malformed", "not one token"),
    ] {
        let start: String = input.chars().take(40).collect();
        let Inspected { status, stdout, stderr } = Inspected::of(input, &[]);
        assert_eq!((status, &*stdout), (2, ""), "{start:?}: {stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(sentence), "{start:?}: {stderr}");
        assert!(stderr.lines().count() == 1 && stderr.len() < 500, "{start:?}: {stderr}");
        assert!(!stderr.trim_end().contains(char::is_control), "{start:?}: {stderr:?}");
        let (status, report) = Inspected::json(input, &[]);
        assert_eq!((status, &report["error"]), (2, &json!(error)), "{start:?}: {report}");
        assert_eq!(report["verdict"], "unusable");
        assert_eq!(format!("error: {}\n", report["message"].as_str().unwrap()), stderr);
    }
    let Inspected { status, stderr, .. } = Inspected::of([0xff, 0x00, 0xfe], &[]);
    assert!(status == 2 && stderr.contains("not text"), "{stderr}");
}

#[test]
fn what_is_around_a_token_is_removed_and_said() {
    let token = Tenant::new().token().mint();
    let (first, second) = token.split_at(100);
    let response =
        json!({ "token_type": "Bearer", "access_token": token, "id_token": "eyJ.e30.A" });
    let plain = Inspected::json(&token, &[]).1;
    for (input, note) in [
        (format!("Bearer {token}"), Some("The scheme Bearer")),
        (format!("'Authorization: Bearer {token}'"), Some("Quotation marks")),
        (format!("\"{token}\"\n"), Some("Quotation marks")),
        (format!("{first}\r\n{second}"), Some("line breaks")),
        (response.to_string(), Some("It also has id_token")),
        (format!("\u{feff}  {token}\n\n"), None),
    ] {
        let (_, report) = Inspected::json(&input, &[]);
        assert_eq!(report["claims"], plain["claims"], "{input}");
        let notes = report["notes"].as_array().unwrap();
        let has_note = |text| notes.iter().any(|note| note.as_str().unwrap().contains(text));
        assert!(note.map_or(notes.is_empty(), has_note), "{input}: {notes:?}");
    }
}

#[test]
fn options_that_cannot_be_used() {
    let token = Tenant::new().token().mint();
    let directory = Directory::new("inspect-options");
    let (keys, text) = (directory.file("keys"), directory.file("text"));
    fs::write(&keys, "{\"keys\":[]}").unwrap();
    fs::write(&text, "dear diary").unwrap();
    let absent = directory.file("absent");
    for (options, sentence) in [
        (&["--issuer", "acme.eu.auth0.com"][..], "is not a URL"),
        (&["--issuer", "http://acme.eu.auth0.com/"], "plain http"),
        (&["--domain", "YOUR_DOMAIN"], "placeholder"),
        (&["--domain", "a.test", "--jwks", &absent], "cannot be read"),
        (&["--domain", "a.test", "--jwks", &text], "key set"),
        (&["--domain", "a.test", "--jwks", &keys], "key"),
        (&["--audience", ""], "is empty"),
        (&["--leeway", "600"], "60"),
        (&["--url", "/me"], "Write the whole URL"),
        (&["--certificate", &text], "contains no certificate"),
        (&["--allow-http-host", "*"], "host"),
    ] {
        let Inspected { status, stdout, stderr } = Inspected::of(&token, options);
        assert_eq!((status, &*stdout), (2, ""), "{options:?}: {stderr}");
        assert!(
            stderr.starts_with("error: ") && stderr.contains(sentence),
            "{options:?}: {stderr}"
        );
        let (status, report) = Inspected::json(&token, options);
        assert_eq!((status, &report["error"]), (2, &json!("options")), "{options:?}");
    }
    for (options, sentence) in [
        (&["--issuer", "https://a.test/", "--domain", "a.test"][..], "cannot be used with"),
        (&["--algorithm", "HS256"], "not a signature algorithm"),
        (&["--require", "scope(read)"], "cannot be read after 6 characters"),
        (&["--require", "check(\"a\")"], "code of the application"),
        (&["--as", "refresh-token"], "access-token, id-token, logout-token, proof"),
        (&["--proof", &text], "--url"),
        (&["eyJ"], "unexpected argument"),
    ] {
        let Inspected { status, stdout, stderr } = Inspected::of(&token, options);
        assert_eq!((status, &*stdout), (2, ""), "{options:?}: {stderr}");
        assert!(stderr.contains(sentence), "{options:?}: {stderr}");
    }
}

/// Nothing of a member that is missing is invented.
#[test]
fn a_payload_that_is_no_object() {
    let tenant = Tenant::new();
    for payload in ["[]", "5", "", "{\"iss\":", "\u{feff}{}"] {
        let (status, report) = Inspected::json(tenant.token().raw_payload(payload).mint(), &[]);
        assert_eq!((status, &report["verdict"]), (1, &json!("refused")), "{payload}: {report:#}");
        assert_eq!(report["claims"], Value::Null, "{payload}");
        assert_eq!(report["checks"][0]["result"], "fail", "{payload}: {report:#}");
    }
}
