//! Services of actix-web.
use crate::common::{listed, token};
use actix_web::{
    App, HttpResponse,
    body::{BodySize, MessageBody, to_bytes},
    get,
    http::header::WWW_AUTHENTICATE,
    test::{TestRequest, call_service, init_service},
    web,
};
use auth0_actix::{Authorized, policy::*, require};
use auth0_openapi::{
    actix::{Protect, routes},
    document, public,
};
use auth0_testing::Tenant;
use serde_json::{Value, json};
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use utoipa_actix_web::{AppExt, scope as utoipa_scope};

policy!(pub ReadMessages = scope("read:messages"));

mod messages {
    #[utoipa::path(get, path = "/messages", responses((status = OK)))]
    pub(super) async fn list() -> &'static str {
        "messages"
    }

    #[utoipa::path(post, path = "/messages", responses((status = OK)))]
    pub(super) async fn create() -> &'static str {
        "created"
    }
}

#[utoipa::path(params(("id" = String, Path)), responses((status = OK)))]
#[get("/messages/{id}")]
async fn read_one(_: Authorized<ReadMessages>) -> &'static str {
    "message"
}

#[utoipa::path(responses((status = OK)))]
#[get("/status")]
async fn status() -> &'static str {
    "up"
}

/// Calls an app, and returns the status.
macro_rules! status_of {
    ($app:expr, $method:ident $path:expr, $token:expr) => {{
        let mut request = TestRequest::$method().uri($path);
        let token: Option<&String> = $token;
        if let Some(token) = token {
            request = request.insert_header(("authorization", format!("Bearer {token}")));
        }
        call_service(&$app, request.to_request()).await.status().as_u16()
    }};
}

/// A body that never ends by itself.
struct Endless;

impl MessageBody for Endless {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<web::Bytes, Infallible>>> {
        Poll::Pending
    }
}

#[utoipa::path(get, path = "/events", responses((status = OK)))]
async fn events() -> HttpResponse {
    HttpResponse::Ok().body(Endless)
}

#[actix_web::test]
async fn a_response_ends_with_its_token() {
    let tenant = Tenant::new();
    let protect = Protect::new().end_responses_with_token();
    let app = App::new()
        .into_utoipa_app()
        .app_data(tenant.auth0())
        .service(protect.routes(authenticated(), routes!(events)))
        .into_app();
    let app = init_service(app).await;
    let token = tenant.token().expires_in(Duration::from_secs(60)).mint();
    let bearer = ("authorization", format!("Bearer {token}"));
    let request = TestRequest::get().uri("/events").insert_header(bearer).to_request();
    let response = call_service(&app, request).await;
    assert_eq!(response.status(), 200);
    tenant.clock().advance(Duration::from_secs(66));
    let end = to_bytes(response.into_body());
    let end = tokio::time::timeout(Duration::from_secs(30), end).await;
    assert!(end.is_ok(), "it goes on");
}

#[actix_web::test]
async fn a_refusal_has_the_bytes_of_the_middleware() {
    let tenant = Tenant::new();
    let requirement = || all_of![scope("read:messages"), acr(MFA)];
    let guarded = App::new()
        .into_utoipa_app()
        .app_data(tenant.auth0())
        .service(Protect::new().routes(requirement(), routes!(messages::list)))
        .into_app();
    let wrapped = web::resource("/messages").wrap(require(requirement())).to(messages::list);
    let guarded = init_service(guarded).await;
    let wrapped = init_service(App::new().app_data(tenant.auth0()).service(wrapped)).await;
    let scoped = token(&tenant, &["read:messages".into()], &[]);
    let plain = token(&tenant, &[], &[]);
    for (header, expected) in [
        (None, 401),
        (Some("Bearer".to_owned()), 400),
        (Some("Bearer x.y.z".to_owned()), 401),
        (Some(format!("Bearer {plain}")), 403),
        (Some(format!("Bearer {scoped}")), 401),
    ] {
        let request = || {
            let request = TestRequest::get().uri("/messages");
            match &header {
                Some(header) => request.insert_header(("authorization", header.as_str())),
                None => request,
            }
            .to_request()
        };
        let mut answers = Vec::new();
        for response in [
            call_service(&guarded, request()).await.map_into_boxed_body(),
            call_service(&wrapped, request()).await.map_into_boxed_body(),
        ] {
            assert_eq!(response.status(), expected, "{header:?}");
            assert!(response.headers().contains_key(WWW_AUTHENTICATE));
            let mut headers: Vec<_> = response
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), value.clone()))
                .collect();
            // The map has no order, except among lines of one name.
            headers.sort_by(|(one, _), (other, _)| one.cmp(other));
            answers.push((headers, to_bytes(response.into_body()).await.unwrap()));
        }
        assert_eq!(answers[0], answers[1]);
    }
}

