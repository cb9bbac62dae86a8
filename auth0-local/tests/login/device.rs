//! The device flow.
use crate::kit::{
    API, Answer, Browser, Parameters, acme, claims, client, proof, send, token, token_with_proof,
    url, user_info,
};
use auth0_local::{Client, LocalTenant, RequestKind};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn start() -> LocalTenant {
    let tv = Client::public("tv").grant_types([GRANT, "refresh_token"]);
    let kiosk = Client::confidential("kiosk", "s3cret").grant_types([GRANT]);
    acme().client(tv).client(kiosk).start().await.unwrap()
}

fn of_device() -> Parameters {
    Parameters::new(&[
        ("client_id", "tv"),
        ("scope", "openid profile offline_access read:messages"),
        ("audience", API),
    ])
}

async fn begin(tenant: &LocalTenant) -> Answer {
    let answer = send(tenant, "oauth/device/code", &of_device()).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{answer:?}");
    answer
}

fn of_poll(begun: &Answer) -> Parameters {
    Parameters::new(&[
        ("grant_type", GRANT),
        ("client_id", "tv"),
        ("device_code", &begun.text("device_code")),
    ])
}

async fn poll(tenant: &LocalTenant, begun: &Answer) -> Answer {
    token(tenant, &of_poll(begun)).await
}

fn outcome(answer: &Answer) -> (u16, String) {
    (answer.status, answer.text("error"))
}

fn advance(tenant: &LocalTenant, seconds: u64) {
    tenant.tenant().clock().advance(Duration::from_secs(seconds));
}

#[tokio::test]
async fn a_device_polls_until_the_user_approves() {
    let tenant = start().await;
    let begun = begin(&tenant).await;
    let (user_code, page) = (begun.text("user_code"), url(&tenant, "activate"));
    assert_eq!(begun.text("verification_uri"), page);
    assert_eq!(begun.text("verification_uri_complete"), format!("{page}?user_code={user_code}"));
    assert_eq!((&begun.json()["expires_in"], &begun.json()["interval"]), (&json!(900), &json!(5)));
    assert_eq!(user_code.len(), 9);
    let pending = tenant.pending_requests();
    assert_eq!(
        (pending.len(), &*pending[0].id, pending[0].kind),
        (1, &*user_code, RequestKind::Device)
    );
    assert_eq!((&*pending[0].client_id, pending[0].audience.as_deref()), ("tv", Some(API)));

    assert_eq!(outcome(&poll(&tenant, &begun).await), (403, "authorization_pending".into()));
    let fast = poll(&tenant, &begun).await;
    assert_eq!(outcome(&fast), (429, "slow_down".into()));
    assert!(fast.text("error_description").contains("5 seconds"), "{}", fast.body);
    advance(&tenant, 5);
    assert_eq!(outcome(&poll(&tenant, &begun).await), (403, "authorization_pending".into()));
    tenant.approve_as(&user_code, "auth0|bob").unwrap();
    assert!(tenant.pending_requests().is_empty());
    assert!(tenant.approve(&user_code).is_err() && tenant.deny(&user_code).is_err());

    let issued = poll(&tenant, &begun).await;
    assert_eq!(issued.status, 200, "{issued:?}");
    let access = claims(&tenant, &issued.text("access_token"));
    assert_eq!((&access["sub"], &access["azp"]), (&json!("auth0|bob"), &json!("tv")));
    assert_eq!(claims(&tenant, &issued.text("id_token"))["aud"], "tv");
    let bearer = format!("Bearer {}", issued.text("access_token"));
    assert_eq!(user_info(&tenant, &bearer).await.status, 200);
    let refresh = Parameters::of_refresh(&issued.text("refresh_token")).with("client_id", "tv");
    assert_eq!(token(&tenant, &refresh).await.status, 200);
    assert_eq!(outcome(&poll(&tenant, &begun).await), (403, "invalid_grant".into()), "once");
}

#[tokio::test]
async fn a_refusal_and_the_end_of_the_code() {
    let tenant = start().await;
    let (denied, late) = (begin(&tenant).await, begin(&tenant).await);
    tenant.deny(&denied.text("user_code")).unwrap();
    for _ in 0..2 {
        assert_eq!(outcome(&poll(&tenant, &denied).await), (403, "access_denied".into()));
    }
    advance(&tenant, 899);
    assert_eq!(outcome(&poll(&tenant, &late).await), (403, "authorization_pending".into()));
    advance(&tenant, 1);
    assert!(tenant.approve(&late.text("user_code")).is_err(), "it has expired");
    assert_eq!(outcome(&poll(&tenant, &late).await), (403, "expired_token".into()));
    assert_eq!(outcome(&poll(&tenant, &late).await), (403, "invalid_grant".into()), "once");
}

