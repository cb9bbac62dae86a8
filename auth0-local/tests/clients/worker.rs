//! The privileged worker, which gets tokens of accounts for users who are not present.
use crate::{
    kit::{Parameters, token},
    signed::{Jwt, KEYS, TYPE, now, unique},
    vault::{GRANT, OF_CONNECTION, builder},
};
use auth0_local::{Client, ClientKey, LocalTenant};
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};

const OF_VAULT: &str = "http://auth0.com/oauth/token-type/token-vault-access-token";

async fn start() -> LocalTenant {
    let worker = |id: &str| Client::with_key(id, ClientKey::jwk(&KEYS[0].jwk()));
    let secret =
        Client::confidential("secret", "s3cret").public_key(ClientKey::jwk(&KEYS[0].jwk()));
    builder()
        .client(worker("worker").privileged_access("google-oauth2", ["mail", "drive"]))
        .client(worker("plain"))
        .client(secret.privileged_access("google-oauth2", ["mail"]))
        .start()
        .await
        .unwrap()
}

fn request(tenant: &LocalTenant) -> Jwt {
    let now = now(tenant);
    Jwt::assertion(tenant, "worker")
        .claim("sub", "auth0|cleo")
        .claim("jti", unique())
        .claim("audit_context", "nightly sync")
        .claim("iat", now)
        .without("exp")
        .header("typ", "token-vault-req+jwt")
}

fn exchange(tenant: &LocalTenant, subject: &str) -> Parameters {
    let assertion = Jwt::assertion(tenant, "worker").signed(tenant);
    Parameters::new(&[
        ("grant_type", GRANT),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
        ("requested_token_type", OF_VAULT),
        ("connection", "google-oauth2"),
        ("client_assertion_type", TYPE),
    ])
    .and("client_assertion", &assertion)
    .and("subject_token", subject)
}

#[tokio::test]
async fn a_signed_request_names_the_user() {
    let tenant = start().await;
    let now = now(&tenant);
    let good = || request(&tenant);
    for jwt in [
        good(),
        good().claim("iat", now - 50).claim("nbf", now).claim("exp", now + 9999),
        good().claim("audit_context", "é".repeat(256)),
        good().claim("aud", json!([tenant.issuer()])),
    ] {
        let answer = token(&tenant, &exchange(&tenant, &jwt.signed(&tenant))).await;
        assert_eq!(
            (answer.status, answer.text("issued_token_type")),
            (200, OF_VAULT.into()),
            "{answer:?}"
        );
        assert_eq!(answer.text("scope"), "mail", "no more than the worker may have");
        let account = tenant.vault_account_of(&answer.text("access_token")).unwrap();
        assert_eq!(
            (account.user.as_str(), account.scopes.as_slice()),
            ("auth0|cleo", &["mail".to_owned()][..])
        );
    }
    let other = request(&tenant).claim("sub", "auth0|dan").signed(&tenant);
    let form = exchange(&tenant, &other).with("requested_token_type", OF_CONNECTION);
    let answer = token(&tenant, &form).await;
    assert_eq!(tenant.vault_account_of(&answer.text("access_token")).unwrap().user, "auth0|dan");
}

#[tokio::test]
async fn of_parallel_uses_one_succeeds() {
    let tenant = start().await;
    let subject = request(&tenant).signed(&tenant);
    let requests: Vec<_> = (0..6)
        .map(|_| {
            let form = exchange(&tenant, &subject).encoded();
            let request =
                crate::kit::client().post(crate::kit::url(&tenant, "oauth/token")).body(form);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            tokio::spawn(async { request.send().await.unwrap().status().as_u16() })
        })
        .collect();
    let mut answers = BTreeMap::new();
    for request in requests {
        *answers.entry(request.await.unwrap()).or_insert(0) += 1;
    }
    assert_eq!(answers, BTreeMap::from([(200, 1), (401, 5)]));
}

#[tokio::test]
async fn requests_that_are_wrong_in_one_way() {
    let tenant = start().await;
    let (now, issuer) = (now(&tenant), tenant.issuer());
    let good = || request(&tenant);
    for (jwt, sentence) in [
        (good().header("typ", "JWT"), "typ"),
        (good().header("typ", "token-vault-req+JWT"), "typ"),
        (good().header("kid", "other"), "kid"),
        (good().header("alg", "none"), "alg"),
        (good().key(&KEYS[1]), "signature"),
        (good().claim("iss", "other"), "iss"),
        (good().without("iss"), "iss"),
        (good().claim("aud", issuer.trim_end_matches('/')), "aud"),
        (good().without("aud"), "aud"),
        (good().without("iat"), "iat"),
        (good().claim("iat", now - 63), "60 seconds"),
        (good().claim("iat", now + 12), "iat"),
        (good().claim("exp", now), "expired"),
        (good().claim("nbf", now + 12), "nbf"),
        (good().without("jti"), "jti"),
        (good().claim("jti", "a".repeat(65)), "jti"),
        (good().without("audit_context"), "audit_context"),
        (good().claim("audit_context", ""), "audit_context"),
        (good().claim("audit_context", "a".repeat(257)), "audit_context"),
        (good().claim("audit_context", 1), "audit_context"),
        (good().claim("sub", "auth0|gone"), "sub"),
        (good().without("sub"), "sub"),
        (good().claim("org_id", "org_other"), "org_id"),
        (good().claim("org_id", 1), "org_id"),
        (good().claim("more", "a".repeat(2048)), "2048 bytes"),
    ] {
        let answer = token(&tenant, &exchange(&tenant, &jwt.signed(&tenant))).await;
        assert_eq!(
            (answer.status, answer.text("error")),
            (401, "invalid_grant".into()),
            "{answer:?}"
        );
        assert!(answer.text("error_description").contains(sentence), "{sentence}: {}", answer.body);
    }
    let again = good().signed(&tenant);
    assert_eq!(token(&tenant, &exchange(&tenant, &again)).await.status, 200);
    let answer = token(&tenant, &exchange(&tenant, &again)).await;
    assert!(answer.text("error_description").contains("used before"), "{}", answer.body);

    let form = || exchange(&tenant, &request(&tenant).signed(&tenant));
    let plain = Jwt::assertion(&tenant, "plain").signed(&tenant);
    let plain = form().with("client_assertion", None).and("client_assertion", &plain);
    let secret = form().with("client_assertion", None).with("client_assertion_type", None);
    let secret = secret.with("client_id", "secret").with("client_secret", "s3cret");
    for (form, status, error) in [
        (form().with("connection", "slack"), 403, "unauthorized_client"),
        (form().with("requested_token_type", None), 400, "invalid_request"),
        (form().with("login_hint", "other"), 401, "federated_connection_refresh_token_not_found"),
        (plain, 403, "unauthorized_client"),
        (secret, 403, "unauthorized_client"),
    ] {
        let answer = token(&tenant, &form).await;
        assert_eq!((answer.status, answer.text("error")), (status, error.into()), "{answer:?}");
    }
    let late = good().signed(&tenant);
    tenant.tenant().clock().advance(Duration::from_secs(63));
    let answer = token(&tenant, &exchange(&tenant, &late)).await;
    assert!(answer.text("error_description").contains("older"), "{}", answer.body);
}
