//! What users write, run against a tenant in the process.
#![allow(clippy::unwrap_used, reason = "these are tests")]
use auth0_axum::{
    AccessToken, Auth0, AuthLayer, AuthRejection, Authorized, Error, ErrorCode, RefusalBody,
    policy::*, testing::Tenant,
};
use axum::{Router, body::Body, extract::FromRef, routing::get};
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use serde::Deserialize;
use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};
use tower::ServiceExt;

policy!(pub ReadMessages = scope("read:messages"));
policy!(pub PurgeMessages = all_of![scope("write:messages"), permission("messages:purge")]);

#[derive(Clone, FromRef)]
struct AppState {
    auth: Auth0,
}

#[derive(Deserialize)]
struct Roles {
    #[serde(rename = "https://acme.com/roles")]
    roles: Vec<String>,
}

async fn me(token: AccessToken) -> String {
    token.subject().to_owned()
}
async fn feed(token: Option<AccessToken>) -> String {
    token.map_or("anonymous".into(), |token| token.subject().to_owned())
}
async fn messages(token: Authorized<ReadMessages>) -> String {
    format!("messages of {}", token.subject())
}
async fn both(token: Authorized<(ReadMessages, PurgeMessages)>) -> String {
    token.into_token().into_inner().subject().to_owned()
}
async fn roles(token: AccessToken<Roles>) -> String {
    token.claims().roles.join(",")
}
async fn own_refusal(token: Result<AccessToken, AuthRejection>) -> String {
    token.map_or_else(|refusal| refusal.error().code().to_string(), |t| t.subject().to_owned())
}
async fn reports() -> &'static str {
    "reports"
}

fn app(auth: Auth0) -> Router {
    let protect = AuthLayer::new(auth.clone());
    Router::new()
        .route("/me", get(me))
        .route("/feed", get(feed))
        .route("/messages", get(messages).delete(both))
        .route("/roles", get(roles))
        .route("/own", get(own_refusal))
        .route("/reports", get(reports).layer(protect.require(scope("read:reports"))))
        .route("/maybe", get(feed).layer(protect.optional()))
        .nest("/internal", Router::new().route("/x", get(reports)).layer(protect))
        .with_state(AppState { auth })
}

async fn call(app: Router, method: &str, path: &str, token: Option<&str>) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
    }
    app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().into()).unwrap()
}

#[tokio::test]
async fn who_gets_in() {
    let tenant = Tenant::new();
    let plain = tenant.token().subject("auth0|ann").mint();
    let reader = tenant.token().subject("auth0|ann").scope("read:messages read:reports").mint();
    let purger = tenant
        .token()
        .subject("auth0|ann")
        .scope("read:messages write:messages")
        .permissions(["messages:purge"])
        .mint();
    let admin = tenant.token().claim("https://acme.com/roles", ["admin", "dev"]).mint();
    for (method, path, token, status, body) in [
        ("GET", "/me", None, 401, "token_missing"),
        ("GET", "/me", Some("junk"), 401, "token_malformed"),
        ("GET", "/me", Some(&*plain), 200, "auth0|ann"),
        ("GET", "/feed", None, 200, "anonymous"),
        ("GET", "/feed", Some("junk"), 401, "token_malformed"),
        ("GET", "/feed", Some(&plain), 200, "auth0|ann"),
        ("GET", "/messages", Some(&plain), 403, "insufficient_scope"),
        ("GET", "/messages", Some(&reader), 200, "messages of auth0|ann"),
        ("DELETE", "/messages", Some(&reader), 403, "insufficient_scope"),
        ("DELETE", "/messages", Some(&purger), 200, "auth0|ann"),
        ("GET", "/roles", Some(&admin), 200, "admin,dev"),
        ("GET", "/roles", Some(&plain), 401, "claims_invalid"),
        ("GET", "/own", None, 200, "token_missing"),
        ("GET", "/own", Some(&plain), 200, "auth0|ann"),
        ("GET", "/reports", Some(&plain), 403, "insufficient_scope"),
        ("GET", "/reports", Some(&reader), 200, "reports"),
        ("GET", "/maybe", None, 200, "anonymous"),
        ("GET", "/maybe", Some("junk"), 401, "token_malformed"),
        ("GET", "/maybe", Some(&plain), 200, "auth0|ann"),
        ("GET", "/internal/x", None, 401, "token_missing"),
        ("GET", "/internal/x", Some(&plain), 200, "reports"),
    ] {
        let response = call(app(tenant.auth0()), method, path, token).await;
        let case = format!("{method} {path} {}", token.unwrap_or("-"));
        assert_eq!(response.status(), status, "{case}");
        let refused = response.extensions().get::<Error>().map(Error::code);
        let text = text(response).await;
        match refused {
            Some(code) => {
                assert_eq!(code.as_str(), body, "{case}");
                assert!(text.contains(&format!("\"error_code\":\"{body}\"")), "{case}: {text}");
            }
            None => assert_eq!(text, body, "{case}"),
        }
    }
}