#[tokio::test]
async fn requests_that_are_wrong_in_one_way() {
    let tenant = start().await;
    let kiosk = || of_device().with("client_id", "kiosk");
    for (form, status, error) in [
        (of_device().with("client_id", None), 401, "invalid_client"),
        (of_device().with("client_id", "other"), 401, "invalid_client"),
        (of_device().with("client_id", "spa"), 403, "unauthorized_client"),
        (of_device().with("scope", "a\"b"), 400, "invalid_scope"),
        (of_device().and("scope", "openid"), 400, "invalid_request"),
        (kiosk(), 401, "access_denied"),
        (kiosk().with("client_secret", "other"), 401, "access_denied"),
    ] {
        let answer = send(&tenant, "oauth/device/code", &form).await;
        assert_eq!(outcome(&answer), (status, error.into()), "{form:?}");
    }
    assert!(tenant.pending_requests().is_empty());
    let answer = send(&tenant, "oauth/device/code", &kiosk().with("client_secret", "s3cret")).await;
    assert_eq!(answer.status, 200);
    let begun = begin(&tenant).await;
    tenant.approve(&begun.text("user_code")).unwrap();
    let good = || of_poll(&begun);
    for (form, status, error) in [
        (good().with("device_code", None), 400, "invalid_request"),
        (good().with("device_code", "other"), 403, "invalid_grant"),
        (good().with("client_id", "spa"), 403, "unauthorized_client"),
        (good().with("client_id", "kiosk").with("client_secret", "s3cret"), 403, "invalid_grant"),
        (good().with("client_id", None), 401, "invalid_client"),
    ] {
        assert_eq!(outcome(&token(&tenant, &form).await), (status, error.into()), "{form:?}");
    }
    assert_eq!(token(&tenant, &good()).await.status, 200, "none of these used the code");
}

#[tokio::test]
async fn a_proof_binds_the_tokens() {
    let tenant = start().await;
    let begun = begin(&tenant).await;
    tenant.approve(&begun.text("user_code")).unwrap();
    let key = tenant.tenant().client_key();
    let stale = proof(&tenant, &key, "POST", "oauth/token").aged(Duration::from_secs(7200)).mint();
    let request = client().post(url(&tenant, "oauth/token")).body(of_poll(&begun).encoded());
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let refused = Answer::of(request.header("dpop", stale).send().await.unwrap()).await;
    assert_eq!(outcome(&refused), (400, "invalid_dpop_proof".into()), "and the code is not used");
    let issued = token_with_proof(&tenant, &of_poll(&begun), &key).await;
    assert_eq!((issued.status, &*issued.text("token_type")), (200, "DPoP"));
    let refresh = Parameters::of_refresh(&issued.text("refresh_token")).with("client_id", "tv");
    assert_eq!(token(&tenant, &refresh).await.text("error"), "invalid_grant", "it needs the key");
}

#[tokio::test]
async fn two_devices_of_two_users() {
    let tenant = start().await;
    let (first, second) = (begin(&tenant).await, begin(&tenant).await);
    tenant.approve_as(&second.text("user_code"), "auth0|bob").unwrap();
    tenant.approve_as(&first.text("user_code"), "auth0|ann").unwrap();
    for (begun, subject) in [(&second, "auth0|bob"), (&first, "auth0|ann")] {
        let issued = poll(&tenant, begun).await;
        assert_eq!(claims(&tenant, &issued.text("access_token"))["sub"], subject);
    }
    assert!(tenant.approve_as("BBBB-BBBB", "auth0|ann").is_err());
    let third = begin(&tenant).await;
    assert!(tenant.approve_as(&third.text("user_code"), "auth0|zoe").is_err(), "no such user");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_polls_get_one_login() {
    let tenant = Arc::new(start().await);
    for _ in 0..5 {
        let begun = begin(&tenant).await;
        tenant.approve(&begun.text("user_code")).unwrap();
        let mut polls = JoinSet::new();
        for _ in 0..8 {
            let (tenant, form) = (Arc::clone(&tenant), of_poll(&begun));
            polls.spawn(async move { token(&tenant, &form).await.status });
        }
        let mut statuses = polls.join_all().await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 403, 403, 403, 403, 403, 403, 403]);
    }
}

