//! Token Vault: accounts, hints and users apart.
use crate::{
    delegation::token_of,
    kit::{Answer, ISSUER, RSA_PEM, Seen, Server, part, run},
};
use auth0_client::{ErrorKind, ProofKey, SigningKey};

const GRANT: &str =
    "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token";
const TOKEN_TYPE: &str = "http://auth0.com/oauth/token-type/federated-connection-access-token";

/// Answers with a token that names user, connection and hint.
fn named(seen: &Seen, _: usize) -> Answer {
    let subject = seen.parameter("subject_token").unwrap();
    let user =
        if subject.contains('.') { part(&subject, 1)["sub"].clone() } else { subject.into() };
    let connection = seen.parameter("connection").unwrap();
    let hint = seen.parameter("login_hint").unwrap_or_else(|| "none".into());
    Answer::token(&format!("{}/{connection}/{hint}", user.as_str().unwrap()))
}

#[tokio::test]
async fn the_request() {
    let server = Server::new();
    let ann = token_of("ann", 3600);
    // A key of the client binds no token of another provider. The request proves it for the subject.
    let builder = server.builder().client_secret("s").dpop(ProofKey::generate().unwrap());
    let google = builder.build().unwrap().connection("google-oauth2").login_hint("work@acme.com");
    let token = google.for_caller(&ann).await.unwrap();
    assert!(!token.is_dpop());
    let expected = [
        ("client_id", "app"),
        ("client_secret", "s"),
        ("grant_type", GRANT),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("requested_token_type", TOKEN_TYPE),
        ("connection", "google-oauth2"),
        ("login_hint", "work@acme.com"),
        ("subject_token", &ann),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let seen = server.last();
    assert_eq!(seen.form(), expected); // no audience, scope, resource
    let proof = part(seen.header("dpop"), 1);
    assert_eq!(
        (&proof["htm"], &proof["htu"]),
        (&"POST".into(), &format!("{ISSUER}oauth/token").into())
    );
}

#[tokio::test]
async fn a_bound_refresh_token_and_a_nonce() {
    let challenge = Answer::error(400, "use_dpop_nonce").with("dpop-nonce", "n1");
    let server = Server::answering([challenge, Answer::token("of-google")]);
    let builder = server.builder().client_secret("s").dpop(ProofKey::generate().unwrap());
    let google = builder.build().unwrap().connection("google-oauth2");
    let token = google.for_refresh_token("bound").await.unwrap();
    assert_eq!((token.encoded(), token.is_dpop()), ("of-google", false));
    let nonces: Vec<_> = server
        .seen()
        .iter()
        .map(|seen| part(seen.header("dpop"), 1).get("nonce").cloned())
        .collect();
    assert_eq!(nonces, [None, Some("n1".into())]);
}

#[tokio::test]
async fn accounts_hints_and_users_are_apart() {
    let server = Server::new();
    server.respond(named);
    let client = server.client();
    let users = ["ann", "bob"].map(|user| (user, token_of(user, 3600)));
    for round in 0..2 {
        for hint in [Some("work@acme.com"), Some("home@acme.com"), None] {
            for connection in ["google-oauth2", "github"] {
                for (user, subject) in &users {
                    let mut account = client.connection(connection);
                    if let Some(hint) = hint {
                        account = account.login_hint(hint);
                    }
                    let token = account.for_caller(subject).await.unwrap();
                    let hint = hint.unwrap_or("none");
                    assert_eq!(token.encoded(), format!("{user}/{connection}/{hint}"));
                }
            }
        }
        assert_eq!(server.count(), 12, "round {round}");
    }
}

#[tokio::test]
async fn an_account_that_is_not_connected_is_not_asked_for_again() {
    for (status, code, description, kind) in [
        (401, "access_denied", "No such identity", ErrorKind::AccountNotConnected),
        (401, "federated_connection_refresh_token_not_found", "", ErrorKind::AccountNotConnected),
        (401, "invalid_request", "", ErrorKind::AccountNotConnected),
        (400, "invalid_request", "login_hint is not valid", ErrorKind::AccountNotConnected),
        (401, "access_denied", "Unauthorized", ErrorKind::InvalidClient),
        (401, "invalid_client", "", ErrorKind::InvalidClient),
        (401, "invalid_grant", "", ErrorKind::InvalidGrant),
        (403, "access_denied", "", ErrorKind::Denied),
    ] {
        let server = Server::new();
        let body = format!(r#"{{"error":"{code}","error_description":"{description}"}}"#);
        server.respond(move |_, _| Answer::json(status, &body));
        let source = server.client().connection("google-oauth2").for_caller(&token_of("ann", 60));
        let error = run(&server, source.token()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(server.count(), 1);
    }
}

#[tokio::test]
async fn a_hint_of_a_caller_is_no_mistake_of_the_operator() {
    let server = Server::new();
    let google = server.client().connection("google-oauth2");
    for hint in ["", " "] {
        let source = google.clone().login_hint(hint).for_caller(&token_of("ann", 60));
        let error = source.token().await.unwrap_err();
        assert_eq!((error.kind(), error.reply().status()), (ErrorKind::AccountNotConnected, 403));
    }
    assert_eq!(server.count(), 0);
    google.login_hint("a&b=c\r\n\u{0}").for_caller(&token_of("ann", 60)).await.unwrap();
    assert_eq!(server.last().parameter("login_hint").as_deref(), Some("a&b=c\r\n\u{0}"));
}

#[tokio::test]
async fn a_parameter_is_a_part_of_the_key() {
    let server = Server::new();
    let google = server.client().connection("google-oauth2");
    let ann = token_of("ann", 600);
    for _ in 0..2 {
        for (value, token) in [("1", "token-1"), ("2", "token-2")] {
            let source = google.clone().parameter("x", value).for_caller(&ann);
            assert_eq!(source.token().await.unwrap().encoded(), token);
        }
    }
    for name in ["audience", "scope", "resource", "subject_token", "client_id"] {
        let source = google.clone().parameter(name, "x").for_caller(&ann);
        assert_eq!(source.token().await.unwrap_err().kind(), ErrorKind::Misconfigured);
    }
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn a_refresh_token_as_subject_is_sent_once() {
    let server = Server::answering([Answer::Lost]);
    server.respond(named);
    let google = server.client().connection("google-oauth2");
    let error = run(&server, google.for_refresh_token("ann").token()).await.unwrap_err();
    assert_eq!((error.kind(), server.count()), (ErrorKind::Unavailable, 1));
    let token = google.for_refresh_token("ann").await.unwrap();
    assert_eq!(token.encoded(), "ann/google-oauth2/none");
    let subject_type = server.last().parameter("subject_token_type");
    assert_eq!(subject_type.as_deref(), Some("urn:ietf:params:oauth:token-type:refresh_token"));
    assert_eq!(google.for_refresh_token("bob").await.unwrap().encoded(), "bob/google-oauth2/none");
}

#[tokio::test]
async fn a_privileged_worker() {
    let server = Server::new();
    let key = SigningKey::from_pem(RSA_PEM).unwrap().key_id("key-1").unwrap();
    let client = server.builder().signing_key(key).build().unwrap();
    let google = client.connection("google-oauth2").organization("org_1");
    let token = google.for_user("auth0|ann", "nightly export").await.unwrap();
    assert_eq!(token.encoded(), "token-1");
    for (name, value) in [
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ("requested_token_type", "http://auth0.com/oauth/token-type/token-vault-access-token"),
    ] {
        assert_eq!(server.last().parameter(name).as_deref(), Some(value));
    }
    let request = server.last().parameter("subject_token").unwrap();
    let (header, claims) = (part(&request, 0), part(&request, 1));
    assert_eq!(header["typ"], "token-vault-req+jwt");
    assert_eq!((&header["alg"], &header["kid"]), (&"RS256".into(), &"key-1".into()));
    for (name, value) in [
        ("iss", "app"),
        ("sub", "auth0|ann"),
        ("aud", ISSUER),
        ("audit_context", "nightly export"),
        ("org_id", "org_1"),
    ] {
        assert_eq!(claims[name], value);
    }
    assert!(claims["jti"].is_string() && claims["iat"].is_u64());
    assert_eq!(google.for_user("auth0|ann", "nightly export").await.unwrap().encoded(), "token-2");
    for (user, context) in [("", "x"), ("ann", ""), ("ann", &"x".repeat(257))] {
        let error = google.for_user(user, context).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misconfigured, "{user} {context}");
    }
    let unsigned = server.client().connection("google-oauth2").for_user("ann", "x").await;
    assert!(unsigned.unwrap_err().to_string().contains("signing key"));
    assert_eq!(server.count(), 2);
}
