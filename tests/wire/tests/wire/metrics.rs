//! What a request counts: each verdict once, also if a layer and extractors ask for it.
use actix_web::{App, HttpResponse, test as actix_test, web};
use auth0_actix::RequireAuth;
use auth0_axum::{
    AccessToken, Auth0, AuthLayer, Authorized, Issuer,
    policy::{self, scope},
    testing::Tenant,
};
use axum::{Router, body::Body, routing::get};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use std::collections::BTreeMap;
use tower::ServiceExt;

policy::policy!(Read = scope("read"));

async fn axum_handler(_: AccessToken, _: Authorized<Read>, _: Issuer) {}

async fn actix_handler(
    _: auth0_actix::AccessToken,
    _: auth0_actix::Authorized<Read>,
    _: auth0_actix::Issuer,
) -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// Sends a token to both frameworks, each time to a layer in a layer and three extractors.
async fn send(auth: Auth0, token: &str) -> Vec<u16> {
    let authorization = format!("Bearer {token}");
    let app = Router::new()
        .route("/", get(axum_handler))
        .layer(AuthLayer::new(auth.clone()).require(scope("read")))
        .layer(AuthLayer::new(auth.clone()))
        .with_state(auth.clone());
    let request = http::Request::get("/").header("authorization", &authorization);
    let answer = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let handler = web::resource("/").get(actix_handler).wrap(RequireAuth::new());
    let app =
        App::new().app_data(auth).service(web::scope("").service(handler).wrap(RequireAuth::new()));
    let app = actix_test::init_service(app).await;
    let request = actix_test::TestRequest::get().insert_header(("authorization", authorization));
    let of_actix = match actix_test::try_call_service(&app, request.to_request()).await {
        Ok(answer) => answer.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    vec![answer.status().as_u16(), of_actix.as_u16()]
}

#[test]
fn a_request_counts_once() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    let tenant = Tenant::new();
    let good = tenant.token().scope("read").mint();
    let bad = tenant.token().broken_signature().mint();
    let counted = |token: &str, expected: u16| {
        metrics::with_local_recorder(&recorder, || {
            actix_web::rt::System::new().block_on(async {
                let auth = tenant.auth0();
                assert_eq!(send(auth.clone(), token).await, [expected; 2]);
                assert_eq!(send(auth, token).await, [expected; 2]);
            });
        });
        let mut counts = BTreeMap::new();
        for (key, _, _, value) in snapshotter.snapshot().into_vec() {
            if let DebugValue::Counter(count @ 1..) = value {
                *counts.entry(key.key().name().to_owned()).or_insert(0) += count;
            }
        }
        counts
    };
    let of = |all: &BTreeMap<String, u64>, name: &str| all.get(name).copied().unwrap_or(0);
    let accepted = counted(&good, 200);
    assert_eq!(of(&accepted, "auth0_verifications_total"), 4, "{accepted:?}");
    assert_eq!(of(&accepted, "auth0_token_cache_hits_total"), 3, "{accepted:?}");
    let refused = counted(&bad, 401);
    assert_eq!(of(&refused, "auth0_refusals_total"), 4, "{refused:?}");
    assert_eq!(of(&refused, "auth0_verifications_total"), 0, "{refused:?}");
}
