//! What users write, run against a tenant in the process.
#![allow(clippy::unwrap_used, reason = "these are tests")]
use actix_web::{
    App, HttpMessage, HttpResponse, Responder,
    body::MessageBody,
    delete,
    dev::{Service, ServiceResponse},
    get,
    http::header,
    test::{self, TestRequest},
    web,
};
use auth0_actix::{
    AccessToken, Auth0, AuthError, Authorized, Error, ErrorCode, MaybeAccessToken, RefusalBody,
    RequireAuth,
    policy::*,
    require,
    testing::{ManualClock, Tenant},
};
use serde::Deserialize;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

policy!(pub ReadMessages = scope("read:messages"));
policy!(pub PurgeMessages = all_of![scope("write:messages"), permission("messages:purge")]);

#[derive(Deserialize)]
struct Roles {
    #[serde(rename = "https://acme.com/roles")]
    roles: Vec<String>,
}

#[get("/me")]
async fn me(token: AccessToken) -> impl Responder {
    token.subject().to_owned()
}
#[get("/feed")]
async fn feed(MaybeAccessToken(token): MaybeAccessToken) -> impl Responder {
    token.map_or("anonymous".into(), |token| token.subject().to_owned())
}
#[get("/feed-wrong")]
async fn feed_wrong(token: Option<AccessToken>) -> impl Responder {
    token.map_or("anonymous".into(), |token| token.subject().to_owned())
}
#[get("/messages")]
async fn messages(token: Authorized<ReadMessages>) -> impl Responder {
    format!("messages of {}", token.subject())
}
#[delete("/messages")]
async fn both_policies(token: Authorized<(ReadMessages, PurgeMessages)>) -> impl Responder {
    token.into_token().into_inner().subject().to_owned()
}
#[get("/roles")]
async fn roles(token: AccessToken<Roles>) -> impl Responder {
    token.claims().roles.join(",")
}
#[get("/own")]
async fn own_refusal(token: Result<AccessToken, AuthError>) -> impl Responder {
    token.map_or_else(|refusal| refusal.error().code().to_string(), |t| t.subject().to_owned())
}
#[get("/reports", wrap = "require(scope(\"read:reports\"))")]
async fn reports() -> impl Responder {
    "reports"
}
#[get("/maybe", wrap = "RequireAuth::new().optional()")]
async fn maybe(request: actix_web::HttpRequest) -> impl Responder {
    let extensions = request.extensions();
    extensions.get::<AccessToken>().map_or("anonymous".into(), |t| t.subject().to_owned())
}
#[get("/three", wrap = "require(scope(\"read:messages\"))")]
async fn three(
    a: AccessToken,
    b: Authorized<ReadMessages>,
    MaybeAccessToken(c): MaybeAccessToken,
) -> impl Responder {
    format!("{}{}{}", a.subject(), b.subject(), c.unwrap().subject())
}
#[get("/two")]
async fn two(a: AccessToken, b: Authorized<ReadMessages>) -> impl Responder {
    format!("{}{}", a.subject(), b.subject())
}

fn routes(config: &mut web::ServiceConfig) {
    config
        .service(me)
        .service(feed)
        .service(feed_wrong)
        .service(messages)
        .service(both_policies)
        .service(roles)
        .service(own_refusal)
        .service(reports)
        .service(maybe)
        .service(three)
        .service(two)
        .service(
            web::scope("/internal")
                .wrap(RequireAuth::new())
                .route("/x", web::get().to(|| async { "x" })),
        );
}

struct Answer {
    status: u16,
    refused: Option<ErrorCode>,
    challenge: String,
    content_type: String,
    body: String,
}

async fn read(response: ServiceResponse<impl MessageBody>) -> Answer {
    let header = |name| {
        response.headers().get(name).map_or_else(String::new, |v| v.to_str().unwrap().to_owned())
    };
    let (challenge, content_type) =
        (header(header::WWW_AUTHENTICATE), header(header::CONTENT_TYPE));
    let refused = response.response().extensions().get::<Error>().map(Error::code);
    let status = response.status().as_u16();
    let body = String::from_utf8(test::read_body(response).await.to_vec()).unwrap();
    Answer { status, refused, challenge, content_type, body }
}

fn request(method: &str, path: &str, token: Option<&str>) -> TestRequest {
    let mut request = TestRequest::default().method(method.parse().unwrap()).uri(path);
    if let Some(token) = token {
        request = request.insert_header((header::AUTHORIZATION, format!("Bearer {token}")));
    }
    request
}

async fn call(auth: &Auth0, method: &str, path: &str, token: Option<&str>) -> Answer {
    let app = test::init_service(App::new().app_data(auth.clone()).configure(routes)).await;
    read(test::call_service(&app, request(method, path, token).to_request()).await).await
}

