//! Requests that their client signed (JAR).
use crate::kit::{API, Browser, CALLBACK, CHALLENGE, Parameters, acme, claims, send, token};
use auth0_core::{Algorithm, time::Clock};
use auth0_local::{Client, ClientKey, LocalTenant};
use auth0_testing::{SigningKey, Tenant};
use serde_json::{Value, json};

/// The key of the client, and one that is not its.
fn keys() -> (SigningKey, SigningKey) {
    let tenant = Tenant::new();
    (tenant.unknown_key().with_id("key"), tenant.signing_key().with_id("other"))
}

async fn start() -> LocalTenant {
    let key = ClientKey::jwk(&keys().0.jwk()).with_id("key");
    let ps256 = key.clone().with_algorithm("PS256").with_id("ps256");
    let signer = Client::confidential("signer", "s3cret").callback(CALLBACK);
    let signer = signer.public_key(key).public_key(ps256.clone());
    let rs384 = key_of("rs384", ps256.with_algorithm("RS384").with_id("rs384"));
    acme().client(signer).client(rs384).start().await.unwrap()
}

fn key_of(id: &str, key: ClientKey) -> Client {
    Client::confidential(id, "s3cret").callback(CALLBACK).public_key(key)
}

fn parameters(tenant: &LocalTenant) -> Value {
    let now = tenant.tenant().clock().unix_time().as_secs();
    json!({
        "iss": "signer", "aud": tenant.issuer(), "iat": now, "nbf": now, "exp": now + 60, "jti": "1",
        "client_id": "signer", "response_type": "code", "redirect_uri": CALLBACK,
        "scope": "openid read:messages", "audience": API, "state": "signed", "nonce": "n0nce",
        "max_age": 3600, "code_challenge": CHALLENGE, "code_challenge_method": "S256",
        "authorization_details": [{ "type": "payment" }],
    })
}

fn signed(payload: &Value) -> String {
    let token = Tenant::new().token().signed_by(&keys().0).header("kid", "key");
    token.header("typ", "oauth-authz-req+jwt").raw_payload(payload.to_string()).mint()
}

fn with_request(jwt: &str) -> Parameters {
    Parameters::new(&[("client_id", "signer"), ("request", jwt)])
}

#[tokio::test]
async fn a_signed_request_in_the_url_and_pushed() {
    let tenant = start().await;
    let jwt = signed(&parameters(&tenant));
    // What is sent beside the JWT does not count.
    let request = with_request(&jwt).and("state", "other").and("redirect_uri", "http://evil.test/");
    let direct = Browser::default().authorize(&tenant, &request).await;
    let form = with_request(&jwt).and("client_secret", "s3cret").and("state", "other");
    let pushed = send(&tenant, "oauth/par", &form).await;
    assert_eq!(pushed.status, 201, "{pushed:?}");
    let uri = pushed.text("request_uri");
    let request = Parameters::new(&[("client_id", "signer"), ("request_uri", &uri)]);
    let pushed = Browser::default().authorize(&tenant, &request).await;
    for answer in [direct, pushed] {
        assert_eq!(
            (answer.redirect().0.as_str(), &*answer.parameter("state")),
            (CALLBACK, "signed")
        );
        let form = Parameters::of_code(&answer.parameter("code"));
        let form = form.with("client_id", "signer").with("client_secret", "s3cret");
        let issued = token(&tenant, &form).await;
        let id = claims(&tenant, &issued.text("id_token"));
        assert_eq!((&id["nonce"], id["auth_time"].is_u64()), (&json!("n0nce"), true));
        assert_eq!(issued.json()["authorization_details"], json!([{ "type": "payment" }]));
    }
}

#[tokio::test]
async fn the_three_algorithms() {
    let tenant = start().await;
    for (client, algorithm, key_id) in [
        ("signer", Algorithm::RS256, "key"),
        ("signer", Algorithm::PS256, "ps256"),
        ("rs384", Algorithm::RS384, "rs384"),
    ] {
        let mut payload = parameters(&tenant);
        payload["iss"] = client.into();
        payload["client_id"] = client.into();
        let token = Tenant::new().token().signed_by(&keys().0).algorithm(algorithm);
        let jwt = token.header("kid", key_id).raw_payload(payload.to_string()).mint();
        let request = Parameters::new(&[("client_id", client), ("request", &jwt)]);
        let answer = Browser::default().authorize(&tenant, &request).await;
        assert_eq!(answer.status, 302, "{algorithm:?}: {}", answer.body);
    }
}

