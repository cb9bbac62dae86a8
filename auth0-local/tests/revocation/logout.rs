use crate::{
    kit::{Browser, HOME, Parameters, acme, claims, client, log_in, start, token, url, user_info},
    receiver::Receiver,
};
use auth0_local::{Client, LocalTenant};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// A tenant whose two applications receive logout tokens: one of them at two URLs.
async fn tenant(receiver: &Receiver) -> LocalTenant {
    let tenant = start().await;
    let spa = Client::public("spa").callback(crate::kit::CALLBACK).logout_url(HOME);
    let web = Client::confidential("web", "s3cret").callback(crate::kit::CALLBACK);
    let spa = spa.backchannel_logout_url(receiver.url("/spa"));
    let web = web
        .backchannel_logout_url(receiver.url("/web/1"))
        .backchannel_logout_url(receiver.url("/web/2"));
    tenant.add_client(spa).unwrap();
    tenant.add_client(web).unwrap();
    tenant
}

fn header(token: &str) -> Value {
    let header = token.split('.').next().unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

/// Logs in, and returns the browser and its `sid`.
async fn browser(tenant: &LocalTenant, login: &Parameters) -> (Browser, String) {
    let mut browser = Browser::default();
    let code = browser.authorize(tenant, login).await.parameter("code");
    let answer = token(tenant, &Parameters::of_code(&code)).await;
    let id_token = claims(tenant, &answer.text("id_token"));
    (browser, id_token["sid"].as_str().unwrap().to_owned())
}

async fn has_session(tenant: &LocalTenant, browser: &mut Browser) -> bool {
    let silent = Parameters::of_login().with("prompt", "none");
    browser.authorize(tenant, &silent).await.parameter("error").is_empty()
}

#[tokio::test]
async fn a_user_is_logged_out_everywhere() {
    let mut receiver = Receiver::start().await;
    let tenant = tenant(&receiver).await;
    let login = Parameters::of_login;
    let (mut first, sid) = browser(&tenant, &login()).await;
    let (mut second, other) = browser(&tenant, &login()).await;
    let (mut bob, _) = browser(&tenant, &login().with("login_hint", "auth0|bob")).await;
    let tokens = log_in(&tenant, &login()).await;
    let third = claims(&tenant, &tokens.text("id_token"))["sid"].as_str().unwrap().to_owned();

    let deliveries = tenant.log_out("auth0|ann").await.unwrap();
    assert_eq!(deliveries.len(), 5, "three sessions of one client, and two URLs of the other");
    assert!(deliveries.iter().all(|it| it.is_accepted() && it.status == Some(204)));
    let mut sessions: Vec<(String, String)> = Vec::new();
    let mut ids = BTreeSet::new();
    for received in receiver.arrived() {
        assert_eq!(received.content_type, "application/x-www-form-urlencoded");
        let token = &received.form["logout_token"];
        assert_eq!(received.form.len(), 1);
        let kid = tenant.tenant().signing_key().id().to_owned();
        assert_eq!(header(token), json!({ "alg": "RS256", "typ": "JWT", "kid": kid }));
        let claims = claims(&tenant, token);
        let names: BTreeSet<&str> =
            claims.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = ["aud", "events", "exp", "iat", "iss", "jti", "sid", "sub", "trace_id"];
        assert_eq!(names, expected.into());
        assert_eq!(
            (&claims["iss"], &claims["sub"]),
            (&json!(tenant.issuer()), &json!("auth0|ann"))
        );
        assert_eq!(claims["events"], json!({ EVENT: {} }));
        assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 120);
        assert!(ids.insert(claims["jti"].as_str().unwrap().to_owned()), "each has its own jti");
        let client = claims["aud"].as_str().unwrap();
        assert!(received.path.starts_with(&format!("/{client}")), "{}", received.path);
        sessions.push((received.path, claims["sid"].as_str().unwrap().to_owned()));
    }
    sessions.sort();
    let of = |path: &str| -> BTreeSet<&String> {
        sessions.iter().filter(|(at, _)| at == path).map(|(_, sid)| sid).collect()
    };
    assert_eq!(of("/spa"), BTreeSet::from([&sid, &other, &third]));
    assert_eq!((of("/web/1").len(), of("/web/1")), (1, of("/web/2")), "one unknown session");
    assert!(!of("/web/1").contains(&sid));

    assert!(!has_session(&tenant, &mut first).await && !has_session(&tenant, &mut second).await);
    assert!(has_session(&tenant, &mut bob).await, "the session of another user stays");
    let refresh = Parameters::of_refresh(&tokens.text("refresh_token"));
    assert_eq!(token(&tenant, &refresh).await.text("error"), "invalid_grant");
    let bearer = format!("Bearer {}", tokens.text("access_token"));
    assert_eq!(user_info(&tenant, &bearer).await.status, 200, "the access token stays valid");

    let again = tenant.log_out("auth0|ann").await.unwrap();
    assert_eq!(again.len(), 3, "without sessions, one token for each URL");
    let missing = tenant.log_out("auth0|carl").await.unwrap_err().to_string();
    assert!(missing.contains("no user \"auth0|carl\""), "{missing}");
}

