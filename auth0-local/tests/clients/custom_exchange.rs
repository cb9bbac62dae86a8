use crate::kit::{
    API, Browser, CALLBACK, Parameters, acme, claims, token, token_with_proof, user_info,
};
use auth0_core::Algorithm;
use auth0_local::{Builder, Client, LocalTenant, TokenExchangeProfile};
use auth0_testing::SigningKey;
use serde_json::json;
use std::time::Duration;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const TRANSFER: &str = "urn:auth0:params:oauth:token-type:session_transfer_token";

fn builder() -> Builder {
    let legacy = TokenExchangeProfile::new("urn:acme:legacy")
        .subject_token("cookie-of-ann", "auth0|ann")
        .subject_token("cookie-of-gone", "auth0|gone")
        .actor_token("support-1", "support@acme.com")
        .subject_tokens_of(|token| Some(format!("auth0|{}", token.strip_prefix("user ")?)));
    let native = Client::public("native").grant_types([GRANT, "refresh_token"]);
    acme()
        .client(native)
        .token_exchange_profile(legacy)
        .token_exchange_profile(TokenExchangeProfile::new("https://acme.com/other"))
}

fn exchange() -> Parameters {
    Parameters::new(&[
        ("grant_type", GRANT),
        ("client_id", "web"),
        ("client_secret", "s3cret"),
        ("subject_token_type", "urn:acme:legacy"),
        ("subject_token", "cookie-of-ann"),
        ("audience", API),
        ("scope", "openid email offline_access read:messages"),
    ])
}

#[tokio::test]
async fn a_token_of_a_profile_logs_its_user_in() {
    let tenant = builder().start().await.unwrap();
    let answer = token(&tenant, &exchange().with("organization", "acme")).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{answer:?}");
    assert_eq!(answer.text("issued_token_type"), ACCESS);
    assert_eq!(answer.json().get("act"), None);
    let access = claims(&tenant, &answer.text("access_token"));
    for (name, value) in [
        ("sub", json!("auth0|ann")),
        ("azp", json!("web")),
        ("scope", json!("openid email offline_access read:messages")),
        ("org_id", json!("org_acme")),
        ("permissions", json!(["read:invoices"])),
    ] {
        assert_eq!(access[name], value, "{name}");
    }
    let id = claims(&tenant, &answer.text("id_token"));
    assert_eq!((&id["email"], &id["org_name"]), (&json!("ann@acme.com"), &json!("acme")));
    assert_eq!((id.get("sid"), id.get("act")), (None, None));
    let bearer = format!("Bearer {}", answer.text("access_token"));
    assert_eq!(user_info(&tenant, &bearer).await.text("email"), "ann@acme.com");
    let refresh = Parameters::of_refresh(&answer.text("refresh_token"));
    let refresh = refresh.with("client_id", "web").with("client_secret", "s3cret");
    assert_eq!(token(&tenant, &refresh).await.status, 200);
    // Whether a subject token is valid once is up to the profile.
    assert_eq!(token(&tenant, &exchange()).await.status, 200);
}

#[tokio::test]
async fn a_function_reads_the_others() {
    let tenant = builder().start().await.unwrap();
    for (subject, user) in
        [("user bob", "auth0|bob"), ("cookie-of-ann", "auth0|ann"), ("user bob", "auth0|bob")]
    {
        let answer = token(&tenant, &exchange().with("subject_token", subject)).await;
        assert_eq!(claims(&tenant, &answer.text("access_token"))["sub"], user);
    }
}

#[tokio::test]
async fn less_is_asked_less_is_given() {
    let tenant = builder().start().await.unwrap();
    let form = exchange().with("scope", None).with("audience", None);
    let answer = token(&tenant, &form).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    for name in ["id_token", "refresh_token", "scope"] {
        assert_eq!(answer.json().get(name), None, "{name}");
    }
    // As with Auth0, `resource` names no API here.
    let answer = token(&tenant, &form.with("resource", API)).await;
    assert_eq!(tenant.tenant().signed_claims(&answer.text("access_token")), None, "{answer:?}");
}

