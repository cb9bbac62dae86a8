use crate::kit::{API, Answer, Parameters, acme, client, log_in, token, token_with_proof, url};
use auth0_core::Algorithm;
use auth0_local::{Builder, Client, ConnectedAccount, LocalTenant, User};
use auth0_testing::SigningKey;
use serde_json::{Value, json};
use std::{collections::HashSet, time::Duration};

pub(crate) const GRANT: &str =
    "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token";
pub(crate) const OF_CONNECTION: &str =
    "http://auth0.com/oauth/token-type/federated-connection-access-token";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const REFRESH: &str = "urn:ietf:params:oauth:token-type:refresh_token";

/// Ann has two accounts of Google, Bob has one.
pub(crate) fn builder() -> Builder {
    let google = |hint: &str| ConnectedAccount::new("google-oauth2", hint);
    acme()
        .user(
            User::new("auth0|cleo")
                .account(google("work@cleo.test").scopes(["calendar", "mail"]))
                .account(google("home@cleo.test").expires_in(Duration::from_secs(1377)))
                .account(ConnectedAccount::new("slack", "cleo")),
        )
        .user(User::new("auth0|dan").account(google("dan@dan.test")))
        .client(Client::confidential("api", "s3cret").resource_server(API))
}

fn by_access(tenant: &LocalTenant, user: &str) -> Parameters {
    let subject = tenant.token().client("spa").subject(user).mint();
    exchange(&subject, ACCESS).with("client_id", "api")
}

fn exchange(subject: &str, kind: &'static str) -> Parameters {
    Parameters::new(&[
        ("grant_type", GRANT),
        ("client_id", "web"),
        ("client_secret", "s3cret"),
        ("subject_token_type", kind),
        ("requested_token_type", OF_CONNECTION),
        ("connection", "google-oauth2"),
    ])
    .and("subject_token", subject)
}

/// Returns whose token an answer has.
fn owner(tenant: &LocalTenant, answer: &Answer) -> (String, String, String) {
    assert_eq!(answer.status, 200, "{answer:?}");
    let account = tenant.vault_account_of(&answer.text("access_token")).unwrap();
    (account.user, account.connection, account.login_hint)
}

fn of(user: &str, connection: &str, hint: &str) -> (String, String, String) {
    (user.into(), connection.into(), hint.into())
}

#[tokio::test]
async fn the_token_of_an_account_by_access_token() {
    let tenant = builder().start().await.unwrap();
    let cleo = || by_access(&tenant, "auth0|cleo");
    let answer = token(&tenant, &cleo()).await;
    let json = answer.json();
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{answer:?}");
    assert_eq!(json["issued_token_type"], OF_CONNECTION);
    assert_eq!((&json["token_type"], &json["expires_in"]), (&json!("Bearer"), &json!(3600)));
    assert_eq!(json["scope"], "calendar mail");
    let mut seen = HashSet::from([answer.text("access_token")]);
    for (form, expected) in [
        (cleo(), of("auth0|cleo", "google-oauth2", "work@cleo.test")),
        (
            cleo().with("login_hint", "home@cleo.test"),
            of("auth0|cleo", "google-oauth2", "home@cleo.test"),
        ),
        (by_access(&tenant, "auth0|dan"), of("auth0|dan", "google-oauth2", "dan@dan.test")),
        (
            cleo().with("login_hint", "WORK@cleo.test"),
            of("auth0|cleo", "google-oauth2", "work@cleo.test"),
        ),
        (cleo().with("connection", "slack"), of("auth0|cleo", "slack", "cleo")),
        (cleo(), of("auth0|cleo", "google-oauth2", "work@cleo.test")),
    ] {
        let answer = token(&tenant, &form).await;
        assert_eq!(owner(&tenant, &answer), expected, "{form:?}");
        assert!(seen.insert(answer.text("access_token")), "each call has its own token");
    }
}

