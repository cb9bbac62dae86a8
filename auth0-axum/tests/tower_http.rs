//! Every layer of tower-http, outside and inside of [`AuthLayer`]. That it compiles is half of the test.
#![allow(clippy::unwrap_used)]
use auth0_axum::{
    AccessToken, AuthBody, AuthLayer, AuthService, auth0_core::UntilEnded, testing::Tenant,
};
use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, header},
};
use http_body_util::Full;
use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
    time::Duration,
};
use tower::{Service, ServiceBuilder, ServiceExt};
use tower_http::{
    ServiceBuilderExt,
    add_extension::AddExtensionLayer,
    auth::{AddAuthorizationLayer, AsyncRequireAuthorizationLayer},
    catch_panic::CatchPanicLayer,
    compression::CompressionLayer,
    cors::CorsLayer,
    csrf::CsrfLayer,
    decompression::{DecompressionLayer, RequestDecompressionLayer},
    follow_redirect::FollowRedirectLayer,
    limit::RequestBodyLimitLayer,
    map_request_body::MapRequestBodyLayer,
    map_response_body::MapResponseBodyLayer,
    metrics::InFlightRequestsLayer,
    normalize_path::NormalizePathLayer,
    on_early_drop::OnEarlyDropLayer,
    propagate_header::PropagateHeaderLayer,
    request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer},
    sensitive_headers::SetSensitiveHeadersLayer,
    set_header::{SetRequestHeaderLayer, SetResponseHeaderLayer},
    set_status::SetStatusLayer,
    timeout::{RequestBodyTimeoutLayer, ResponseBodyTimeoutLayer, TimeoutLayer},
    trace::TraceLayer,
    validate_request::ValidateRequestHeaderLayer,
};

/// A service that answers 200 to requests that the layer has admitted, whatever their body.
#[derive(Clone)]
struct Api;

impl<B> Service<Request<B>> for Api {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut response = Response::new(Full::default());
        if request.extensions().get::<AccessToken>().is_none() {
            *response.status_mut() = StatusCode::IM_A_TEAPOT;
        }
        ready(Ok(response))
    }
}

fn request(tenant: &Tenant) -> Request<Body> {
    let authorization = format!("Bearer {}", tenant.token().mint());
    Request::get("/").header(header::AUTHORIZATION, authorization).body(Body::empty()).unwrap()
}

#[tokio::test]
async fn every_layer_fits_outside_and_inside() {
    let tenant = Tenant::new();
    let protect = AuthLayer::new(tenant.auth0());
    macro_rules! fits {
        ($($layer:expr),* $(,)?) => { $(
            let outside = ServiceBuilder::new().layer($layer).layer(protect.clone()).service(Api);
            let response = outside.oneshot(request(&tenant)).await.unwrap();
            assert_eq!(response.status(), 200, "outside: {}", stringify!($layer));
            let inside = ServiceBuilder::new().layer(protect.clone()).layer($layer).service(Api);
            let response = inside.oneshot(request(&tenant)).await.unwrap();
            assert_eq!(response.status(), 200, "inside: {}", stringify!($layer));
        )* };
    }
    let minute = Duration::from_secs(60);
    let name = HeaderName::from_static("x-name");
    let value = HeaderValue::from_static("value");
    fits![
        AddAuthorizationLayer::bearer(&tenant.token().mint()),
        AddExtensionLayer::new(1),
        AsyncRequireAuthorizationLayer::new(|request: Request<Body>| async {
            Ok::<_, Response<_>>(request)
        }),
        CatchPanicLayer::new(),
        CompressionLayer::new(),
        CorsLayer::very_permissive(),
        CorsLayer::permissive().allow_methods([Method::GET]),
        CsrfLayer::new(),
        DecompressionLayer::new(),
        FollowRedirectLayer::new(),
        InFlightRequestsLayer::pair().0,
        MapRequestBodyLayer::new(Body::new),
        MapResponseBodyLayer::new(Body::new),
        NormalizePathLayer::trim_trailing_slash(),
        OnEarlyDropLayer::builder(),
        PropagateHeaderLayer::new(name.clone()),
        PropagateRequestIdLayer::x_request_id(),
        RequestBodyLimitLayer::new(1024),
        RequestBodyTimeoutLayer::new(minute),
        RequestDecompressionLayer::new(),
        ResponseBodyTimeoutLayer::new(minute),
        SetRequestHeaderLayer::overriding(name.clone(), value.clone()),
        SetRequestIdLayer::x_request_id(MakeRequestUuid),
        SetResponseHeaderLayer::overriding(name.clone(), value.clone()),
        SetSensitiveHeadersLayer::new([header::AUTHORIZATION]),
        SetStatusLayer::new(StatusCode::OK),
        TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, minute),
        TraceLayer::new_for_http(),
        ValidateRequestHeaderLayer::accept("application/json"),
    ];
}

/// The stack of a service with a browser in front: a preflight has no token, and CORS answers it.
#[tokio::test]
async fn cors_and_a_timeout_outside_answer_preflights_and_refusals() {
    let tenant = Tenant::new();
    let app = ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, Duration::from_secs(60)))
        .layer(CorsLayer::permissive())
        .compression()
        .layer(AuthLayer::new(tenant.auth0()))
        .service(Api);
    let preflight = Request::options("/")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "GET")
        .body(Body::empty())
        .unwrap();
    let response = app.clone().oneshot(preflight).await.unwrap();
    assert_eq!(response.status(), 200);
    let anonymous = Request::get("/").header("origin", "https://app.example").body(Body::empty());
    let response = app.oneshot(anonymous.unwrap()).await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    assert!(response.headers().contains_key("www-authenticate"));
}

/// Servers that share the body of a response between threads, as poem and salvo do, want it to be `Sync`.
#[test]
fn a_body_is_sync_if_the_inner_one_is() {
    fn is_sync<T: Send + Sync>() {}
    is_sync::<AuthBody<Full<Bytes>>>();
    is_sync::<AuthService<Api>>();
    is_sync::<UntilEnded<()>>();
}
