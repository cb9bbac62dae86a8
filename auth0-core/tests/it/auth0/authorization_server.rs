//! The issuers as a client sees them.
use crate::common::Documents;
use auth0_core::{Auth0, AuthorizationServer, DpopMode, RefusalBody, TrustedIssuer, policy::*};
use auth0_testing::Tenant;
use serde_json::{Value, json};

const API: &str = "https://api.acme.com";

fn only(auth: &Auth0) -> AuthorizationServer {
    let mut servers = auth.authorization_servers();
    let only = servers.next().unwrap();
    assert_eq!(servers.next(), None);
    only
}

/// Returns the issuer after metadata with these endpoints was read, and the verifier works.
async fn with_endpoints(authorization: Value, token: Value) -> AuthorizationServer {
    let tenant = Tenant::named("id");
    let issuer = tenant.issuer();
    let documents = Documents::default();
    documents.put_key_set(&tenant, "keys");
    let metadata = json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}keys"),
        "authorization_endpoint": authorization,
        "token_endpoint": token,
    });
    documents.put(&tenant, ".well-known/openid-configuration", metadata.to_string());
    let auth = tenant.builder_with([]).issuer(issuer).http_client(documents).build().unwrap();
    assert_eq!(only(&auth).token_endpoint(), None, "before the metadata is read");
    auth.verify(&tenant.token().mint()).await.unwrap();
    only(&auth)
}

#[tokio::test]
async fn endpoints_come_from_the_metadata() {
    let (login, token) = ("https://login.id.test/a?tenant=1", "https://login.id.test/t");
    let server = with_endpoints(json!(login), json!(token)).await;
    assert_eq!(server.authorization_endpoint(), Some(login));
    assert_eq!(server.token_endpoint(), Some(token));
    assert_eq!(server.metadata_url(), Some("https://id.test/.well-known/openid-configuration"));
}

#[tokio::test]
async fn endpoints_that_cannot_be_used_are_absent() {
    for endpoint in [
        json!(null),
        json!(5),
        json!(["https://id.test/a"]),
        json!(""),
        json!("/authorize"),
        json!("http://id.test/authorize"),
        json!("https://user:password@id.test/authorize"),
        json!("javascript:alert(1)"),
    ] {
        let server = with_endpoints(endpoint.clone(), json!("https://id.test/t")).await;
        assert_eq!(server.authorization_endpoint(), None, "{endpoint}");
        assert_eq!(server.token_endpoint(), Some("https://id.test/t"), "{endpoint}");
    }
}

#[test]
fn a_tenant_of_auth0_has_its_endpoints_before_its_metadata_is_read() {
    let by_url =
        TrustedIssuer::new("https://acme.eu.auth0.com/").audience("https://other.acme.com");
    let auth = Auth0::builder()
        .audience(API)
        .domain("login.acme.com")
        .issuer(by_url.dpop(DpopMode::Required).require(scope("a")))
        .build()
        .unwrap();
    let all: Vec<AuthorizationServer> = auth.authorization_servers().collect();
    let [login, acme] = &all[..] else { panic!("{all:?}") };
    assert_eq!(login.authorization_endpoint(), Some("https://login.acme.com/authorize"));
    assert_eq!(login.token_endpoint(), Some("https://login.acme.com/oauth/token"));
    assert_eq!(login.audiences().collect::<Vec<_>>(), [API]);
    assert_eq!((login.dpop(), login.requirement()), (DpopMode::Allowed, None));
    assert_eq!(acme.issuer(), "https://acme.eu.auth0.com/");
    assert_eq!(acme.token_endpoint(), Some("https://acme.eu.auth0.com/oauth/token"));
    assert_eq!(acme.audiences().collect::<Vec<_>>(), ["https://other.acme.com"]);
    assert_eq!((acme.dpop(), acme.requirement()), (DpopMode::Required, Some(&scope("a"))));
    assert_eq!((auth.dpop_mode(), auth.resolves_issuers()), (DpopMode::Allowed, false));
}

#[test]
fn another_issuer_has_no_endpoints_by_rule() {
    let issuer = TrustedIssuer::new("https://id.acme.com/").key_set_url("https://id.acme.com/keys");
    let auth = Auth0::builder().audience(API).issuer(issuer).build().unwrap();
    let server = only(&auth);
    assert_eq!((server.authorization_endpoint(), server.token_endpoint()), (None, None));
    assert_eq!(server.metadata_url(), None, "its metadata is not read");
}

#[test]
fn a_body_of_the_application_has_its_media_type() {
    let builder = || Auth0::builder().audience(API).domain("acme.eu.auth0.com");
    assert_eq!(builder().build().unwrap().own_refusal_media_type(), None);
    let problem = RefusalBody::new("application/problem+json", |_| "{}");
    let auth = builder().refusal_body(problem).build().unwrap();
    assert_eq!(auth.own_refusal_media_type(), Some("application/problem+json"));
}
