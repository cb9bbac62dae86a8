use crate::kit::{Browser, Parameters, claims, start, token};
use auth0_local::{LocalTenant, LoginAnswer};
use std::time::Duration;

/// Asks without a user, and returns the error, if any.
async fn silent(browser: &mut Browser, tenant: &LocalTenant, parameters: Parameters) -> String {
    let answer = browser.authorize(tenant, &parameters.with("prompt", "none")).await;
    answer.parameter("error")
}

/// Returns `sub` and `sid` of a login.
async fn who(
    browser: &mut Browser,
    tenant: &LocalTenant,
    parameters: Parameters,
) -> (String, String) {
    let code = browser.authorize(tenant, &parameters).await.parameter("code");
    let answer = token(tenant, &Parameters::of_code(&code)).await;
    let claims = claims(tenant, &answer.text("id_token"));
    let text = |name: &str| claims[name].as_str().unwrap().to_owned();
    (text("sub"), text("sid"))
}

#[tokio::test]
async fn a_session_answers_later_logins() {
    let tenant = start().await;
    let login = Parameters::of_login;
    let mut browser = Browser::default();
    assert_eq!(silent(&mut browser, &tenant, login()).await, "login_required");
    assert!(!browser.has_cookie());
    let first = who(&mut browser, &tenant, login()).await;
    assert_eq!(first.0, "auth0|ann");
    assert_eq!(silent(&mut browser, &tenant, login()).await, "");
    tenant.answer_logins_as("auth0|bob").unwrap();
    assert_eq!(who(&mut browser, &tenant, login()).await, first, "single sign-on");
    let other = who(&mut Browser::default(), &tenant, login()).await;
    assert_eq!(other.0, "auth0|bob");

    // A user who was chosen for a login that must not ask waits for the next one.
    tenant.answer_next_login(LoginAnswer::user("auth0|bob")).unwrap();
    assert_eq!(silent(&mut browser, &tenant, login()).await, "");
    assert_eq!(who(&mut browser, &tenant, login()).await.0, "auth0|bob");
    tenant.answer_next_login(LoginAnswer::error("consent_required", "")).unwrap();
    assert_eq!(silent(&mut browser, &tenant, login()).await, "consent_required");
}

#[tokio::test]
async fn a_user_can_be_asked_again() {
    let tenant = start().await;
    let login = Parameters::of_login;
    for prompt in ["login", "select_account", "consent login"] {
        let mut browser = Browser::default();
        let first = who(&mut browser, &tenant, login()).await;
        let second = who(&mut browser, &tenant, login().with("prompt", prompt)).await;
        assert_ne!(first.1, second.1, "{prompt}: another session");
    }
    let mut browser = Browser::default();
    let first = who(&mut browser, &tenant, login()).await;
    tenant.tenant().clock().advance(Duration::from_secs(100));
    assert_eq!(who(&mut browser, &tenant, login().with("max_age", "200")).await, first);
    let stale = login().with("max_age", "50");
    assert_eq!(silent(&mut browser, &tenant, stale.clone()).await, "login_required");
    assert_ne!(who(&mut browser, &tenant, stale.clone()).await, first);
    assert_eq!(silent(&mut browser, &tenant, stale).await, "", "it has just logged in");
}

#[tokio::test]
async fn a_session_ends() {
    let tenant = start().await;
    let day = Duration::from_secs(24 * 60 * 60);
    let mut browser = Browser::default();
    browser.authorize(&tenant, &Parameters::of_login()).await;
    for day_number in 1..=3 {
        tenant.tenant().clock().advance(2 * day);
        assert_eq!(silent(&mut browser, &tenant, Parameters::of_login()).await, "", "{day_number}");
    }
    tenant.tenant().clock().advance(day);
    let error = silent(&mut browser, &tenant, Parameters::of_login()).await;
    assert_eq!(error, "login_required", "seven days after the login");

    let mut browser = Browser::default();
    browser.authorize(&tenant, &Parameters::of_login()).await;
    tenant.tenant().clock().advance(3 * day);
    let error = silent(&mut browser, &tenant, Parameters::of_login()).await;
    assert_eq!(error, "login_required", "not used for three days");
}