#[tokio::test]
async fn the_token_of_an_account_by_refresh_token() {
    let web = Client::confidential("web", "s3cret").callback(crate::kit::CALLBACK);
    let tenant = builder().without_refresh_token_rotation().start().await.unwrap();
    tenant.add_client(web).unwrap();
    let login = async |user: &'static str| {
        let login = Parameters::of_login().with("login_hint", user).with("client_id", "web");
        let code = crate::kit::code(&tenant, &login).await;
        let form =
            Parameters::of_code(&code).with("client_id", "web").with("client_secret", "s3cret");
        token(&tenant, &form).await.text("refresh_token")
    };
    let (cleo, dan) = (login("auth0|cleo").await, login("auth0|dan").await);
    for _ in 0..2 {
        for (subject, expected) in [
            (&cleo, of("auth0|cleo", "google-oauth2", "work@cleo.test")),
            (&dan, of("auth0|dan", "google-oauth2", "dan@dan.test")),
        ] {
            let answer = token(&tenant, &exchange(subject, REFRESH)).await;
            assert_eq!(owner(&tenant, &answer), expected);
        }
    }
    for (form, status, error) in [
        (exchange(&cleo, REFRESH).with("client_id", "api"), 403, "invalid_grant"),
        (exchange("other", REFRESH), 403, "invalid_grant"),
        (exchange(&cleo, ACCESS), 403, "unauthorized_client"),
        (exchange(&cleo, ACCESS).with("client_id", "api"), 401, "invalid_grant"),
    ] {
        let answer = token(&tenant, &form).await;
        assert_eq!((answer.status, answer.text("error")), (status, error.into()), "{form:?}");
    }
    // The refresh token is still good.
    let refresh =
        Parameters::of_refresh(&cleo).with("client_id", "web").with("client_secret", "s3cret");
    assert_eq!(token(&tenant, &refresh).await.status, 200);
}

#[tokio::test]
async fn a_rotating_refresh_token_is_refused() {
    let tenant = builder().start().await.unwrap();
    let refresh = log_in(&tenant, &Parameters::of_login()).await.text("refresh_token");
    let answer = token(&tenant, &exchange(&refresh, REFRESH)).await;
    assert_eq!((answer.status, answer.text("error")), (400, "invalid_request".into()));
    assert!(answer.text("error_description").contains("--no-rotation"), "{}", answer.body);
}

#[tokio::test]
async fn exchanges_that_are_wrong_in_one_way() {
    let tenant = builder()
        .client(Client::public("public").grant_types([GRANT]))
        .client(Client::confidential("once", "s3cret").grant_types(["authorization_code"]))
        .start()
        .await
        .unwrap();
    let good = || by_access(&tenant, "auth0|cleo");
    let missing = "federated_connection_refresh_token_not_found";
    for (form, status, error) in [
        (good().with("audience", API), 400, "invalid_request"),
        (good().with("scope", "calendar"), 400, "invalid_request"),
        (good().with("resource", API), 400, "invalid_request"),
        (good().with("connection", None), 400, "invalid_request"),
        (good().with("subject_token", None), 400, "invalid_request"),
        (good().with("subject_token_type", None), 400, "invalid_request"),
        (good().with("subject_token_type", "urn:acme:x"), 400, "invalid_request"),
        (good().with("requested_token_type", None), 400, "invalid_request"),
        (good().with("requested_token_type", ACCESS), 400, "invalid_request"),
        (good().with("client_id", "public"), 403, "unauthorized_client"),
        (good().with("client_id", "once"), 403, "unauthorized_client"),
        (good().with("client_id", "web"), 403, "unauthorized_client"),
        (good().with("client_secret", "other"), 401, "access_denied"),
        (good().with("connection", "github"), 401, missing),
        (good().with("login_hint", "dan@dan.test"), 401, missing),
        (good().with("login_hint", "work"), 401, missing),
        (by_access(&tenant, "auth0|ann"), 401, missing),
        (by_access(&tenant, "auth0|gone"), 401, "invalid_grant"),
        (by_access(&tenant, "auth0|cleo").with("subject_token", "x"), 401, "invalid_grant"),
    ] {
        let answer = token(&tenant, &form).await;
        assert_eq!(
            (answer.status, answer.text("error")),
            (status, error.into()),
            "{form:?} {answer:?}"
        );
    }
}

#[tokio::test]
async fn a_bound_refresh_token_needs_its_key() {
    let tenant = builder().without_refresh_token_rotation().start().await.unwrap();
    let native = Client::confidential("bound", "s3cret").callback(crate::kit::CALLBACK);
    tenant.add_client(native).unwrap();
    let keys = [(); 2].map(|()| SigningKey::generate(Algorithm::ES256).unwrap());
    // A public client's refresh token is bound; the client authenticates from now on.
    tenant.add_client(Client::public("bound").callback(crate::kit::CALLBACK)).unwrap();
    let login = Parameters::of_login().with("client_id", "bound").with("login_hint", "auth0|cleo");
    let form =
        Parameters::of_code(&crate::kit::code(&tenant, &login).await).with("client_id", "bound");
    let refresh = token_with_proof(&tenant, &form, &keys[0]).await.text("refresh_token");
    tenant.add_client(Client::confidential("bound", "s3cret")).unwrap();
    let form = exchange(&refresh, REFRESH).with("client_id", "bound");
    assert_eq!(token(&tenant, &form).await.text("error"), "invalid_grant");
    assert_eq!(token_with_proof(&tenant, &form, &keys[1]).await.text("error"), "invalid_grant");
    let answer = token_with_proof(&tenant, &form, &keys[0]).await;
    assert_eq!((answer.status, answer.text("token_type")), (200, "Bearer".into()));
}

