//! Logins that start with a pushed, a signed or a detailed request, up to the tokens.
use crate::{
    browser::{CHALLENGE, HTTP, exchange, open},
    kit::{
        API, CALLBACK, SECOND, SECRET, acme, advance, authorization_details, builder, claims,
        client, key_pair,
    },
};
use auth0_client::{AuthorizationRequest, Client, ErrorKind, ProofKey};
use auth0_local::{Client as Registered, ClientKey, Endpoint, Fault, LocalTenant};
use serde_json::json;
use url::Url;

async fn start() -> (LocalTenant, [(&'static str, Client); 3]) {
    let (key, jwk) = key_pair(0);
    let with_secret = Registered::confidential("both", SECRET)
        .public_key(ClientKey::jwk(&jwk))
        .callback(CALLBACK)
        .require_pushed_authorization_requests();
    let tenant = acme()
        .client(Registered::with_key("signing", ClientKey::jwk(&jwk)).callback(CALLBACK))
        .client(with_secret)
        .start()
        .await
        .unwrap();
    let signing = builder(&tenant, "signing").signing_key(key.clone()).build().unwrap();
    let both = builder(&tenant, "both").client_secret(SECRET).request_key(key).build().unwrap();
    let web = client(&tenant, "web");
    (tenant, [("signing", signing), ("both", both), ("web", web)])
}

fn request(client: &Client) -> AuthorizationRequest {
    client
        .authorization_request(CALLBACK)
        .audience(API)
        .scopes(["openid", "read:messages"])
        .authorization_details(&json!([{ "type": "payment", "amount": "25.00" }]))
        .parameter("state", "s t&te")
        .parameter("nonce", "n0nce")
        .parameter("max_age", "3600")
        .parameter("login_hint", "auth0|bob")
        .parameter("code_challenge", CHALLENGE)
        .parameter("code_challenge_method", "S256")
}

async fn finish(tenant: &LocalTenant, client: &Client, url: &str) {
    let redirect = open(url).await;
    assert_eq!(redirect["state"], "s t&te");
    let tokens = exchange(client, &redirect["code"]).await;
    let access = claims(tenant, tokens.access_token().encoded());
    assert_eq!((&access["sub"], &access["azp"]), (&json!("auth0|bob"), &json!(client.client_id())));
    let id_token = claims(tenant, tokens.id_token().unwrap());
    assert_eq!(id_token["nonce"], "n0nce");
    assert!(id_token["auth_time"].is_u64(), "of max_age: {id_token}");
    assert_eq!(authorization_details(&tokens), json!([{ "type": "payment", "amount": "25.00" }]));
}

#[tokio::test]
async fn pushed_and_signed_requests() {
    let (tenant, clients) = start().await;
    for (name, client) in &clients {
        for signed in [false, true] {
            let request = request(client);
            let request = if signed { request.signed() } else { request };
            if signed && *name == "web" {
                let error = request.push().await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Misconfigured, "it has no key");
                continue;
            }
            let pushed = request.push().await.unwrap();
            assert_eq!(pushed.expires_in(), 30 * SECOND);
            let url = Url::parse(pushed.url()).unwrap();
            let query: Vec<_> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
            assert_eq!(query, ["client_id", "request_uri"], "{name} {signed}");
            finish(&tenant, client, pushed.url()).await;
            // It is good for one use.
            assert_eq!(HTTP.get(pushed.url()).send().await.unwrap().status(), 400);
        }
    }
}

#[tokio::test]
async fn requests_that_the_browser_carries() {
    let (tenant, clients) = start().await;
    for (name, client) in &clients {
        let url = request(client).url().await.unwrap();
        if *name == "both" {
            let answer = HTTP.get(&url).send().await.unwrap();
            assert!(
                !answer.headers()["location"].to_str().unwrap().contains("code="),
                "it must push"
            );
            continue;
        }
        finish(&tenant, client, &url).await;
    }
    let (_, signing) = &clients[0];
    let url = request(signing).signed().url().await.unwrap();
    let query: Vec<_> =
        Url::parse(&url).unwrap().query_pairs().map(|it| it.0.into_owned()).collect();
    assert_eq!(query, ["client_id", "request"]);
    // What is added to the link does not count.
    finish(&tenant, signing, &format!("{url}&login_hint=auth0%7Cann&scope=openid")).await;
}

#[tokio::test]
async fn a_code_is_bound_to_the_key_of_the_request() {
    let (tenant, _) = start().await;
    let key = || ProofKey::generate().unwrap();
    let web = |key| builder(&tenant, "web").client_secret(SECRET).dpop(key).build().unwrap();
    let (own, other) = (web(key()), web(key()));
    for push in [true, false] {
        let url = async || match push {
            true => request(&own).push().await.unwrap().url().to_owned(),
            false => request(&own).url().await.unwrap(),
        };
        let code = open(&url().await).await["code"].clone();
        let tokens = exchange(&own, &code).await;
        let token = claims(&tenant, tokens.access_token().encoded());
        assert_eq!(token["cnf"]["jkt"], own.dpop_thumbprint().unwrap());
        let code = open(&url().await).await["code"].clone();
        let grant = other.grant("authorization_code").parameter("code", code);
        let grant = grant.parameter("redirect_uri", CALLBACK);
        let grant = grant.parameter("code_verifier", crate::browser::VERIFIER);
        let error = grant.send().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidGrant, "{error}");
    }
}