#[actix_web::test]
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
        // actix's own `Option<T>` swallows the error: why `MaybeAccessToken` is there.
        ("GET", "/feed-wrong", Some("junk"), 200, "anonymous"),
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
        ("GET", "/internal/x", Some(&plain), 200, "x"),
    ] {
        let answer = call(&tenant.auth0(), method, path, token).await;
        let case = format!("{method} {path} {}", token.unwrap_or("-"));
        assert_eq!(answer.status, status, "{case}");
        match answer.refused {
            Some(code) => {
                assert_eq!(code.as_str(), body, "{case}");
                let expected = format!("\"error_code\":\"{body}\"");
                assert!(answer.body.contains(&expected), "{case}: {}", answer.body);
            }
            None => assert_eq!(answer.body, body, "{case}"),
        }
    }
}

/// A clock that counts how often a verifier looks at the time, which it does once per token.
#[derive(Clone, Debug)]
struct CountingClock(ManualClock, Arc<AtomicUsize>);

impl auth0_core::time::Clock for CountingClock {
    fn unix_time(&self) -> Duration {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.unix_time()
    }
    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }
}

fn counting(tenant: &Tenant) -> (Auth0, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let clock = CountingClock(tenant.clock().clone(), Arc::clone(&count));
    (tenant.builder().clock(clock).build().unwrap(), count)
}

/// Extractors of one handler are polled side by side, and without cached keys all wait.
#[actix_web::test]
async fn verified_once_per_request() {
    /// A token that was verified twice is in two places.
    async fn is_one(a: AccessToken, b: Authorized<ReadMessages>, c: AccessToken) -> String {
        let places = [a.subject(), b.subject(), c.subject()].map(str::as_ptr);
        (places[0] == places[1] && places[1] == places[2]).to_string()
    }
    let tenant = Tenant::new();
    let token = tenant.token().scope("read:messages").mint();
    let count = Arc::new(AtomicUsize::new(0));
    let clock = CountingClock(tenant.clock().clone(), Arc::clone(&count));
    let auth = tenant.builder().clock(clock).token_cache(0).build().unwrap();
    let app =
        test::init_service(App::new().app_data(auth).route("/one", web::get().to(is_one)).service(
            web::scope("/layer").wrap(RequireAuth::new()).route("/one", web::get().to(is_one)),
        ))
        .await;
    for path in ["/one", "/one", "/layer/one"] {
        count.store(0, Ordering::SeqCst);
        let request = request("GET", path, Some(&token)).to_request();
        assert_eq!(read(test::call_service(&app, request).await).await.body, "true");
    }
    assert_eq!(count.load(Ordering::SeqCst), 1, "with keys, the clock is read once");
}

/// What one verifier accepted says nothing to another with a different audience.
#[actix_web::test]
async fn verdicts_are_kept_apart() {
    let tenant = Tenant::new();
    let outer = tenant.builder().audience("https://other.test").build().unwrap();
    let (inner, inner_count) = counting(&tenant);
    inner.warm_up().await.unwrap();
    let app = test::init_service(
        App::new()
            .app_data(outer)
            .service(web::scope("/in").app_data(inner).service(me))
            .service(messages)
            .wrap(RequireAuth::new()),
    )
    .await;
    let token = tenant.token().audience("https://other.test").mint();
    let answer =
        read(test::call_service(&app, request("GET", "/in/me", Some(&token)).to_request()).await)
            .await;
    assert_eq!(answer.refused, Some(ErrorCode::AudienceMismatch));
    assert_eq!(inner_count.load(Ordering::SeqCst), 1, "verified by the inner verifier itself");
}

#[actix_web::test]
async fn a_missing_verifier_is_a_server_error() {
    let app = test::init_service(App::new().configure(routes)).await;
    for path in ["/me", "/feed", "/messages", "/reports", "/maybe", "/internal/x"] {
        let answer =
            read(test::call_service(&app, request("GET", path, Some("x")).to_request()).await)
                .await;
        assert_eq!((answer.status, answer.challenge.as_str()), (500, ""), "{path}");
        assert!(answer.body.contains("\"error_code\":\"misconfigured\""), "{}", answer.body);
        assert!(!answer.body.contains("app_data"), "how it is wired is not the client's business");
    }
}

#[actix_web::test]
async fn the_verifier_may_be_registered_as_data() {
    let tenant = Tenant::new();
    let app = App::new().app_data(web::Data::new(tenant.auth0())).configure(routes);
    let app = test::init_service(app).await;
    let token = tenant.token().mint();
    assert_eq!(
        test::call_service(&app, request("GET", "/me", Some(&token)).to_request()).await.status(),
        200
    );
}

