use crate::kit::{API, Parameters, acme, claims, log_in, token, user_info};
use auth0_local::{Api, Client, LocalTenant};
use serde_json::json;
use std::time::Duration;

const OTHER_API: &str = "https://other.test";

/// Logs in, and returns the refresh token.
async fn first(tenant: &LocalTenant) -> String {
    let answer = log_in(tenant, &Parameters::of_login()).await;
    answer.text("refresh_token")
}

/// Refreshes. Returns the next refresh token, or the error.
async fn refresh(tenant: &LocalTenant, secret: &str) -> Result<String, String> {
    let answer = token(tenant, &Parameters::of_refresh(secret)).await;
    if answer.status == 200 {
        return Ok(answer.text("refresh_token"));
    }
    assert_eq!((answer.status, answer.text("error")), (403, "invalid_grant".into()));
    Err(answer.text("error_description"))
}

const REFUSED: &str = "Unknown or invalid refresh token.";

#[tokio::test]
async fn tokens_are_refreshed() {
    let tenant = acme().start().await.unwrap();
    let login = log_in(&tenant, &Parameters::of_login().with("organization", "acme")).await;
    let answer = token(&tenant, &Parameters::of_refresh(&login.text("refresh_token"))).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    assert_ne!(answer.text("refresh_token"), login.text("refresh_token"));
    assert_eq!(answer.text("scope"), login.text("scope"));
    let (before, after) = (
        claims(&tenant, &login.text("access_token")),
        claims(&tenant, &answer.text("access_token")),
    );
    for name in ["sub", "aud", "azp", "scope", "org_id", "org_name", "permissions"] {
        assert_eq!(before[name], after[name], "{name}");
    }
    let id = claims(&tenant, &answer.text("id_token"));
    assert_eq!((&id["sub"], &id["org_id"]), (&json!("auth0|ann"), &json!("org_acme")));
    assert_eq!((id.get("sid"), id.get("nonce")), (None, None), "as with Auth0");
}

#[tokio::test]
async fn a_refresh_that_is_wrong_in_one_way() {
    let tenant = acme()
        .client(Client::public("other"))
        .client(Client::public("once").grant_types(["authorization_code"]))
        .start()
        .await
        .unwrap();
    let secret = first(&tenant).await;
    let good = || Parameters::of_refresh(&secret);
    for (form, status, error) in [
        (good().with("refresh_token", None), 400, "invalid_request"),
        (good().with("refresh_token", "other"), 403, "invalid_grant"),
        (good().with("client_id", None), 401, "invalid_client"),
        (good().with("client_id", "unknown"), 401, "invalid_client"),
        (good().with("client_id", "web"), 401, "access_denied"),
        (good().with("client_id", "other"), 403, "invalid_grant"),
        (good().with("client_id", "once"), 403, "unauthorized_client"),
    ] {
        let answer = token(&tenant, &form).await;
        assert_eq!((answer.status, answer.text("error")), (status, error.into()), "{form:?}");
    }
    refresh(&tenant, &secret).await.unwrap();
}

#[tokio::test]
async fn reuse_ends_the_family() {
    let tenant = acme().start().await.unwrap();
    let login = log_in(&tenant, &Parameters::of_login()).await;
    let bob = Parameters::of_login().with("login_hint", "auth0|bob");
    let other_login = log_in(&tenant, &bob).await.text("refresh_token");
    let one = login.text("refresh_token");
    let two = refresh(&tenant, &one).await.unwrap();
    assert_eq!(refresh(&tenant, &one).await.unwrap_err(), REFUSED);
    assert_eq!(refresh(&tenant, &two).await.unwrap_err(), REFUSED, "the family ended");
    let bearer = format!("Bearer {}", login.text("access_token"));
    assert_eq!(user_info(&tenant, &bearer).await.status, 401, "its access tokens, too");
    refresh(&tenant, &other_login).await.unwrap();
}

