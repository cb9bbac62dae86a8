//! Authentication of the client: one method in a request, and a new assertion for each try.
use crate::kit::{API, Answer, EPOCH, ISSUER, RSA_PEM, Server, part, run};
use auth0_client::SigningKey;
use auth0_core::Algorithm;
use base64::{Engine, engine::general_purpose::STANDARD};
use std::collections::BTreeSet;

#[tokio::test]
async fn a_secret_in_the_header_is_encoded_as_in_a_form() {
    let server = Server::new();
    let builder = server.builder().client_secret("a b+/%:").basic_authentication();
    builder.client_id("id").build().unwrap().machine(API).build().unwrap().token().await.unwrap();
    let seen = server.last();
    let encoded = seen.header("authorization").strip_prefix("Basic ").unwrap();
    assert_eq!(STANDARD.decode(encoded).unwrap(), b"id:a+b%2B%2F%25%3A");
    assert_eq!((seen.parameter("client_id"), seen.parameter("client_secret")), (None, None));
}

/// Auth0 requires the client's id in the body of each other endpoint, and reads no header where the body is JSON.
#[tokio::test]
async fn a_client_with_a_header_is_named_in_the_body_of_other_endpoints() {
    let server = Server::new();
    let pushed = format!(r#","pushed_authorization_request_endpoint":"{ISSUER}oauth/par""#);
    server.set_metadata(&pushed);
    server.respond(|_, _| {
        let code = r#""device_code":"d","user_code":"u","verification_uri":"https://a.test""#;
        let challenge = r#""challenge_type":"otp","auth_req_id":"x","request_uri":"urn:x""#;
        Answer::json(200, &format!(r#"{{{code},{challenge},"expires_in":60}}"#))
    });
    server.queue([Answer::json(403, r#"{"error":"mfa_required","mfa_token":"mfa-token"}"#)]);
    let builder = server.builder().client_secret("the-secret").basic_authentication();
    let client = builder.build().unwrap();
    let required = client.refresh("r").send().await.unwrap_err();
    assert_eq!(server.last().parameter("client_id"), None);

    client.device().start().await.unwrap();
    client.backchannel("ann", "ok").start().await.unwrap();
    client.authorization_request("https://app.acme.com/cb").push().await.unwrap();
    client.revoke("r").send().await.unwrap();
    for seen in server.seen().iter().skip(1) {
        assert_eq!(seen.parameter("client_id").as_deref(), Some("app"), "{}", seen.path());
        assert_eq!(seen.parameter("client_secret"), None, "{}", seen.path());
        assert!(seen.header("authorization").starts_with("Basic "), "{}", seen.path());
    }
    assert_eq!(server.count(), 5);

    client.passwordless("a@b").send_code().send().await.unwrap();
    client.mfa(required.mfa().unwrap()).challenge(None).await.unwrap();
    for seen in server.seen().iter().skip(5) {
        let body: serde_json::Value = serde_json::from_str(&seen.body).unwrap();
        let credentials = (&body["client_id"], &body["client_secret"]);
        assert_eq!(credentials, (&"app".into(), &"the-secret".into()), "{}", seen.path());
        assert_eq!(seen.header("authorization"), "", "{}", seen.path());
    }
    assert_eq!(server.count(), 7);
}

#[tokio::test]
async fn each_try_has_an_assertion_of_its_own() {
    let server = Server::answering([Answer::Lost]);
    let key = SigningKey::from_pem(RSA_PEM).unwrap();
    let client = server.builder().signing_key(key).build().unwrap();
    for api in [API, "https://other.acme.com"] {
        run(&server, client.machine(api).build().unwrap().token()).await.unwrap();
    }
    let mut ids = BTreeSet::new();
    for seen in server.seen() {
        assert_eq!(seen.parameter("client_secret"), None);
        assert_eq!(seen.parameter("client_id").as_deref(), Some("app"));
        let kind = seen.parameter("client_assertion_type");
        assert_eq!(kind.as_deref(), Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
        let assertion = seen.parameter("client_assertion").unwrap();
        assert!(assertion.len() <= 2048);
        let (header, claims) = (part(&assertion, 0), part(&assertion, 1));
        assert_eq!((&header["alg"], header.get("kid")), (&"RS256".into(), None));
        assert_eq!((&claims["iss"], &claims["sub"]), (&"app".into(), &"app".into()));
        assert_eq!(claims["aud"], ISSUER);
        let (issued_at, expires_at) = (claims["iat"].as_u64(), claims["exp"].as_u64());
        assert_eq!(expires_at.unwrap() - issued_at.unwrap(), 60);
        assert_eq!(issued_at, Some((EPOCH + seen.at).as_secs()));
        ids.insert(claims["jti"].as_str().unwrap().to_owned());
    }
    assert_eq!((ids.len(), server.count()), (3, 3));
}

/// Another provider may name itself without the slash, in its metadata and in what is addressed to it.
#[tokio::test]
async fn the_issuer_is_spelled_as_in_its_metadata() {
    let server = Server::new();
    server.set_issuer("https://id.acme.com");
    let key = SigningKey::from_pem(RSA_PEM).unwrap();
    let builder = auth0_client::Client::builder().issuer("https://id.acme.com/").client_id("app");
    let builder = builder.http_client(server.clone()).clock(server.clock.clone());
    let client = builder.signing_key(key).build().unwrap();
    let audience_of = |name: &str| part(&server.last().parameter(name).unwrap(), 1)["aud"].clone();
    client.machine(API).build().unwrap().token().await.unwrap();
    assert_eq!(audience_of("client_assertion"), "https://id.acme.com");
    client.connection("github").for_user("ann", "why").await.unwrap();
    assert_eq!(audience_of("subject_token"), "https://id.acme.com");
    server.respond(|_, _| Answer::json(200, r#"{"auth_req_id":"x","request_uri":"urn:x"}"#));
    client.backchannel("ann", "ok").start().await.unwrap();
    assert!(server.last().parameter("login_hint").unwrap().contains("\"https://id.acme.com\""));
    client.authorization_request("https://app.acme.com/cb").signed().push().await.unwrap();
    assert_eq!(audience_of("request"), "https://id.acme.com");
}

#[tokio::test]
async fn the_signature_is_that_of_the_algorithm() {
    use aws_lc_rs::signature::{
        self, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PSS_2048_8192_SHA256,
    };
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let algorithms: [(Algorithm, &'static dyn signature::VerificationAlgorithm); 3] = [
        (Algorithm::RS256, &RSA_PKCS1_2048_8192_SHA256),
        (Algorithm::RS384, &RSA_PKCS1_2048_8192_SHA384),
        (Algorithm::PS256, &RSA_PSS_2048_8192_SHA256),
    ];
    let der = include_str!("keys/rsa-public.pem");
    let der: String = der.lines().filter(|line| !line.starts_with('-')).collect();
    let public = STANDARD.decode(der).unwrap();
    for pem in [RSA_PEM, include_str!("keys/rsa-pkcs1.pem")] {
        for (algorithm, scheme) in algorithms {
            let key = SigningKey::from_pem(pem).unwrap().algorithm(algorithm).unwrap();
            let server = Server::new();
            let client = server.builder().signing_key(key.key_id("k").unwrap()).build().unwrap();
            client.machine(API).build().unwrap().token().await.unwrap();
            let assertion = server.last().parameter("client_assertion").unwrap();
            assert_eq!(part(&assertion, 0)["alg"], algorithm.as_str());
            assert_eq!(part(&assertion, 0)["kid"], "k");
            let (message, encoded) = assertion.rsplit_once('.').unwrap();
            let signature = URL_SAFE_NO_PAD.decode(encoded).unwrap();
            // The key of a certificate starts after the header of its DER.
            let public = signature::UnparsedPublicKey::new(scheme, &public);
            public.verify(message.as_bytes(), &signature).expect("a good signature");
        }
    }
}

#[tokio::test]
async fn a_certificate_has_endpoints_of_its_own() {
    let server = Server::new();
    server.set_metadata(&format!(
        r#","mtls_endpoint_aliases":{{"token_endpoint":"https://mtls.acme.com/oauth/token"}},
        "pushed_authorization_request_endpoint":"{ISSUER}oauth/par""#
    ));
    let client = server.builder().certificate_of_http_client().build().unwrap();
    let token = client.machine(API).build().unwrap().token().await.unwrap();
    assert_eq!(token.encoded(), "token-1");
    let seen = server.last();
    assert_eq!(seen.url, "https://mtls.acme.com/oauth/token");
    assert_eq!(
        seen.body,
        "client_id=app&grant_type=client_credentials&audience=https%3A%2F%2Forders.acme.com"
    );
    server.queue([Answer::json(201, r#"{"request_uri":"urn:x","expires_in":30}"#)]);
    let pushed = client.authorization_request("https://app.acme.com/cb").push().await.unwrap();
    assert_eq!(server.last().path(), "/oauth/par");
    assert_eq!(
        pushed.url(),
        "https://acme.eu.auth0.com/authorize?client_id=app&request_uri=urn%3Ax"
    );
    // Another client does not use the endpoints for certificates.
    server.client().machine(API).build().unwrap().token().await.unwrap();
    assert_eq!(server.last().path(), "/oauth/token");
}

#[tokio::test]
async fn a_public_client_sends_its_id() {
    let server = Server::new();
    let client = server.builder().public().build().unwrap();
    client.refresh("r").send().await.unwrap();
    assert_eq!(server.last().body, "client_id=app&grant_type=refresh_token&refresh_token=r");
}

#[tokio::test]
async fn telemetry_is_off_by_one_call() {
    let server = Server::new();
    server.client().machine(API).build().unwrap().token().await.unwrap();
    let telemetry = server.last().header("auth0-client").to_owned();
    let json = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(telemetry).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!((&json["name"], json["version"].is_string()), (&"auth0-rust".into(), true));
    let quiet = server.builder().client_secret("s").without_telemetry().build().unwrap();
    quiet.machine(API).build().unwrap().token().await.unwrap();
    assert_eq!(server.last().header("auth0-client"), "");
}
