//! Requests that arrive at the same time.
use crate::kit::{Answer, Parameters, code, log_in, start, token, user_info};
use auth0_local::LocalTenant;
use std::sync::Arc;
use tokio::{sync::Barrier, task::JoinSet};

const PARALLEL: usize = 8;

/// Sends the same request several times at once.
async fn at_once(tenant: &Arc<LocalTenant>, form: &Parameters) -> Vec<Answer> {
    let barrier = Arc::new(Barrier::new(PARALLEL));
    let mut requests = JoinSet::new();
    for _ in 0..PARALLEL {
        let (tenant, form, barrier) = (Arc::clone(tenant), form.clone(), Arc::clone(&barrier));
        requests.spawn(async move {
            barrier.wait().await;
            token(&tenant, &form).await
        });
    }
    requests.join_all().await
}

/// Checks that one request succeeded, and that nothing of its login can be used.
async fn only_one_succeeded(tenant: &LocalTenant, answers: &[Answer]) {
    let (good, refused): (Vec<&Answer>, Vec<&Answer>) =
        answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(good.len(), 1, "{answers:?}");
    assert!(refused.iter().all(|answer| answer.text("error") == "invalid_grant"), "{refused:?}");
    let bearer = format!("Bearer {}", good[0].text("access_token"));
    assert_eq!(user_info(tenant, &bearer).await.status, 401);
    let refresh = Parameters::of_refresh(&good[0].text("refresh_token"));
    assert_eq!(token(tenant, &refresh).await.text("error"), "invalid_grant");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_code_is_exchanged_once() {
    let tenant = Arc::new(start().await);
    for _ in 0..10 {
        let code = code(&tenant, &Parameters::of_login()).await;
        let answers = at_once(&tenant, &Parameters::of_code(&code)).await;
        only_one_succeeded(&tenant, &answers).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_refresh_token_is_used_once() {
    let tenant = Arc::new(start().await);
    for _ in 0..10 {
        let login = log_in(&tenant, &Parameters::of_login()).await;
        let form = Parameters::of_refresh(&login.text("refresh_token"));
        let answers = at_once(&tenant, &form).await;
        only_one_succeeded(&tenant, &answers).await;
        let bearer = format!("Bearer {}", login.text("access_token"));
        assert_eq!(user_info(&tenant, &bearer).await.status, 401, "the login, too");
    }
}
