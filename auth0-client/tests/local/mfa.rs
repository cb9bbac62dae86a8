//! Second factors.
use crate::kit::{API, SECOND, SECRET, acme, advance, builder, claims, client};
use auth0_client::{Client, Error, ErrorKind, Mfa};
use auth0_local::{Client as Registered, Endpoint, Factor, Fault, LocalTenant, MfaAnswer, User};

const OTP: &str = "http://auth0.com/oauth/grant-type/mfa-otp";
const OOB: &str = "http://auth0.com/oauth/grant-type/mfa-oob";
const RECOVERY: &str = "http://auth0.com/oauth/grant-type/mfa-recovery-code";
const TOTP_SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn users() -> auth0_local::Builder {
    let user = |name: &str| {
        User::new(format!("auth0|{name}")).email(format!("{name}@mfa.test")).password("pa55")
    };
    let grants = ["password", "refresh_token", OTP, OOB, RECOVERY];
    acme()
        .user(user("otp").factor(Factor::otp(TOTP_SECRET)))
        .user(user("sms").factor(Factor::sms("+15550100")))
        .user(user("mail").factor(Factor::email("mail@mfa.test")))
        .user(user("push").factor(Factor::push()))
        .user(user("code").factor(Factor::recovery_code("ABCD1234ABCD1234ABCD1234")))
        .user(user("many").factor(Factor::otp(TOTP_SECRET)).factor(Factor::sms("+15550101")))
        .user(user("new").require_mfa())
        .user(user("step").factor(Factor::otp(TOTP_SECRET)).mfa_at_refresh())
        .client(Registered::confidential("shop", SECRET).grant_types(grants))
}

async fn log_in(client: &Client, name: &str) -> Error {
    let request = client
        .grant("password")
        .parameter("username", format!("{name}@mfa.test"))
        .parameter("password", "pa55")
        .audience(API)
        .scopes(["openid offline_access"]);
    let error = request.send().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::MfaRequired, Some(403)), "{error}");
    assert_eq!(error.reply().status(), 403);
    let token = error.mfa().unwrap().token();
    assert!(!format!("{error} {error:?} {:?}", error.mfa()).contains(token));
    error
}

async fn mfa(client: &Client, name: &str) -> Mfa {
    client.mfa(log_in(client, name).await.mfa().unwrap())
}

fn subject(tenant: &LocalTenant, tokens: &auth0_client::Tokens) -> String {
    let payload = claims(tenant, tokens.access_token().encoded());
    payload["sub"].as_str().unwrap().to_owned()
}

fn last_code(tenant: &LocalTenant, to: &str) -> String {
    tenant.last_message_to(to).unwrap().code
}

#[tokio::test]
async fn a_one_time_password() {
    let tenant = users().start().await.unwrap();
    for client in [
        client(&tenant, "shop"),
        builder(&tenant, "shop").client_secret(SECRET).basic_authentication().build().unwrap(),
    ] {
        let error = log_in(&client, "otp").await;
        let requirement = error.mfa().unwrap();
        assert_eq!(requirement.challenge_types().collect::<Vec<_>>(), ["otp"]);
        assert_eq!(requirement.enrollment_types().count(), 0);
        let mfa = client.mfa(requirement);
        let challenge = mfa.challenge(None).await.unwrap();
        assert_eq!((challenge.challenge_type(), challenge.needs_code()), ("otp", false));
        let error = mfa.verify_challenge(&challenge, Some("123456")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Misconfigured, "it is one for verify_otp");

        let code = tenant.otp("auth0|otp").unwrap();
        let wrong = if code == "000000" { "000001" } else { "000000" };
        let error = mfa.verify_otp(wrong).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidGrant, "{error}");
        let tokens = mfa.verify_otp(&code).await.unwrap();
        assert_eq!(subject(&tenant, &tokens), "auth0|otp");
        assert!(tokens.refresh_token().is_some() && tokens.id_token().is_some());
        // The login has ended, and so has the code.
        assert_eq!(mfa.verify_otp(&code).await.unwrap_err().kind(), ErrorKind::InvalidGrant);
        advance(&tenant, 31 * SECOND);
    }
}

