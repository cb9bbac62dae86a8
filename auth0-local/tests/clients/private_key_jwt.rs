use crate::{
    kit::{API, Answer, Parameters, acme, claims, client, log_in, send, token, url},
    signed::{Jwt, KEYS, TYPE, now},
};
use auth0_core::Algorithm;
use auth0_local::{Builder, Client, ClientKey, LocalTenant};
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};

fn builder() -> Builder {
    acme()
        .client(Client::with_key("worker", ClientKey::jwk(&KEYS[0].jwk())))
        .client(Client::with_key("other", ClientKey::jwk(&KEYS[1].jwk())))
}

fn machine(assertion: &str) -> Parameters {
    Parameters::new(&[("grant_type", "client_credentials"), ("audience", API)])
        .and("client_assertion_type", TYPE)
        .and("client_assertion", assertion)
}

#[tokio::test]
async fn a_signed_assertion_authenticates_once() {
    let tenant = builder().start().await.unwrap();
    let assertion = Jwt::assertion(&tenant, "worker").signed(&tenant);
    let answer = token(&tenant, &machine(&assertion)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(claims(&tenant, &answer.text("access_token"))["sub"], "worker@clients");
    let again = token(&tenant, &machine(&assertion)).await;
    assert_eq!((again.status, again.text("error")), (401, "invalid_client".into()));
    assert!(again.text("error_description").contains("used before"), "{}", again.body);

    // Once, whatever the endpoint.
    let assertion = Jwt::assertion(&tenant, "worker").signed(&tenant);
    let revocation = Parameters::new(&[("token", "any"), ("client_assertion_type", TYPE)])
        .and("client_assertion", &assertion);
    assert_eq!(send(&tenant, "oauth/revoke", &revocation).await.status, 200);
    assert_eq!(token(&tenant, &machine(&assertion)).await.status, 401);

    // The jti of one client is not that of another one.
    let other = Jwt::assertion(&tenant, "other").key(&KEYS[1]).claim("jti", "same").signed(&tenant);
    let same = Jwt::assertion(&tenant, "worker").claim("jti", "same").signed(&tenant);
    assert_eq!(token(&tenant, &machine(&other)).await.status, 200);
    assert_eq!(token(&tenant, &machine(&same)).await.status, 200);
}

#[tokio::test]
async fn of_parallel_uses_one_succeeds() {
    let tenant = builder().start().await.unwrap();
    let form = machine(&Jwt::assertion(&tenant, "worker").signed(&tenant)).encoded();
    let requests: Vec<_> = (0..8)
        .map(|_| {
            let request = client().post(url(&tenant, "oauth/token")).body(form.clone());
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            tokio::spawn(async { request.send().await.unwrap().status().as_u16() })
        })
        .collect();
    let mut answers = BTreeMap::new();
    for request in requests {
        *answers.entry(request.await.unwrap()).or_insert(0) += 1;
    }
    assert_eq!(answers, BTreeMap::from([(200, 1), (401, 7)]));
}

#[tokio::test]
async fn assertions_that_are_right() {
    let with = |name: &str, alg: &str| {
        Client::with_key(name, ClientKey::jwk(&KEYS[0].jwk()).with_algorithm(alg).with_id("k1"))
    };
    let tenant = builder()
        .client(with("rs384", "RS384"))
        .client(with("ps256", "PS256"))
        .start()
        .await
        .unwrap();
    let worker = || Jwt::assertion(&tenant, "worker");
    let (now, kid) = (now(&tenant), KEYS[0].id());
    for (jwt, client_id) in [
        (worker(), Some("worker")),
        (worker().header("kid", kid), None),
        (worker().claim("aud", json!([tenant.issuer()])), None),
        (worker().without("iat").claim("exp", now + 300), None),
        (worker().claim("iat", now + 9).claim("nbf", now + 9), None),
        (worker().claim("jti", "é".repeat(64)), None),
        (worker().claim("exp", now as f64 + 30.5).claim("more", json!({ "a": [1] })), None),
        (Jwt::assertion(&tenant, "rs384").algorithm(Algorithm::RS384), None),
        (Jwt::assertion(&tenant, "ps256").algorithm(Algorithm::PS256).header("kid", "k1"), None),
    ] {
        let form = machine(&jwt.signed(&tenant)).with("client_id", client_id);
        let answer = token(&tenant, &form).await;
        assert_eq!(answer.status, 200, "{form:?}: {answer:?}");
    }
}

#[tokio::test]
async fn assertions_that_are_wrong_in_one_way() {
    let tenant = builder().start().await.unwrap();
    let good = || Jwt::assertion(&tenant, "worker");
    let (now, issuer) = (now(&tenant), tenant.issuer());
    for (jwt, sentence) in [
        (good().key(&KEYS[1]), "signature"),
        (good().algorithm(Algorithm::PS256), "alg"),
        (good().algorithm(Algorithm::RS384), "alg"),
        (good().header("alg", "none"), "alg"),
        (good().header("alg", "HS256"), "alg"),
        (good().header("alg", "R".repeat(17)), "16 characters"),
        (good().header("kid", "other"), "kid"),
        (good().header("kid", 1), "kid"),
        (good().header("crit", json!(["b64"])), "crit"),
        (good().without("iss"), "iss"),
        (good().without("sub"), "sub"),
        (good().claim("sub", "other"), "differ"),
        (good().claim("iss", "web").claim("sub", "web"), "no public key"),
        (good().claim("iss", "unknown").claim("sub", "unknown"), "no public key"),
        (good().claim("iss", "a".repeat(65)), "64 characters"),
        (good().claim("sub", 1), "sub"),
        (good().without("aud"), "aud"),
        (good().claim("aud", issuer.trim_end_matches('/')), "aud"),
        (good().claim("aud", format!("{issuer}oauth/token")), "aud"),
        (good().claim("aud", json!([issuer, "https://other.test/"])), "aud"),
        (good().without("exp"), "exp"),
        (good().claim("exp", now - 1), "expired"),
        (good().claim("exp", now), "expired"),
        (good().claim("exp", now + 302), "300 seconds"),
        (good().claim("exp", "soon"), "exp"),
        (good().claim("exp", 1e300), "300 seconds"),
        (good().claim("exp", -1), "exp"),
        (good().claim("iat", now + 12), "iat"),
        (good().claim("nbf", now + 12), "nbf"),
        (good().claim("nbf", "x"), "nbf"),
        (good().without("jti"), "jti"),
        (good().claim("jti", ""), "jti"),
        (good().claim("jti", 7), "jti"),
        (good().claim("jti", "a".repeat(65)), "64 characters"),
        (good().claim("more", "a".repeat(2048)), "2048 bytes"),
    ] {
        let answer = token(&tenant, &machine(&jwt.signed(&tenant))).await;
        assert_eq!((answer.status, answer.text("error")), (401, "invalid_client".into()));
        assert!(answer.text("error_description").contains(sentence), "{sentence}: {}", answer.body);
    }
    for text in ["a", "a.b", "a.b.c", "..", "e30.e30.", "e30.e30.AAAA", &".".repeat(2000), "\u{0}"]
    {
        let answer = token(&tenant, &machine(text)).await;
        assert_eq!((answer.status, answer.text("error")), (401, "invalid_client".into()), "{text}");
    }
    let other = machine(&good().signed(&tenant)).with("client_id", "other");
    let answer = token(&tenant, &other).await;
    assert_eq!((answer.status, answer.text("error")), (401, "invalid_client".into()));
}

#[tokio::test]
async fn one_method_in_a_request() {
    let tenant = builder().start().await.unwrap();
    let form = || machine(&Jwt::assertion(&tenant, "worker").signed(&tenant));
    for form in [
        form().with("client_secret", "any"),
        form().with("client_assertion_type", None),
        form().with(
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
        ),
        form().with("client_assertion", None),
    ] {
        let answer = token(&tenant, &form).await;
        assert_eq!((answer.status, answer.text("error")), (400, "invalid_request".into()));
    }
    let request = client().post(url(&tenant, "oauth/token")).basic_auth("worker", Some("any"));
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let answer = Answer::of(request.body(form().encoded()).send().await.unwrap()).await;
    assert_eq!((answer.status, answer.text("error")), (400, "invalid_request".into()));

    // A client with a key has no other method, and one with a secret does not sign.
    for (id, secret) in [("worker", None), ("worker", Some("any"))] {
        let form = Parameters::new(&[("grant_type", "client_credentials"), ("audience", API)]);
        let form = form.and("client_id", id).with("client_secret", secret);
        assert_eq!(token(&tenant, &form).await.status, 401, "{form:?}");
    }
    let web = Client::confidential("web", "s3cret").public_key(ClientKey::jwk(&KEYS[0].jwk()));
    tenant.add_client(web).unwrap();
    let answer = token(&tenant, &machine(&Jwt::assertion(&tenant, "web").signed(&tenant))).await;
    assert!(answer.text("error_description").contains("no public key"), "{}", answer.body);
}

#[tokio::test]
async fn an_assertion_expires_on_the_clock_of_the_tenant() {
    let tenant = builder().start().await.unwrap();
    let assertion = Jwt::assertion(&tenant, "worker").signed(&tenant);
    tenant.tenant().clock().advance(Duration::from_secs(61));
    assert_eq!(token(&tenant, &machine(&assertion)).await.status, 401);
}

#[tokio::test]
async fn a_web_application_signs_too() {
    let key = ClientKey::jwk(&KEYS[0].jwk());
    let web = Client::with_key("web", key).callback(crate::kit::CALLBACK);
    let tenant = LocalTenant::builder().client(web).start().await.unwrap();
    let login = Parameters::of_login().with("client_id", "web");
    let code = crate::kit::code(&tenant, &login).await;
    let form = Parameters::of_code(&code).with("client_id", "web");
    assert_eq!(token(&tenant, &form).await.status, 401);
    let form = form
        .and("client_assertion_type", TYPE)
        .and("client_assertion", &Jwt::assertion(&tenant, "web").signed(&tenant));
    let answer = token(&tenant, &form).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_ne!(answer.text("refresh_token"), "");
}

#[tokio::test]
async fn the_metadata_names_the_method() {
    let tenant = builder().start().await.unwrap();
    let request = client().get(url(&tenant, ".well-known/openid-configuration"));
    let metadata = Answer::of(request.send().await.unwrap()).await.json();
    let methods = metadata["token_endpoint_auth_methods_supported"].as_array().unwrap();
    assert!(methods.contains(&json!("private_key_jwt")), "{methods:?}");
    let algorithms = &metadata["token_endpoint_auth_signing_alg_values_supported"];
    assert_eq!(algorithms, &json!(["RS256", "RS384", "PS256"]));
    assert_eq!(metadata.get("mtls_endpoint_aliases"), None);
    log_in(&tenant, &Parameters::of_login()).await;
}

/// A public key of 2048 bits, and one of P-256.
const PEM: &str = include_str!("rsa.pem");
const P256: &str = include_str!("p256.pem");

#[tokio::test]
async fn keys_that_are_refused_at_the_start() {
    LocalTenant::builder()
        .client(Client::with_key("a", ClientKey::pem(PEM)))
        .start()
        .await
        .unwrap();
    let private = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
    let ec = auth0_testing::SigningKey::generate(Algorithm::ES256).unwrap();
    for (key, sentence) in [
        (ClientKey::pem(""), "no public RSA key"),
        (ClientKey::pem("AAAA"), "no public RSA key"),
        (ClientKey::pem(private), "no public RSA key"),
        (ClientKey::pem(P256), "no public RSA key"),
        (ClientKey::jwk(&ec.jwk()), "no public RSA key"),
        (ClientKey::jwk(&json!({})), "no public RSA key"),
        (ClientKey::jwk(&json!({ "kty": "RSA", "n": "", "e": "AQAB" })), "no public RSA key"),
        (ClientKey::pem(PEM).with_algorithm("ES256"), "algorithm"),
        (ClientKey::pem(PEM).with_algorithm("RS512"), "algorithm"),
    ] {
        let builder = LocalTenant::builder().client(Client::with_key("a", key));
        let error = builder.start().await.unwrap_err().to_string();
        assert!(error.contains(sentence), "{error}");
    }
}