/// A middleware between ours and the handler may turn a cookie into a header.
#[actix_web::test]
async fn an_absent_token_is_not_remembered() {
    let tenant = Tenant::new();
    let value: header::HeaderValue =
        format!("Bearer {}", tenant.token().subject("auth0|ann").mint()).parse().unwrap();
    let app = test::init_service(
        App::new()
            .app_data(tenant.auth0())
            .service(me)
            .wrap_fn(move |mut request, service| {
                request.headers_mut().insert(header::AUTHORIZATION, value.clone());
                service.call(request)
            })
            .wrap(RequireAuth::new().optional()),
    )
    .await;
    let answer =
        read(test::call_service(&app, request("GET", "/me", None).to_request()).await).await;
    assert_eq!(answer.body, "auth0|ann");
}

/// Nor is a verdict taken for that of another token.
#[actix_web::test]
async fn a_token_that_was_exchanged_is_verified_again() {
    let tenant = Tenant::new();
    let ann = tenant.token().subject("auth0|ann").mint();
    let bob: header::HeaderValue =
        format!("Bearer {}", tenant.token().subject("auth0|bob").mint()).parse().unwrap();
    let app = test::init_service(
        App::new()
            .app_data(tenant.auth0())
            .service(me)
            .wrap_fn(move |mut request, service| {
                request.headers_mut().insert(header::AUTHORIZATION, bob.clone());
                service.call(request)
            })
            .wrap(RequireAuth::new()),
    )
    .await;
    let request = request("GET", "/me", Some(&ann)).to_request();
    assert_eq!(read(test::call_service(&app, request).await).await.body, "auth0|bob");
}

#[actix_web::test]
async fn requirements_add_up() {
    let tenant = Tenant::new();
    let both = RequireAuth::new().require(scope("one")).require(scope("two"));
    let scope = web::scope("").wrap(both).route("/", web::get().to(HttpResponse::Ok));
    let app = test::init_service(App::new().app_data(tenant.auth0()).service(scope)).await;
    for (scope, status) in [("one", 403), ("two", 403), ("one two", 200)] {
        let token = tenant.token().scope(scope).mint();
        let request = request("GET", "/", Some(&token)).to_request();
        assert_eq!(test::call_service(&app, request).await.status(), status, "{scope}");
    }
}

/// Which scope is the inner one is known for each form of registration, not across the two.
#[actix_web::test]
async fn verifiers_in_two_forms_are_not_mixed_up() {
    let tenants = [Tenant::named("outer"), Tenant::named("inner")];
    let [outer, inner] = tenants.clone().map(|tenant| tenant.auth0());
    let data = |auth: &Auth0| web::Data::new(auth.clone());
    let apps = [
        ("plain in plain", 200, None, Some(inner.clone()), Some(outer.clone()), None),
        ("data in data", 200, Some(data(&inner)), None, None, Some(data(&outer))),
        ("data in plain", 500, Some(data(&inner)), None, Some(outer.clone()), None),
        ("plain in data", 500, None, Some(inner.clone()), None, Some(data(&outer))),
    ];
    let token = tenants[1].token().mint();
    for (name, status, inner_data, inner_plain, outer_plain, outer_data) in apps {
        let mut scope = web::scope("/in").service(me);
        let mut app = App::new();
        if let Some(data) = inner_data {
            scope = scope.app_data(data);
        }
        if let Some(plain) = inner_plain {
            scope = scope.app_data(plain);
        }
        if let Some(plain) = outer_plain {
            app = app.app_data(plain);
        }
        if let Some(data) = outer_data {
            app = app.app_data(data);
        }
        let app = test::init_service(app.service(scope)).await;
        let request = request("GET", "/in/me", Some(&token)).to_request();
        assert_eq!(test::call_service(&app, request).await.status(), status, "{name}");
    }
}

/// A refusal is a response, so middleware outside sees it and may add to it.
#[actix_web::test]
async fn outer_middleware_sees_refusals() {
    let app = test::init_service(
        App::new()
            .app_data(Tenant::new().auth0())
            .service(
                web::scope("/in")
                    .wrap(RequireAuth::new())
                    .route("", web::get().to(HttpResponse::Ok)),
            )
            .wrap_fn(|request, service| {
                let response = service.call(request);
                async move {
                    let mut response = response.await?;
                    let seen = response.response().extensions().contains::<Error>();
                    let value = header::HeaderValue::from_static(if seen { "yes" } else { "no" });
                    response.headers_mut().insert(header::VARY, value);
                    Ok(response)
                }
            }),
    )
    .await;
    let response = test::call_service(&app, request("GET", "/in", None).to_request()).await;
    assert_eq!(response.status(), 401);
    assert_eq!(response.headers().get(header::VARY).unwrap(), "yes");
}