#[tokio::test]
async fn a_code_by_sms_or_email() {
    let tenant = users().start().await.unwrap();
    let shop = client(&tenant, "shop");
    for (name, to) in [("sms", "+15550100"), ("mail", "mail@mfa.test")] {
        let mfa = mfa(&shop, name).await;
        let authenticators = mfa.authenticators().await.unwrap();
        assert_eq!(authenticators.len(), 1);
        assert_eq!(authenticators[0].authenticator_type, "oob");
        assert!(authenticators[0].active && authenticators[0].name.is_some());
        let channel = if name == "sms" { "sms" } else { "email" };
        assert_eq!(authenticators[0].oob_channel.as_deref(), Some(channel));
        let challenge = mfa.challenge(Some(&authenticators[0].id)).await.unwrap();
        assert_eq!((challenge.challenge_type(), challenge.needs_code()), ("oob", true));
        let code = last_code(&tenant, to);
        let wrong = if code == "000000" { "000001" } else { "000000" };
        let error = mfa.verify_challenge(&challenge, Some(wrong)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidGrant, "{error}");
        let tokens = mfa.verify_challenge(&challenge, Some(&code)).await.unwrap();
        assert_eq!(subject(&tenant, &tokens), format!("auth0|{name}"));
    }
}

#[tokio::test]
async fn a_notification_on_the_phone() {
    let tenant = users().start().await.unwrap();
    let shop = client(&tenant, "shop");
    let waiting = || tenant.pending_requests()[0].id.clone();
    let mfa = mfa(&shop, "push").await;
    let challenge = mfa.challenge(None).await.unwrap();
    assert!(!challenge.needs_code());
    let error = mfa.verify_challenge(&challenge, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Pending, "{error}");
    let error = mfa.verify_challenge(&challenge, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SlowDown, "{error}");
    advance(&tenant, 11 * SECOND);
    tenant.approve(&waiting()).unwrap();
    let tokens = mfa.verify_challenge(&challenge, None).await.unwrap();
    assert_eq!(subject(&tenant, &tokens), "auth0|push");
}

#[tokio::test]
async fn a_recovery_code_is_replaced() {
    let tenant = users().start().await.unwrap();
    let shop = client(&tenant, "shop");
    let mut code = "ABCD1234ABCD1234ABCD1234".to_owned();
    for _ in 0..3 {
        let mfa = mfa(&shop, "code").await;
        let error = mfa.verify_recovery_code("ZZZZ").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidGrant, "{error}");
        let tokens = mfa.verify_recovery_code(&code).await.unwrap();
        assert_eq!(subject(&tenant, &tokens), "auth0|code");
        let next = tokens.recovery_code().expect("the next one").to_owned();
        assert_ne!(next, code);
        code = next;
    }
}

#[tokio::test]
async fn one_of_several_factors() {
    let tenant = users().start().await.unwrap();
    let shop = client(&tenant, "shop");
    let error = log_in(&shop, "many").await;
    let mut types: Vec<_> = error.mfa().unwrap().challenge_types().collect();
    types.sort_unstable();
    assert!(types.contains(&"otp") && types.len() >= 2, "{types:?}");
    let mfa = shop.mfa(error.mfa().unwrap());
    let own = mfa.authenticators().await.unwrap();
    let sms = own.iter().find(|it| it.oob_channel.as_deref() == Some("sms")).unwrap();
    let challenge = mfa.challenge(Some(&sms.id)).await.unwrap();
    let code = last_code(&tenant, "+15550101");
    // A factor that is confirmed is not deleted with this token, and others do not exist.
    for (id, status) in [(&*sms.id, 403), ("unknown|1", 404)] {
        assert_eq!(mfa.delete(id).await.unwrap_err().status(), Some(status), "{id}");
    }
    assert_eq!(mfa.delete(" ").await.unwrap_err().kind(), ErrorKind::Misconfigured);
    mfa.verify_challenge(&challenge, Some(&code)).await.unwrap();
    let error = mfa.authenticators().await.unwrap_err();
    assert_eq!(error.status(), Some(401), "the login has ended: {error}");
}