#[tokio::test]
async fn the_page() {
    let tenant = start().await;
    let mut browser = Browser::default();
    let empty = browser.get(&tenant, "activate").await;
    assert!(empty.status == 200 && empty.body.contains("name=\"user_code\""), "{empty:?}");
    let begun = begin(&tenant).await;
    let code = begun.text("user_code");
    // As a user types it.
    let typed = code.replace('-', "").to_lowercase();
    let page = browser.get(&tenant, &format!("activate?user_code={typed}")).await;
    assert_eq!((page.status, page.header("x-frame-options")), (200, "DENY"));
    assert_eq!(page.header("referrer-policy"), "same-origin");
    assert!(page.body.contains(&code) && page.body.contains("Confirm as Ann"), "{}", page.body);
    assert_eq!(
        poll(&tenant, &begun).await.text("error"),
        "authorization_pending",
        "a GET decides nothing"
    );

    let form = Parameters::new(&[("user_code", &typed), ("user", "auth0|bob")]);
    for origin in ["null", "https://evil.test"] {
        let request = client().post(url(&tenant, "activate")).header("origin", origin);
        assert_eq!(request.body(form.encoded()).send().await.unwrap().status(), 403, "{origin}");
    }
    let done = browser.post(&tenant, "activate", &form).await;
    assert!(done.status == 200 && done.body.contains("connected"), "{}", done.body);
    let issued = poll(&tenant, &begun).await;
    assert_eq!(claims(&tenant, &issued.text("access_token"))["sub"], "auth0|bob");

    let begun = begin(&tenant).await;
    let form = Parameters::new(&[("user_code", &begun.text("user_code"))]);
    assert!(browser.post(&tenant, "activate", &form).await.body.contains("refused"));
    assert_eq!(poll(&tenant, &begun).await.text("error"), "access_denied");
    for code in ["", "<b>", "BBBB-BBBB", "é", &"B".repeat(5000)] {
        let form = Parameters::new(&[("user_code", code), ("user", "auth0|ann")]);
        let answer = browser.post(&tenant, "activate", &form).await;
        assert_eq!(answer.status, 400, "{code}");
        assert!(!answer.body.contains("<b>"), "{}", answer.body);
    }
}

#[tokio::test]
async fn decisions_over_http() {
    let tenant = start().await;
    let begun = begin(&tenant).await;
    let code = begun.text("user_code");
    let at = url(&tenant, "__local/requests");
    let listed = Answer::of(client().get(&at).send().await.unwrap()).await;
    assert_eq!(listed.json()["requests"][0]["id"], code.as_str());
    assert!(!listed.body.contains(&begun.text("device_code")), "the secret of the client");
    let decide = async |body: Value| {
        Answer::of(client().post(&at).body(body.to_string()).send().await.unwrap()).await
    };
    for body in [
        json!({}),
        json!({ "approve": code, "deny": code }),
        json!({ "deny": code, "user": "auth0|ann" }),
        json!({ "approve": "other" }),
        json!({ "approve": code, "user": "auth0|zoe" }),
        json!({ "approve": code, "other": 1 }),
    ] {
        assert_eq!(outcome(&decide(body.clone()).await), (400, "invalid_request".into()), "{body}");
    }
    let decided = decide(json!({ "approve": code, "user": "auth0|bob" })).await;
    assert_eq!((decided.status, decided.json()), (200, json!({ "requests": [] })));
    assert_eq!(poll(&tenant, &begun).await.status, 200);
}

#[tokio::test]
async fn a_tenant_that_approves_at_once() {
    let tv = Client::public("tv").grant_types([GRANT]);
    let tenant = acme().client(tv).approve_at_once().start().await.unwrap();
    let begun = begin(&tenant).await;
    let issued = poll(&tenant, &begun).await;
    assert_eq!(claims(&tenant, &issued.text("access_token"))["sub"], "auth0|ann");
}

#[tokio::test]
async fn the_oldest_request_goes_first() {
    let tenant = start().await;
    let (first, second) = (begin(&tenant).await, begin(&tenant).await);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for _ in 0..999 {
        let request = client.post(url(&tenant, "oauth/device/code")).body(of_device().encoded());
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    assert_eq!(tenant.pending_requests().len(), 1_000);
    assert_eq!(poll(&tenant, &first).await.text("error"), "invalid_grant");
    assert_eq!(poll(&tenant, &second).await.text("error"), "authorization_pending");
}
