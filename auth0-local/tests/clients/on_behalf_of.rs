use crate::kit::{API, Parameters, acme, claims, log_in, token, token_with_proof};
use auth0_core::Algorithm;
use auth0_local::{Api, Builder, Client, ClientGrant, LocalTenant, User};
use auth0_testing::SigningKey;
use serde_json::{Value, json};
use std::time::Duration;

const DOWN: &str = "https://down.test";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";

/// A tenant whose API may call others on behalf of its users.
fn builder() -> Builder {
    acme()
        .client(Client::confidential("api", "s3cret").resource_server(API))
        .client(Client::confidential("down", "s3cret").resource_server(DOWN))
        .api(Api::new(DOWN).scopes(["read:a", "read:b"]).token_lifetime(Duration::from_secs(600)))
}

fn exchange(subject: &str) -> Parameters {
    Parameters::new(&[
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("client_id", "api"),
        ("client_secret", "s3cret"),
        ("audience", DOWN),
        ("subject_token_type", ACCESS),
        ("requested_token_type", ACCESS),
    ])
    .and("subject_token", subject)
}

async fn subject(tenant: &LocalTenant) -> String {
    let login = Parameters::of_login().with("organization", "acme");
    log_in(tenant, &login).await.text("access_token")
}

#[tokio::test]
async fn the_user_stays() {
    let tenant = builder().start().await.unwrap();
    let subject = subject(&tenant).await;
    let answer = token(&tenant, &exchange(&subject)).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{answer:?}");
    let json = answer.json();
    assert_eq!(
        (&json["issued_token_type"], &json["token_type"]),
        (&json!(ACCESS), &json!("Bearer"))
    );
    assert_eq!(json["expires_in"], 600);
    for name in ["refresh_token", "id_token", "act"] {
        assert_eq!(json.get(name), None, "{name}");
    }
    let token = claims(&tenant, &answer.text("access_token"));
    for (name, value) in [
        ("sub", json!("auth0|ann")),
        ("aud", json!(DOWN)),
        ("azp", json!("api")),
        ("act", json!({ "sub": "api", "act": { "sub": "spa" } })),
        ("org_id", json!("org_acme")),
        ("org_name", json!("acme")),
        ("permissions", json!(["read:invoices"])),
        ("scope", json!("read:a read:b")),
    ] {
        assert_eq!(token[name], value, "{name}");
    }
    // The subject token can be exchanged again.
    assert_eq!(crate::kit::token(&tenant, &exchange(&subject)).await.status, 200);
}

#[tokio::test]
async fn the_scope_is_reported_if_it_differs() {
    let limited = Client::confidential("limited", "s3cret")
        .resource_server(API)
        .grant(ClientGrant::new(DOWN).scopes(["read:b"]));
    let tenant = builder().client(limited).start().await.unwrap();
    let subject = subject(&tenant).await;
    for (client, asked, reported, granted) in [
        ("api", Some("read:b read:a"), None, "read:b read:a"),
        ("api", Some("read:a write:a"), Some("read:a"), "read:a"),
        ("api", Some("openid write:a"), Some(""), ""),
        ("api", None, Some("read:a read:b"), "read:a read:b"),
        ("limited", Some("read:a read:b"), Some("read:b"), "read:b"),
        ("limited", None, Some("read:b"), "read:b"),
    ] {
        let form = exchange(&subject).with("scope", asked).with("client_id", client);
        let answer = token(&tenant, &form).await;
        assert_eq!(answer.json().get("scope").and_then(Value::as_str), reported, "{form:?}");
        let claims = claims(&tenant, &answer.text("access_token"));
        assert_eq!(claims["scope"].as_str().unwrap_or_default(), granted, "{form:?}");
    }
}

#[tokio::test]
async fn two_users_do_not_mix() {
    let tenant = builder().start().await.unwrap();
    let login = |user: &'static str| Parameters::of_login().with("login_hint", user);
    let ann = log_in(&tenant, &login("auth0|ann")).await.text("access_token");
    let bob = log_in(&tenant, &login("auth0|bob")).await.text("access_token");
    for _ in 0..3 {
        for (subject, user) in [(&ann, "auth0|ann"), (&bob, "auth0|bob")] {
            let answer = token(&tenant, &exchange(subject)).await;
            assert_eq!(claims(&tenant, &answer.text("access_token"))["sub"], user);
        }
    }
}

#[tokio::test]
async fn the_chain_is_limited() {
    let tenant = builder().start().await.unwrap();
    let mut subject = subject(&tenant).await;
    // api → down → api: a chain of four with the client of the login.
    let mut chain = json!({ "sub": "spa" });
    for (client, audience) in [("api", DOWN), ("down", API), ("api", DOWN)] {
        let form = exchange(&subject).with("client_id", client).with("audience", audience);
        let answer = token(&tenant, &form).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        subject = answer.text("access_token");
        chain = json!({ "sub": client, "act": chain });
        assert_eq!(claims(&tenant, &subject)["act"], chain);
    }
    let form = exchange(&subject).with("client_id", "down").with("audience", API);
    let answer = token(&tenant, &form).await;
    assert_eq!((answer.status, answer.text("error")), (400, "invalid_request".into()));
    let sentence = "Delegation chain (`act` claim) depth exceeds the maximum allowed limit of 4";
    assert_eq!(answer.text("error_description"), sentence);
}