/// The smallest program: the verifier *is* the state.
#[tokio::test]
async fn the_verifier_can_be_the_state() {
    let tenant = Tenant::new();
    let app = Router::new().route("/me", get(me)).with_state(tenant.auth0());
    let token = tenant.token().mint();
    assert_eq!(call(app, "GET", "/me", Some(&token)).await.status(), 200);
}

/// On the outermost router, `layer` also covers 404s (default deny), `route_layer` does not.
#[tokio::test]
async fn layer_or_route_layer() {
    let protect = AuthLayer::new(Tenant::new().auth0());
    let routes = || Router::new().route("/x", get(reports));
    assert_eq!(call(routes().layer(protect.clone()), "GET", "/nope", None).await.status(), 401);
    assert_eq!(call(routes().route_layer(protect), "GET", "/nope", None).await.status(), 404);
}

/// The layer asks nothing of the response body, and nothing of axum.
#[tokio::test]
async fn any_tower_stack() {
    struct NoBody;
    let service = tower::ServiceBuilder::new()
        .layer(AuthLayer::new(Tenant::new().auth0()))
        .service_fn(|_: Request<()>| async { Ok::<_, Infallible>(Response::new(NoBody)) });
    let response = service.oneshot(Request::new(())).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(response.extensions().get::<Error>().unwrap().code(), ErrorCode::TokenMissing);
}

