use crate::kit::{Answer, Parameters, client, log_in, start, url, user_info};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn the_claims_of_the_scopes() {
    let tenant = start().await;
    let login = |scope| Parameters::of_login().with("scope", scope);
    let all = json!({
        "sub": "auth0|ann", "name": "Ann", "nickname": "ann", "email": "ann@acme.com", "email_verified": true,
    });
    for (parameters, expected) in [
        (login("openid profile email"), all.clone()),
        (login("openid profile email").with("audience", None), all),
        (
            login("openid email"),
            json!({ "sub": "auth0|ann", "email": "ann@acme.com", "email_verified": true }),
        ),
        (login("openid"), json!({ "sub": "auth0|ann" })),
    ] {
        let token = log_in(&tenant, &parameters).await.text("access_token");
        let answer = user_info(&tenant, &format!("Bearer {token}")).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
        assert_eq!(answer.json(), expected, "{parameters:?}");
        let post = client().post(url(&tenant, "userinfo")).bearer_auth(token);
        assert_eq!(Answer::of(post.send().await.unwrap()).await.json(), expected);
    }
}

#[tokio::test]
async fn refusals() {
    let tenant = start().await;
    let login = log_in(&tenant, &Parameters::of_login()).await;
    let access = login.text("access_token");
    for authorization in [
        "".to_owned(),
        "Bearer".to_owned(),
        "Bearer other".to_owned(),
        format!("DPoP {access}"),
        format!("Basic {access}"),
        access.clone(),
        format!("Bearer {}", login.text("id_token")),
        format!("Bearer {}", login.text("refresh_token")),
        format!("Bearer {}", tenant.token().mint()),
    ] {
        let answer = user_info(&tenant, &authorization).await;
        assert_eq!((answer.status, answer.text("error")), (401, "invalid_token".into()));
        assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"");
    }
    let without = client().get(url(&tenant, "userinfo")).send().await.unwrap();
    assert_eq!(without.status(), 401);

    let other = log_in(&tenant, &Parameters::of_login().with("scope", "read:messages")).await;
    let answer = user_info(&tenant, &format!("Bearer {}", other.text("access_token"))).await;
    assert_eq!((answer.status, answer.text("error")), (403, "insufficient_scope".into()));

    assert_eq!(user_info(&tenant, &format!("bearer {access}")).await.status, 200);
    tenant.tenant().clock().advance(Duration::from_secs(86_400));
    assert_eq!(user_info(&tenant, &format!("Bearer {access}")).await.status, 401, "expired");
}