#[tokio::test]
async fn exchanges_that_are_wrong_in_one_way() {
    let tenant = builder()
        .client(
            Client::public("public")
                .grant_types(["urn:ietf:params:oauth:grant-type:token-exchange"]),
        )
        .client(Client::confidential("once", "s3cret").grant_types(["authorization_code"]))
        .start()
        .await
        .unwrap();
    let login = log_in(&tenant, &Parameters::of_login()).await;
    let (subject, id_token) = (login.text("access_token"), login.text("id_token"));
    let good = || exchange(&subject);
    for (form, status, error) in [
        (good().with("audience", None), 400, "invalid_request"),
        (good().with("audience", None).with("resource", DOWN), 400, "invalid_request"),
        (good().with("subject_token", None), 400, "invalid_request"),
        (good().with("subject_token_type", None), 400, "invalid_request"),
        (good().with("requested_token_type", None), 400, "invalid_request"),
        (
            good().with("requested_token_type", "urn:ietf:params:oauth:token-type:refresh_token"),
            400,
            "invalid_request",
        ),
        (good().with("scope", "a\"b"), 400, "invalid_scope"),
        (good().with("client_secret", None), 401, "access_denied"),
        (good().with("client_secret", "other"), 401, "access_denied"),
        (good().with("client_id", "unknown"), 401, "invalid_client"),
        (good().with("client_id", "once"), 403, "unauthorized_client"),
        (good().with("client_id", "public"), 403, "unauthorized_client"),
        (good().with("client_id", "web"), 403, "unauthorized_client"),
        (good().with("client_id", "down"), 401, "invalid_grant"),
        (good().with("audience", "https://unknown.test"), 403, "access_denied"),
    ] {
        let answer = token(&tenant, &form).await;
        assert_eq!(
            (answer.status, answer.text("error")),
            (status, error.into()),
            "{form:?} {answer:?}"
        );
    }
    let minted = || tenant.token().client("spa").subject("auth0|ann");
    let unknown = tenant.tenant().unknown_key();
    for subject in [
        "opaque".to_owned(),
        "a.b.c".to_owned(),
        id_token,
        minted().expired().mint(),
        minted().not_yet_valid().mint(),
        minted().issuer("https://other.test/").mint(),
        minted().audience("https://other.test").mint(),
        minted().without("exp").mint(),
        minted().without("sub").mint(),
        minted().without("azp").mint(),
        minted().signed_by(&unknown).mint(),
        minted().broken_signature().mint(),
        minted().unsigned().mint(),
        minted().claim("padding", "a".repeat(20_000)).mint(),
    ] {
        let answer = token(&tenant, &exchange(&subject)).await;
        assert_eq!(
            (answer.status, answer.text("error")),
            (401, "invalid_grant".into()),
            "{subject}"
        );
    }
    let many = minted().claim("aud", [API, "https://other.test"]).mint();
    assert_eq!(token(&tenant, &exchange(&many)).await.status, 200);
    // A subject token ends on the clock of the tenant.
    tenant.tenant().clock().advance(Duration::from_secs(86_400));
    assert_eq!(token(&tenant, &good()).await.status, 401);
}

#[tokio::test]
async fn the_proof_binds_the_new_token() {
    let tenant = builder().start().await.unwrap();
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let own = tenant.token().client("spa").subject("auth0|ann");
    for subject in [own.mint(), own.bound_to_thumbprint("of-the-caller").mint()] {
        let bound = token_with_proof(&tenant, &exchange(&subject), &key).await;
        assert_eq!((bound.status, bound.text("token_type")), (200, "DPoP".into()));
        let cnf = &claims(&tenant, &bound.text("access_token"))["cnf"];
        assert_eq!(cnf, &json!({ "jkt": key.thumbprint() }));
        let bearer = token(&tenant, &exchange(&subject)).await;
        assert_eq!(bearer.text("token_type"), "Bearer");
        assert_eq!(claims(&tenant, &bearer.text("access_token")).get("cnf"), None);
    }
}

#[tokio::test]
async fn a_machine_and_an_unknown_user() {
    let tenant = builder().start().await.unwrap();
    for subject in [tenant.token().machine("robot"), tenant.token().subject("auth0|gone")] {
        let subject = subject.mint();
        let before = claims(&tenant, &subject)["sub"].clone();
        let answer = token(&tenant, &exchange(&subject)).await;
        assert_eq!(claims(&tenant, &answer.text("access_token"))["sub"], before);
    }
    tenant.add_user(User::new("auth0|gone").scopes(["read:a"])).unwrap();
    let subject = tenant.token().subject("auth0|gone").mint();
    let answer = token(&tenant, &exchange(&subject)).await;
    assert_eq!(answer.text("scope"), "read:a", "the user grants no others");
}

#[tokio::test]
async fn an_incomplete_api_client_cannot_start() {
    let error = LocalTenant::builder()
        .client(
            serde_json::from_value(json!({ "client_id": "a", "app_type": "resource_server" }))
                .unwrap(),
        )
        .start()
        .await
        .unwrap_err();
    assert!(error.to_string().contains("resource_server_identifier"), "{error}");
}
