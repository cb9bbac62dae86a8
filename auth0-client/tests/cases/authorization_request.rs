//! Pushed, signed and detailed authorization requests.
use crate::kit::{API, Answer, EC_PEM, EPOCH, ISSUER, RSA_PEM, Server, part, run};
use auth0_client::{AuthorizationRequest, Client, ErrorKind, ProofKey, SigningKey};
use serde_json::json;

const CALLBACK: &str = "https://app.acme.com/cb";

fn server() -> Server {
    let server = Server::new();
    server
        .set_metadata(&format!(r#","pushed_authorization_request_endpoint":"{ISSUER}oauth/par""#));
    server.respond(|_, _| {
        Answer::json(
            201,
            r#"{"request_uri":"urn:ietf:params:oauth:request_uri:x","expires_in":30}"#,
        )
    });
    server
}

fn request(client: &Client) -> AuthorizationRequest {
    client
        .authorization_request(CALLBACK)
        .audience(API)
        .scopes(["openid"])
        .authorization_details(&json!([{ "type": "payment" }]))
        .parameter("state", "s")
        .parameter("ext-a", "b")
}

#[tokio::test]
async fn pushed() {
    let server = server();
    let key = ProofKey::from_pem(EC_PEM).unwrap();
    let thumbprint = key.thumbprint();
    let client = server.builder().client_secret("s").dpop(key).build().unwrap();
    let pushed = request(&client).push().await.unwrap();
    assert_eq!(
        pushed.url(),
        "https://acme.eu.auth0.com/authorize?client_id=app&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Ax"
    );
    assert_eq!(pushed.expires_in().as_secs(), 30);
    let expected = [
        ("client_id", "app"),
        ("client_secret", "s"),
        ("response_type", "code"),
        ("redirect_uri", CALLBACK),
        ("scope", "openid"),
        ("audience", API),
        ("authorization_details", r#"[{"type":"payment"}]"#),
        ("dpop_jkt", &thumbprint),
        ("state", "s"),
        ("ext-a", "b"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(server.last().form(), expected);
}

#[tokio::test]
async fn signed() {
    let server = server();
    let key = SigningKey::from_pem(RSA_PEM).unwrap();
    let of_key = server.builder().signing_key(key.clone()).build().unwrap();
    let of_secret = server.builder().client_secret("s").request_key(key).build().unwrap();
    for client in [of_key, of_secret] {
        request(&client).parameter("max_age", "60").signed().push().await.unwrap();
        let object = server.last().parameter("request").unwrap();
        assert_eq!(server.last().parameter("redirect_uri"), None);
        assert_eq!(part(&object, 0)["typ"], "oauth-authz-req+jwt");
        let mut claims = part(&object, 1);
        assert!(claims["jti"].is_string());
        claims.as_object_mut().unwrap().remove("jti");
        let now = EPOCH.as_secs();
        let expected = json!({
            "iss": "app", "client_id": "app", "aud": ISSUER, "iat": now, "nbf": now, "exp": now + 60,
            "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid", "audience": API,
            "authorization_details": [{ "type": "payment" }], "state": "s", "ext-a": "b", "max_age": 60,
        });
        assert_eq!(claims, expected);
        let url = request(&client).signed().url().await.unwrap();
        assert!(url.starts_with("https://acme.eu.auth0.com/authorize?client_id=app&request=ey"));
    }
    let url = request(&server.client()).url().await.unwrap();
    assert!(url.contains("response_type=code") && url.contains("state=s"), "{url}");
}

#[tokio::test]
async fn what_cannot_be_pushed() {
    let server = server();
    let client = server.client();
    let public = server.builder().public().build().unwrap();
    let many =
        (0..11).fold(request(&client), |all, number| all.parameter(format!("ext-{number}"), "x"));
    for (request, sentence) in [
        (request(&public), "public client"),
        (many, "more than 10"),
        (request(&client).parameter("x", "y".repeat(11_000)), "10 KiB"),
        (request(&client).signed(), "signing key"),
        (request(&client).parameter("request_uri", "x"), "set by the client"),
        (request(&client).parameter("client_id", "x"), "set by the client"),
        (request(&client).parameter("redirect_uri", "x"), "set by the client"),
        (client.authorization_request(" "), "redirect URI is empty"),
    ] {
        let error = run(&server, request.push()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misconfigured);
        assert!(error.to_string().contains(sentence), "{error}");
    }
    assert_eq!(server.count(), 0);
    server.queue([Answer::error(429, "too_many_requests").with("retry-after", "3")]);
    let error = run(&server, request(&client).push()).await.unwrap_err();
    assert_eq!((error.reply().status(), server.count()), (503, 1));
}
