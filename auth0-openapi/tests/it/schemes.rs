//! The security schemes of each kind of issuer.
use crate::common::{api, auth0, completed, listed};
use auth0_core::{
    Auth0, Builder, Dpop, RefusalBody, TrustedIssuer,
    policy::*,
    resolver::{IssuerResolver, ResolverContext},
    transport::HttpResponse,
};
use auth0_openapi::{Documentation, SecuritySchemes, any_token};
use auth0_testing::{Document, Failure, Tenant};
use serde_json::{Value, json};
use std::error::Error;
use utoipa::openapi::{Object, OpenApiVersion, path::Operation};

const API: &str = "https://api.acme.com";

fn document(schemes: &SecuritySchemes) -> Value {
    completed(schemes, api(Operation::new(), &Documentation::of(&scope("a"))))
}

fn schemes(document: &Value) -> &Value {
    &document["components"]["securitySchemes"]
}

fn refused(auth: &Auth0) -> String {
    let mut api = api(Operation::new(), &Documentation::of(&scope("a")));
    SecuritySchemes::of(auth).apply_to(&mut api).unwrap_err().to_string()
}

fn builder() -> Builder {
    Auth0::builder().audience(API)
}

#[test]
fn a_tenant_has_its_endpoints() {
    let described = SecuritySchemes::of(&auth0()).scope("a", "All of it").scope("b", "Unused");
    let scopes = json!({ "a": "All of it" });
    let token = "https://acme.eu.auth0.com/oauth/token";
    assert_eq!(
        schemes(&document(&described))["auth0"],
        json!({
            "type": "oauth2",
            "description": "Access tokens of https://acme.eu.auth0.com/.",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": "https://acme.eu.auth0.com/authorize",
                    "tokenUrl": token,
                    "scopes": scopes,
                },
                "clientCredentials": { "tokenUrl": token, "scopes": scopes },
            },
        })
    );
    let bearer = schemes(&document(&described))["bearer"].clone();
    assert_eq!((&bearer["type"], &bearer["scheme"]), (&json!("http"), &json!("bearer")));
    assert_eq!(bearer["bearerFormat"], "JWT");
}

#[test]
fn the_metadata_url_is_in_version_3_2() {
    let schemes = SecuritySchemes::of(&auth0());
    let mut api = api(Operation::new(), &Documentation::of(&scope("a")));
    api.openapi = OpenApiVersion::Version32;
    let document = completed(&schemes, api);
    assert_eq!(
        document["components"]["securitySchemes"]["auth0"]["oauth2MetadataUrl"],
        "https://acme.eu.auth0.com/.well-known/openid-configuration"
    );
}

#[tokio::test]
async fn another_issuer_names_its_endpoints_itself() {
    let tenant = Tenant::named("id");
    let issuer = tenant.issuer();
    let metadata = json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}.well-known/jwks.json"),
        "authorization_endpoint": "https://login.id.test/a",
        "token_endpoint": "https://login.id.test/t",
    });
    let answer = HttpResponse::json(metadata.to_string());
    tenant.fail_at(Document::Metadata, Failure::Answer(answer));
    let auth = tenant.builder_with([]).issuer(issuer).build().unwrap();
    assert!(refused(&auth).contains("is not known"), "before the metadata was read");
    auth.warm_up().await.unwrap();
    let flows = schemes(&document(&SecuritySchemes::of(&auth)))["auth0"]["flows"].clone();
    assert_eq!(flows["authorizationCode"]["authorizationUrl"], "https://login.id.test/a");
    assert_eq!(flows["clientCredentials"]["tokenUrl"], "https://login.id.test/t");
}

#[test]
fn unknown_endpoints_are_an_error() {
    let auth = builder().issuer("https://id.acme.com/realms/acme").build().unwrap();
    let error = refused(&auth);
    for advice in ["warm_up()", ".endpoints(", ".without_login("] {
        assert!(error.contains(advice), "{error}");
    }
    let issuer = "https://id.acme.com/realms/acme";
    let given = SecuritySchemes::of(&auth).endpoints(
        issuer,
        "https://id.acme.com/login",
        "https://id.acme.com/token",
    );
    let flows = schemes(&document(&given))["auth0"]["flows"].clone();
    assert_eq!(flows["authorizationCode"]["authorizationUrl"], "https://id.acme.com/login");
    assert_eq!(flows["clientCredentials"]["tokenUrl"], "https://id.acme.com/token");

    let elsewhere = document(&SecuritySchemes::of(&auth).without_login(issuer));
    assert!(schemes(&elsewhere).get("auth0").is_none());
    assert_eq!(elsewhere["paths"]["/"]["get"]["security"], json!([{ "bearer": ["a"] }]));

    let mut api = api(Operation::new(), &Documentation::of(&scope("a")));
    let typo = SecuritySchemes::of(&auth).without_login("https://id.acme.com/");
    let error = typo.apply_to(&mut api).unwrap_err().to_string();
    assert!(error.contains("is not configured") && error.contains(issuer), "{error}");
}

