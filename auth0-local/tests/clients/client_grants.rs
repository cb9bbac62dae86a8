use crate::kit::{API, Parameters, acme, claims, token};
use auth0_local::{Client, ClientGrant, LocalTenant};
use serde_json::json;

const OTHER: &str = "https://other.test";
const REQUIRED: &str = "https://required.test";

fn machine() -> Client {
    Client::confidential("machine", "s3cret")
        .grant(ClientGrant::new(API).scopes(["read:a", "read:b"]))
        .grant(ClientGrant::new(OTHER).organizations_allowed())
        .grant(ClientGrant::new(REQUIRED).organizations_required())
}

fn form() -> Parameters {
    Parameters::new(&[
        ("grant_type", "client_credentials"),
        ("client_id", "machine"),
        ("client_secret", "s3cret"),
        ("audience", API),
    ])
}

#[tokio::test]
async fn what_is_granted() {
    let defaults = machine().default_organization("org_default");
    let tenant = acme().client(defaults).start().await.unwrap();
    let on = |audience: &'static str| form().with("audience", audience);
    for (form, scope, organization) in [
        (form(), json!("read:a read:b"), json!(null)),
        (form().with("scope", "read:b"), json!("read:b"), json!(null)),
        (on(OTHER), json!(null), json!(null)),
        (on(OTHER).with("organization", "org_1"), json!(null), json!("org_1")),
        (on(REQUIRED), json!(null), json!("org_default")),
        (on(REQUIRED).with("organization", "org_1"), json!(null), json!("org_1")),
    ] {
        let answer = token(&tenant, &form).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let claims = claims(&tenant, &answer.text("access_token"));
        assert_eq!((&claims["scope"], &claims["org_id"]), (&scope, &organization), "{form:?}");
        assert_eq!(answer.json()["scope"], scope, "{form:?}");
    }
}

#[tokio::test]
async fn what_is_not_granted() {
    let tenant = acme()
        .client(machine())
        .client(Client::confidential("nothing", "s3cret").grant_types(["authorization_code"]))
        .start()
        .await
        .unwrap();
    for (form, status, error, sentence) in [
        (
            form().with("audience", "https://third.test"),
            403,
            "access_denied",
            "not authorized to access",
        ),
        (form().with("scope", "read:a read:c"), 403, "access_denied", "scopes: read:c"),
        (form().with("scope", "\""), 400, "invalid_scope", "not a scope"),
        (form().with("organization", "org_1"), 403, "access_denied", "no organization"),
        (form().with("audience", REQUIRED), 400, "invalid_request", "organization is missing"),
        (
            form().with("audience", OTHER).with("organization", "acme"),
            400,
            "invalid_request",
            "org_abc",
        ),
        (form().with("client_id", "nothing"), 403, "unauthorized_client", "not allowed"),
        (form().with("client_secret", "other"), 401, "access_denied", "Unauthorized"),
    ] {
        let answer = token(&tenant, &form).await;
        assert_eq!((answer.status, answer.text("error")), (status, error.into()), "{form:?}");
        assert!(answer.text("error_description").contains(sentence), "{}", answer.body);
    }
    // A machine that is not registered stays open.
    let open = form().with("client_id", "any").with("organization", "org_1").with("scope", "x");
    assert_eq!(token(&tenant, &open).await.status, 200);
}

#[tokio::test]
async fn configurations_that_cannot_start() {
    let client = || Client::confidential("a", "b");
    for (client, sentence) in [
        (client().grant(ClientGrant::new(API)).grant(ClientGrant::new(API)), "two client_grants"),
        (client().default_organization("acme"), "org_"),
    ] {
        let error = LocalTenant::builder().client(client).start().await.unwrap_err().to_string();
        assert!(error.contains(sentence), "{error}");
    }
}
