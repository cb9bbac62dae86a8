//! A [`Tenant`] mints tokens, rotates its keys and fails on demand, all in this process.
use super::*;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use auth0_actix::{
    ErrorCode,
    testing::{Failure, Tenant},
};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Each token is wrong in at most one way.
#[actix_web::test]
async fn good_tokens_are_accepted_and_others_refused() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let good = || tenant.token().permissions(["messages:purge"]);
    for (token, status, error) in [
        (good(), 204, None),
        (good().signed_by(&tenant.unknown_key()), 401, Some(ErrorCode::SignatureInvalid)),
        (good().permissions(["messages:read"]), 403, Some(ErrorCode::InsufficientPermissions)),
    ] {
        let answer = call(&auth, "DELETE", "/messages", Some(&token.mint())).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.error, error, "{answer:?}");
    }
    let answer = call(&auth, "DELETE", "/messages", None).await;
    assert!(answer.body.contains(r#""error_code":"token_missing""#), "{answer:?}");
    assert_eq!((answer.status, answer.error), (401, Some(ErrorCode::TokenMissing)));
}

/// The clock stands still until the test moves it. A token is valid for a day.
#[actix_web::test]
async fn a_token_expires() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().subject("auth0|ann").mint();
    let answer = call(&auth, "GET", "/me", Some(&token)).await;
    assert_eq!((answer.status, &*answer.body), (200, "auth0|ann"));

    tenant.clock().advance(DAY);
    // The leeway, which allows for clocks that differ, still accepts it.
    assert_eq!(call(&auth, "GET", "/me", Some(&token)).await.status, 200);

    tenant.clock().advance(Duration::from_secs(10));
    let answer = call(&auth, "GET", "/me", Some(&token)).await;
    assert_eq!((answer.status, answer.error), (401, Some(ErrorCode::TokenExpired)));
    // The same clock dates new tokens.
    assert_eq!(call(&auth, "GET", "/me", Some(&tenant.token().mint())).await.status, 200);
}

/// A new key needs no restart, and a withdrawn key is dropped.
#[actix_web::test]
async fn keys_rotate() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let old = tenant.token().mint();
    assert_eq!(call(&auth, "GET", "/me", Some(&old)).await.status, 200);
    assert_eq!(tenant.fetches().key_set, 1);

    tenant.rotate_keys();
    let new = tenant.token().mint();
    assert_eq!(call(&auth, "GET", "/me", Some(&new)).await.status, 200);
    assert_eq!(call(&auth, "GET", "/me", Some(&old)).await.status, 200);
    assert_eq!(tenant.fetches().key_set, 2, "a second fetch, for the unknown key");

    tenant.withdraw_old_keys();
    tenant.clock().advance(Duration::from_secs(600)); // as long as keys are cached
    let answer = call(&auth, "GET", "/me", Some(&old)).await;
    assert_eq!((answer.status, answer.error), (401, Some(ErrorCode::KeyUnknown)));
    assert_eq!(call(&auth, "GET", "/me", Some(&new)).await.status, 200);
}

/// Without keys, a token cannot be verified: the answer is `503`, and never `401`.
#[actix_web::test]
async fn the_issuer_is_down_at_the_start() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let token = tenant.token().mint();
    tenant.fail(Failure::Unreachable);
    let answer = call(&auth, "GET", "/me", Some(&token)).await;
    assert_eq!((answer.status, answer.error), (503, Some(ErrorCode::KeysUnavailable)));
    assert_eq!(answer.retry_after.as_deref(), Some("1"));

    tenant.recover();
    tenant.clock().advance(Duration::from_secs(1));
    assert_eq!(call(&auth, "GET", "/me", Some(&token)).await.status, 200);
}

/// With cached keys, the API survives an outage of the issuer.
#[actix_web::test]
async fn the_issuer_goes_down_later() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    assert_eq!(call(&auth, "GET", "/me", Some(&tenant.token().mint())).await.status, 200);

    tenant.fail(Failure::Status(500));
    tenant.clock().advance(DAY / 2);
    assert_eq!(call(&auth, "GET", "/me", Some(&tenant.token().mint())).await.status, 200);

    tenant.clock().advance(DAY / 2);
    let answer = call(&auth, "GET", "/me", Some(&tenant.token().mint())).await;
    assert_eq!((answer.status, answer.error), (503, Some(ErrorCode::KeysUnavailable)));
}

#[derive(Debug)]
struct Answer {
    status: u16,
    /// The reason of a refusal, from the response's extensions.
    error: Option<ErrorCode>,
    retry_after: Option<String>,
    body: String,
}

async fn call(auth: &Auth0, method: &str, path: &str, token: Option<&str>) -> Answer {
    let app = init_service(App::new().app_data(auth.clone()).configure(routes)).await;
    let mut request = TestRequest::with_uri(path).method(method.parse().unwrap());
    if let Some(token) = token {
        request = request.insert_header(("authorization", format!("Bearer {token}")));
    }
    let response = call_service(&app, request.to_request()).await;
    let error =
        response.response().extensions().get::<auth0_actix::Error>().map(auth0_actix::Error::code);
    let retry_after = response.headers().get("retry-after");
    Answer {
        status: response.status().as_u16(),
        error,
        retry_after: retry_after.map(|value| value.to_str().unwrap().to_owned()),
        body: String::from_utf8(read_body(response).await.into()).unwrap(),
    }
}