#[actix_web::test]
async fn each_service_has_the_guard_that_its_document_says() {
    let tenant = Tenant::new();
    let protect = Protect::new();
    let (app, api) = App::new()
        .into_utoipa_app()
        .app_data(tenant.auth0())
        .service(
            utoipa_scope("/api")
                .service(protect.routes(scope("read:messages"), routes!(messages::list)))
                .service(protect.routes(scope("write:messages"), routes!(messages::create)))
                .configure(|config| {
                    config.service(document::<ReadMessages>().service(read_one));
                }),
        )
        .service(public().service(status))
        .split_for_parts();
    let app = init_service(app).await;
    let api: Value = serde_json::to_value(api).unwrap();
    let security = |path: &str, method: &str| api["paths"][path][method]["security"].clone();
    let of = |scope: &str| json!([{ "auth0": [scope] }, { "bearer": [scope] }]);
    assert_eq!(security("/api/messages", "get"), of("read:messages"));
    assert_eq!(security("/api/messages", "post"), of("write:messages"));
    assert_eq!(security("/api/messages/{id}", "get"), of("read:messages"));
    assert_eq!(security("/status", "get"), json!([]));

    let reader = token(&tenant, &["read:messages".into()], &[]);
    let writer = token(&tenant, &["write:messages".into()], &[]);
    for (token, read, write, open) in
        [(None, 401, 401, 200), (Some(&reader), 200, 403, 200), (Some(&writer), 403, 200, 200)]
    {
        assert_eq!(status_of!(app, get "/api/messages", token), read);
        assert_eq!(status_of!(app, get "/api/messages/1", token), read);
        assert_eq!(status_of!(app, post "/api/messages", token), write);
        assert_eq!(status_of!(app, get "/status", token), open);
    }
}

#[actix_web::test]
async fn several_methods_have_one_guard() {
    let tenant = Tenant::new();
    let routes = routes!(messages::list, messages::create);
    let (app, api) = App::new()
        .into_utoipa_app()
        .app_data(tenant.auth0())
        .service(Protect::new().routes(scope("a"), routes))
        .split_for_parts();
    let app = init_service(app).await;
    let api: Value = serde_json::to_value(api).unwrap();
    let plain = token(&tenant, &[], &[]);
    for method in ["get", "post"] {
        let operation = &api["paths"]["/messages"][method];
        assert_eq!(operation["security"], json!([{ "auth0": ["a"] }, { "bearer": ["a"] }]));
    }
    assert_eq!(status_of!(app, get "/messages", Some(&plain)), 403);
    assert_eq!(status_of!(app, post "/messages", Some(&plain)), 403);
}

#[actix_web::test]
async fn a_scope_is_guarded_as_a_whole() {
    let tenant = Tenant::new();
    let inner = utoipa_scope("/api")
        .service(document::<ReadMessages>().service(read_one))
        .service(routes!(messages::list));
    let (app, api) = App::new()
        .into_utoipa_app()
        .app_data(tenant.auth0())
        .service(Protect::new().require(scope("api")).scope(authenticated(), inner))
        .split_for_parts();
    let app = init_service(app).await;
    let api: Value = serde_json::to_value(api).unwrap();
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
        assert_eq!(status_of!(app, get "/api/messages", Some(&token)), list, "{scope}");
        assert_eq!(status_of!(app, get "/api/messages/1", Some(&token)), read, "{scope}");
    }
}

#[actix_web::test]
async fn optional_authentication_is_documented_and_done() {
    let tenant = Tenant::new();
    let guarded = Protect::new().optional().routes(scope("a"), routes!(messages::list));
    let (app, api) =
        App::new().into_utoipa_app().app_data(tenant.auth0()).service(guarded).split_for_parts();
    let app = init_service(app).await;
    let api: Value = serde_json::to_value(api).unwrap();
    let expected = json!([{ "auth0": ["a"] }, { "bearer": ["a"] }, {}]);
    assert_eq!(api["paths"]["/messages"]["get"]["security"], expected);
    assert_eq!(status_of!(app, get "/messages", None), 200);
    let plain = token(&tenant, &[], &[]);
    assert_eq!(status_of!(app, get "/messages", Some(&plain)), 403);
}
