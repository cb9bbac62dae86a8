//! Logins by a code or a link in a message, and by a password.
use crate::kit::{
    API, Answer, Browser, CALLBACK, CHALLENGE, Parameters, acme, claims, client, token,
    token_with_proof, url,
};
use auth0_local::{Channel, Client, LocalTenant, User};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;

const GRANT: &str = "http://auth0.com/oauth/grant-type/passwordless/otp";
const PASSWORD_REALM: &str = "http://auth0.com/oauth/grant-type/password-realm";
const NUMBER: &str = "+15550100";

async fn start() -> LocalTenant {
    let grants = [GRANT, "authorization_code", "refresh_token", "password", PASSWORD_REALM];
    let shop = || Client::confidential("shop", "s3cret").grant_types(grants).callback(CALLBACK);
    let cat = User::new("auth0|cat").email("cat@acme.com").phone_number(NUMBER).password("pa55");
    acme()
        .user(cat)
        .client(shop())
        .client(Client::public("app").grant_types([GRANT]))
        .start()
        .await
        .unwrap()
}

fn of_start() -> Value {
    json!({
        "client_id": "shop", "client_secret": "s3cret", "connection": "email", "send": "code",
        "email": "cat@acme.com",
    })
}

async fn begin(tenant: &LocalTenant, body: &Value) -> Answer {
    let request = client().post(url(tenant, "passwordless/start")).body(body.to_string());
    let request = request.header("content-type", "application/json");
    Answer::of(request.send().await.unwrap()).await
}

/// Starts a login and returns the code of the message.
async fn code_for(tenant: &LocalTenant, email: &str) -> String {
    let mut body = of_start();
    body["email"] = email.into();
    let answer = begin(tenant, &body).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{answer:?}");
    tenant.last_message_to(email).unwrap().code
}

fn of_code(email: &str, code: &str) -> Parameters {
    Parameters::new(&[
        ("grant_type", GRANT),
        ("client_id", "shop"),
        ("client_secret", "s3cret"),
        ("username", email),
        ("otp", code),
        ("realm", "email"),
        ("scope", "openid email phone offline_access"),
        ("audience", API),
    ])
}

fn outcome(answer: &Answer) -> (u16, String) {
    (answer.status, answer.text("error"))
}

#[tokio::test]
async fn a_code_by_mail_and_by_text_message() {
    let tenant = start().await;
    let code = code_for(&tenant, "Cat@acme.com").await;
    let message = tenant.last_message_to("cat@acme.com").unwrap();
    assert_eq!(
        (message.channel, &*message.client_id, message.link.is_none()),
        (Channel::Email, "shop", true)
    );
    assert!(code.len() == 6 && !format!("{message:?}").contains(&code), "{message:?}");
    let issued = token(&tenant, &of_code("CAT@acme.com", &code)).await;
    assert_eq!(issued.status, 200, "{issued:?}");
    assert_eq!(claims(&tenant, &issued.text("access_token"))["sub"], "auth0|cat");
    let id = claims(&tenant, &issued.text("id_token"));
    assert_eq!((&id["email"], &id["phone_number"]), (&json!("cat@acme.com"), &json!(NUMBER)));
    assert!(!issued.text("refresh_token").is_empty());
    let again = token(&tenant, &of_code("cat@acme.com", &code)).await;
    assert_eq!(outcome(&again), (403, "invalid_grant".into()), "once");

    let body = json!({
        "client_id": "app", "connection": "sms", "phone_number": NUMBER,
    });
    let answer = begin(&tenant, &body).await;
    assert_eq!((answer.status, answer.json()["phone_number"].as_str()), (200, Some(NUMBER)));
    let message = tenant.last_message_to(NUMBER).unwrap();
    assert_eq!(message.channel, Channel::Sms);
    let form = of_code("+15550100", &message.code).with("realm", "sms").with("client_id", "app");
    let key = tenant.tenant().client_key();
    let issued = token_with_proof(&tenant, &form.with("client_secret", None), &key).await;
    assert_eq!((issued.status, &*issued.text("token_type")), (200, "DPoP"), "{issued:?}");
    assert_eq!(claims(&tenant, &issued.text("access_token"))["sub"], "auth0|cat");
}

#[tokio::test]
async fn an_unknown_address_makes_a_user() {
    let tenant = start().await;
    let mut subjects = Vec::new();
    for _ in 0..2 {
        let code = code_for(&tenant, "new@acme.com").await;
        let issued = token(&tenant, &of_code("new@acme.com", &code)).await;
        let id = claims(&tenant, &issued.text("id_token"));
        assert_eq!(id["email"], "new@acme.com");
        subjects.push(id["sub"].as_str().unwrap().to_owned());
        let refresh = Parameters::of_refresh(&issued.text("refresh_token"));
        let refresh = refresh.with("client_id", "shop").with("client_secret", "s3cret");
        assert_eq!(token(&tenant, &refresh).await.status, 200);
    }
    assert!(subjects[0].starts_with("email|") && subjects[0] == subjects[1], "{subjects:?}");
    // Without users, the tenant's own one has an address.
    let grants = [GRANT];
    let shop = Client::confidential("shop", "s3cret").grant_types(grants);
    let empty = LocalTenant::builder().client(shop).start().await.unwrap();
    let code = code_for(&empty, "ann@example.com").await;
    let issued = token(&empty, &of_code("ann@example.com", &code)).await;
    assert_eq!(claims(&empty, &issued.text("access_token"))["sub"], "auth0|65f1c0ffee");
}