/// The service that was polled ready is the one that is called.
#[tokio::test]
async fn readiness_is_respected() {
    struct OnlyWhenReady(bool);
    impl Clone for OnlyWhenReady {
        fn clone(&self) -> Self {
            Self(false) // a clone has its own readiness, as with tower's limits
        }
    }
    impl tower::Service<Request<()>> for OnlyWhenReady {
        type Response = Response<String>;
        type Error = Infallible;
        type Future = std::future::Ready<Result<Response<String>, Infallible>>;
        fn poll_ready(
            &mut self,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Result<(), Infallible>> {
            self.0 = true;
            std::task::Poll::Ready(Ok(()))
        }
        fn call(&mut self, _: Request<()>) -> Self::Future {
            assert!(self.0, "called without having been polled ready");
            std::future::ready(Ok(Response::new(String::new())))
        }
    }
    let tenant = Tenant::new();
    let service = tower_layer::Layer::layer(&AuthLayer::new(tenant.auth0()), OnlyWhenReady(false));
    let mut request = Request::new(());
    let token = format!("Bearer {}", tenant.token().mint());
    request.headers_mut().insert(header::AUTHORIZATION, token.parse().unwrap());
    assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
}

/// A clock that counts how often a verifier looks at the time, which it does once per token.
#[derive(Clone, Debug)]
struct CountingClock(auth0_axum::testing::ManualClock, Arc<AtomicUsize>);

impl auth0_core::time::Clock for CountingClock {
    fn unix_time(&self) -> std::time::Duration {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.unix_time()
    }
    fn monotonic(&self) -> std::time::Duration {
        self.0.monotonic()
    }
}

fn counting(tenant: &Tenant) -> (Auth0, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let clock = CountingClock(tenant.clock().clone(), Arc::clone(&count));
    // What a verifier remembers is asked for again.
    (tenant.builder().clock(clock).token_cache(0).build().unwrap(), count)
}

#[tokio::test]
async fn verified_once_per_request_and_verifier() {
    async fn three(
        one: AccessToken,
        two: Authorized<ReadMessages>,
        three: Option<AccessToken>,
    ) -> String {
        format!("{}{}{}", one.subject(), two.subject(), three.unwrap().subject())
    }
    let tenant = Tenant::new();
    let token = tenant.token().scope("read:messages").mint();
    let (outer, outer_count) = counting(&tenant);
    let (inner, inner_count) = counting(&tenant);
    outer.warm_up().await.unwrap();
    inner.warm_up().await.unwrap();
    let app = Router::new()
        .route("/", get(three))
        .layer(AuthLayer::new(inner.clone()))
        .layer(AuthLayer::new(outer.clone()))
        .layer(AuthLayer::new(inner.clone()))
        .with_state(inner);
    assert_eq!(call(app, "GET", "/", Some(&token)).await.status(), 200);
    let counts = (outer_count.load(Ordering::SeqCst), inner_count.load(Ordering::SeqCst));
    assert_eq!(counts, (1, 1));
}

/// What one verifier accepted says nothing to another with a different audience.
#[tokio::test]
async fn verdicts_are_kept_apart() {
    let tenant = Tenant::new();
    let other = tenant.builder().audience("https://other.test").build().unwrap();
    let token = tenant.token().audience("https://other.test").mint();
    let app =
        Router::new().route("/", get(me)).layer(AuthLayer::new(other)).with_state(tenant.auth0());
    let response = call(app, "GET", "/", Some(&token)).await;
    let code = response.extensions().get::<Error>().unwrap().code();
    assert_eq!(code, ErrorCode::AudienceMismatch, "the layer's verdict is not the extractor's");
}

/// A layer between two of ours may turn a cookie into a header.
#[tokio::test]
async fn an_absent_token_is_not_remembered() {
    let tenant = Tenant::new();
    let token = format!("Bearer {}", tenant.token().subject("auth0|ann").mint());
    let app = Router::new()
        .route("/", get(me))
        .layer(tower::util::MapRequestLayer::new(move |mut request: Request<Body>| {
            let value = HeaderValue::from_str(&token).unwrap();
            request.headers_mut().insert(header::AUTHORIZATION, value);
            request
        }))
        .layer(AuthLayer::new(tenant.auth0()).optional())
        .with_state(tenant.auth0());
    assert_eq!(text(call(app, "GET", "/", None).await).await, "auth0|ann");
}

/// Nor is a verdict taken for that of another token.
#[tokio::test]
async fn a_token_that_was_exchanged_is_verified_again() {
    let tenant = Tenant::new();
    let ann = tenant.token().subject("auth0|ann").mint();
    let bob = format!("Bearer {}", tenant.token().subject("auth0|bob").mint());
    let app = Router::new().route("/", get(me)).layer(tower::util::MapRequestLayer::new(
        move |mut request: Request<Body>| {
            let value = HeaderValue::from_str(&bob).unwrap();
            request.headers_mut().insert(header::AUTHORIZATION, value);
            request
        },
    ));
    let auth = tenant.auth0();
    let app = app.layer(AuthLayer::new(auth.clone())).with_state(auth);
    assert_eq!(text(call(app, "GET", "/", Some(&ann)).await).await, "auth0|bob");
}

#[tokio::test]
async fn requirements_add_up() {
    let tenant = Tenant::new();
    let protect = AuthLayer::new(tenant.auth0()).require(scope("one"));
    let app = Router::new().route("/", get(reports)).layer(protect.require(scope("two")));
    for (scope, status) in [("one", 403), ("two", 403), ("one two", 200)] {
        let token = tenant.token().scope(scope).mint();
        assert_eq!(call(app.clone(), "GET", "/", Some(&token)).await.status(), status, "{scope}");
    }
}

#[tokio::test]
async fn the_application_renders_the_body() {
    let tenant = Tenant::new();
    let auth = tenant
        .builder()
        .realm("messages")
        .refusal_body(RefusalBody::new("text/plain", |error| format!("no: {}", error.code())))
        .build()
        .unwrap();
    for path in ["/me", "/internal/x"] {
        let response = call(app(auth.clone()), "GET", path, None).await;
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/plain");
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], "Bearer realm=\"messages\"");
        assert_eq!(text(response).await, "no: token_missing");
    }
    let token = tenant.token().mint();
    let response = call(app(auth), "GET", "/messages", Some(&token)).await;
    assert_eq!(text(response).await, "no: insufficient_scope");
}

/// A body may be one that stays on its thread, as long as nothing needs it to move.
#[test]
fn the_future_asks_nothing_of_the_response_body() {
    fn assert_send<T: Send>(_: &T) {}
    struct Local(#[allow(dead_code)] std::marker::PhantomData<std::rc::Rc<()>>);
    #[derive(Clone)]
    struct Inner;
    impl tower::Service<axum::http::Request<()>> for Inner {
        type Response = axum::http::Response<Local>;
        type Error = std::convert::Infallible;
        type Future = std::pin::Pin<
            Box<dyn Future<Output = Result<Self::Response, std::convert::Infallible>> + Send>,
        >;
        fn poll_ready(
            &mut self,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Result<(), Self::Error>> {
            std::task::Poll::Ready(Ok(()))
        }
        fn call(&mut self, _: axum::http::Request<()>) -> Self::Future {
            Box::pin(async { Ok(axum::http::Response::new(Local(std::marker::PhantomData))) })
        }
    }
    let layer = AuthLayer::new(Tenant::new().auth0());
    let mut service = tower::Layer::layer(&layer, Inner);
    assert_send(&tower::Service::call(&mut service, axum::http::Request::new(())));
}
