//! What is printed, and what is neither sent nor written.
use crate::kit::{Directory, Inspected, Server};
use auth0_testing::Tenant;
use serde_json::json;
use std::{fs, io::ErrorKind, net::TcpListener};

#[test]
fn a_report_is_readable_without_colors() {
    let server = Server::start(&[]);
    let token = server.token(&["--scope", "read:messages", "--org", "org_1:acme"]);
    let options = ["--issuer", &server.issuer, "--audience", "https://api.local.test"];
    let good = Inspected::of(format!("Bearer {token}\n"), &options);
    assert_eq!((good.status, &*good.stderr), (0, ""), "{}", good.stdout);
    for line in [
        "An access token of the user auth0|65f1c0ffee, in Auth0's profile",
        "  note: The scheme Bearer before it was removed",
        "  scope        read:messages",
        "  organization org_1 (acme)",
        "Checks as an access token",
        "  pass  signature    it verifies",
        "  pass  audience     aud is \"https://api.local.test\"",
        "Accepted as an access token: every check passes",
    ] {
        assert!(good.stdout.lines().any(|printed| printed == line), "{line}\n{}", good.stdout);
    }
    assert!(
        good.stdout.contains(" UTC, in 24 hours\n") || good.stdout.contains(" UTC, in 23 hours\n")
    );
    let (start, signature) = token.rsplit_once('.').unwrap();
    assert!(
        !good.stdout.contains(signature) && !good.stdout.contains(start),
        "the token is not printed"
    );

    let bad = Inspected::of(&token, &[&options[..], &["--scope", "write:messages"]].concat());
    assert_eq!(bad.status, 1);
    let failed: Vec<&str> =
        bad.stdout.lines().skip_while(|line| !line.starts_with("  FAIL")).take(3).collect();
    assert_eq!(
        failed[0],
        "  FAIL  requirement  scope(\"write:messages\"): insufficient_scope: the scope \"write:messages\" is missing: \
         the token's scope is \"read:messages\""
    );
    assert!(
        failed[1].trim_start().starts_with("expected: scope(\"write:messages\")"),
        "{failed:?}"
    );
    assert!(failed[2].trim_start().starts_with("change: Let the client request it"), "{failed:?}");
    assert!(bad.stdout.contains(
        "Refused as an access token: 403 insufficient_scope, by the check requirement\n"
    ));
    assert!(bad.stdout.contains("  WWW-Authenticate: Bearer error=\"insufficient_scope\""));
    // The members as an API sends them.
    let body = "  {\"error\":\"insufficient_scope\",\"error_description\":\"The access token is missing a required \
        scope.\",\"error_code\":\"insufficient_scope\"}\n";
    assert!(bad.stdout.ends_with(body), "{}", bad.stdout);
    assert!(!bad.stdout.contains('\u{1b}'));

    let help = Inspected::of("", &["--help"]);
    assert!(
        help.stdout.contains("Exit status: 0 if no check fails, 1 if one fails, 2 if"),
        "{}",
        help.stdout
    );
}

