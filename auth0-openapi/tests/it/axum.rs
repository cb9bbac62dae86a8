//! Routers of axum.
use crate::common::{listed, token};
use auth0_axum::{AuthLayer, Authorized, policy::*};
use auth0_openapi::{SecuritySchemes, axum::Protect, document, public};
use auth0_testing::Tenant;
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, Response, header::WWW_AUTHENTICATE},
    routing::get,
};
use serde_json::{Value, json};
use tower::ServiceExt;
use utoipa_axum::{router::OpenApiRouter, routes};

policy!(pub ReadMessages = scope("read:messages"));

#[utoipa::path(get, path = "/messages", responses((status = OK)))]
async fn list() -> &'static str {
    "messages"
}

#[utoipa::path(post, path = "/messages", responses((status = OK)))]
async fn create() -> &'static str {
    "created"
}

#[utoipa::path(get, path = "/messages/{id}", params(("id" = String, Path)), responses((status = OK)))]
async fn read(_: Authorized<ReadMessages>) -> &'static str {
    "message"
}

#[utoipa::path(get, path = "/status", responses((status = OK)))]
async fn status() -> &'static str {
    "up"
}

async fn send<B: Into<Body>>(app: &Router, request: Request<B>) -> Response<Body> {
    app.clone().oneshot(request.map(Into::into)).await.unwrap()
}

async fn status_of(app: &Router, method: &str, path: &str, token: Option<&str>) -> u16 {
    let mut request = Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    send(app, request.body(Body::empty()).unwrap()).await.status().as_u16()
}

#[tokio::test]
async fn a_refusal_has_the_bytes_of_the_layer() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let requirement = || all_of![scope("read:messages"), acr(MFA)];
    let guarded = Protect::new(auth.clone()).routes(requirement(), routes!(list));
    let (guarded, _) = OpenApiRouter::new().routes(guarded).split_for_parts();
    let layered: Router = Router::new()
        .route("/messages", get(list).layer(AuthLayer::new(auth).require(requirement())));
    let scoped = token(&tenant, &["read:messages".into()], &[]);
    let plain = token(&tenant, &[], &[]);
    for (header, expected) in [
        (None, 401),
        (Some("Bearer".to_owned()), 400),
        (Some("Bearer x.y.z".to_owned()), 401),
        (Some(format!("Bearer {plain}")), 403),
        (Some(format!("Bearer {scoped}")), 401),
    ] {
        let mut answers = Vec::new();
        for app in [&guarded, &layered] {
            let mut request = Request::get("/messages");
            if let Some(header) = &header {
                request = request.header("authorization", header);
            }
            let response = send(app, request.body(Body::empty()).unwrap()).await;
            assert_eq!(response.status(), expected, "{header:?}");
            assert!(response.headers().contains_key(WWW_AUTHENTICATE));
            let (parts, body) = response.into_parts();
            answers.push((parts.headers, to_bytes(body, 4096).await.unwrap()));
        }
        assert_eq!(answers[0], answers[1]);
    }
}

#[tokio::test]
async fn each_route_has_the_guard_that_its_document_says() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let protect = Protect::new(auth.clone());
    let messages = OpenApiRouter::new()
        .routes(protect.routes(scope("read:messages"), routes!(list)))
        .routes(protect.routes(scope("write:messages"), routes!(create)))
        .routes(document::<ReadMessages>().routes(routes!(read)));
    let (app, mut api) = OpenApiRouter::new()
        .nest("/api", messages)
        .routes(public().routes(routes!(status)))
        .with_state::<auth0_axum::Auth0>(auth.clone())
        .split_for_parts();
    let app = app.with_state(auth.clone());
    SecuritySchemes::of(&auth).apply_to(&mut api).unwrap();
    let api = serde_json::to_value(api).unwrap();
    let reader = token(&tenant, &["read:messages".into()], &[]);
    let writer = token(&tenant, &["write:messages".into()], &[]);
    for (method, path, documented, scopes) in [
        ("GET", "/api/messages", "/api/messages", vec!["read:messages"]),
        ("POST", "/api/messages", "/api/messages", vec!["write:messages"]),
        ("GET", "/api/messages/1", "/api/messages/{id}", vec!["read:messages"]),
        ("GET", "/status", "/status", vec![]),
    ] {
        let listed = listed(&api["paths"][documented][method.to_ascii_lowercase()]);
        let is_public = scopes.is_empty();
        assert_eq!(listed.is_empty(), is_public, "{path}");
        assert!(listed.iter().all(|one| one.scopes == scopes), "{path}: {listed:?}");
        let without = status_of(&app, method, path, None).await;
        assert_eq!(without, if is_public { 200 } else { 401 }, "{path}");
        for (token, has) in [(&reader, "read:messages"), (&writer, "write:messages")] {
            let expected = if is_public || scopes == [has] { 200 } else { 403 };
            assert_eq!(
                status_of(&app, method, path, Some(token)).await,
                expected,
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn several_methods_have_one_guard() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let guarded = Protect::new(auth).routes(scope("a"), routes!(list, create));
    let (app, api) = OpenApiRouter::new().routes(guarded).split_for_parts();
    let api: Value = serde_json::to_value(api).unwrap();
    let plain = token(&tenant, &[], &[]);
    for method in ["GET", "POST"] {
        let operation = &api["paths"]["/messages"][method.to_ascii_lowercase()];
        assert_eq!(operation["security"], json!([{ "auth0": ["a"] }, { "bearer": ["a"] }]));
        assert_eq!(status_of(&app, method, "/messages", Some(&plain)).await, 403);
    }
}

#[tokio::test]
async fn a_router_is_guarded_as_a_whole() {
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let protect = Protect::new(auth.clone()).require(scope("api"));
    let inner = OpenApiRouter::new()
        .routes(document::<ReadMessages>().routes(routes!(read)))
        .routes(routes!(list));
    let (app, api) =
        OpenApiRouter::new().nest("/api", protect.router(authenticated(), inner)).split_for_parts();
    let app = app.with_state(auth);
    let api = serde_json::to_value(api).unwrap();
    let scopes = |path: &str| listed(&api["paths"][path]["get"])[0].scopes.clone();
    assert_eq!(scopes("/api/messages"), ["api"]);
    assert_eq!(scopes("/api/messages/{id}"), ["read:messages", "api"]);
    for (scope, list, read) in [
        ("", 403, 403),
        ("api", 200, 403),
        ("read:messages", 403, 403),
        ("api read:messages", 200, 200),
    ] {
        let token = tenant.token().scope(scope).mint();
        assert_eq!(status_of(&app, "GET", "/api/messages", Some(&token)).await, list, "{scope}");
        assert_eq!(status_of(&app, "GET", "/api/messages/1", Some(&token)).await, read, "{scope}");
    }
    assert_eq!(status_of(&app, "GET", "/api/unknown", None).await, 404);
}

#[tokio::test]
async fn optional_authentication_is_documented_and_done() {
    let tenant = Tenant::new();
    let protect = Protect::new(tenant.auth0()).optional();
    let guarded = protect.routes(scope("a"), routes!(list));
    let (app, api) = OpenApiRouter::new().routes(guarded).split_for_parts();
    let api = serde_json::to_value(api).unwrap();
    let expected = json!([{ "auth0": ["a"] }, { "bearer": ["a"] }, {}]);
    assert_eq!(api["paths"]["/messages"]["get"]["security"], expected);
    assert_eq!(status_of(&app, "GET", "/messages", None).await, 200);
    let plain = token(&tenant, &[], &[]);
    assert_eq!(status_of(&app, "GET", "/messages", Some(&plain)).await, 403);
}
