//! What the tenant keeps is bounded.
use crate::kit::{Browser, Parameters, start, token, url};
use std::time::Instant;

/// The most codes, and the most sessions.
const LIMIT: usize = 10_000;

#[tokio::test]
async fn the_oldest_code_and_session_go_first() {
    let (tenant, began) = (start().await, Instant::now());
    let (mut oldest, mut second) = (Browser::default(), Browser::default());
    let first_code = oldest.authorize(&tenant, &Parameters::of_login()).await.parameter("code");
    let second_code = second.authorize(&tenant, &Parameters::of_login()).await.parameter("code");
    // One connection for all.
    let others = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    let others = others.build().unwrap();
    let login = url(&tenant, &format!("authorize?{}", Parameters::of_login().encoded()));
    for _ in 0..LIMIT - 1 {
        assert_eq!(others.get(&login).send().await.unwrap().status(), 302);
    }
    tenant.tenant().clock().set_back(began.elapsed()); // a slow machine takes longer than a code is valid
    let answer = token(&tenant, &Parameters::of_code(&first_code)).await;
    assert_eq!((answer.status, answer.text("error")), (403, "invalid_grant".into()));
    assert_eq!(token(&tenant, &Parameters::of_code(&second_code)).await.status, 200);
    let silent = Parameters::of_login().with("prompt", "none");
    assert_eq!(oldest.authorize(&tenant, &silent).await.parameter("error"), "login_required");
    assert_eq!(second.authorize(&tenant, &silent).await.parameter("error"), "");
}
