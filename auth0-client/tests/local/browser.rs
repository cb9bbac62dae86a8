//! A browser without pages, which logs users in.
use crate::kit::{API, CALLBACK};
use auth0_client::{Client, Tokens};
use auth0_local::LocalTenant;
use reqwest::redirect::Policy;
use std::{collections::BTreeMap, sync::LazyLock};
use url::Url;

/// The example of RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Each test has its own runtime, so connections are not kept.
pub(crate) static HTTP: LazyLock<reqwest::Client> = LazyLock::new(|| {
    let builder = reqwest::Client::builder().redirect(Policy::none()).no_proxy();
    builder.pool_max_idle_per_host(0).build().unwrap()
});

/// Opens a URL of the tenant, and returns the parameters of the redirect to the application.
pub(crate) async fn open(url: &str) -> BTreeMap<String, String> {
    let answer = HTTP.get(url).send().await.unwrap();
    assert_eq!(answer.status(), 302, "{url}: {:?}", answer.text().await);
    let location = answer.headers()["location"].to_str().unwrap();
    assert!(location.starts_with(CALLBACK), "{location}");
    Url::parse(location).unwrap().query_pairs().into_owned().collect()
}

/// Returns the URL of a login.
pub(crate) fn login(tenant: &LocalTenant, client: &str, user: &str, scope: &str) -> String {
    let parameters = [
        ("response_type", "code"),
        ("client_id", client),
        ("redirect_uri", CALLBACK),
        ("audience", API),
        ("scope", scope),
        ("login_hint", user),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let url = format!("{}authorize", tenant.issuer());
    Url::parse_with_params(&url, parameters).unwrap().into()
}

/// Exchanges the code of a login.
pub(crate) async fn exchange(client: &Client, code: &str) -> Tokens {
    let request = client
        .grant("authorization_code")
        .parameter("code", code)
        .parameter("redirect_uri", CALLBACK)
        .parameter("code_verifier", VERIFIER);
    request.send().await.unwrap()
}

/// Logs a user in with a client.
pub(crate) async fn log_in(
    tenant: &LocalTenant,
    client: &Client,
    user: &str,
    scope: &str,
) -> Tokens {
    let redirect = open(&login(tenant, client.client_id(), user, scope)).await;
    exchange(client, &redirect["code"]).await
}