async fn local(tenant: &LocalTenant, method: &str, path: &str, body: &Value) -> Answer {
    let request =
        client().request(method.parse().unwrap(), url(tenant, path)).body(body.to_string());
    Answer::of(request.header("content-type", "application/json").send().await.unwrap()).await
}

#[tokio::test]
async fn accounts_come_and_go() {
    let tenant = builder().start().await.unwrap();
    let ann = || by_access(&tenant, "auth0|ann");
    assert_eq!(token(&tenant, &ann()).await.status, 401);
    tenant.connect_account("auth0|ann", ConnectedAccount::new("google-oauth2", "ann")).unwrap();
    let first = token(&tenant, &ann()).await;
    assert_eq!(owner(&tenant, &first), of("auth0|ann", "google-oauth2", "ann"));
    assert_eq!(tenant.disconnect_account("auth0|ann", "google-oauth2", None).unwrap(), 1);
    assert_eq!(token(&tenant, &ann()).await.status, 401);
    assert_eq!(tenant.disconnect_account("auth0|ann", "google-oauth2", None).unwrap(), 0);
    tenant.disconnect_account("auth0|gone", "google-oauth2", None).unwrap_err();
    tenant.connect_account("auth0|gone", ConnectedAccount::new("a", "b")).unwrap_err();
    tenant.connect_account("auth0|ann", ConnectedAccount::new("", "b")).unwrap_err();

    // Over HTTP.
    let account =
        json!({ "connection": "google-oauth2", "login_hint": "ann@work.test", "scopes": ["mail"] });
    let connected = json!({ "user": "auth0|ann", "account": account });
    assert_eq!(local(&tenant, "POST", "__local/accounts", &connected).await.status, 200);
    let issued = token(&tenant, &ann()).await;
    let presented = json!({ "token": issued.text("access_token") });
    let account = local(&tenant, "POST", "__local/vault", &presented).await;
    let expected = json!({
        "user": "auth0|ann", "connection": "google-oauth2", "login_hint": "ann@work.test", "scope": "mail",
    });
    assert_eq!((account.status, account.json()), (200, expected));
    let gone = json!({ "user": "auth0|ann", "connection": "google-oauth2", "login_hint": "ann@work.test" });
    let answer = local(&tenant, "DELETE", "__local/accounts", &gone).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "removed": 1 })));
    assert_eq!(token(&tenant, &ann()).await.status, 401);
    for (method, path, body, status) in [
        ("POST", "__local/accounts", json!({}), 400),
        (
            "POST",
            "__local/accounts",
            json!({ "user": "auth0|gone", "account": { "connection": "a", "login_hint": "b" } }),
            400,
        ),
        ("DELETE", "__local/accounts", json!({ "user": "auth0|gone", "connection": "a" }), 400),
        ("POST", "__local/vault", json!({ "token": "other" }), 404),
        ("POST", "__local/vault", json!([]), 400),
    ] {
        assert_eq!(local(&tenant, method, path, &body).await.status, status, "{path} {body}");
    }
    // A token outlives the connection, and ends on the clock of the tenant.
    assert!(tenant.vault_account_of(&first.text("access_token")).is_some());
    tenant.tenant().clock().advance(Duration::from_secs(3600));
    assert_eq!(tenant.vault_account_of(&first.text("access_token")), None);
}

#[tokio::test]
async fn the_only_user_of_an_empty_tenant_connects_too() {
    let tenant = LocalTenant::builder()
        .client(Client::confidential("api", "s3cret").resource_server(API))
        .start()
        .await
        .unwrap();
    let user = "auth0|65f1c0ffee";
    tenant.connect_account(user, ConnectedAccount::new("google-oauth2", "a")).unwrap();
    let answer = token(&tenant, &by_access(&tenant, user)).await;
    assert_eq!(owner(&tenant, &answer), of(user, "google-oauth2", "a"));
    tenant.answer_logins_as(user).unwrap();
}
