//! For every operation, a token with exactly what one alternative of the document says is admitted, and one with less
//! is refused.
use crate::common::{Listed, listed, token};
use actix_web::{
    App,
    test::{TestRequest, call_service, init_service},
};
use auth0_core::{Auth0, Requirement, policy::authenticated};
use auth0_openapi::{SecuritySchemes, actix, axum::Protect};
use auth0_testing::Tenant;
use axum::{body::Body, http::Request};
use proptest::{prelude::*, test_runner::TestCaseError};
use serde_json::Value;
use tower::ServiceExt;
use utoipa::openapi::OpenApi;
use utoipa_actix_web::AppExt;
use utoipa_axum::router::OpenApiRouter;

#[utoipa::path(get, path = "/things/{id}", params(("id" = String, Path)), responses((status = OK)))]
async fn thing() -> &'static str {
    "thing"
}

fn requirement() -> impl Strategy<Value = Requirement> {
    let name = prop::sample::select(vec!["a", "b", "c", "d"]);
    let leaf = prop_oneof![
        4 => name.clone().prop_map(Requirement::scope_named),
        1 => (name.clone(), name.clone())
            .prop_map(|(one, other)| Requirement::scope_named(format!("{one} {other}"))),
        3 => name.prop_map(Requirement::permission_named),
        1 => Just(authenticated()),
    ];
    leaf.prop_recursive(4, 12, 2, |inner| {
        (inner.clone(), inner, any::<bool>()).prop_map(|(one, other, is_and)| match is_and {
            true => one.and(other),
            false => one.or(other),
        })
    })
}

/// What is sent, and the expected status.
fn requests(tenant: &Tenant, all: &[Listed]) -> Vec<(Option<String>, u16)> {
    let none: &[String] = &[];
    let needs_nothing = all.iter().any(|one| one.scopes.is_empty() && one.permissions.is_empty());
    let empty = if needs_nothing { 200 } else { 403 };
    let mut requests = vec![(None, 401), (Some(token(tenant, none, none)), empty)];
    for Listed { scopes, permissions, .. } in all {
        requests.push((Some(token(tenant, scopes, permissions)), 200));
        for missing in 0..scopes.len() {
            let less = without(scopes, missing);
            requests.push((Some(token(tenant, &less, permissions)), 403));
        }
        for missing in 0..permissions.len() {
            let less = without(permissions, missing);
            requests.push((Some(token(tenant, scopes, &less)), 403));
        }
    }
    requests
}

fn without(names: &[String], missing: usize) -> Vec<String> {
    let mut names = names.to_vec();
    names.remove(missing);
    names
}

fn completed(auth: &Auth0, mut api: OpenApi) -> Vec<Listed> {
    SecuritySchemes::of(auth).apply_to(&mut api).unwrap();
    let api: Value = serde_json::to_value(api).unwrap();
    let all = listed(&api["paths"]["/v1/things/{id}"]["get"]);
    // Never a scope of one scheme beside any token of another.
    for pair in all.chunks(2) {
        assert_eq!((&*pair[0].scheme, &*pair[1].scheme), ("auth0", "bearer"));
        assert_eq!(pair[0].requires, pair[1].requires);
    }
    all
}

fn check(actual: u16, expected: u16, what: &Option<String>) -> Result<(), TestCaseError> {
    prop_assert_eq!(actual, expected, "{:?}", what);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_document_of_axum_is_what_its_guard_does(requirement in requirement()) {
        let tenant = Tenant::new();
        let auth = tenant.auth0();
        let guarded = Protect::new(auth.clone()).routes(requirement, utoipa_axum::routes!(thing));
        let (app, api) = OpenApiRouter::new()
            .nest("/v1", OpenApiRouter::new().routes(guarded))
            .split_for_parts();
        let requests = requests(&tenant, &completed(&auth, api));
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            for (token, expected) in requests {
                let mut request = Request::get("/v1/things/1");
                if let Some(token) = &token {
                    request = request.header("authorization", format!("Bearer {token}"));
                }
                let response = app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
                check(response.status().as_u16(), expected, &token)?;
            }
            Ok::<(), TestCaseError>(())
        })?;
    }

    #[test]
    fn the_document_of_actix_is_what_its_guard_does(requirement in requirement()) {
        let tenant = Tenant::new();
        let auth = tenant.auth0();
        let guarded = actix::Protect::new().routes(requirement, actix::routes!(thing));
        let (app, api) = App::new()
            .into_utoipa_app()
            .app_data(auth.clone())
            .service(utoipa_actix_web::scope("/v1").service(guarded))
            .split_for_parts();
        let requests = requests(&tenant, &completed(&auth, api));
        actix_web::rt::System::new().block_on(async {
            let app = init_service(app).await;
            for (token, expected) in requests {
                let mut request = TestRequest::get().uri("/v1/things/1");
                if let Some(token) = &token {
                    request = request.insert_header(("authorization", format!("Bearer {token}")));
                }
                let response = call_service(&app, request.to_request()).await;
                check(response.status().as_u16(), expected, &token)?;
            }
            Ok::<(), TestCaseError>(())
        })?;
    }
}
