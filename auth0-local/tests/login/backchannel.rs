//! CIBA.
use crate::kit::{API, Answer, Parameters, acme, claims, send, token};
use auth0_local::{Client, LocalTenant, RequestKind};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;

const GRANT: &str = "urn:openid:params:grant-type:ciba";
const DETAILS: &str = r#"[{"type":"payment","amount":"25.00"}]"#;

async fn start() -> LocalTenant {
    let builder = acme()
        .client(Client::confidential("bank", "s3cret").grant_types([GRANT, "refresh_token"]))
        .client(Client::confidential("shop", "s3cret").grant_types([GRANT]))
        .client(Client::public("app").grant_types([GRANT]));
    builder.start().await.unwrap()
}

fn hint(tenant: &LocalTenant, subject: &str) -> String {
    json!({ "format": "iss_sub", "iss": tenant.issuer(), "sub": subject }).to_string()
}

fn of_request(hint: &str) -> Parameters {
    Parameters::new(&[
        ("client_id", "bank"),
        ("client_secret", "s3cret"),
        ("scope", "openid offline_access read:messages"),
        ("audience", API),
        ("binding_message", "Pay 25.00, ref: A-1_#+"),
        ("login_hint", hint),
    ])
}

async fn begin(tenant: &LocalTenant, subject: &str) -> Answer {
    let answer = send(tenant, "bc-authorize", &of_request(&hint(tenant, subject))).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{answer:?}");
    answer
}