#[actix_web::test]
async fn the_application_renders_the_body() {
    let tenant = Tenant::new();
    let auth = tenant
        .builder()
        .realm("messages")
        .refusal_body(RefusalBody::new("text/plain", |error| format!("no: {}", error.code())))
        .build()
        .unwrap();
    for path in ["/me", "/internal/x"] {
        let answer = call(&auth, "GET", path, None).await;
        assert_eq!(answer.content_type, "text/plain");
        assert_eq!(answer.challenge, "Bearer realm=\"messages\"");
        assert_eq!(answer.body, "no: token_missing");
    }
    let answer = call(&auth, "GET", "/messages", Some(&tenant.token().mint())).await;
    assert_eq!(answer.body, "no: insufficient_scope");
}

/// Two parameters of one name, of which the second belongs to a scope that is matched after the middleware ran:
/// it is not known which one the handler reads, so the request is refused.
#[actix_web::test]
async fn a_parameter_that_occurs_again_inside_is_refused() {
    async fn ok(path: web::Path<Vec<String>>) -> String {
        path.join(",")
    }
    fn protected() -> RequireAuth {
        require(organization_in_path("org"))
    }
    let tenant = Tenant::new();
    let auth = tenant.auth0();
    let app = App::new()
        .app_data(auth.clone())
        .service(
            web::scope("/orgs/{org}")
                .wrap(protected())
                .route("/data", web::get().to(ok))
                .route("/{org}/data", web::get().to(ok))
                .service(web::scope("/in/{org}").route("/data", web::get().to(ok)))
                .service(web::scope("/as/{org:[a-z_0-9]+}").route("/data", web::get().to(ok)))
                .service(web::resource("/tail/{org}*").to(ok))
                .service(web::scope("/of/{organization}").route("/data", web::get().to(ok))),
        )
        .service(
            web::scope("/resource/{org}")
                .service(web::resource("/{org}").wrap(protected()).route(web::get().to(ok))),
        );
    let app = test::init_service(app).await;
    let token = tenant.token().organization("org_a", "a").mint();
    for (path, expected) in [
        ("/orgs/org_a/data", 200),
        ("/orgs/org_b/data", 403),
        ("/orgs/org_a/of/org_b/data", 200),
        ("/orgs/org_b/of/org_a/data", 403),
        ("/orgs/org_a/org_b/data", 500),
        ("/orgs/org_a/in/org_b/data", 500),
        ("/orgs/org_a/in/org_a/data", 500),
        ("/orgs/org_a/as/org_b/data", 500),
        ("/orgs/org_a/tail/org_b/x", 500),
        ("/resource/org_a/org_b", 500),
        ("/resource/org_b/org_a", 500),
    ] {
        let request = request("GET", path, Some(&token)).to_request();
        let answer = read(test::call_service(&app, request).await).await;
        assert_eq!(answer.status, expected, "{path}: {}", answer.body);
        if expected == 500 {
            assert_eq!(answer.refused, Some(ErrorCode::Misconfigured), "{path}");
        }
    }
}

/// A handler that takes the refusal as a value still has the body.
#[actix_web::test]
async fn a_refusal_leaves_the_body_to_the_handler() {
    async fn echo(token: Result<AccessToken, AuthError>, body: String) -> String {
        format!("{} {body}", token.is_ok())
    }
    async fn anonymous(token: MaybeAccessToken, body: String) -> String {
        format!("{} {body}", token.0.is_some())
    }
    let tenant = Tenant::new();
    for is_warm in [false, true] {
        let auth = tenant.auth0();
        if is_warm {
            auth.warm_up().await.unwrap();
        }
        let app = App::new()
            .app_data(auth)
            .route("/echo", web::post().to(echo))
            .route("/anonymous", web::post().to(anonymous));
        let app = test::init_service(app).await;
        let (good, expired) = (tenant.token().mint(), tenant.token().expired().mint());
        for (path, token, expected) in [
            ("/echo", Some(&good), "true hello"),
            ("/echo", Some(&expired), "false hello"),
            ("/echo", None, "false hello"),
            ("/anonymous", Some(&good), "true hello"),
            ("/anonymous", None, "false hello"),
        ] {
            let request = request("POST", path, token.map(String::as_str));
            let request = request.set_payload("hello").to_request();
            let answer = read(test::call_service(&app, request).await).await;
            assert_eq!(answer.body, expected, "{path}");
        }
    }
}
