use crate::kit::{Answer, Browser, HOME, Parameters, claims, start, token};
use auth0_local::LocalTenant;
use serde_json::json;

/// A browser whose user has logged in, and the ID token of this login.
async fn logged_in(tenant: &LocalTenant) -> (Browser, String) {
    let mut browser = Browser::default();
    let code = browser.authorize(tenant, &Parameters::of_login()).await.parameter("code");
    let answer = token(tenant, &Parameters::of_code(&code)).await;
    (browser, answer.text("id_token"))
}

async fn has_session(tenant: &LocalTenant, browser: &mut Browser) -> bool {
    let silent = Parameters::of_login().with("prompt", "none");
    browser.authorize(tenant, &silent).await.parameter("error").is_empty()
}

async fn log_out(
    tenant: &LocalTenant,
    browser: &mut Browser,
    path: &str,
    query: &Parameters,
) -> Answer {
    browser.get(tenant, &format!("{path}?{}", query.encoded())).await
}

#[tokio::test]
async fn v2_logout() {
    let tenant = start().await;
    let good = || Parameters::new(&[("client_id", "spa"), ("returnTo", HOME)]);
    for (query, sentence) in [
        (
            good().with("returnTo", "http://localhost:3000"),
            "not in the list of allowed logout URLs",
        ),
        (good().with("returnTo", "http://localhost:3000/?a"), "not in the list"),
        (good().with("returnTo", "http://evil.test/<script>"), "&lt;script&gt; is not in the list"),
        (good().with("client_id", "unknown"), "Unknown client"),
        (good().with("client_id", None), "client_id is missing"),
        (good().and("returnTo", "http://evil.test/"), "sent twice"),
    ] {
        let (mut browser, _) = logged_in(&tenant).await;
        let answer = log_out(&tenant, &mut browser, "v2/logout", &query).await;
        assert_eq!((answer.status, answer.header("location")), (400, ""), "{query:?}");
        assert!(answer.body.contains(sentence), "{query:?}: {}", answer.body);
        assert!(has_session(&tenant, &mut browser).await, "{query:?}");
    }
    let (mut browser, _) = logged_in(&tenant).await;
    let query = good().with("federated", "");
    let answer = log_out(&tenant, &mut browser, "v2/logout", &query).await;
    assert_eq!((answer.status, answer.header("location")), (302, HOME));
    assert!(!browser.has_cookie() && !has_session(&tenant, &mut browser).await);

    let (mut browser, _) = logged_in(&tenant).await;
    let answer = browser.get(&tenant, "v2/logout").await;
    assert_eq!(answer.status, 200);
    assert!(!has_session(&tenant, &mut browser).await);
}

#[tokio::test]
async fn oidc_logout() {
    let tenant = start().await;
    let target = Parameters::new(&[("post_logout_redirect_uri", HOME), ("state", "a b")]);
    for by in ["hint", "client", "both", "sid"] {
        let (mut browser, id_token) = logged_in(&tenant).await;
        let sid = claims(&tenant, &id_token)["sid"].as_str().unwrap().to_owned();
        let query = match by {
            "hint" => target.clone().and("id_token_hint", &id_token),
            "client" => target.clone().and("client_id", "spa"),
            "both" => target.clone().and("client_id", "spa").and("id_token_hint", &id_token),
            _ => target.clone().and("client_id", "spa").and("logout_hint", &sid),
        };
        // The session of a `sid` ends even if its browser sends no cookie.
        let mut other = Browser::default();
        let sender = if by == "sid" { &mut other } else { &mut browser };
        let answer = log_out(&tenant, sender, "oidc/logout", &query).await;
        assert_eq!(answer.header("location"), format!("{HOME}?state=a+b"), "{by}");
        assert!(!has_session(&tenant, &mut browser).await, "{by}");
    }
    let (mut browser, id_token) = logged_in(&tenant).await;
    let form = target.clone().and("id_token_hint", &id_token);
    assert_eq!(browser.post(&tenant, "oidc/logout", &form).await.status, 302);
    assert!(!has_session(&tenant, &mut browser).await);
    let (mut browser, _) = logged_in(&tenant).await;
    assert_eq!(browser.get(&tenant, "oidc/logout").await.status, 200, "without a target");
    assert!(!has_session(&tenant, &mut browser).await);
}

#[tokio::test]
async fn hints_of_an_oidc_logout() {
    let tenant = start().await;
    let (mut browser, id_token) = logged_in(&tenant).await;
    let target = || Parameters::new(&[("post_logout_redirect_uri", HOME)]);
    let hint = |token: &str| target().and("id_token_hint", token);
    let old = tenant.token().expired().without("azp").audience("spa");
    let forged = tenant.token().audience("spa").signed_by(&tenant.tenant().unknown_key()).mint();
    for (query, sentence) in [
        (target(), "client_id is missing"),
        (hint("eyJ"), "not an ID token of this tenant"),
        (hint(&forged), "not an ID token of this tenant"),
        (hint(&old.clone().issuer("http://other.test/").mint()), "not an ID token of this tenant"),
        (hint(&id_token).and("client_id", "web"), "client_id is another one"),
        (hint(&id_token).and("logout_hint", "other"), "logout_hint is another session"),
        (hint(&id_token).with("post_logout_redirect_uri", "http://evil.test/"), "not in the list"),
        (hint(&id_token).and("id_token_hint", "eyJ"), "sent twice"),
    ] {
        let answer = log_out(&tenant, &mut browser, "oidc/logout", &query).await;
        assert_eq!((answer.status, answer.header("location")), (400, ""), "{query:?}");
        assert!(answer.body.contains(sentence), "{query:?}: {}", answer.body);
        assert!(has_session(&tenant, &mut browser).await, "{query:?}");
    }
    let answer =
        log_out(&tenant, &mut browser, "oidc/logout", &hint(&old.claim("sid", json!("x")).mint()))
            .await;
    assert_eq!(answer.header("location"), HOME, "an ID token may have expired");
}