fn of_poll(begun: &Answer) -> Parameters {
    Parameters::new(&[
        ("grant_type", GRANT),
        ("client_id", "bank"),
        ("client_secret", "s3cret"),
        ("auth_req_id", &begun.text("auth_req_id")),
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
async fn a_client_polls_until_the_user_approves() {
    let tenant = start().await;
    let form = of_request(&hint(&tenant, "auth0|bob")).with("authorization_details", DETAILS);
    let begun = send(&tenant, "bc-authorize", &form.with("requested_expiry", "600")).await;
    assert_eq!((&begun.json()["expires_in"], &begun.json()["interval"]), (&json!(600), &json!(5)));
    let pending = tenant.pending_requests();
    assert_eq!((pending.len(), pending[0].kind), (1, RequestKind::Backchannel));
    assert_eq!(pending[0].user.as_deref(), Some("auth0|bob"));
    assert_eq!(pending[0].binding_message.as_deref(), Some("Pay 25.00, ref: A-1_#+"));
    assert_eq!(pending[0].authorization_details.as_ref().unwrap()[0]["type"], "payment");

    assert_eq!(outcome(&poll(&tenant, &begun).await), (400, "authorization_pending".into()));
    for interval in [10, 15] {
        let fast = poll(&tenant, &begun).await;
        assert_eq!(outcome(&fast), (400, "slow_down".into()));
        assert_eq!(fast.json()["interval"], interval);
        assert_eq!(fast.header("retry-after"), interval.to_string());
    }
    advance(&tenant, 14);
    assert_eq!(poll(&tenant, &begun).await.json()["interval"], 20, "the interval stays longer");
    advance(&tenant, 20);
    assert_eq!(outcome(&poll(&tenant, &begun).await), (400, "authorization_pending".into()));
    assert!(tenant.approve_as(&pending[0].id, "auth0|ann").is_err(), "it asks another user");
    tenant.approve(&pending[0].id).unwrap();

    let issued = poll(&tenant, &begun).await;
    assert_eq!(issued.status, 200, "{issued:?}");
    let access = claims(&tenant, &issued.text("access_token"));
    assert_eq!((&access["sub"], &access["azp"]), (&json!("auth0|bob"), &json!("bank")));
    assert_eq!(access["authorization_details"], issued.json()["authorization_details"]);
    assert_eq!(access["authorization_details"][0]["amount"], "25.00");
    assert_eq!(claims(&tenant, &issued.text("id_token"))["sub"], "auth0|bob");
    assert!(!issued.text("refresh_token").is_empty());
    assert_eq!(outcome(&poll(&tenant, &begun).await), (400, "invalid_grant".into()), "once");
}

#[tokio::test]
async fn refusal_and_expiry_look_the_same() {
    let tenant = start().await;
    let (denied, late) = (begin(&tenant, "auth0|ann").await, begin(&tenant, "auth0|ann").await);
    let id = tenant.pending_requests()[0].id.clone();
    tenant.deny(&id).unwrap();
    assert!(tenant.approve(&id).is_err());
    let first = poll(&tenant, &denied).await;
    assert_eq!(outcome(&first), (400, "access_denied".into()));
    advance(&tenant, 299);
    assert_eq!(poll(&tenant, &late).await.text("error"), "authorization_pending");
    advance(&tenant, 1);
    assert!(tenant.pending_requests().is_empty());
    for _ in 0..2 {
        assert_eq!(poll(&tenant, &late).await.body, first.body);
    }
}

#[tokio::test]
async fn requests_that_are_wrong_in_one_way() {
    let tenant = start().await;
    let hint = hint(&tenant, "auth0|ann");
    let good = || of_request(&hint);
    let leaked = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let with_hint = |hint: String| good().with("login_hint", leaked(hint));
    for (form, status, error) in [
        (good().with("client_id", None), 401, "invalid_client"),
        (good().with("client_secret", "other"), 401, "access_denied"),
        (good().with("client_id", "web"), 403, "unauthorized_client"),
        (good().with("client_id", "app").with("client_secret", None), 401, "invalid_client"),
        (good().with("scope", None), 400, "invalid_scope"),
        (good().with("scope", "profile"), 400, "invalid_scope"),
        (good().with("binding_message", None), 400, "invalid_request"),
        (good().with("binding_message", leaked("a".repeat(65))), 400, "invalid_request"),
        (good().with("binding_message", "pay €5"), 400, "invalid_request"),
        (good().with("binding_message", "<b>"), 400, "invalid_request"),
        (good().with("login_hint", None), 400, "invalid_request"),
        (good().with("login_hint", "auth0|ann"), 400, "invalid_request"),
        (good().with("login_hint", "[\"iss_sub\",\"a\",\"b\"]"), 400, "invalid_request"),
        (with_hint(hint.replace("iss_sub", "email")), 400, "invalid_request"),
        (with_hint(hint.replace("/\"", "\"")), 400, "invalid_request"),
        (with_hint(hint.replace("auth0|ann", "auth0|zoe")), 400, "unknown_user_id"),
        (with_hint(hint.replace("{", "{\"a\":1,")), 400, "invalid_request"),
        (good().with("id_token_hint", "eyJ"), 400, "invalid_request"),
        (good().with("login_hint_token", "eyJ"), 400, "invalid_request"),
        (good().with("request", "eyJ"), 400, "invalid_request"),
        (good().with("requested_expiry", "0"), 400, "invalid_request"),
        (good().with("requested_expiry", "259201"), 400, "invalid_request"),
        (good().with("requested_expiry", "+5"), 400, "invalid_request"),
        (good().with("requested_expiry", "5s"), 400, "invalid_request"),
        (good().with("authorization_details", "{}"), 400, "invalid_authorization_details"),
        (good().with("authorization_details", "[]"), 400, "invalid_authorization_details"),
        (good().with("authorization_details", "[{}]"), 400, "invalid_authorization_details"),
        (good().with("authorization_details", "["), 400, "invalid_authorization_details"),
        (
            good().with(
                "authorization_details",
                leaked(format!("[{{\"type\":\"{}\"}}]", "a".repeat(9000))),
            ),
            400,
            "invalid_authorization_details",
        ),
        (good().and("login_hint", &hint), 400, "invalid_request"),
    ] {
        let answer = send(&tenant, "bc-authorize", &form).await;
        assert_eq!(outcome(&answer), (status, error.into()), "{form:?}: {}", answer.body);
    }
    assert!(tenant.pending_requests().is_empty());
    for (name, value) in [
        ("binding_message", leaked("a".repeat(64))),
        ("requested_expiry", "1"),
        ("requested_expiry", "259200"),
        ("audience", ""),
    ] {
        let answer = send(&tenant, "bc-authorize", &good().with(name, value)).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
    }
}

#[tokio::test]
async fn polls_that_are_wrong_in_one_way() {
    let tenant = start().await;
    let begun = begin(&tenant, "auth0|ann").await;
    tenant.approve(&tenant.pending_requests()[0].id).unwrap();
    let good = || of_poll(&begun);
    for (form, status, error) in [
        (good().with("auth_req_id", None), 400, "invalid_request"),
        (good().with("auth_req_id", "other"), 400, "invalid_grant"),
        (good().with("client_id", "shop"), 400, "invalid_grant"),
        (good().with("client_secret", None), 401, "access_denied"),
        (good().with("client_id", "app").with("client_secret", None), 401, "invalid_client"),
        (good().with("client_id", "web"), 403, "unauthorized_client"),
    ] {
        assert_eq!(outcome(&token(&tenant, &form).await), (status, error.into()), "{form:?}");
    }
    assert_eq!(token(&tenant, &good()).await.status, 200, "none of these used it");
}

#[tokio::test]
async fn two_users_get_their_own_tokens() {
    let tenant = start().await;
    let (ann, bob) = (begin(&tenant, "auth0|ann").await, begin(&tenant, "auth0|bob").await);
    for request in tenant.pending_requests().iter().rev() {
        tenant.approve(&request.id).unwrap();
    }
    for (begun, subject) in [(&bob, "auth0|bob"), (&ann, "auth0|ann")] {
        let issued = poll(&tenant, begun).await;
        assert_eq!(claims(&tenant, &issued.text("access_token"))["sub"], subject);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn parallel_polls_get_one_login() {
    let tenant = Arc::new(start().await);
    for _ in 0..5 {
        let begun = begin(&tenant, "auth0|ann").await;
        tenant.approve(&tenant.pending_requests()[0].id).unwrap();
        let mut polls = JoinSet::new();
        for _ in 0..8 {
            let (tenant, form) = (Arc::clone(&tenant), of_poll(&begun));
            polls.spawn(async move { token(&tenant, &form).await.status });
        }
        let mut statuses = polls.join_all().await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 400, 400, 400, 400, 400, 400, 400]);
    }
}

#[tokio::test]
async fn a_tenant_that_approves_at_once() {
    let bank = Client::confidential("bank", "s3cret").grant_types([GRANT]);
    let tenant = acme().client(bank).approve_at_once().start().await.unwrap();
    let begun = begin(&tenant, "auth0|bob").await;
    assert_eq!(poll(&tenant, &begun).await.status, 200);
}
