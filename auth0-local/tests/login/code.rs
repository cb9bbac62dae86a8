use crate::kit::{
    API, Browser, CALLBACK, Parameters, VERIFIER, claims, client, code, send, start, token, url,
    user_info,
};
use auth0_local::LocalTenant;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn an_exchange_that_is_wrong_in_one_way() {
    let tenant = start().await;
    let code = code(&tenant, &Parameters::of_login()).await;
    let good = || Parameters::of_code(&code);
    for (form, status, error, sentence) in [
        (good().with("code", None), 400, "invalid_request", "code"),
        (good().with("code", "other"), 403, "invalid_grant", "Invalid authorization code"),
        (good().with("redirect_uri", None), 403, "invalid_grant", "You sent null"),
        (
            good().with("redirect_uri", "http://localhost:3000/"),
            403,
            "invalid_grant",
            "we expected http://localhost:3000/callback",
        ),
        (
            good().with("code_verifier", None),
            403,
            "invalid_grant",
            "Failed to verify code verifier",
        ),
        (
            good().with("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXj"),
            403,
            "invalid_grant",
            "Failed to verify code verifier",
        ),
        (good().with("resource", "https://other.test"), 400, "invalid_target", API),
        (good().with("client_id", None), 401, "invalid_client", "client_id is missing. Send it"),
        (good().with("client_id", "other"), 401, "invalid_client", "Unknown client: other"),
        (good().with("client_id", "web"), 401, "access_denied", "Unauthorized"),
        (
            good().with("client_id", "web").with("client_secret", "s3cret"),
            403,
            "invalid_grant",
            "Invalid authorization code",
        ),
        (good().with("client_assertion", "eyJ"), 400, "invalid_request", "client_assertion_type"),
        (good().and("code", "other"), 400, "invalid_request", "code is sent twice"),
    ] {
        let answer = token(&tenant, &form).await;
        assert_eq!(
            (answer.status, answer.header("cache-control")),
            (status, "no-store"),
            "{form:?}"
        );
        assert_eq!(answer.text("error"), error, "{form:?}: {}", answer.body);
        assert!(answer.text("error_description").contains(sentence), "{form:?}: {}", answer.body);
    }
    // None of these used the code.
    assert_eq!(token(&tenant, &good().with("resource", API)).await.status, 200);
}

#[tokio::test]
async fn a_second_use_revokes_what_came_of_the_first() {
    let tenant = start().await;
    let code = code(&tenant, &Parameters::of_login()).await;
    let form = Parameters::of_code(&code);
    let first = token(&tenant, &form).await;
    let bearer = format!("Bearer {}", first.text("access_token"));
    assert_eq!(user_info(&tenant, &bearer).await.status, 200);
    // A guess without the verifier revokes nothing.
    assert_eq!(token(&tenant, &form.clone().with("code_verifier", "guess")).await.status, 403);
    assert_eq!(user_info(&tenant, &bearer).await.status, 200);

    tenant.tenant().clock().advance(Duration::from_secs(10 * 60));
    let second = token(&tenant, &form).await;
    assert_eq!((second.status, second.text("error")), (403, "invalid_grant".into()));
    assert_eq!(user_info(&tenant, &bearer).await.status, 401);
    let refresh = Parameters::of_refresh(&first.text("refresh_token"));
    assert_eq!(token(&tenant, &refresh).await.text("error"), "invalid_grant");
}

#[tokio::test]
async fn a_code_expires() {
    let tenant = start().await;
    for (seconds, status) in [(58, 200), (61, 403)] {
        let code = code(&tenant, &Parameters::of_login()).await;
        tenant.tenant().clock().advance(Duration::from_secs(seconds));
        let answer = token(&tenant, &Parameters::of_code(&code)).await;
        assert_eq!(answer.status, status, "{seconds} s: {}", answer.body);
    }
}

/// Logs in with the web application, which needs no PKCE.
async fn web_code(tenant: &LocalTenant) -> Parameters {
    let login = Parameters::of_login().with("client_id", "web");
    let login = login.with("code_challenge", None).with("code_challenge_method", None);
    let code = code(tenant, &login).await;
    Parameters::of_code(&code).with("client_id", "web").with("code_verifier", None)
}

