use crate::{
    kit::{API, Answer, Parameters, acme, client, log_in, token, url},
    signed::{Jwt, KEYS, TYPE},
};
use auth0_local::{Client, ClientKey, Endpoint, Fault, LocalTenant};
use serde_json::json;

fn machine() -> Parameters {
    Parameters::new(&[
        ("grant_type", "client_credentials"),
        ("client_id", "web"),
        ("client_secret", "s3cret"),
        ("audience", API),
        ("scope", "a b"),
        ("organization", "org_acme"),
    ])
}

async fn start() -> LocalTenant {
    let key = ClientKey::jwk(&KEYS[0].jwk());
    acme().client(Client::with_key("worker", key)).start().await.unwrap()
}

#[tokio::test]
async fn requests_are_counted_by_grant() {
    let tenant = start().await;
    log_in(&tenant, &Parameters::of_login()).await;
    for _ in 0..3 {
        token(&tenant, &machine()).await;
    }
    // Those that fail, too.
    token(&tenant, &machine().with("client_secret", "other")).await;
    tenant.set_fault(Endpoint::Token, Fault::reset());
    let request = client().post(url(&tenant, "oauth/token")).body(machine().encoded());
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    request.send().await.unwrap_err();
    tenant.clear_faults();
    token(&tenant, &machine().with("grant_type", "urn:acme:unknown")).await;
    client().post(url(&tenant, "oauth/token")).body("\u{0}").send().await.unwrap();
    client().get(url(&tenant, "oauth/token")).send().await.unwrap();
    let requests = tenant.token_requests();
    assert_eq!(requests.of("client_credentials"), 5);
    assert_eq!(requests.of("authorization_code"), 1);
    assert_eq!((requests.of("refresh_token"), requests.of("urn:acme:unknown")), (0, 0));
    assert_eq!((requests.total(), requests.last().len()), (8, 8));
    let request = requests.last().nth(1).unwrap();
    assert_eq!(request.grant_type, "client_credentials");
    assert_eq!(request.client_id.as_deref(), Some("web"));
    assert_eq!(request.audience.as_deref(), Some(API));
    assert_eq!(
        (request.scope.as_deref(), request.organization.as_deref()),
        (Some("a b"), Some("org_acme"))
    );
    assert!(!format!("{requests:?}").contains("s3cret"));
}

#[tokio::test]
async fn the_method_of_each_client() {
    let tenant = start().await;
    let assertion = Jwt::assertion(&tenant, "worker").signed(&tenant);
    let assertion = machine()
        .with("client_id", None)
        .with("client_secret", None)
        .and("client_assertion_type", TYPE)
        .and("client_assertion", &assertion);
    let send = async |form: Parameters, basic: bool, header: Option<(&str, &str)>| {
        let mut request = client().post(url(&tenant, "oauth/token")).body(form.encoded());
        request = request.header("content-type", "application/x-www-form-urlencoded");
        if basic {
            request = request.basic_auth("web", Some("s3cret"));
        }
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        request.send().await.unwrap();
        tenant.token_requests().last().next_back().unwrap().clone()
    };
    let bare = || machine().with("client_secret", None);
    let anonymous = bare().with("client_id", None);
    let edge = ("client-certificate-ca-verified", "FAILED:x");
    for (form, basic, header, client_id, method) in [
        (machine(), false, None, "web", "client_secret_post"),
        (anonymous, true, None, "web", "client_secret_basic"),
        (assertion, false, None, "worker", "private_key_jwt"),
        (bare(), false, None, "web", "none"),
        (bare(), false, Some(edge), "web", "self_signed_tls_client_auth"),
    ] {
        let request = send(form, basic, header).await;
        assert_eq!(
            (request.client_id.as_deref(), request.authentication),
            (Some(client_id), method)
        );
    }
    assert!(send(bare(), false, Some(("dpop", "x"))).await.has_proof);
}

#[tokio::test]
async fn what_is_kept_is_bounded_and_readable() {
    let tenant = start().await;
    let long = machine().with("client_id", None).and("client_id", &"é".repeat(10_000));
    for _ in 0..101 {
        token(&tenant, &long.clone().with("grant_type", "x")).await;
    }
    token(&tenant, &machine()).await;
    let requests = tenant.token_requests();
    assert_eq!((requests.total(), requests.last().len()), (102, 100));
    let kept = requests.last().next().unwrap().client_id.clone().unwrap();
    assert_eq!(kept.chars().count(), 200);
    let answer = client().get(url(&tenant, "__local/token-requests")).send().await.unwrap();
    let answer = Answer::of(answer).await.json();
    assert_eq!(answer["counts"], json!({ "client_credentials": 1, "other": 101 }));
    let last = json!({
        "grant_type": "client_credentials", "client_id": "web", "authentication": "client_secret_post",
        "audience": API, "scope": "a b", "organization": "org_acme", "connection": null,
        "login_hint": null, "has_proof": false,
    });
    assert_eq!(answer["last"][99], last);
}

#[tokio::test]
async fn a_hundred_parallel_requests_are_counted() {
    let tenant = start().await;
    let requests: Vec<_> = (0..100)
        .map(|_| {
            let request = client().post(url(&tenant, "oauth/token")).body(machine().encoded());
            tokio::spawn(request.header("content-type", "application/x-www-form-urlencoded").send())
        })
        .collect();
    for request in requests {
        request.await.unwrap().unwrap();
    }
    assert_eq!(tenant.token_requests().of("client_credentials"), 100);
}
