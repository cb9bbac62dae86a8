//! The tenant as a library, over real sockets.
#![allow(clippy::unwrap_used, clippy::string_slice, reason = "helpers of tests are tests")]
mod common;

use auth0_core::ErrorCode;
use auth0_local::{DEFAULT_AUDIENCE, LocalTenant};
use common::{address, answer, get, post, verifier};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task,
};

#[tokio::test]
async fn a_verifier_discovers_the_keys_from_the_issuer() {
    let tenant = LocalTenant::start().await.unwrap();
    let auth = verifier(&tenant);

    let minted = tenant.token().subject("auth0|ann").mint();
    assert_eq!(auth.verify(&minted).await.unwrap().subject(), "auth0|ann");

    let request = json!({
        "grant_type": "client_credentials", "client_id": "reporting", "client_secret": "x",
        "audience": tenant.audience(), "scope": "read:reports",
    });
    let asked = post(&tenant, "oauth/token")
        .header("content-type", "application/json")
        .body(request.to_string());
    let issued = answer(asked).await.json["access_token"].as_str().unwrap().to_owned();
    let token = auth.verify(&issued).await.unwrap();
    assert_eq!(token.subject(), "reporting@clients");
    assert!(token.has_scope("read:reports"));

    let error = auth.verify(&tenant.token().expired().mint()).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::TokenExpired);
    let second = LocalTenant::start().await.unwrap();
    let other = second.token().issuer(tenant.issuer()).mint();
    let error = auth.verify(&other).await.unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeyUnknown, "every start generates a key");
}

#[tokio::test]
async fn documents() {
    let tenant = LocalTenant::start().await.unwrap();
    assert_eq!(tenant.audience(), DEFAULT_AUDIENCE);
    let issuer = tenant.issuer();

    let metadata = answer(get(&tenant, ".well-known/openid-configuration")).await;
    assert_eq!((metadata.status, metadata.cache.as_str()), (200, "public, max-age=15"));
    assert_eq!(metadata.json["issuer"], issuer);
    assert_eq!(metadata.json["jwks_uri"], format!("{issuer}.well-known/jwks.json"));
    assert_eq!(metadata.json["token_endpoint"], format!("{issuer}oauth/token"));

    let keys = answer(get(&tenant, ".well-known/jwks.json")).await;
    assert_eq!(keys.json["keys"][0]["kid"], tenant.tenant().signing_key().id());
    assert!(!keys.json.to_string().contains("\"d\""), "only public keys");

    let nothing = answer(get(&tenant, "oidc/register")).await;
    assert_eq!((nothing.status, &nothing.json["error"]), (404, &json!("not_found")));
    assert_eq!(get(&tenant, "oauth/token").send().await.unwrap().status(), 405);
}

#[tokio::test]
async fn dropping_the_tenant_stops_it() {
    let tenant = LocalTenant::start().await.unwrap();
    let address = address(&tenant).to_owned();
    let mut open = TcpStream::connect(&address).await.unwrap();
    let request = "GET /.well-known/jwks.json HTTP/1.1\r\nhost: localhost\r\n\r\n";
    open.write_all(request.as_bytes()).await.unwrap();
    assert!(open.read(&mut [0; 64]).await.unwrap() > 0, "the tenant responds");

    drop(tenant);
    let mut rest = Vec::new();
    open.read_to_end(&mut rest).await.unwrap(); // the connection ends, although it was kept alive
    while TcpStream::connect(&address).await.is_ok() {
        task::yield_now().await;
    }
}

#[tokio::test]
async fn a_detached_tenant_continues() {
    let tenant = LocalTenant::start().await.unwrap();
    let request = get(&tenant, ".well-known/jwks.json");
    tenant.detach();
    assert_eq!(answer(request).await.status, 200);
}

#[tokio::test]
async fn configurations_that_cannot_start() {
    let tenant = LocalTenant::start().await.unwrap();
    let (_, port) = address(&tenant).split_once(':').unwrap();
    let error = LocalTenant::builder().port(port.parse().unwrap()).start().await.unwrap_err();
    assert!(error.to_string().contains("is in use. Stop the program that uses it"), "{error}");
    let error = LocalTenant::builder().audience(" ").start().await.unwrap_err();
    assert!(error.to_string().contains("the audience \" \" is empty"), "{error}");
}