#[tokio::test]
async fn an_actor_is_named_and_gets_no_refresh_token() {
    let tenant = builder().start().await.unwrap();
    let form =
        exchange().with("actor_token", "support-1").with("actor_token_type", "urn:acme:staff");
    let answer = token(&tenant, &form).await;
    let act = json!({ "sub": "support@acme.com" });
    assert_eq!(answer.json()["act"], act, "{answer:?}");
    assert_eq!(answer.text("scope"), "openid email read:messages");
    assert_eq!(answer.json().get("refresh_token"), None);
    for name in ["access_token", "id_token"] {
        assert_eq!(claims(&tenant, &answer.text(name))["act"], act, "{name}");
    }
}

#[tokio::test]
async fn exchanges_that_are_wrong_in_one_way() {
    let tenant = builder()
        .client(Client::confidential("once", "s3cret").grant_types(["authorization_code"]))
        .start()
        .await
        .unwrap();
    let good = exchange;
    for (form, status, error) in [
        (good().with("subject_token_type", None), 400, "invalid_request"),
        (good().with("subject_token_type", ""), 400, "invalid_request"),
        (good().with("subject_token_type", "urn:acme:unknown"), 400, "invalid_request"),
        (good().with("subject_token_type", "https://acme.com/other"), 400, "invalid_request"),
        (good().with("subject_token", None), 400, "invalid_request"),
        (good().with("subject_token", "cookie-of-bob"), 400, "invalid_request"),
        (good().with("subject_token", "cookie-of-ann "), 400, "invalid_request"),
        (good().with("subject_token", "cookie-of-gone"), 400, "invalid_request"),
        (good().with("actor_token", "support-1"), 400, "invalid_request"),
        (good().with("actor_token_type", "urn:acme:staff"), 400, "invalid_request"),
        (
            good().with("actor_token", "support-2").with("actor_token_type", "urn:acme:staff"),
            400,
            "invalid_request",
        ),
        (good().with("requested_token_type", TRANSFER), 400, "invalid_request"),
        (
            good().with("requested_token_type", "urn:ietf:params:oauth:token-type:id_token"),
            400,
            "invalid_request",
        ),
        (good().with("scope", "a\"b"), 400, "invalid_scope"),
        (good().with("organization", "other"), 403, "access_denied"),
        (good().with("client_secret", "other"), 401, "access_denied"),
        (good().with("client_id", "once"), 403, "unauthorized_client"),
        (good().with("client_id", "spa"), 403, "unauthorized_client"),
        (good().with("client_id", "unknown"), 401, "invalid_client"),
    ] {
        let answer = token(&tenant, &form).await;
        assert_eq!(
            (answer.status, answer.text("error")),
            (status, error.into()),
            "{form:?} {answer:?}"
        );
        assert!(!answer.body.contains("cookie-of"), "{}", answer.body);
    }
    for kind in [
        "urn:ietf:params:oauth:token-type:id_token",
        "urn:ietf",
        "URN:Auth0:x",
        "urn:okta:x",
        "http://auth0.com",
        "https://auth0.com/x",
        "http://okta.com/x",
        "https://okta.com:443/x",
    ] {
        let answer = token(&tenant, &good().with("subject_token_type", kind)).await;
        assert_eq!((answer.status, answer.text("error")), (400, "invalid_request".into()));
        assert!(answer.text("error_description").contains("reserved"), "{}", answer.body);
    }
}