#[tokio::test]
async fn a_factor_is_enrolled() {
    let tenant = users().start().await.unwrap();
    let shop = client(&tenant, "shop");
    // An app.
    let error = log_in(&shop, "new").await;
    assert_eq!(error.mfa().unwrap().challenge_types().count(), 0);
    assert!(error.mfa().unwrap().enrollment_types().any(|name| name == "otp"));
    let mfa = shop.mfa(error.mfa().unwrap());
    let enrollment = mfa.enroll_otp().await.unwrap();
    let secret = enrollment.secret().unwrap();
    assert!(enrollment.barcode_uri().unwrap().contains(secret));
    assert_eq!(enrollment.recovery_codes().count(), 1);
    assert!(!format!("{enrollment:?}").contains(secret));
    let error = mfa.verify_enrollment(&enrollment, Some("1")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured, "it is one for verify_otp");
    let tokens = mfa.verify_otp(&tenant.otp("auth0|new").unwrap()).await.unwrap();
    assert_eq!(subject(&tenant, &tokens), "auth0|new");
    let error = log_in(&shop, "new").await;
    assert_eq!(error.mfa().unwrap().challenge_types().next(), Some("otp"));
}

#[tokio::test]
async fn a_channel_is_enrolled() {
    let tenant = users().start().await.unwrap();
    let shop = client(&tenant, "shop");
    let sms = mfa(&shop, "new").await;
    let error = sms.enroll_oob("sms", None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misconfigured, "{error}");
    let enrollment = sms.enroll_oob("sms", Some("+15550199")).await.unwrap();
    let code = last_code(&tenant, "+15550199");
    sms.verify_enrollment(&enrollment, Some(&code)).await.unwrap();

    let tenant = users().start().await.unwrap();
    let shop = client(&tenant, "shop");
    let push = mfa(&shop, "new").await;
    let enrollment = push.enroll_oob("auth0", None).await.unwrap();
    tenant.approve(&tenant.pending_requests()[0].id).unwrap();
    push.verify_enrollment(&enrollment, None).await.unwrap();

    let tenant = users().start().await.unwrap();
    let shop = client(&tenant, "shop");
    let mail = mfa(&shop, "new").await;
    let enrollment = mail.enroll_oob("email", None).await.unwrap();
    let code = last_code(&tenant, "new@mfa.test");
    mail.verify_enrollment(&enrollment, Some(&code)).await.unwrap();
}

#[tokio::test]
async fn each_form_of_the_requirement() {
    for (answer, challenges) in
        [(MfaAnswer::TokenOnly, 0), (MfaAnswer::ChallengeTypes, 1), (MfaAnswer::Requirements, 1)]
    {
        let tenant = users().mfa_answer(answer).start().await.unwrap();
        let shop = client(&tenant, "shop");
        let error = log_in(&shop, "otp").await;
        assert_eq!(error.mfa().unwrap().challenge_types().count(), challenges, "{answer:?}");
        let mfa = shop.mfa(error.mfa().unwrap());
        mfa.verify_otp(&tenant.otp("auth0|otp").unwrap()).await.unwrap();
    }
}

#[tokio::test]
async fn a_refresh_that_needs_the_factor() {
    let tenant = users().start().await.unwrap();
    let shop = client(&tenant, "shop");
    let tokens = mfa(&shop, "step").await.verify_otp(&tenant.otp("auth0|step").unwrap()).await;
    let tokens = tokens.unwrap();
    advance(&tenant, 31 * SECOND);
    let error = shop.refresh(tokens.refresh_token().unwrap()).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MfaRequired);
    let mfa = shop.mfa(error.mfa().unwrap());
    mfa.verify_otp(&tenant.otp("auth0|step").unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_login_that_has_ended() {
    let tenant = users().start().await.unwrap();
    let shop = client(&tenant, "shop");
    let mfa = mfa(&shop, "otp").await;
    for (fault, kind) in [
        (Fault::status(500).unwrap(), ErrorKind::Unavailable),
        (Fault::empty(), ErrorKind::Malformed),
        (Fault::rate_limited(SECOND), ErrorKind::Throttled),
    ] {
        tenant.set_fault(Endpoint::Mfa, fault);
        for result in [mfa.challenge(None).await.map(drop), mfa.authenticators().await.map(drop)] {
            assert_eq!(result.unwrap_err().kind(), kind, "{fault}");
        }
    }
    tenant.clear_faults();
    advance(&tenant, 601 * SECOND);
    let error = mfa.verify_otp(&tenant.otp("auth0|otp").unwrap()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::InvalidGrant | ErrorKind::Expired), "{error}");
}
