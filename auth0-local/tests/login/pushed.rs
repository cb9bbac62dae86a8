//! Pushed authorization requests, and `authorization_details`.
use crate::kit::{
    API, Answer, Browser, CALLBACK, CHALLENGE, Parameters, VERIFIER, acme, claims, client, proof,
    send, token, token_with_proof, url,
};
use auth0_local::{Client, LocalTenant};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;

const URN: &str = "urn:ietf:params:oauth:request_uri:";
const DETAILS: &str = r#"[{"type":"payment","amount":"25.00"}]"#;

async fn start() -> LocalTenant {
    let bank = Client::confidential("bank", "s3cret").callback(CALLBACK);
    acme().client(bank.require_pushed_authorization_requests()).start().await.unwrap()
}

fn of_push() -> Parameters {
    Parameters::of_login().with("client_id", "web").with("client_secret", "s3cret")
}

async fn push(tenant: &LocalTenant, form: &Parameters) -> Answer {
    send(tenant, "oauth/par", form).await
}

async fn pushed(tenant: &LocalTenant, form: &Parameters) -> String {
    let answer = push(tenant, form).await;
    assert_eq!((answer.status, answer.header("cache-control")), (201, "no-store"), "{answer:?}");
    assert_eq!(answer.json()["expires_in"], 30);
    assert!(answer.text("request_uri").starts_with(URN), "{answer:?}");
    answer.text("request_uri")
}

fn with_uri(client_id: &str, uri: &str) -> Parameters {
    Parameters::new(&[("client_id", client_id), ("request_uri", uri)])
}

fn outcome(answer: &Answer) -> (u16, String) {
    (answer.status, answer.text("error"))
}

#[tokio::test]
async fn a_pushed_request_logs_in_once() {
    let tenant = start().await;
    let uri = pushed(&tenant, &of_push().with("authorization_details", DETAILS)).await;
    let request = with_uri("web", &uri);
    let mut browser = Browser::default();
    let answer = browser.authorize(&tenant, &request).await;
    assert_eq!((answer.redirect().0.as_str(), &*answer.parameter("state")), (CALLBACK, "s t&te"));
    let form = Parameters::of_code(&answer.parameter("code"));
    let form = form.with("client_id", "web").with("client_secret", "s3cret");
    let issued = token(&tenant, &form).await;
    let access = claims(&tenant, &issued.text("access_token"));
    assert_eq!((&access["sub"], &access["aud"][0]), (&json!("auth0|ann"), &json!(API)));
    assert_eq!(access["authorization_details"][0]["amount"], "25.00");
    assert_eq!(issued.json()["authorization_details"], access["authorization_details"]);
    let refresh = Parameters::of_refresh(&issued.text("refresh_token"));
    let refresh = refresh.with("client_id", "web").with("client_secret", "s3cret");
    let refreshed = token(&tenant, &refresh).await;
    assert_eq!(refreshed.json()["authorization_details"], access["authorization_details"]);

    let again = browser.authorize(&tenant, &request).await;
    assert_eq!((again.status, again.header("location")), (400, ""), "once");
    assert!(again.body.contains("invalid_request_uri"), "{}", again.body);
}