#[tokio::test]
async fn requests_that_are_wrong_in_one_way() {
    let tenant = start().await;
    let good = parameters(&tenant);
    let now = good["iat"].as_u64().unwrap();
    let changed = |name: &str, value: Value| {
        let mut payload = good.clone();
        payload[name] = value;
        signed(&payload)
    };
    let without = |name: &str| {
        let mut payload = good.clone();
        payload.as_object_mut().unwrap().remove(name);
        signed(&payload)
    };
    let draft = || Tenant::new().token().raw_payload(good.to_string()).header("kid", "key");
    let issuer = tenant.issuer();
    for (jwt, sentence) in [
        ("eyJ".to_owned(), "not a JWT"),
        ("..".to_owned(), "not a JWT"),
        (draft().signed_by(&keys().0).header("kid", "other").mint(), "kid is not that of a key"),
        (draft().signed_by(&keys().1).mint(), "signature is not one"),
        (draft().signed_by(&keys().1).without_header("kid").mint(), "signature is not one"),
        (draft().signed_by(&keys().0).broken_signature().mint(), "signature is not one"),
        (draft().signed_by(&keys().0).unsigned().mint(), "alg &quot;none&quot;"),
        (draft().signed_by(&keys().0).symmetric().mint(), "alg &quot;HS256&quot;"),
        (draft().signed_by(&keys().0).algorithm(Algorithm::RS512).mint(), "alg &quot;RS512&quot;"),
        (draft().signed_by(&keys().0).header("typ", "at+jwt").mint(), "typ is"),
        (draft().signed_by(&keys().0).header("crit", json!(["a"])).mint(), "crit"),
        (changed("aud", issuer.trim_end_matches('/').into()), "with the slash"),
        (changed("aud", json!([issuer, "https://other.test"])), "with the slash"),
        (without("aud"), "with the slash"),
        (without("iss"), "has no iss"),
        (changed("iss", "other".into()), "iss is not the client_id"),
        (changed("iss", json!(["signer"])), "iss is not the client_id"),
        (without("client_id"), "has no client_id"),
        (changed("client_id", "web".into()), "client_id is not the client_id"),
        (changed("sub", "signer".into()), "has a sub"),
        (changed("exp", now.into()), "expired"),
        (changed("exp", "soon".into()), "not a time"),
        (changed("iat", (now + 60).into()), "ahead"),
        (changed("nbf", (now + 60).into()), "ahead"),
        (changed("request", "eyJ".into()), "has the claim request"),
        (changed("request_uri", "urn:a".into()), "has the claim request_uri"),
    ] {
        let answer = Browser::default().authorize(&tenant, &with_request(&jwt)).await;
        assert_eq!((answer.status, answer.header("location")), (400, ""), "{sentence}");
        assert!(answer.body.contains("invalid_request_object"), "{sentence}: {}", answer.body);
        assert!(answer.body.contains(sentence), "{sentence}: {}", answer.body);
        let form = with_request(&jwt).and("client_secret", "s3cret");
        let pushed = send(&tenant, "oauth/par", &form).await;
        assert_eq!((pushed.status, &*pushed.text("error")), (400, "invalid_request_object"));
    }
    for (jwt, sentence) in [
        (changed("redirect_uri", "http://evil.test/".into()), "Callback URL mismatch"),
        (without("redirect_uri"), "redirect_uri"),
    ] {
        let request = with_request(&jwt).and("redirect_uri", CALLBACK);
        let answer = Browser::default().authorize(&tenant, &request).await;
        assert_eq!((answer.status, answer.header("location")), (400, ""), "{sentence}");
        assert!(answer.body.contains(sentence), "{sentence}: {}", answer.body);
    }
    let request = with_request(&changed("scope", "a\"".into()));
    let refused = Browser::default().authorize(&tenant, &request).await;
    assert_eq!(refused.parameter("error"), "invalid_scope");
    let request = Parameters::of_login().with("client_id", "web").and("request", &signed(&good));
    let keyless = Browser::default().authorize(&tenant, &request).await;
    assert!(keyless.body.contains("kid is not that of a key"), "{}", keyless.body);
}

#[tokio::test]
async fn keys_that_cannot_be_used() {
    let jwk = keys().0.jwk();
    for key in [
        ClientKey::pem("no PEM"),
        ClientKey::jwk(&json!({ "kty": "EC" })),
        ClientKey::jwk(&jwk).with_algorithm("HS256"),
    ] {
        let client = Client::confidential("signer", "s3cret").public_key(key);
        assert!(acme().client(client).start().await.is_err());
    }
}
