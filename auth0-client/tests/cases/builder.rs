//! Mistakes in the configuration: each fails before anything is sent, with what to write instead.
use crate::kit::{API, EC_PEM, RSA_PEM, Server};
use auth0_client::{Client, ClientBuilder, SigningKey};
use auth0_core::Algorithm;
use std::time::Duration;

fn base() -> ClientBuilder {
    Client::builder().domain("acme.eu.auth0.com").client_id("app")
}

fn key() -> SigningKey {
    SigningKey::from_pem(RSA_PEM).unwrap()
}

#[test]
fn mistakes() {
    let secret = || base().client_secret("s");
    for (builder, sentence) in [
        (base(), "no way to authenticate"),
        (Client::builder().client_id("app").client_secret("s"), "no domain"),
        (Client::builder().domain("acme.eu.auth0.com").client_secret("s"), "client id is missing"),
        (secret().client_id("YOUR_CLIENT_ID"), "placeholder"),
        (secret().client_id("{yourClientId}"), "placeholder"),
        (secret().client_id("a b"), "space"),
        (secret().domain("YOUR_DOMAIN"), "placeholder"),
        (secret().domain("https://acme.eu.auth0.com/path"), "path"),
        (secret().issuer("https://other.eu.auth0.com/"), "only one of them"),
        (
            Client::builder().issuer("http://acme.com/").client_id("a").client_secret("s"),
            "loopback only",
        ),
        (secret().signing_key(key()), "a secret and a signing key"),
        (secret().certificate("x"), "a secret and a certificate"),
        (secret().public(), "a secret and no authentication"),
        (base().signing_key(key()).public(), "a signing key and no authentication"),
        (base().signing_key(key()).basic_authentication(), "needs a secret"),
        (base().client_secret(""), "secret is empty"),
        (base().client_secret(" s"), "space"),
        (base().client_secret("s\n"), "space"),
        (base().client_secret("\"s\""), "quotation marks"),
        (base().client_secret("YOUR_CLIENT_SECRET"), "placeholder"),
        (base().client_secret(RSA_PEM), "AUTH0_CLIENT_ASSERTION_SIGNING_KEY"),
        (base().certificate("x"), "client certificate cannot be read"),
        (base().certificate(RSA_PEM), "client certificate cannot be read"),
        (base().certificate_of_http_client(), ".http_client"),
        (base().signing_key(key()).client_id("x".repeat(65)), "64 characters"),
        (base().signing_key(key().key_id("k".repeat(256)).unwrap()).client_id("x".repeat(64)), ""),
        (secret().deadline(Duration::ZERO), "deadline"),
        (secret().allow_http_hosts(["*"]), "wildcard"),
    ] {
        match builder.build() {
            Ok(_) => assert_eq!(sentence, ""),
            Err(error) => {
                assert!(
                    !sentence.is_empty() && error.to_string().contains(sentence),
                    "{sentence}: {error}"
                );
                assert!(!error.to_string().contains("PRIVATE KEY-----\nM"), "no key");
            }
        }
    }
}

#[test]
fn keys_of_the_wrong_kind() {
    for (pem, sentence) in [
        (EC_PEM, "RSA private key"),
        (include_str!("keys/p256-sec1.pem"), "elliptic curve"),
        (include_str!("keys/rsa-public.pem"), "RSA private key"),
        (include_str!("keys/rsa-encrypted.pem"), "encrypted"),
        (include_str!("keys/rsa-1024.pem"), "2048"),
        ("", "RSA private key"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "RSA private key"),
    ] {
        let error = SigningKey::from_pem(pem).unwrap_err().to_string();
        assert!(error.contains(sentence), "{sentence}: {error}");
    }
    for algorithm in [Algorithm::ES256, Algorithm::RS512, Algorithm::PS384, Algorithm::EdDSA] {
        let error = key().algorithm(algorithm).unwrap_err().to_string();
        assert!(error.contains("RS256, RS384 or PS256"), "{error}");
    }
    for id in ["", " ", &"x".repeat(257)] {
        key().key_id(id).unwrap_err();
    }
}

#[test]
fn mistakes_of_a_source() {
    let server = Server::new();
    let client = server.client();
    for (result, sentence) in [
        (client.machine("").build().err(), "is empty"),
        (client.machine("YOUR_API_IDENTIFIER").build().err(), "placeholder"),
        (client.machine("https://your-api").build().err(), "placeholder"),
        (client.machine("{yourApiIdentifier}").build().err(), "placeholder"),
        (client.machine(API).organization("").build().err(), "organization is empty"),
        (client.machine(API).resource(" ").build().err(), "resource is empty"),
        (client.machine(API).scopes(["ä"]).build().err(), "scope"),
        (client.machine(API).parameter("client_id", "x").build().err(), "set by the client"),
        (client.machine(API).parameter("audience", "x").build().err(), "set by the client"),
        (client.delegation("$AUDIENCE").build().err(), "placeholder"),
        (client.delegation(API).parameter("subject_token", "x").build().err(), "set by the client"),
        (server.builder().public().build().unwrap().machine(API).build().err(), "public client"),
        (server.builder().public().build().unwrap().delegation(API).build().err(), "public client"),
    ] {
        let error = result.expect("it is a mistake").to_string();
        assert!(error.contains(sentence), "{sentence}: {error}");
    }
}