#[tokio::test]
async fn starts_that_are_wrong_in_one_way() {
    let tenant = start().await;
    let changed = |name: &str, value: Value| {
        let mut body = of_start();
        body[name] = value;
        body
    };
    for (body, status, error) in [
        (changed("client_id", Value::Null), 401, "invalid_client"),
        (changed("client_id", "web".into()), 403, "unauthorized_client"),
        (changed("client_secret", Value::Null), 401, "access_denied"),
        (changed("client_secret", "other".into()), 401, "access_denied"),
        (changed("connection", Value::Null), 400, "bad.connection"),
        (changed("connection", "google".into()), 400, "bad.connection"),
        (changed("connection", "sms".into()), 400, "bad.phone_number"),
        (changed("email", Value::Null), 400, "bad.email"),
        (changed("email", "cat".into()), 400, "bad.email"),
        (changed("email", "@acme.com".into()), 400, "bad.email"),
        (changed("email", "a b@acme.com".into()), 400, "bad.email"),
        (changed("email", format!("{}@acme.com", "a".repeat(300)).into()), 400, "bad.email"),
        (changed("email", json!(["a@acme.com"])), 400, "invalid_request"),
        (changed("send", "fax".into()), 400, "bad.send"),
        (changed("authParams", "a=b".into()), 400, "invalid_request"),
        (json!([]), 400, "invalid_request"),
    ] {
        let answer = begin(&tenant, &body).await;
        assert_eq!(outcome(&answer), (status, error.into()), "{body}: {}", answer.body);
    }
    for number in ["15550100", "+0555010000", "+1", "+1555010a", "+1234567890123456"] {
        let body = json!({ "client_id": "app", "connection": "sms", "phone_number": number });
        assert_eq!(outcome(&begin(&tenant, &body).await), (400, "bad.phone_number".into()));
    }
    let body =
        json!({ "client_id": "app", "connection": "sms", "phone_number": NUMBER, "send": "link" });
    assert_eq!(outcome(&begin(&tenant, &body).await), (400, "bad.send".into()));
    assert!(tenant.messages().is_empty());
}

#[tokio::test]
async fn codes_that_are_wrong_in_one_way() {
    let tenant = start().await;
    let code = code_for(&tenant, "cat@acme.com").await;
    let good = || of_code("cat@acme.com", &code);
    for (form, status, error) in [
        (good().with("username", None), 400, "invalid_request"),
        (good().with("username", "cat"), 400, "invalid_request"),
        (good().with("otp", None), 400, "invalid_request"),
        (good().with("realm", None), 400, "invalid_request"),
        (good().with("realm", "google"), 400, "invalid_request"),
        (good().with("scope", "a\"b"), 400, "invalid_scope"),
        (good().with("client_secret", None), 401, "access_denied"),
        (good().with("client_id", "web"), 403, "unauthorized_client"),
        (good().with("client_id", "app").with("client_secret", None), 403, "invalid_grant"),
        (good().with("username", "ann@acme.com"), 403, "invalid_grant"),
        (good().with("otp", "x"), 403, "invalid_grant"),
    ] {
        assert_eq!(outcome(&token(&tenant, &form).await), (status, error.into()), "{form:?}");
    }
    assert_eq!(token(&tenant, &good()).await.status, 200, "none of these used the code");

    let code = code_for(&tenant, "cat@acme.com").await;
    for _ in 0..3 {
        let wrong = token(&tenant, &of_code("cat@acme.com", "x")).await;
        assert!(wrong.body.contains("Wrong email"), "{}", wrong.body);
    }
    let right = token(&tenant, &of_code("cat@acme.com", &code)).await;
    assert!(right.status == 403 && right.body.contains("maximum number"), "{}", right.body);
    let first = code_for(&tenant, "cat@acme.com").await;
    let second = code_for(&tenant, "cat@acme.com").await;
    if first != second {
        assert_eq!(token(&tenant, &of_code("cat@acme.com", &first)).await.status, 403, "replaced");
    }
    tenant.tenant().clock().advance(Duration::from_secs(180));
    assert_eq!(token(&tenant, &of_code("cat@acme.com", &second)).await.status, 403, "expired");
}