/// Text of a token must not move the cursor, color or reorder what a terminal shows.
#[test]
fn a_token_cannot_control_the_terminal() {
    let evil = "x\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}31m\u{7f}\u{202e}\u{200b}\r\n  pass  signature    it verifies";
    let tenant = Tenant::new();
    let mut token = tenant.token().subject(evil).audience(evil).scope(evil).issuer(evil);
    for name in ["azp", "permissions", "org_id", "org_name", "exp", "gty", "cnf", evil] {
        token = token.claim(name, evil);
    }
    let token = token.header("kid", evil).header("typ", evil).header(evil, evil);
    let proof = tenant.proof(evil, evil).claim("jti", evil).claim("nonce", evil);
    for text in [token.mint(), token.clone().header("alg", evil).mint(), proof.mint()] {
        for options in
            [&[][..], &["--domain", "tenant.test", "--audience", "https://api.tenant.test"]]
        {
            let Inspected { stdout, stderr, .. } = Inspected::of(&text, options);
            let is_shown =
                |c: char| c == '\n' || (' '..='~').contains(&c) || matches!(c, '…' | '§');
            for printed in [&stdout, &stderr] {
                let other = printed.chars().find(|c| !is_shown(*c));
                assert_eq!(other, None, "{printed:?}");
            }
            assert!(
                !stdout.lines().any(|line| line.starts_with("  pass  signature    it")),
                "{stdout}"
            );
        }
        let json = Inspected::of(&text, &["--json"]).stdout;
        assert!(json.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')), "{json}");
    }
}

/// Keys come from the issuer on the command line, and never from one that a token names.
#[test]
fn nothing_is_fetched_from_the_issuer_of_a_token() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let own = format!("http://{}/", listener.local_addr().unwrap());
    let tenant = Tenant::new();
    let key = tenant.signing_key();
    let token = tenant.token().issuer(&own).header("jku", &own).header("x5u", &own);
    let token = token.header("jwk", key.jwk()).claim("jwks_uri", &own).mint();
    let server = Server::start(&[]);
    for options in [&[][..], &["--audience", "a"], &["--issuer", &server.issuer, "--audience", "a"]]
    {
        let (_, report) = Inspected::json(&token, options);
        assert_eq!(report["signature_verified"], false, "{report:#}");
        let refused = listener.accept().map(drop).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::WouldBlock, "{options:?}");
    }
    // The tenant was not asked for keys, because its name is not in the token.
    let stats: serde_json::Value = serde_json::from_str(&server.ask(&["stats"])).unwrap();
    assert_eq!(stats["jwks"]["requests"], 0, "{stats}");
    let good = server.token(&[]);
    let (_, report) = Inspected::json(good, &["--issuer", &server.issuer]);
    assert_eq!(report["signature_verified"], true, "{report:#}");
}

#[test]
fn keys_that_cannot_be_fetched_are_said() {
    let server = Server::start(&["--fault", "jwks=500"]);
    let token = server.token(&[]);
    let (status, report) = Inspected::json(&token, &["--issuer", &server.issuer]);
    assert_eq!(status, 1, "{report:#}");
    let key = &report["checks"][3];
    assert_eq!((&key["check"], &key["error_code"]), (&json!("key"), &json!("keys_unavailable")));
    assert!(key["seen"].as_str().unwrap().contains("500"), "{key}");
    assert_eq!(report["checks"][4]["result"], "not_checked");
}

#[test]
fn nothing_is_written() {
    let directory = Directory::new("inspect-files");
    let file = directory.file("keys.json");
    let tenant = Tenant::new();
    fs::write(&file, tenant.key_set_json()).unwrap();
    let token = tenant.token().mint();
    Inspected::of(token, &["--domain", "tenant.test", "--jwks", &file, "--json"]);
    let inside = fs::read_dir(std::path::Path::new(&file).parent().unwrap()).unwrap();
    assert_eq!(inside.count(), 1);
}

/// The guide names every option, and no other.
#[test]
fn the_guide_has_the_options() {
    let guide = format!("{}/../docs/auth0-local.md", env!("CARGO_MANIFEST_DIR"));
    let guide = fs::read_to_string(guide).unwrap();
    let table: String = guide.lines().filter(|line| line.starts_with("| `--")).collect();
    let help = Inspected::of("", &["--help"]).stdout;
    let options = |text: &str| -> Vec<String> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let starts = text.split("--").skip(1);
        let mut names: Vec<String> =
            starts.map(|rest| rest.chars().take_while(|c| is_name(*c)).collect()).collect();
        names.retain(|name| name != "help" && !name.is_empty() && !name.starts_with('-'));
        names.sort();
        names.dedup();
        names
    };
    assert_eq!(options(&table), options(&help));
}