#[tokio::test]
async fn requests_that_are_wrong_in_one_way() {
    let tenant = start().await;
    let leaked = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let extended = |count: usize| {
        let extend = |form: Parameters, number| form.and(&format!("ext-{number}"), "a");
        (0..count).fold(of_push(), extend)
    };
    for (form, status, error) in [
        (of_push().with("client_id", None), 401, "invalid_client"),
        (of_push().with("client_id", "other"), 401, "invalid_client"),
        (of_push().with("client_secret", None), 401, "access_denied"),
        (of_push().with("client_secret", "other"), 401, "access_denied"),
        (of_push().with("client_id", "spa").with("client_secret", None), 401, "invalid_client"),
        (of_push().with("redirect_uri", None), 400, "invalid_request"),
        (of_push().with("redirect_uri", "http://evil.test/"), 400, "invalid_request"),
        (of_push().with("response_type", "token"), 400, "unsupported_response_type"),
        (of_push().with("response_type", None), 400, "invalid_request"),
        (of_push().with("scope", "a\"b"), 400, "invalid_scope"),
        (of_push().with("code_challenge_method", "plain"), 400, "invalid_request"),
        (of_push().with("request_uri", "urn:a"), 400, "invalid_request"),
        (of_push().with("request", "eyJ"), 400, "invalid_request_object"),
        (of_push().with("authorization_details", "{}"), 400, "invalid_authorization_details"),
        (of_push().and("scope", "openid"), 400, "invalid_request"),
        (extended(11), 400, "invalid_request"),
        (of_push().with("nonce", leaked("n".repeat(10 * 1024))), 413, "invalid_request"),
    ] {
        let answer = push(&tenant, &form).await;
        assert_eq!(outcome(&answer), (status, error.into()), "{form:?}: {}", answer.body);
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    pushed(&tenant, &extended(10)).await;
    pushed(&tenant, &of_push().with("nonce", leaked("n".repeat(9 * 1024)))).await;
}

#[tokio::test]
async fn uses_that_are_wrong_in_one_way() {
    let tenant = start().await;
    let uri = pushed(&tenant, &of_push()).await;
    let good = || with_uri("web", &uri);
    let other = with_uri("web", &format!("{URN}other"));
    for (request, sentence) in [
        (good().with("client_id", "spa"), "another client pushed it"),
        (good().with("client_id", None), "another client pushed it"),
        (good().and("state", "x"), "state is sent beside request_uri"),
        (good().and("request", "eyJ"), "request is sent beside request_uri"),
        (good().and("client_id", "web"), "client_id is sent twice"),
        (other, "unknown, used or expired"),
    ] {
        let answer = Browser::default().authorize(&tenant, &request).await;
        assert_eq!((answer.status, answer.header("location")), (400, ""), "{request:?}");
        assert!(answer.body.contains(sentence), "{request:?}: {}", answer.body);
    }
    tenant.tenant().clock().advance(Duration::from_secs(29));
    assert_eq!(Browser::default().authorize(&tenant, &good()).await.status, 302, "not used");
    let late = with_uri("web", &pushed(&tenant, &of_push()).await);
    tenant.tenant().clock().advance(Duration::from_secs(30));
    assert_eq!(Browser::default().authorize(&tenant, &late).await.status, 400, "expired");
}

#[tokio::test]
async fn a_client_that_must_push() {
    let tenant = start().await;
    let plain = Parameters::of_login().with("client_id", "bank");
    let refused = Browser::default().authorize(&tenant, &plain).await;
    assert_eq!(refused.parameter("error"), "invalid_request");
    assert!(refused.parameter("error_description").contains("must push"));
    let uri = pushed(&tenant, &plain.with("client_secret", "s3cret")).await;
    let answer = Browser::default().authorize(&tenant, &with_uri("bank", &uri)).await;
    assert_eq!(answer.parameter("code").len(), 43);
}

#[tokio::test]
async fn a_proof_binds_the_code() {
    let tenant = start().await;
    let key = tenant.tenant().client_key();
    let push = async |form: Parameters| {
        let request = client().post(url(&tenant, "oauth/par")).body(form.encoded());
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let proof = proof(&tenant, &key, "POST", "oauth/par").mint();
        Answer::of(request.header("dpop", proof).send().await.unwrap()).await
    };
    let other = push(of_push().with("dpop_jkt", CHALLENGE)).await;
    assert_eq!(outcome(&other), (400, "invalid_dpop_proof".into()));
    let uri = push(of_push()).await.text("request_uri");
    let code =
        Browser::default().authorize(&tenant, &with_uri("web", &uri)).await.parameter("code");
    let form = Parameters::of_code(&code).with("client_id", "web").with("client_secret", "s3cret");
    assert_eq!(outcome(&token(&tenant, &form).await), (403, "invalid_grant".into()));
    assert_eq!(token_with_proof(&tenant, &form, &key).await.status, 200);
}

#[tokio::test]
async fn two_users_and_two_requests() {
    let tenant = start().await;
    let first = pushed(&tenant, &of_push().with("state", "first")).await;
    let second = pushed(&tenant, &of_push().with("state", "second")).await;
    for (uri, state, user) in [(second, "second", "auth0|bob"), (first, "first", "auth0|ann")] {
        tenant.answer_logins_as(user).unwrap();
        let answer = Browser::default().authorize(&tenant, &with_uri("web", &uri)).await;
        assert_eq!(answer.parameter("state"), state);
        let form = Parameters::of_code(&answer.parameter("code")).with("client_id", "web");
        let issued = token(&tenant, &form.with("client_secret", "s3cret")).await;
        assert_eq!(claims(&tenant, &issued.text("access_token"))["sub"], user);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_request_is_used_once() {
    let tenant = Arc::new(start().await);
    for _ in 0..5 {
        let request = with_uri("web", &pushed(&tenant, &of_push()).await);
        let mut uses = JoinSet::new();
        for _ in 0..8 {
            let (tenant, request) = (Arc::clone(&tenant), request.clone());
            uses.spawn(async move { Browser::default().authorize(&tenant, &request).await.status });
        }
        let mut statuses = uses.join_all().await;
        statuses.sort_unstable();
        assert_eq!(statuses, [302, 400, 400, 400, 400, 400, 400, 400]);
    }
}

#[tokio::test]
async fn the_page_of_users_keeps_the_request() {
    let tenant = acme().interactive().start().await.unwrap();
    let uri = pushed(&tenant, &of_push()).await;
    let page = Browser::default().authorize(&tenant, &with_uri("web", &uri)).await;
    assert!(!page.body.contains("n0nce") && !page.body.contains(&uri), "{}", page.body);
    let carried = page.body.split("name=\"request\" value=\"").nth(1).unwrap();
    let carried = carried.split('"').next().unwrap().replace("&amp;", "&");
    let form = Parameters::new(&[("request", &carried), ("user", "auth0|bob")]);
    tenant.tenant().clock().advance(Duration::from_secs(599));
    let answer = Browser::default().post(&tenant, "u/login", &form).await;
    let code = answer.parameter("code");
    let form = Parameters::of_code(&code).with("client_id", "web").with("client_secret", "s3cret");
    let issued = token(&tenant, &form).await;
    assert_eq!(claims(&tenant, &issued.text("id_token"))["nonce"], "n0nce");
}

#[tokio::test]
async fn the_oldest_request_goes_first() {
    let tenant = start().await;
    let (first, second) = (pushed(&tenant, &of_push()).await, pushed(&tenant, &of_push()).await);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for _ in 0..999 {
        let request = client.post(url(&tenant, "oauth/par")).body(of_push().encoded());
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(request.send().await.unwrap().status(), 201);
    }
    assert_eq!(Browser::default().authorize(&tenant, &with_uri("web", &first)).await.status, 400);
    assert_eq!(Browser::default().authorize(&tenant, &with_uri("web", &second)).await.status, 302);
}

/// The parameters of a login can be posted, too (OpenID Connect Core §3.1.2.1).
#[tokio::test]
async fn a_form_at_the_authorization_endpoint() {
    let tenant = start().await;
    let form = Parameters::of_login();
    let answer = Browser::default().post(&tenant, "authorize", &form).await;
    assert_eq!((answer.redirect().0.as_str(), &*answer.parameter("state")), (CALLBACK, "s t&te"));
    let exchange = Parameters::of_code(&answer.parameter("code")).with("code_verifier", VERIFIER);
    assert_eq!(token(&tenant, &exchange).await.status, 200);
    for (form, status) in [
        (form.clone().with("client_id", "other"), 400),
        (form.clone().with("redirect_uri", "http://evil.test/"), 400),
        (form.clone().and("state", "x"), 400),
        (form.clone().and("padding", &"a".repeat(8 * 1024)), 400),
        (form.clone().with("response_type", "token"), 302),
    ] {
        let answer = Browser::default().post(&tenant, "authorize", &form).await;
        assert_eq!(answer.status, status, "{form:?}");
    }
    let uri = pushed(&tenant, &of_push()).await;
    let answer = Browser::default().post(&tenant, "authorize", &with_uri("web", &uri)).await;
    assert_eq!(answer.parameter("code").len(), 43);
    assert_eq!(tenant.stats().pushed_request.served, 1);
}