#[tokio::test]
async fn two_users_log_in_side_by_side() {
    let tenant = start().await;
    let cat = code_for(&tenant, "cat@acme.com").await;
    let ann = code_for(&tenant, "ann@acme.com").await;
    for (email, code, subject) in
        [("cat@acme.com", cat, "auth0|cat"), ("ann@acme.com", ann, "auth0|ann")]
    {
        let issued = token(&tenant, &of_code(email, &code)).await;
        assert_eq!(claims(&tenant, &issued.text("access_token"))["sub"], subject);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_code_is_used_once() {
    let tenant = Arc::new(start().await);
    for _ in 0..5 {
        let form = of_code("new@acme.com", &code_for(&tenant, "new@acme.com").await);
        let mut uses = JoinSet::new();
        for _ in 0..8 {
            let (tenant, form) = (Arc::clone(&tenant), form.clone());
            uses.spawn(async move { token(&tenant, &form).await.status });
        }
        let mut statuses = uses.join_all().await;
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 403, 403, 403, 403, 403, 403, 403]);
    }
}

#[tokio::test]
async fn a_link_logs_in_once() {
    let tenant = start().await;
    let mut body = of_start();
    body["send"] = Value::Null;
    body["authParams"] = json!({
        "response_type": "code", "redirect_uri": CALLBACK, "scope": "openid", "state": "s",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256", "client_id": "web",
    });
    assert_eq!(begin(&tenant, &body).await.status, 200);
    let link = tenant.last_message_to("cat@acme.com").unwrap().link.unwrap();
    let path = link.strip_prefix(tenant.issuer()).unwrap();
    let mut browser = Browser::default();
    let wrong = path.replace("verification_code=", "verification_code=x");
    assert_eq!(browser.get(&tenant, &wrong).await.status, 400);
    let answer = browser.get(&tenant, path).await;
    assert_eq!((answer.redirect().0.as_str(), &*answer.parameter("state")), (CALLBACK, "s"));
    assert!(browser.has_cookie());
    let form = Parameters::of_code(&answer.parameter("code"));
    let issued =
        token(&tenant, &form.with("client_id", "shop").with("client_secret", "s3cret")).await;
    assert_eq!(claims(&tenant, &issued.text("id_token"))["sub"], "auth0|cat");
    assert_eq!(browser.get(&tenant, path).await.status, 400, "once");
    body["authParams"] = json!({ "state": "s".repeat(5000) });
    assert_eq!(outcome(&begin(&tenant, &body).await), (400, "bad.authParams".into()));
    body["authParams"] = json!({ "state": 1 });
    assert_eq!(outcome(&begin(&tenant, &body).await), (400, "bad.authParams".into()));
}

#[tokio::test]
async fn messages_over_http_and_their_bound() {
    let tenant = start().await;
    code_for(&tenant, "cat@acme.com").await;
    let at = url(&tenant, "__local/messages");
    let listed = Answer::of(client().get(&at).send().await.unwrap()).await;
    let message = &listed.json()["messages"][0];
    assert_eq!((&message["to"], &message["channel"]), (&json!("cat@acme.com"), &json!("email")));
    assert_eq!(message["code"].as_str().unwrap().len(), 6);
    let foreign = client().get(&at).header("origin", "https://evil.test");
    assert_eq!(foreign.send().await.unwrap().status(), 403);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    for _ in 0..1_000 {
        let mut body = of_start();
        body["email"] = "ann@acme.com".into();
        let request = client.post(url(&tenant, "passwordless/start")).body(body.to_string());
        let request = request.header("content-type", "application/json");
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    assert_eq!(tenant.messages().len(), 1_000);
    assert!(tenant.last_message_to("cat@acme.com").is_none());
}

#[tokio::test]
async fn a_password() {
    let tenant = start().await;
    let good = || {
        let form = of_code("cat@acme.com", "").with("otp", None).with("realm", None);
        form.with("grant_type", "password").with("password", "pa55")
    };
    for (form, status, error) in [
        (good().with("username", None), 400, "invalid_request"),
        (good().with("password", None), 400, "invalid_request"),
        (good().with("grant_type", PASSWORD_REALM), 400, "invalid_request"),
        (good().with("password", "other"), 403, "invalid_grant"),
        (good().with("username", "zoe@acme.com"), 403, "invalid_grant"),
        (good().with("username", "ann@acme.com"), 403, "invalid_grant"),
        (good().with("client_id", "web"), 403, "unauthorized_client"),
        (good().with("client_secret", "other"), 401, "access_denied"),
    ] {
        assert_eq!(outcome(&token(&tenant, &form).await), (status, error.into()), "{form:?}");
    }
    for form in [good(), good().with("grant_type", PASSWORD_REALM).with("realm", "users")] {
        let issued = token(&tenant, &form).await;
        assert_eq!(claims(&tenant, &issued.text("id_token"))["sub"], "auth0|cat");
    }
    assert!(!format!("{:?}", User::new("a").password("pa55")).contains("pa55"));
}
