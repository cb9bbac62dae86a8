//! Logins with a code by e-mail or SMS.
use crate::kit::{API, SECOND, SECRET, acme, advance, builder, claims, client, key_pair};
use auth0_client::{Client, ErrorKind};
use auth0_local::{Client as Registered, ClientKey, Endpoint, Fault, LocalTenant};

const GRANT: &str = "http://auth0.com/oauth/grant-type/passwordless/otp";

async fn start() -> (LocalTenant, Client) {
    let tenant = acme()
        .client(Registered::confidential("shop", SECRET).grant_types([GRANT]))
        .client(Registered::public("app").grant_types([GRANT]))
        .client(
            Registered::with_key("signing", ClientKey::jwk(&key_pair(0).1)).grant_types([GRANT]),
        )
        .start()
        .await
        .unwrap();
    let shop = client(&tenant, "shop");
    (tenant, shop)
}

fn code(tenant: &LocalTenant, to: &str) -> String {
    tenant.last_message_to(to).expect("a message").code
}

#[tokio::test]
async fn a_code_logs_in_once() {
    let (tenant, shop) = start().await;
    let clients = [
        shop,
        builder(&tenant, "shop").client_secret(SECRET).basic_authentication().build().unwrap(),
        builder(&tenant, "app").public().build().unwrap(),
        builder(&tenant, "signing").signing_key(key_pair(0).0).build().unwrap(),
    ];
    for client in clients {
        let bob = client.passwordless("bob@acme.com");
        bob.send_code().send().await.unwrap();
        let code = code(&tenant, "bob@acme.com");
        let log_in = || bob.log_in(&code).audience(API).scopes(["openid", "read:messages"]).send();
        let tokens = log_in().await.unwrap();
        assert_eq!(claims(&tenant, tokens.access_token().encoded())["sub"], "auth0|bob");
        assert_eq!(claims(&tenant, tokens.id_token().unwrap())["sub"], "auth0|bob");
        let error = log_in().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidGrant, "used: {error}");
    }
}

#[tokio::test]
async fn codes_that_are_wrong_or_old() {
    let (tenant, shop) = start().await;
    let sms = shop.passwordless_sms("+4915112345678");
    sms.send_code().send().await.unwrap();
    let first = code(&tenant, "+4915112345678");
    let wrong = if first == "000000" { "000001" } else { "000000" };
    let error = sms.log_in(wrong).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidGrant, "{error}");
    let other = shop.passwordless("ann@acme.com").log_in(&first).send().await.unwrap_err();
    assert_eq!(other.kind(), ErrorKind::InvalidGrant, "another address: {other}");
    sms.log_in(&first).scopes(["openid"]).send().await.unwrap();

    sms.send_code().send().await.unwrap();
    let second = code(&tenant, "+4915112345678");
    advance(&tenant, 181 * SECOND);
    let error = sms.log_in(&second).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidGrant, "too old: {error}");

    assert_eq!(sms.log_in(" ").send().await.unwrap_err().kind(), ErrorKind::Misconfigured);
    let nowhere = shop.passwordless(" ").send_code().send().await.unwrap_err();
    assert_eq!(nowhere.kind(), ErrorKind::Misconfigured);
    let error = shop.passwordless("no address").send_code().send().await.unwrap_err();
    assert_eq!(error.status(), Some(400), "{error}");
}

#[tokio::test]
async fn a_link_has_the_parameters_of_its_login() {
    let web = Registered::confidential("mail", SECRET)
        .callback(crate::kit::CALLBACK)
        .grant_types([GRANT, "authorization_code"]);
    let tenant = acme().client(web).start().await.unwrap();
    let mail = client(&tenant, "mail");
    let request = mail.passwordless("ann@acme.com").send_link();
    let request = request
        .parameter("scope", "openid")
        .parameter("redirect_uri", crate::kit::CALLBACK)
        .parameter("response_type", "code")
        .parameter("state", "s");
    request.send().await.unwrap();
    let link = tenant.last_message_to("ann@acme.com").unwrap().link.expect("a link");
    let redirect = crate::browser::open(&link).await;
    assert_eq!(redirect["state"], "s");
    let request = mail.grant("authorization_code").parameter("code", &redirect["code"]);
    let tokens = request.parameter("redirect_uri", crate::kit::CALLBACK).send().await.unwrap();
    assert_eq!(claims(&tenant, tokens.id_token().unwrap())["sub"], "auth0|ann");
}

#[tokio::test]
async fn a_message_is_requested_once() {
    let (tenant, shop) = start().await;
    let start = || shop.passwordless("ann@acme.com").send_code().send();
    for (fault, kind) in [
        (Fault::status(500).unwrap(), ErrorKind::Unavailable),
        (Fault::reset(), ErrorKind::Unavailable),
        (Fault::lost(), ErrorKind::Unavailable),
        (Fault::rate_limited(SECOND), ErrorKind::Throttled),
        (Fault::redirect(), ErrorKind::Malformed),
    ] {
        tenant.set_fault(Endpoint::Passwordless, fault);
        let before = tenant.stats().passwordless.total();
        assert_eq!(start().await.unwrap_err().kind(), kind, "{fault}");
        assert_eq!(tenant.stats().passwordless.total(), before + 1, "{fault}");
    }
    assert_eq!(tenant.messages().len(), 1, "that of the answer which was lost");
}