#[tokio::test]
async fn requests_that_fail() {
    let (tenant, clients) = start().await;
    let (_, web) = &clients[2];
    let pushed = request(web).push().await.unwrap();
    advance(&tenant, 31 * SECOND);
    assert_eq!(HTTP.get(pushed.url()).send().await.unwrap().status(), 400, "too late");

    let before = tenant.stats().pushed_request.total();
    let mut custom = request(web);
    for number in 0..11 {
        custom = custom.parameter(format!("ext-{number}"), "x");
    }
    for request in [
        custom,
        request(web).parameter("ext-a", "x".repeat(11 * 1024)),
        request(web).parameter("redirect_uri", "https://other.test/"),
        request(web).parameter("scope", "admin"),
        request(web).parameter("client_id", "other"),
        request(web).parameter("request_uri", "urn:x"),
        request(web).authorization_details(&json!({ "type": "payment" })),
        request(web).authorization_details(&json!([{ "amount": 1 }])),
    ] {
        assert_eq!(request.push().await.unwrap_err().kind(), ErrorKind::Misconfigured);
    }
    assert_eq!(tenant.stats().pushed_request.total(), before, "nothing is sent");

    let other = web.authorization_request("http://localhost:3000/other").scopes(["openid"]);
    let error = other.push().await.unwrap_err();
    assert_eq!(error.status(), Some(400), "{error}");
    for (fault, kind) in [
        (Fault::status(500).unwrap(), ErrorKind::Unavailable),
        (Fault::rate_limited(SECOND), ErrorKind::Throttled),
        (Fault::empty(), ErrorKind::Malformed),
        (Fault::lost(), ErrorKind::Unavailable),
    ] {
        tenant.set_fault(Endpoint::PushedRequest, fault);
        let before = tenant.stats().pushed_request.total();
        assert_eq!(request(web).push().await.unwrap_err().kind(), kind, "{fault}");
        assert_eq!(tenant.stats().pushed_request.total(), before + 1, "{fault}");
    }
}

/// The code was used, or is that of another login.
#[tokio::test]
async fn codes_that_are_not_valid() {
    let (tenant, clients) = start().await;
    let (_, web) = &clients[2];
    let code = async || open(request(web).push().await.unwrap().url()).await["code"].clone();
    let send = async |code: &str, verifier: &str, redirect: &str| {
        let grant = web.grant("authorization_code").parameter("code", code);
        let grant = grant.parameter("redirect_uri", redirect).parameter("code_verifier", verifier);
        grant.send().await.map(drop).map_err(|error| error.kind())
    };
    let good = code().await;
    let verifier = crate::browser::VERIFIER;
    assert_eq!(send(&good, verifier, CALLBACK).await, Ok(()));
    let invalid = Err(ErrorKind::InvalidGrant);
    assert_eq!(send(&good, verifier, CALLBACK).await, invalid, "used");
    assert_eq!(send("unknown", verifier, CALLBACK).await, invalid);
    assert_eq!(send(&code().await, &verifier.to_lowercase(), CALLBACK).await, invalid);
    assert_eq!(send(&code().await, verifier, "http://localhost:3000/").await, invalid);
    let late = code().await;
    advance(&tenant, 61 * SECOND);
    assert_eq!(send(&late, verifier, CALLBACK).await, invalid);
    // A code of which the answer was lost is not sent again: that would end the tokens of the login.
    let lost = code().await;
    tenant.set_fault(Endpoint::Token, Fault::lost());
    let before = tenant.token_requests().total();
    assert_eq!(send(&lost, verifier, CALLBACK).await, Err(ErrorKind::Unavailable));
    assert_eq!(tenant.token_requests().total(), before + 1);
}
