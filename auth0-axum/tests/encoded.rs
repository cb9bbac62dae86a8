//! The token as the client sent it, which extractors keep for calls on behalf of the user.
#![allow(clippy::unwrap_used, reason = "these are tests")]
use auth0_axum::{AccessToken, AuthLayer, Authorized, policy::*, testing::Tenant};
use axum::{Extension, Router, body::Body, routing::get};
use http::{Request, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

policy!(ReadMessages = scope("read:messages"));

async fn extracted(
    token: AccessToken,
    optional: Option<AccessToken>,
    authorized: Authorized<ReadMessages>,
) -> String {
    let optional = optional.unwrap();
    assert_eq!(optional.encoded(), token.encoded());
    assert_eq!(authorized.encoded(), token.encoded());
    let debug = format!("{token:?} {optional:?} {authorized:?}");
    let (signed, signature) = token.encoded().rsplit_once('.').unwrap();
    assert!(!debug.contains(signed) && !debug.contains(signature), "{debug}");
    token.encoded().to_owned()
}

async fn of_the_layer(Extension(token): Extension<AccessToken>) -> String {
    token.encoded().to_owned()
}

/// Each user's token comes back to that user, also when it is cached.
#[tokio::test]
async fn it_is_the_token_of_the_request() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let layer = AuthLayer::new(auth.clone());
    let app = Router::new()
        .route("/extracted", get(extracted))
        .route("/both", get(extracted).layer(layer.clone()))
        .route("/layer", get(of_the_layer).layer(layer))
        .with_state(auth);
    let token = |subject| tenant.token().subject(subject).scope("read:messages").mint();
    let (ann, ben) = (token("auth0|ann"), token("auth0|ben"));
    for path in ["/extracted", "/both", "/layer"] {
        for (scheme, token) in
            [("Bearer ", &ann), ("Bearer ", &ben), ("bearer   ", &ann), ("BEARER ", &ben)]
        {
            let request =
                Request::get(path).header(header::AUTHORIZATION, format!("{scheme}{token}"));
            let request = request.body(Body::empty()).unwrap();
            let response = app.clone().oneshot(request).await.unwrap();
            let body = response.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body, token.as_bytes(), "{path} {scheme}");
        }
    }
}

#[test]
fn without_a_request_it_is_empty() {
    assert_eq!(AccessToken::from(Tenant::new().token().verified()).encoded(), "");
}