#[tokio::test]
async fn any_old_token_ends_the_family() {
    let tenant = acme().start().await.unwrap();
    let one = first(&tenant).await;
    let mut newest = one.clone();
    for _ in 0..70 {
        newest = refresh(&tenant, &newest).await.unwrap();
    }
    assert_eq!(refresh(&tenant, &one).await.unwrap_err(), REFUSED);
    assert_eq!(refresh(&tenant, &newest).await.unwrap_err(), REFUSED, "the family ended");
}

#[tokio::test]
async fn a_token_that_was_never_issued_ends_nothing() {
    let tenant = acme().start().await.unwrap();
    let one = first(&tenant).await;
    for index in [0, 8, one.len() - 1] {
        let other = if one.as_bytes()[index] == b'A' { "B" } else { "A" };
        let mut guess = one.clone();
        guess.replace_range(index..=index, other);
        assert_eq!(refresh(&tenant, &guess).await.unwrap_err(), REFUSED, "{index}");
    }
    refresh(&tenant, &one).await.unwrap();
}

#[tokio::test]
async fn the_previous_token_can_be_reused_within_the_interval() {
    let interval = Duration::from_secs(10);
    let tenant = acme().refresh_token_reuse_interval(interval).start().await.unwrap();
    let one = first(&tenant).await;
    let two = refresh(&tenant, &one).await.unwrap();
    tenant.tenant().clock().advance(Duration::from_secs(8));
    let twin = refresh(&tenant, &one).await.unwrap();
    assert_ne!(two, twin);
    // Both continue: the second of two requests that ran at the same time used the one before.
    let three = refresh(&tenant, &two).await.unwrap();
    refresh(&tenant, &twin).await.unwrap();
    // The one before the previous one is not accepted, whatever the time.
    assert_eq!(refresh(&tenant, &one).await.unwrap_err(), REFUSED);
    assert_eq!(refresh(&tenant, &three).await.unwrap_err(), REFUSED);

    let one = first(&tenant).await;
    let two = refresh(&tenant, &one).await.unwrap();
    tenant.tenant().clock().advance(interval);
    assert_eq!(refresh(&tenant, &one).await.unwrap_err(), REFUSED, "after the interval");
    assert_eq!(refresh(&tenant, &two).await.unwrap_err(), REFUSED);
}

#[tokio::test]
async fn without_rotation_the_token_stays() {
    let tenant = acme().without_refresh_token_rotation().start().await.unwrap();
    let one = first(&tenant).await;
    for _ in 0..3 {
        assert_eq!(refresh(&tenant, &one).await.unwrap(), "", "no other refresh token");
    }
}

#[tokio::test]
async fn lifetimes() {
    let day = Duration::from_secs(24 * 60 * 60);
    let tenant = acme().start().await.unwrap();
    let one = first(&tenant).await;
    tenant.tenant().clock().advance(15 * day);
    assert_eq!(refresh(&tenant, &one).await.unwrap_err(), REFUSED, "not used for 15 days");

    let mut secret = first(&tenant).await;
    for _ in 0..2 {
        tenant.tenant().clock().advance(14 * day);
        secret = refresh(&tenant, &secret).await.unwrap();
    }
    tenant.tenant().clock().advance(2 * day);
    assert_eq!(refresh(&tenant, &secret).await.unwrap_err(), REFUSED, "30 days after the login");
}

#[tokio::test]
async fn fewer_scopes() {
    let tenant = acme().start().await.unwrap();
    let one = first(&tenant).await;
    let form = Parameters::of_refresh(&one).with("scope", "read:messages write:messages");
    let answer = token(&tenant, &form).await;
    assert_eq!(answer.text("scope"), "read:messages", "no more than the login granted");
    assert_eq!(answer.json().get("id_token"), None, "openid was not asked for");
    // The next refresh has all scopes again.
    let form = Parameters::of_refresh(&answer.text("refresh_token"));
    let answer = token(&tenant, &form).await;
    assert_eq!(answer.text("scope"), "openid profile email offline_access read:messages");
}