#[tokio::test]
async fn a_confidential_client_authenticates() {
    let tenant = start().await;
    let form = web_code(&tenant).await;
    let basic = async |credentials: &str, form: &Parameters| {
        let request = client().post(url(&tenant, "oauth/token")).body(form.encoded());
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let value = format!("Basic {}", STANDARD.encode(credentials));
        let response = request.header("authorization", value).send().await.unwrap();
        crate::kit::Answer::of(response).await
    };
    for (form, error) in [
        (form.clone(), "access_denied"),
        (form.clone().with("client_secret", ""), "access_denied"),
        (form.clone().with("client_secret", "s3cre"), "access_denied"),
        (form.clone().with("client_secret", "s3cret2"), "access_denied"),
    ] {
        let answer = token(&tenant, &form).await;
        assert_eq!((answer.status, answer.text("error")), (401, error.into()), "{form:?}");
    }
    let wrong = basic("web:other", &form).await;
    assert_eq!(
        (wrong.status, wrong.header("www-authenticate")),
        (401, "Basic realm=\"auth0-local\"")
    );
    for (credentials, form, sentence) in [
        ("web:s3cret", form.clone().with("client_secret", "s3cret"), "authenticates twice"),
        ("spa:", form.clone(), "another one than in Authorization"),
        ("web", form.clone(), "cannot be read"),
    ] {
        let answer = basic(credentials, &form).await;
        assert_eq!((answer.status, answer.text("error")), (400, "invalid_request".into()));
        assert!(answer.text("error_description").contains(sentence), "{}", answer.body);
    }
    // PKCE cannot be added afterwards.
    let pkce = form.clone().with("client_secret", "s3cret").with("code_verifier", VERIFIER);
    assert_eq!(token(&tenant, &pkce).await.text("error"), "invalid_grant");

    assert_eq!(basic("web:s3cret", &form.with("client_id", None)).await.status, 200);
    let form = web_code(&tenant).await.with("client_secret", "s3cret");
    assert_eq!(token(&tenant, &form).await.status, 200);
}

#[tokio::test]
async fn basic_credentials_are_encoded_as_in_a_form() {
    let tenant = start().await;
    let secret = "a b+/%:&=";
    let web = auth0_local::Client::confidential("web", secret).callback(CALLBACK);
    tenant.add_client(web).unwrap();
    let form = web_code(&tenant).await;
    let request = client().post(url(&tenant, "oauth/token")).body(form.encoded());
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let value = format!("Basic {}", STANDARD.encode("web:a+b%2B%2F%25%3A%26%3D"));
    let response = request.header("authorization", value).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let form = web_code(&tenant).await.with("client_secret", secret);
    assert_eq!(token(&tenant, &form).await.status, 200);
}

#[tokio::test]
async fn a_body_in_json() {
    let tenant = start().await;
    let code = code(&tenant, &Parameters::of_login()).await;
    let body = json!({
        "grant_type": "authorization_code", "client_id": "spa", "redirect_uri": CALLBACK,
        "code": code, "code_verifier": VERIFIER,
    });
    let request = client().post(url(&tenant, "oauth/token")).body(body.to_string());
    let request = request.header("content-type", "application/json");
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_time_of_the_login() {
    let tenant = start().await;
    let mut browser = Browser::default();
    browser.authorize(&tenant, &Parameters::of_login()).await;
    tenant.tenant().clock().advance(Duration::from_secs(100));
    let login = Parameters::of_login().with("max_age", "200");
    let code = browser.authorize(&tenant, &login).await.parameter("code");
    let answer = send(&tenant, "oauth/token", &Parameters::of_code(&code)).await;
    let id = claims(&tenant, &answer.text("id_token"));
    let age = id["iat"].as_u64().unwrap() - id["auth_time"].as_u64().unwrap();
    assert!((100..110).contains(&age), "{age}");
}
