//! `auth0-local token`.
use crate::kit::{Directory, Server, failure, parts};
use auth0_core::{Algorithm, ErrorCode};
use auth0_testing::SigningKey;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use std::fs;

#[tokio::test]
async fn options_of_a_token() {
    let server = Server::start(&["--audience", "https://api.acme.test"]);
    assert!(server.greeting.starts_with("# For development and tests only"), "{}", server.greeting);
    assert!(server.greeting.contains("\nAUTH0_AUDIENCE=https://api.acme.test\n"));
    let auth = server.verifier("https://api.acme.test");

    let user = server.token(&[
        "--scope",
        "read:messages write:messages",
        "--scope",
        "more",
        "--permission",
        "a:b",
        "--permission",
        "c:d",
        "--org",
        "org_1:acme",
        "--subject",
        "auth0|ann",
        "--client",
        "app",
        "--claim",
        "https://acme.com/plan=\"pro\"",
        "--claim",
        "seats=3",
        "--expires-in",
        "60",
    ]);
    let user = auth.verify(&user).await.unwrap();
    assert_eq!(user.subject(), "auth0|ann");
    assert_eq!(user.client_id(), Some("app"));
    assert!(user.has_scope("write:messages") && user.has_scope("more"));
    assert!(user.has_permission("a:b") && user.has_permission("c:d"));
    let organization = user.organization().unwrap();
    assert_eq!((organization.id(), organization.name()), ("org_1", Some("acme")));
    assert_eq!(user.claim::<String>("https://acme.com/plan").unwrap().as_deref(), Some("pro"));
    assert_eq!(user.claim::<u8>("seats").unwrap(), Some(3));
    let issued = user.issued_at().unwrap();
    assert_eq!(user.expires_at().duration_since(issued).unwrap().as_secs(), 60);

    let machine = server.token(&["--machine", "--client", "reporting", "--profile", "rfc9068"]);
    let machine = auth.verify(&machine).await.unwrap();
    assert_eq!(machine.subject(), "reporting@clients");
    assert!(machine.token_id().is_some());

    let code =
        async |arguments: &[&str]| auth.verify(&server.token(arguments)).await.unwrap_err().code();
    assert_eq!(code(&["--expired"]).await, ErrorCode::TokenExpired);
    assert_eq!(code(&["--audience", "https://b.test"]).await, ErrorCode::AudienceMismatch);
    assert_eq!(code(&["--claim", "exp=\"soon\""]).await, ErrorCode::ClaimsInvalid);
}

#[test]
fn a_certificate_binds_the_token() {
    let directory = Directory::new("certificate");
    let server = Server::start(&[]);
    // The outline of a certificate: a sequence in a sequence.
    let der = [0x30, 0x81, 0x05, 0x30, 0x03, 0x02, 0x01, 0x00];
    let body = STANDARD.encode(der);
    let pem =
        format!("a comment\n-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    for (name, content) in [("c.der", der.to_vec()), ("c.pem", pem.repeat(2).into_bytes())] {
        let file = directory.file(name);
        fs::write(&file, content).unwrap();
        let claims = parts(&server.token(&["--certificate", &file])).1;
        assert_eq!(
            claims["cnf"],
            json!({ "x5t#S256": "GiojG23TUAAeTMzBu08QnAMMxVfu3E1nbZO5y19rTqE" }),
            "{name}"
        );
    }
    let key = SigningKey::generate(Algorithm::ES256).unwrap().to_pkcs8().unwrap();
    for (name, content) in [
        ("empty", Vec::new()),
        ("text", b"dear diary".to_vec()),
        ("key", key),
        ("cut-off", der[..7].to_vec()),
        ("too-long", [&der[..], b"\n"].concat()),
        ("key.pem", pem.replace("CERTIFICATE", "PRIVATE KEY").into_bytes()),
    ] {
        let file = directory.file(name);
        fs::write(&file, content).unwrap();
        let (status, sentence) = failure(&["token", "--certificate", &file]);
        assert!(status == 1 && sentence.contains("contains no certificate"), "{name}: {sentence}");
    }
    let (status, sentence) = failure(&["token", "--certificate", &directory.file("absent")]);
    assert!(status == 1 && sentence.contains("cannot be read"), "{sentence}");
}

#[test]
fn a_refusal_of_the_tenant_is_printed() {
    let server = Server::start(&[]);
    let seconds = u64::MAX.to_string();
    let (status, sentence) =
        failure(&["token", "--issuer", &server.issuer, "--expires-in", &seconds]);
    assert_eq!(status, 1);
    assert!(sentence.contains(&format!("a lifetime of {seconds} s is too long")), "{sentence}");
}