#[tokio::test]
async fn another_api() {
    let spa = Client::public("spa").callback(crate::kit::CALLBACK);
    let tenant = acme().start().await.unwrap();
    let refreshed = async |scope: Option<&'static str>, name: &str| {
        let one = first(&tenant).await;
        let form = Parameters::of_refresh(&one).with(name, OTHER_API).with("scope", scope);
        let answer = token(&tenant, &form).await;
        let access = claims(&tenant, &answer.text("access_token"));
        (access["aud"].clone(), answer.text("scope"))
    };
    for name in ["audience", "resource"] {
        let (audience, _) = refreshed(None, name).await;
        assert_eq!(audience[0], API, "{name} is ignored");
    }
    tenant.add_client(spa.multi_resource_refresh_tokens()).unwrap();
    // The scopes of OpenID Connect are those of the login, whatever the API.
    let login = Parameters::of_login().with("scope", "offline_access read:messages");
    let one = log_in(&tenant, &login).await.text("refresh_token");
    let form = Parameters::of_refresh(&one).with("audience", OTHER_API);
    let wanted = "openid profile email address phone offline_access write:orders";
    let answer = token(&tenant, &form.with("scope", wanted)).await;
    assert_eq!(answer.text("scope"), "offline_access write:orders");
    assert_eq!(answer.json().get("id_token"), None);
    let bearer = format!("Bearer {}", answer.text("access_token"));
    assert_eq!(user_info(&tenant, &bearer).await.status, 403);
    for name in ["audience", "resource"] {
        let (audience, scope) = refreshed(Some("write:orders"), name).await;
        assert_eq!((audience, scope.as_str()), (json!(OTHER_API), "write:orders"), "{name}");
    }
}

#[tokio::test]
async fn an_api_allows_refresh_tokens_or_not() {
    let spa = Client::public("spa").callback(crate::kit::CALLBACK).multi_resource_refresh_tokens();
    let tenant = acme()
        .api(Api::new("https://off.test"))
        .api(Api::new("https://on.test").allow_offline_access())
        .start()
        .await
        .unwrap();
    tenant.add_client(spa).unwrap();
    let login = |audience: Option<&'static str>| {
        let login = Parameters::of_login().with("audience", audience);
        login.with("scope", "openid offline_access")
    };
    for (audience, scope) in [
        (Some("https://off.test"), "openid"),
        (Some("https://on.test"), "openid offline_access"),
        // The API of `--audience`, and none: `/userinfo` only.
        (Some(API), "openid offline_access"),
        (None, "openid offline_access"),
    ] {
        let answer = log_in(&tenant, &login(audience)).await;
        assert_eq!((answer.status, &*answer.text("scope")), (200, scope), "{audience:?}");
        let has_one = answer.json().get("refresh_token").is_some();
        assert_eq!(has_one, scope.contains("offline_access"), "{audience:?}");
    }
    // The refresh token of another API stays in use for it.
    let one = log_in(&tenant, &login(Some("https://on.test"))).await.text("refresh_token");
    let form = Parameters::of_refresh(&one).with("audience", "https://off.test");
    let answer = token(&tenant, &form).await;
    assert_eq!(claims(&tenant, &answer.text("access_token"))["aud"][0], "https://off.test");
    assert_eq!(answer.text("scope"), "openid");
    let form = Parameters::of_refresh(&answer.text("refresh_token"));
    assert_eq!(token(&tenant, &form).await.text("scope"), "openid offline_access");
}

#[tokio::test]
async fn at_most_a_hundred_scopes() {
    let spa = Client::public("spa").callback(crate::kit::CALLBACK).multi_resource_refresh_tokens();
    let tenant = acme().start().await.unwrap();
    tenant.add_client(spa).unwrap();
    let scopes = |count: usize| -> String { (0..count).map(|n| format!("{n} ")).collect() };
    let one = first(&tenant).await;
    let form =
        |scope: &str| Parameters::of_refresh(&one).with("audience", OTHER_API).and("scope", scope);
    for scope in [scopes(101), "a\"b".to_owned()] {
        let answer = token(&tenant, &form(&scope)).await;
        assert_eq!((answer.status, answer.text("error")), (400, "invalid_scope".into()));
    }
    let answer = token(&tenant, &form(&scopes(100))).await;
    assert_eq!(answer.text("scope"), scopes(100).trim_end());
}