#[test]
fn several_issuers_have_a_scheme_each() {
    let auth = builder().domains(["acme.eu.auth0.com", "login.acme.com"]).build().unwrap();
    let document = document(&SecuritySchemes::of(&auth));
    let names: Vec<&String> = schemes(&document).as_object().unwrap().keys().collect();
    assert_eq!(names, ["auth0_acme.eu.auth0.com", "auth0_login.acme.com", "bearer"]);
    assert_eq!(
        document["paths"]["/"]["get"]["security"],
        json!([
            { "auth0_acme.eu.auth0.com": ["a"] },
            { "auth0_login.acme.com": ["a"] },
            { "bearer": ["a"] },
        ])
    );
    let login = &schemes(&document)["auth0_login.acme.com"]["flows"]["authorizationCode"];
    assert_eq!(login["authorizationUrl"], "https://login.acme.com/authorize");
}

#[test]
fn an_issuer_requires_more_of_its_tokens() {
    let partner = TrustedIssuer::domain("partner.eu.auth0.com").require(permission("partner"));
    let auth = builder().domain("acme.eu.auth0.com").issuer(partner).build().unwrap();
    let document = document(&SecuritySchemes::of(&auth));
    let listed: Vec<_> = listed(&document["paths"]["/"]["get"])
        .into_iter()
        .map(|it| (it.scheme, it.permissions))
        .collect();
    let none = Vec::<String>::new;
    assert_eq!(
        listed,
        [
            ("auth0_acme.eu.auth0.com".to_owned(), none()),
            ("auth0_partner.eu.auth0.com".to_owned(), vec!["partner".to_owned()]),
            // What is enough for a token of each issuer.
            ("bearer".to_owned(), vec!["partner".to_owned()]),
        ]
    );
}

/// Otherwise the document says that a token with less is enough.
#[test]
fn bearer_needs_what_the_strictest_issuer_requires() {
    let partner = TrustedIssuer::domain("partner.eu.auth0.com").require(scope("b"));
    let auth = builder().domain("acme.eu.auth0.com").issuer(partner).build().unwrap();
    let schemes = SecuritySchemes::of(&auth).without_login("https://acme.eu.auth0.com/");
    let document = document(&schemes);
    assert_eq!(
        document["paths"]["/"]["get"]["security"],
        json!([{ "auth0_partner.eu.auth0.com": ["a", "b"] }, { "bearer": ["a", "b"] }])
    );
}

/// An issuer that requires more can refuse a valid token with `403`.
#[test]
fn an_issuer_that_requires_more_adds_its_refusal() {
    let partner = TrustedIssuer::domain("partner.eu.auth0.com").require(permission("partner"));
    let auth = builder().issuer(partner).build().unwrap();
    let document = completed(&SecuritySchemes::of(&auth), api(Operation::new(), &any_token()));
    assert!(document["paths"]["/"]["get"]["responses"]["403"].is_object());
    let description = schemes(&document)["auth0"]["description"].as_str().unwrap();
    assert_eq!(
        description,
        "Access tokens of https://partner.eu.auth0.com/. Each needs the permission `partner`."
    );
}

struct Customers;

impl IssuerResolver for Customers {
    type Key = ();

    fn key(&self, _: &ResolverContext<'_>) -> Option<()> {
        None
    }

    async fn resolve(&self, (): ()) -> Result<Vec<TrustedIssuer>, Box<dyn Error + Send + Sync>> {
        Ok(Vec::new())
    }
}

#[test]
fn issuers_of_a_resolver_have_no_flow() {
    let auth = builder().issuer_resolver(Customers).build().unwrap();
    let document = document(&SecuritySchemes::of(&auth));
    let names: Vec<&String> = schemes(&document).as_object().unwrap().keys().collect();
    assert_eq!(names, ["bearer"], "no URL that might be wrong");
    assert_eq!(document["paths"]["/"]["get"]["security"], json!([{ "bearer": ["a"] }]));
}

#[test]
fn bearer_is_no_scheme_where_proofs_are_required() {
    let auth = builder().domain("acme.eu.auth0.com").dpop(Dpop::required()).build().unwrap();
    let document = document(&SecuritySchemes::of(&auth));
    assert_eq!(
        document["paths"]["/"]["get"]["security"],
        json!([{ "auth0": ["a"] }, { "dpop": ["a"] }])
    );
    let dpop = &schemes(&document)["dpop"];
    assert_eq!((&dpop["type"], &dpop["in"]), (&json!("apiKey"), &json!("header")));
    assert!(schemes(&document)["auth0"]["description"].as_str().unwrap().contains("RFC 9449"));
}

#[test]
fn an_own_body_of_refusals_has_its_own_schema() {
    let problem = RefusalBody::new("application/problem+json", |_| "{}");
    let auth = builder().domain("acme.eu.auth0.com").refusal_body(problem).build().unwrap();
    let without = document(&SecuritySchemes::of(&auth));
    let content = |document: &Value| {
        document["components"]["responses"]["Auth0Unauthorized"]["content"].clone()
    };
    assert_eq!(content(&without), json!({ "application/problem+json": {} }));
    assert!(without["components"].get("schemas").is_none(), "ours would be wrong");
    let with = document(&SecuritySchemes::of(&auth).refusal_schema(Object::new()));
    assert_eq!(content(&with)["application/problem+json"]["schema"]["type"], "object");
}
