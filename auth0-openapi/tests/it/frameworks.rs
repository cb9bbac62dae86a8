//! Both frameworks have the same document for the same routes.
use crate::common::auth0;
use actix_web::App;
use auth0_core::{Auth0, TrustedIssuer, policy::*};
use auth0_openapi::{
    EXTENSION, SecuritySchemes, actix, any_token, axum::Protect, document, public,
};
use serde_json::{Value, json};
use utoipa::{
    ToSchema,
    openapi::{Info, OpenApi},
};
use utoipa_actix_web::AppExt;
use utoipa_axum::router::OpenApiRouter;

policy!(pub Purge = all_of![scope("write:messages"), permission("messages:purge")]);

#[derive(ToSchema)]
#[expect(dead_code, reason = "only the schema is used")]
struct Message {
    text: String,
}

#[utoipa::path(get, path = "/messages", responses((status = OK, body = Message)))]
async fn list() -> &'static str {
    "messages"
}

#[utoipa::path(delete, path = "/messages/{id}", params(("id" = String, Path)), responses((status = OK)))]
async fn purge() -> &'static str {
    "purged"
}

#[utoipa::path(get, path = "/me", responses((status = OK)))]
async fn me() -> &'static str {
    "me"
}

#[utoipa::path(get, path = "/status", responses((status = OK)))]
async fn status() -> &'static str {
    "up"
}

fn read() -> Requirement {
    any_of![scope("read:messages"), all_of![scope("admin"), acr(MFA)]]
}

fn of_axum() -> OpenApi {
    let routes = OpenApiRouter::<()>::new()
        .routes(Protect::new(auth0()).routes(read(), utoipa_axum::routes!(list)))
        .routes(document::<Purge>().routes(utoipa_axum::routes!(purge)));
    OpenApiRouter::new()
        .nest("/v1", routes)
        .routes(any_token().routes(utoipa_axum::routes!(me)))
        .routes(public().routes(utoipa_axum::routes!(status)))
        .into_openapi()
}

fn of_actix() -> OpenApi {
    let routes = utoipa_actix_web::scope("/v1")
        .service(actix::Protect::new().routes(read(), actix::routes!(list)))
        .service(document::<Purge>().service(actix::routes!(purge)));
    App::new()
        .into_utoipa_app()
        .service(routes)
        .service(any_token().service(actix::routes!(me)))
        .service(public().service(actix::routes!(status)))
        .split_for_parts()
        .1
}

fn completed(auth: &Auth0, mut api: OpenApi) -> Value {
    // It is that of the crate for the framework.
    api.info = Info::new("messages", "1");
    SecuritySchemes::of(auth).apply_to(&mut api).unwrap();
    serde_json::from_str(&api.to_json().unwrap()).unwrap()
}

#[test]
fn the_documents_are_equal() {
    let (axum, actix) = (completed(&auth0(), of_axum()), completed(&auth0(), of_actix()));
    assert_eq!(axum["paths"].as_object().unwrap().len(), 4);
    assert!(axum["components"]["schemas"]["Message"].is_object());
    assert_eq!(axum, actix);
}

/// An issuer that requires more of its tokens requires none of a request that needs no token.
#[test]
fn a_public_operation_is_public_for_every_issuer() {
    let partner = TrustedIssuer::domain("partner.eu.auth0.com").require(scope("b"));
    let other = TrustedIssuer::domain("other.eu.auth0.com").require(permission("c"));
    let builder = || Auth0::builder().audience("https://api.acme.com");
    let one = builder().issuer(partner.clone()).build().unwrap();
    let several = builder().domain("acme.eu.auth0.com").issuer(partner.clone()).issuer(other);
    let never = TrustedIssuer::domain("partner.eu.auth0.com").require(any_scope(&[]));
    let never = builder().issuer(never).build().unwrap();
    for auth in [one, several.build().unwrap(), never] {
        let (axum, actix) = (completed(&auth, of_axum()), completed(&auth, of_actix()));
        assert_eq!(axum, actix);
        let operation = &axum["paths"]["/status"]["get"];
        assert_eq!(operation["security"], json!([]));
        assert_eq!(operation[EXTENSION], json!([]));
        let responses = operation["responses"].as_object().unwrap();
        assert_eq!(responses.keys().collect::<Vec<_>>(), ["200"]);
        assert_ne!(axum["paths"]["/me"]["get"]["security"], json!([]));
    }
}

/// The bytes do not depend on the order of a hash map.
#[test]
fn the_text_is_the_same_each_time() {
    let text = || {
        let mut api = of_axum();
        SecuritySchemes::of(&auth0()).apply_to(&mut api).unwrap();
        api.to_json().unwrap()
    };
    let first = text();
    assert!((0..8).all(|_| text() == first));
}
