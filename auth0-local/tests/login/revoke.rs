use crate::kit::{Parameters, acme, log_in, send, start, token, user_info};
use auth0_local::{Client, LocalTenant};

async fn revoke(tenant: &LocalTenant, secret: &str, client: &'static str) -> (u16, String) {
    let form = Parameters::new(&[("token", secret)]).with("client_id", client);
    let answer = send(tenant, "oauth/revoke", &form).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    (answer.status, answer.body)
}

#[tokio::test]
async fn a_refresh_token_takes_its_family_along() {
    let tenant = start().await;
    let login = log_in(&tenant, &Parameters::of_login()).await;
    let bearer = format!("Bearer {}", login.text("access_token"));
    let old = login.text("refresh_token");
    let new = token(&tenant, &Parameters::of_refresh(&old)).await.text("refresh_token");
    assert_eq!(revoke(&tenant, &old, "spa").await, (200, String::new()), "a replaced one, too");
    assert_eq!(token(&tenant, &Parameters::of_refresh(&new)).await.text("error"), "invalid_grant");
    assert_eq!(user_info(&tenant, &bearer).await.status, 401);
    assert_eq!(revoke(&tenant, &old, "spa").await, (200, String::new()), "again");
}

#[tokio::test]
async fn an_access_token_is_revoked_alone() {
    let tenant = start().await;
    let login = log_in(&tenant, &Parameters::of_login()).await;
    assert_eq!(revoke(&tenant, &login.text("access_token"), "spa").await, (200, String::new()));
    let bearer = format!("Bearer {}", login.text("access_token"));
    assert_eq!(user_info(&tenant, &bearer).await.status, 401);
    let refresh = Parameters::of_refresh(&login.text("refresh_token"));
    assert_eq!(token(&tenant, &refresh).await.status, 200);
}

#[tokio::test]
async fn refusals() {
    let tenant = acme().client(Client::public("other")).start().await.unwrap();
    let login = log_in(&tenant, &Parameters::of_login()).await;
    let secret = login.text("refresh_token");
    for (client, status, error) in [
        ("web", 401, "access_denied"),
        ("unknown", 401, "invalid_client"),
        ("other", 400, "invalid_grant"),
    ] {
        let (seen, body) = revoke(&tenant, &secret, client).await;
        assert!(seen == status && body.contains(error), "{client}: {seen} {body}");
    }
    let nothing = send(&tenant, "oauth/revoke", &Parameters::new(&[("client_id", "spa")])).await;
    assert_eq!((nothing.status, nothing.text("error")), (400, "invalid_request".into()));
    assert_eq!(revoke(&tenant, "unknown", "spa").await, (200, String::new()));
    assert_eq!(token(&tenant, &Parameters::of_refresh(&secret)).await.status, 200, "not revoked");
}
