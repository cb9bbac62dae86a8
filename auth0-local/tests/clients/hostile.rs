//! Values that no client should send: each is refused, and the tenant answers the next request.
use crate::{
    kit::{API, Parameters, acme, client, token, url},
    signed::{Jwt, KEYS, TYPE},
};
use auth0_local::{Client, ClientKey, ConnectedAccount, TokenExchangeProfile, User};
use serde_json::Value;

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

#[tokio::test]
async fn no_value_breaks_a_grant() {
    let tenant = acme()
        .user(User::new("auth0|cleo").account(ConnectedAccount::new("google-oauth2", "cleo")))
        .client(Client::confidential("api", "s3cret").resource_server(API))
        .client(Client::with_key("worker", ClientKey::jwk(&KEYS[0].jwk())))
        .token_exchange_profile(
            TokenExchangeProfile::new("urn:acme:a").subject_token("a", "auth0|ann"),
        )
        .start()
        .await
        .unwrap();
    let access = "urn:ietf:params:oauth:token-type:access_token";
    let of_connection = "http://auth0.com/oauth/token-type/federated-connection-access-token";
    let subject = tenant.token().client("spa").subject("auth0|cleo").mint();
    let api = |grant: &str| {
        Parameters::new(&[("client_id", "api"), ("client_secret", "s3cret")])
            .and("grant_type", grant)
    };
    let on_behalf = || {
        api(EXCHANGE)
            .and("subject_token", &subject)
            .with("subject_token_type", access)
            .with("requested_token_type", access)
            .with("audience", "https://down.test")
    };
    let custom =
        || api(EXCHANGE).with("subject_token_type", "urn:acme:a").with("subject_token", "a");
    let vault = || {
        api("urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token")
            .and("subject_token", &subject)
            .with("subject_token_type", access)
            .with("requested_token_type", of_connection)
            .with("connection", "google-oauth2")
    };
    let signed = || {
        Parameters::new(&[("grant_type", "client_credentials"), ("audience", API)])
            .with("client_assertion_type", TYPE)
            .and("client_assertion", &Jwt::assertion(&tenant, "worker").signed(&tenant))
    };
    let large: &'static str = "[".repeat(20_000).leak();
    let nested: &'static str = format!("{}.e30.AAAA", "W1tb".repeat(5000)).leak();
    let values =
        ["\u{0}", "é", " ", "%00", "{}", "null", "-1", "a.b.c", "..", "e30.e30.", large, nested];
    let requests: [(&dyn Fn() -> Parameters, &[&str]); 4] = [
        (
            &on_behalf,
            &[
                "subject_token",
                "subject_token_type",
                "requested_token_type",
                "client_id",
                "client_secret",
            ],
        ),
        (
            &custom,
            &["subject_token", "subject_token_type", "actor_token", "organization", "client_id"],
        ),
        (&vault, &["subject_token", "subject_token_type", "connection", "login_hint", "scope"]),
        (&signed, &["client_assertion", "client_assertion_type", "client_id", "client_secret"]),
    ];
    for (good, names) in requests {
        assert_eq!(token(&tenant, &good()).await.status, 200, "{:?}", good());
        for name in names {
            for value in values {
                let answer = token(&tenant, &good().with(name, value)).await;
                assert!((400..500).contains(&answer.status), "{name}={value}: {answer:?}");
                assert_ne!(answer.text("error"), "", "{name}={value}");
            }
        }
        assert_eq!(token(&tenant, &good()).await.status, 200, "{:?}", good());
    }
}

#[tokio::test]
async fn no_number_breaks_the_pages_of_accounts() {
    let account = |hint| ConnectedAccount::new("google-oauth2", hint);
    let cleo = User::new("auth0|cleo").account(account("one")).account(account("two"));
    let tenant = acme().user(cleo).start().await.unwrap();
    let api = format!("{}me/", tenant.issuer());
    let scope = "read:me:connected_accounts";
    let token = tenant.token().subject("auth0|cleo").audience(&api).scope(scope).mint();
    for (query, status, count, next) in [
        ("", 200, 2, None),
        ("?take=1", 200, 1, Some("1")),
        ("?from=1&take=1", 200, 1, None),
        ("?from=2", 200, 0, None),
        ("?from=18446744073709551615", 200, 0, None),
        ("?from=18446744073709551615&take=18446744073709551615", 200, 0, None),
        ("?from=18446744073709551616", 400, 0, None),
        ("?from=-1", 400, 0, None),
        ("?take=x", 400, 0, None),
    ] {
        let path = format!("me/v1/connected-accounts/accounts{query}");
        let answer = client().get(url(&tenant, &path)).bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.status(), status, "{query}");
        let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(body["accounts"].as_array().map_or(0, Vec::len), count, "{query}: {body}");
        assert_eq!(body["next"].as_str(), next, "{query}: {body}");
    }
}