#[tokio::test]
async fn a_client_that_joins_a_session_is_logged_out_of_it() {
    let mut receiver = Receiver::start().await;
    let tenant = tenant(&receiver).await;
    let (mut browser, sid) = browser(&tenant, &Parameters::of_login()).await;
    let login = Parameters::of_login().with("client_id", "web");
    assert!(!browser.authorize(&tenant, &login).await.parameter("code").is_empty());
    tenant.log_out("auth0|ann").await.unwrap();
    for received in receiver.arrived() {
        assert_eq!(claims(&tenant, &received.form["logout_token"])["sid"], sid, "{received:?}");
    }
}

#[tokio::test]
async fn the_logout_of_a_browser_logs_its_clients_out() {
    let mut receiver = Receiver::start().await;
    let tenant = tenant(&receiver).await;
    for path in ["v2/logout", "oidc/logout", "hint"] {
        let (mut browser, sid) = browser(&tenant, &Parameters::of_login()).await;
        let answer = match path {
            "hint" => {
                let query = format!("oidc/logout?client_id=spa&logout_hint={sid}");
                Browser::default().get(&tenant, &query).await
            }
            path => browser.get(&tenant, path).await,
        };
        assert_eq!(answer.status, 200, "{path}");
        let received = receiver.next().await;
        assert_eq!(received.path, "/spa", "{path}: the other client was not in the session");
        let claims = claims(&tenant, &received.form["logout_token"]);
        assert_eq!((&claims["sid"], &claims["sub"]), (&json!(sid), &json!("auth0|ann")), "{path}");
        let again = browser.get(&tenant, "v2/logout").await;
        assert_eq!(again.status, 200, "{path}");
    }
    tenant.log_out("auth0|bob").await.unwrap();
    let rest = receiver.arrived();
    assert_eq!(rest.len(), 3, "a browser without a session logged no user out: {rest:?}");
    assert!(rest.iter().all(|it| claims(&tenant, &it.form["logout_token"])["sub"] == "auth0|bob"));
}

#[tokio::test]
async fn a_client_registers_its_url() {
    let mut receiver = Receiver::start().await;
    let tenant = acme().dynamic_registration().start().await.unwrap();
    let register = async |backchannel: &str| {
        let body = json!({
            "redirect_uris": [crate::kit::CALLBACK], "backchannel_logout_uri": backchannel,
        });
        let request = client().post(url(&tenant, "oidc/register")).body(body.to_string());
        let request = request.header("content-type", "application/json");
        crate::kit::Answer::of(request.send().await.unwrap()).await
    };
    for other in ["http://evil.test/", "https://127.0.0.1/", "http://127.0.0.1/#a", "nothing"] {
        let refused = register(other).await;
        assert_eq!((refused.status, &*refused.text("error")), (400, "invalid_client_metadata"));
        assert!(refused.body.contains("to this machine only"), "{}", refused.body);
    }
    let registered = register(&receiver.url("/registered")).await;
    assert_eq!(registered.status, 201);
    assert_eq!(registered.text("backchannel_logout_uri"), receiver.url("/registered"));
    let [delivery] = tenant.log_out("auth0|ann").await.unwrap().try_into().unwrap();
    assert_eq!(delivery.client_id, registered.text("client_id"));
    assert_eq!(receiver.next().await.path, "/registered");

    let metadata = client().get(url(&tenant, ".well-known/openid-configuration"));
    let metadata = crate::kit::Answer::of(metadata.send().await.unwrap()).await.json();
    for name in ["backchannel_logout_supported", "backchannel_logout_session_supported"] {
        assert_eq!(metadata[name], true, "{name}");
    }
}

#[tokio::test]
async fn a_url_that_cannot_receive_tokens_is_refused() {
    for bad in ["", "/logout", "com.acme.app:/logout", "ftp://a.test/", "http://a.test/#x"] {
        let client = Client::public("web").backchannel_logout_url(bad);
        let error = LocalTenant::builder().client(client).start().await.unwrap_err().to_string();
        assert!(error.contains("cannot receive logout tokens"), "{bad}: {error}");
    }
}