#[tokio::test]
async fn a_public_client_may_exchange_and_its_refresh_token_is_bound() {
    let tenant = builder().start().await.unwrap();
    let key = SigningKey::generate(Algorithm::ES256).unwrap();
    let form = exchange().with("client_id", "native").with("client_secret", None);
    let answer = token_with_proof(&tenant, &form, &key).await;
    assert_eq!((answer.status, answer.text("token_type")), (200, "DPoP".into()), "{answer:?}");
    let refresh = Parameters::of_refresh(&answer.text("refresh_token")).with("client_id", "native");
    assert_eq!(token(&tenant, &refresh).await.status, 403);
    assert_eq!(token_with_proof(&tenant, &refresh, &key).await.status, 200);
}

fn transfer(tenant: &LocalTenant) -> Parameters {
    let domain = tenant.issuer().trim_start_matches("http://").trim_end_matches('/');
    let form = exchange().with("audience", None).with("scope", None);
    form.and("audience", &format!("urn:{domain}:session_transfer"))
}

#[tokio::test]
async fn a_session_transfer_token_logs_in_once() {
    let tenant = builder().start().await.unwrap();
    let bob = || transfer(&tenant).with("subject_token", "user bob");
    let answer = token(&tenant, &bob().with("requested_token_type", TRANSFER)).await;
    let json = answer.json();
    assert_eq!(
        (&json["issued_token_type"], &json["token_type"]),
        (&json!(TRANSFER), &json!("N_A"))
    );
    assert_eq!(
        (answer.status, &json["expires_in"], json.get("refresh_token")),
        (200, &json!(60), None)
    );
    let login = Parameters::of_login().and("session_transfer_token", &answer.text("access_token"));
    let code = Browser::default().authorize(&tenant, &login).await.parameter("code");
    let tokens = token(&tenant, &Parameters::of_code(&code)).await;
    assert_eq!(claims(&tenant, &tokens.text("id_token"))["sub"], "auth0|bob");

    let again = Browser::default().authorize(&tenant, &login).await;
    assert_eq!(again.redirect().0, CALLBACK);
    assert_eq!(again.parameter("error"), "access_denied");

    let late = token(&tenant, &bob()).await.text("access_token");
    tenant.tenant().clock().advance(Duration::from_secs(60));
    let login = Parameters::of_login().and("session_transfer_token", &late);
    assert_eq!(
        Browser::default().authorize(&tenant, &login).await.parameter("error"),
        "access_denied"
    );
}

#[tokio::test]
async fn of_parallel_transfers_one_logs_in() {
    let tenant = builder().start().await.unwrap();
    let text = token(&tenant, &transfer(&tenant)).await.text("access_token");
    let login = Parameters::of_login().and("session_transfer_token", &text);
    let target = crate::kit::url(&tenant, &format!("authorize?{}", login.encoded()));
    let requests: Vec<_> =
        (0..8).map(|_| tokio::spawn(crate::kit::client().get(&target).send())).collect();
    let mut codes = 0;
    for request in requests {
        let response = request.await.unwrap().unwrap();
        codes += usize::from(response.headers()["location"].to_str().unwrap().contains("code="));
    }
    assert_eq!(codes, 1);
}

#[tokio::test]
async fn profiles_that_cannot_start() {
    for kind in
        ["", "legacy", "urn:ietf:x", "urn:auth0:x", "https://auth0.com/x", "https://okta.com"]
    {
        let profile = TokenExchangeProfile::new(kind);
        let error =
            LocalTenant::builder().token_exchange_profile(profile).start().await.unwrap_err();
        assert!(error.to_string().contains("URI of your own"), "{error}");
    }
    let error = builder().token_exchange_profile(TokenExchangeProfile::new("urn:acme:legacy"));
    let error = error.start().await.unwrap_err().to_string();
    assert!(error.contains("two token exchange profiles"), "{error}");
    for kind in ["https://auth0.com.acme.test/x", "urn:ietfx:y", "urn:acme:auth0"] {
        let profile = TokenExchangeProfile::new(kind);
        LocalTenant::builder().token_exchange_profile(profile).start().await.unwrap();
    }
    assert!(!format!("{:?}", builder()).contains("cookie-of"));
}
