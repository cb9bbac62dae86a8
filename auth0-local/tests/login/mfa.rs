//! Second factors.
use crate::kit::{API, Answer, Parameters, acme, claims, client, token, token_with_proof, url};
use auth0_local::{Builder, Client, Factor, LocalTenant, MfaAnswer, RequestKind, User};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinSet;

const OTP: &str = "http://auth0.com/oauth/grant-type/mfa-otp";
const OOB: &str = "http://auth0.com/oauth/grant-type/mfa-oob";
const RECOVERY: &str = "http://auth0.com/oauth/grant-type/mfa-recovery-code";
const SECRET: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn builder() -> Builder {
    let grants = ["password", "refresh_token", OTP, OOB, RECOVERY];
    let factors = [
        Factor::otp(SECRET),
        Factor::sms("+15550100"),
        Factor::email("cat@acme.com"),
        Factor::push(),
        Factor::recovery_code("R3COVERY"),
    ];
    let cat = User::new("auth0|cat").password("pa55");
    acme()
        .user(factors.into_iter().fold(cat, User::factor))
        .user(User::new("auth0|dan").password("pa55").require_mfa())
        .user(User::new("auth0|eve").password("pa55").factor(Factor::otp(SECRET)).mfa_at_refresh())
        .client(Client::confidential("shop", "s3cret").grant_types(grants))
        .client(Client::confidential("other", "s3cret").grant_types(grants))
        .client(Client::public("app").grant_types(["password", OTP]))
}

async fn start() -> LocalTenant {
    builder().start().await.unwrap()
}

fn of_password(user: &str) -> Parameters {
    Parameters::new(&[
        ("grant_type", "password"),
        ("client_id", "shop"),
        ("client_secret", "s3cret"),
        ("username", user),
        ("password", "pa55"),
        ("scope", "openid offline_access read:messages"),
        ("audience", API),
    ])
}

#[tokio::test]
async fn a_page_may_remove_an_authenticator() {
    let tenant = start().await;
    let at = url(&tenant, "mfa/authenticators/sms%7Cdev_2");
    let asked =
        client().request(reqwest::Method::OPTIONS, at).header("origin", "http://localhost:3000");
    let answer = Answer::of(asked.send().await.unwrap()).await;
    assert!(answer.header("access-control-allow-methods").contains("DELETE"), "{answer:?}");
}

/// Logs in with a password and returns the `mfa_token`.
async fn mfa_token(tenant: &LocalTenant, user: &str) -> String {
    let answer = token(tenant, &of_password(user)).await;
    assert_eq!(outcome(&answer), (403, "mfa_required".into()), "{answer:?}");
    assert_eq!(answer.text("error_description"), "Multifactor authentication required");
    answer.text("mfa_token")
}

fn of_grant(grant: &str, token: &str, pairs: &[(&str, &str)]) -> Parameters {
    let form = Parameters::new(&[
        ("grant_type", grant),
        ("client_id", "shop"),
        ("client_secret", "s3cret"),
        ("mfa_token", token),
    ]);
    pairs.iter().fold(form, |form, (name, value)| form.and(name, value))
}

async fn challenge(tenant: &LocalTenant, token: &str, members: Value) -> Answer {
    let mut body = json!({ "client_id": "shop", "client_secret": "s3cret", "mfa_token": token });
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    let request = client().post(url(tenant, "mfa/challenge")).body(body.to_string());
    Answer::of(request.header("content-type", "application/json").send().await.unwrap()).await
}

async fn associate(tenant: &LocalTenant, token: &str, body: Value) -> Answer {
    let request = client().post(url(tenant, "mfa/associate")).body(body.to_string());
    let request = request.header("content-type", "application/json");
    Answer::of(request.bearer_auth(token).send().await.unwrap()).await
}

async fn authenticators(tenant: &LocalTenant, token: &str) -> Answer {
    let request = client().get(url(tenant, "mfa/authenticators")).bearer_auth(token);
    Answer::of(request.send().await.unwrap()).await
}

async fn remove(tenant: &LocalTenant, token: &str, id: &str) -> u16 {
    let at = url(tenant, &format!("mfa/authenticators/{}", id.replace('|', "%7C")));
    client().delete(at).bearer_auth(token).send().await.unwrap().status().as_u16()
}

fn outcome(answer: &Answer) -> (u16, String) {
    (answer.status, answer.text("error"))
}

fn advance(tenant: &LocalTenant, seconds: u64) {
    tenant.tenant().clock().advance(Duration::from_secs(seconds));
}

#[tokio::test]
async fn the_three_answers() {
    let types = ["otp", "phone", "email", "push-notification", "recovery-code"];
    let listed: Vec<Value> = types.iter().map(|it| json!({ "type": it })).collect();
    for (form, member, expected) in [
        (MfaAnswer::Requirements, "mfa_requirements", json!({ "challenge": listed })),
        (MfaAnswer::TokenOnly, "mfa_requirements", Value::Null),
        (MfaAnswer::ChallengeTypes, "challenge_types", json!(types)),
    ] {
        let tenant = builder().mfa_answer(form).start().await.unwrap();
        let answer = token(&tenant, &of_password("auth0|cat")).await;
        assert_eq!(
            (outcome(&answer), &answer.json()[member]),
            ((403, "mfa_required".into()), &expected)
        );
        assert_eq!(answer.text("mfa_token").len(), 43);
    }
    let tenant = start().await;
    let answer = token(&tenant, &of_password("auth0|dan")).await;
    assert_eq!(answer.json()["mfa_requirements"]["enroll"][0], json!({ "type": "otp" }));
    assert_eq!(answer.json()["mfa_requirements"]["challenge"], Value::Null);
}

#[tokio::test]
async fn a_one_time_password() {
    let tenant = start().await;
    let first = mfa_token(&tenant, "auth0|cat").await;
    let otp = tenant.otp("auth0|cat").unwrap();
    let form = of_grant(OTP, &first, &[("otp", &otp)]);
    let issued = token(&tenant, &form).await;
    assert_eq!(issued.status, 200, "{issued:?}");
    let access = claims(&tenant, &issued.text("access_token"));
    assert_eq!(
        (&access["sub"], &access["scope"]),
        (&json!("auth0|cat"), &json!("openid offline_access read:messages"))
    );
    assert!(!issued.text("refresh_token").is_empty() && !issued.text("id_token").is_empty());
    assert_eq!(outcome(&token(&tenant, &form).await), (403, "invalid_grant".into()), "once");

    let second = mfa_token(&tenant, "auth0|cat").await;
    let replayed = token(&tenant, &of_grant(OTP, &second, &[("otp", &otp)])).await;
    assert_eq!(replayed.text("error_description"), "Invalid otp_code.");
    advance(&tenant, 60);
    let otp = tenant.otp("auth0|cat").unwrap();
    let key = tenant.tenant().client_key();
    let issued = token_with_proof(&tenant, &of_grant(OTP, &second, &[("otp", &otp)]), &key).await;
    assert_eq!((issued.status, &*issued.text("token_type")), (200, "DPoP"), "{issued:?}");
    assert_eq!(tenant.otp("auth0|ann"), None);
    // The refresh of a user without a second check needs none.
    let plain = token(&tenant, &of_password("auth0|zoe")).await;
    assert_eq!(outcome(&plain), (403, "invalid_grant".into()));
}

#[tokio::test]
async fn grants_that_are_wrong_in_one_way() {
    let tenant = start().await;
    let mfa = mfa_token(&tenant, "auth0|cat").await;
    let otp = tenant.otp("auth0|cat").unwrap();
    let good = || of_grant(OTP, &mfa, &[("otp", &otp)]);
    for (form, status, error) in [
        (good().with("mfa_token", None), 400, "invalid_request"),
        (good().with("mfa_token", "other"), 403, "invalid_grant"),
        (good().with("otp", None), 400, "invalid_request"),
        (good().with("otp", "x"), 403, "invalid_grant"),
        (good().with("client_secret", None), 401, "access_denied"),
        (good().with("client_id", "web"), 403, "unauthorized_client"),
        (good().with("client_id", "other"), 403, "invalid_grant"),
        (good().with("client_id", "app").with("client_secret", None), 403, "invalid_grant"),
        (of_grant(OOB, &mfa, &[]), 400, "invalid_request"),
        (of_grant(OOB, &mfa, &[("oob_code", "other")]), 403, "invalid_grant"),
        (of_grant(RECOVERY, &mfa, &[]), 400, "invalid_request"),
        (of_grant(RECOVERY, &mfa, &[("recovery_code", "other")]), 403, "invalid_grant"),
    ] {
        assert_eq!(outcome(&token(&tenant, &form).await), (status, error.into()), "{form:?}");
    }
    assert_eq!(token(&tenant, &good()).await.status, 200, "none of these ended the login");

    let mfa = mfa_token(&tenant, "auth0|cat").await;
    for _ in 0..10 {
        let wrong = token(&tenant, &of_grant(OTP, &mfa, &[("otp", "x")])).await;
        assert_eq!(outcome(&wrong), (403, "invalid_grant".into()));
    }
    advance(&tenant, 60);
    let right = tenant.otp("auth0|cat").unwrap();
    let late = token(&tenant, &of_grant(OTP, &mfa, &[("otp", &right)])).await;
    assert_eq!(outcome(&late), (429, "too_many_attempts".into()));

    let mfa = mfa_token(&tenant, "auth0|cat").await;
    advance(&tenant, 600);
    let right = tenant.otp("auth0|cat").unwrap();
    let late = token(&tenant, &of_grant(OTP, &mfa, &[("otp", &right)])).await;
    assert_eq!(outcome(&late), (401, "expired_token".into()));
}

#[tokio::test]
async fn a_code_in_a_message() {
    let tenant = start().await;
    for (id, to) in [("sms|dev_2", "+15550100"), ("email|dev_3", "cat@acme.com")] {
        let mfa = mfa_token(&tenant, "auth0|cat").await;
        let sent = challenge(&tenant, &mfa, json!({ "authenticator_id": id })).await;
        assert_eq!((sent.status, sent.header("cache-control")), (200, "no-store"), "{sent:?}");
        assert_eq!(
            (&*sent.text("challenge_type"), &*sent.text("binding_method")),
            ("oob", "prompt")
        );
        let oob_code = sent.text("oob_code");
        let code = tenant.last_message_to(to).unwrap().code;
        let form =
            |code: &str| of_grant(OOB, &mfa, &[("oob_code", &oob_code), ("binding_code", code)]);
        let missing = token(&tenant, &form("")).await;
        assert_eq!(outcome(&missing), (400, "invalid_request".into()));
        let wrong = token(&tenant, &form("x")).await;
        assert_eq!(outcome(&wrong), (403, "invalid_grant".into()));
        // The challenge of one login is not that of another.
        let other = mfa_token(&tenant, "auth0|cat").await;
        let pairs = [("oob_code", oob_code.as_str()), ("binding_code", code.as_str())];
        let mixed = token(&tenant, &of_grant(OOB, &other, &pairs)).await;
        assert_eq!(outcome(&mixed), (403, "invalid_grant".into()));
        let issued = token(&tenant, &form(&code)).await;
        assert_eq!(issued.status, 200, "{issued:?}");
        assert_eq!(outcome(&token(&tenant, &form(&code)).await), (403, "invalid_grant".into()));
    }
}

#[tokio::test]
async fn an_app_that_asks() {
    let tenant = start().await;
    let (first, second) =
        (mfa_token(&tenant, "auth0|cat").await, mfa_token(&tenant, "auth0|cat").await);
    let mut forms = Vec::new();
    for mfa in [&first, &second] {
        let sent = challenge(&tenant, mfa, json!({ "authenticator_id": "push|dev_4" })).await;
        assert_eq!(sent.json()["binding_method"], Value::Null);
        forms.push(of_grant(OOB, mfa, &[("oob_code", &sent.text("oob_code"))]));
    }
    let pending = tenant.pending_requests();
    assert_eq!((pending.len(), pending[0].kind), (2, RequestKind::Mfa));
    assert_eq!(pending[0].user.as_deref(), Some("auth0|cat"));
    let waiting = token(&tenant, &forms[0]).await;
    assert_eq!(outcome(&waiting), (400, "authorization_pending".into()));
    assert_eq!(outcome(&token(&tenant, &forms[0]).await), (429, "slow_down".into()));
    assert!(tenant.approve_as(&pending[0].id, "auth0|ann").is_err());
    tenant.approve(&pending[0].id).unwrap();
    tenant.deny(&pending[1].id).unwrap();
    assert_eq!(token(&tenant, &forms[0]).await.status, 200);
    let denied = token(&tenant, &forms[1]).await;
    assert_eq!(
        (denied.status, &*denied.text("error_description")),
        (403, "MFA Authorization rejected.")
    );
    assert_eq!(outcome(&token(&tenant, &forms[0]).await), (403, "invalid_grant".into()), "once");
}

#[tokio::test]
async fn a_recovery_code_is_replaced() {
    let tenant = start().await;
    let mfa = mfa_token(&tenant, "auth0|cat").await;
    let issued = token(&tenant, &of_grant(RECOVERY, &mfa, &[("recovery_code", "R3COVERY")])).await;
    assert_eq!(issued.status, 200, "{issued:?}");
    let next = issued.text("recovery_code");
    assert_eq!(next.len(), 24);
    let mfa = mfa_token(&tenant, "auth0|cat").await;
    let old = token(&tenant, &of_grant(RECOVERY, &mfa, &[("recovery_code", "R3COVERY")])).await;
    assert_eq!(outcome(&old), (403, "invalid_grant".into()));
    let new = token(&tenant, &of_grant(RECOVERY, &mfa, &[("recovery_code", &next)])).await;
    assert_eq!(new.status, 200);
}

#[tokio::test]
async fn challenges_that_are_wrong_in_one_way() {
    let tenant = start().await;
    let mfa = mfa_token(&tenant, "auth0|cat").await;
    for (members, status, error) in [
        (json!({ "mfa_token": "" }), 400, "invalid_request"),
        (json!({ "mfa_token": "other" }), 403, "invalid_grant"),
        (json!({ "client_secret": "other" }), 401, "access_denied"),
        (json!({ "client_id": "other" }), 403, "invalid_grant"),
        (json!({ "challenge_type": "sms" }), 403, "unsupported_challenge_type"),
        (json!({ "authenticator_id": "sms|dev_9" }), 404, "invalid_request"),
        (
            json!({ "authenticator_id": "sms|dev_2", "challenge_type": "otp" }),
            403,
            "unsupported_challenge_type",
        ),
        (json!({ "authenticator_id": "recovery-code|dev_5" }), 403, "unsupported_challenge_type"),
        (json!({ "authenticator_id": 5 }), 400, "invalid_request"),
    ] {
        let answer = challenge(&tenant, &mfa, members.clone()).await;
        assert_eq!(outcome(&answer), (status, error.into()), "{members}: {}", answer.body);
    }
    assert!(tenant.messages().is_empty());
    let first = challenge(&tenant, &mfa, json!({})).await;
    assert_eq!(first.json(), json!({ "challenge_type": "otp" }));
    let oob = challenge(&tenant, &mfa, json!({ "challenge_type": "oob" })).await;
    assert_eq!((&*oob.text("binding_method"), tenant.messages().len()), ("prompt", 1));
    let dan = mfa_token(&tenant, "auth0|dan").await;
    let none = challenge(&tenant, &dan, json!({})).await;
    assert_eq!(outcome(&none), (403, "association_required".into()));
}

#[tokio::test]
async fn a_user_gets_a_factor() {
    let tenant = start().await;
    for (body, confirm) in [
        (json!({ "authenticator_types": ["otp"] }), OTP),
        (
            json!({ "authenticator_types": ["oob"], "oob_channels": ["sms"], "phone_number": "+15550101" }),
            OOB,
        ),
        (json!({ "authenticator_types": ["oob"], "oob_channels": ["auth0"] }), OOB),
        (json!({ "authenticator_types": ["oob"], "oob_channels": ["email"] }), OOB),
    ] {
        let user = User::new("auth0|dan").email("dan@acme.com").password("pa55").require_mfa();
        tenant.add_user(user).unwrap();
        let mfa = mfa_token(&tenant, "auth0|dan").await;
        let associated = associate(&tenant, &mfa, body.clone()).await;
        assert_eq!(associated.status, 200, "{associated:?}");
        let recovery = associated.json()["recovery_codes"][0].as_str().unwrap().to_owned();
        let listed = authenticators(&tenant, &mfa).await;
        assert_eq!(
            (&listed.json()[0]["active"], listed.json().as_array().unwrap().len()),
            (&json!(false), 2)
        );
        // It is not confirmed, so the recovery code does not count.
        let early =
            token(&tenant, &of_grant(RECOVERY, &mfa, &[("recovery_code", &recovery)])).await;
        assert_eq!(outcome(&early), (403, "invalid_grant".into()));
        let mut form = of_grant(confirm, &mfa, &[("oob_code", &associated.text("oob_code"))]);
        let code = |to| tenant.last_message_to(to).unwrap().code;
        match &*associated.text("oob_channel") {
            "sms" => form = form.and("binding_code", &code("+15550101")),
            "email" => form = form.and("binding_code", &code("dan@acme.com")),
            "auth0" => tenant.approve(&tenant.pending_requests()[0].id).unwrap(),
            _ => form = form.and("otp", &tenant.otp("auth0|dan").unwrap()),
        }
        let issued = token(&tenant, &form).await;
        assert_eq!(issued.status, 200, "{body}: {issued:?}");
        let mfa = mfa_token(&tenant, "auth0|dan").await;
        let again = associate(&tenant, &mfa, body).await;
        assert_eq!(outcome(&again), (403, "access_denied".into()), "the user has one");
        let form = of_grant(RECOVERY, &mfa, &[("recovery_code", &recovery)]);
        assert_eq!(token(&tenant, &form).await.status, 200);
    }
}

#[tokio::test]
async fn associations_that_are_wrong_in_one_way() {
    let tenant = start().await;
    let mfa = mfa_token(&tenant, "auth0|dan").await;
    for body in [
        json!({}),
        json!([]),
        json!({ "authenticator_types": ["fax"] }),
        json!({ "authenticator_types": ["otp", "oob"] }),
        json!({ "authenticator_types": ["oob"] }),
        json!({ "authenticator_types": ["oob"], "oob_channels": ["pigeon"] }),
        json!({ "authenticator_types": ["oob"], "oob_channels": ["sms"] }),
        json!({ "authenticator_types": ["oob"], "oob_channels": ["sms"], "phone_number": "1" }),
        json!({ "authenticator_types": ["oob"], "oob_channels": ["email"], "email": "dan" }),
    ] {
        let answer = associate(&tenant, &mfa, body.clone()).await;
        assert_eq!(outcome(&answer), (400, "invalid_request".into()), "{body}: {}", answer.body);
    }
    let body = json!({ "authenticator_types": ["otp"] });
    for wrong in ["", "other"] {
        assert_eq!(
            outcome(&associate(&tenant, wrong, body.clone()).await),
            (401, "invalid_token".into())
        );
    }
    // Each one that is not confirmed stays, up to a bound.
    let mut associated = 0;
    while associate(&tenant, &mfa, body.clone()).await.status == 200 {
        associated += 1;
        assert!(associated < 25);
    }
    assert_eq!(associated, 19);
    assert!(!tenant.otp("auth0|dan").unwrap().is_empty());
}

#[tokio::test]
async fn the_authenticators_of_a_user() {
    let tenant = start().await;
    let mfa = mfa_token(&tenant, "auth0|cat").await;
    let listed = authenticators(&tenant, &mfa).await;
    assert_eq!(
        listed.json(),
        json!([
            { "id": "totp|dev_1", "authenticator_type": "otp", "active": true },
            { "id": "sms|dev_2", "authenticator_type": "oob", "active": true, "oob_channel": "sms",
              "name": "XXXXX0100" },
            { "id": "email|dev_3", "authenticator_type": "oob", "active": true,
              "oob_channel": "email", "name": "cXXXXXXX.com" },
            { "id": "push|dev_4", "authenticator_type": "oob", "active": true, "oob_channel": "auth0" },
            { "id": "recovery-code|dev_5", "authenticator_type": "recovery-code", "active": true },
        ])
    );
    assert_eq!(remove(&tenant, &mfa, "sms|dev_2").await, 403, "it is confirmed");
    for wrong in ["", "other"] {
        assert_eq!(authenticators(&tenant, wrong).await.status, 401);
    }
    let dan = mfa_token(&tenant, "auth0|dan").await;
    associate(&tenant, &dan, json!({ "authenticator_types": ["otp"] })).await;
    let id = authenticators(&tenant, &dan).await.json()[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(remove(&tenant, &mfa, &id).await, 404, "that of another user");
    assert_eq!(remove(&tenant, &dan, &id).await, 204);
    assert_eq!(remove(&tenant, &dan, &id).await, 404);

    // An access token for the API of second factors.
    let api = url(&tenant, "mfa/");
    let scope = "read:authenticators remove:authenticators";
    let mut access = Vec::new();
    for scope in [scope, "enroll"] {
        let form = of_password("auth0|cat").with("audience", None).and("audience", &api);
        let form = form.with("scope", None).and("scope", scope);
        let mfa = token(&tenant, &form).await.text("mfa_token");
        let otp = tenant.otp("auth0|cat").unwrap();
        let issued = token(&tenant, &of_grant(OTP, &mfa, &[("otp", &otp)])).await;
        access.push(issued.text("access_token"));
        advance(&tenant, 60);
    }
    assert_eq!(remove(&tenant, &access[0], "sms|dev_2").await, 204);
    assert_eq!(authenticators(&tenant, &access[0]).await.json().as_array().unwrap().len(), 4);
    let unscoped = authenticators(&tenant, &access[1]).await;
    assert_eq!(outcome(&unscoped), (403, "insufficient_scope".into()));
}

#[tokio::test]
async fn a_refresh_that_steps_up() {
    let tenant = start().await;
    let mfa = mfa_token(&tenant, "auth0|eve").await;
    let otp = tenant.otp("auth0|eve").unwrap();
    let issued = token(&tenant, &of_grant(OTP, &mfa, &[("otp", &otp)])).await;
    let refresh = Parameters::of_refresh(&issued.text("refresh_token"));
    let refresh = refresh.with("client_id", "shop").with("client_secret", "s3cret");
    for _ in 0..2 {
        let answer = token(&tenant, &refresh).await;
        assert_eq!(outcome(&answer), (403, "mfa_required".into()), "it is not used");
        advance(&tenant, 60);
        let otp = tenant.otp("auth0|eve").unwrap();
        let form = of_grant(OTP, &answer.text("mfa_token"), &[("otp", &otp)]);
        let issued = token(&tenant, &form).await;
        assert_eq!(claims(&tenant, &issued.text("access_token"))["sub"], "auth0|eve");
    }
}

#[tokio::test]
async fn two_users_log_in_side_by_side() {
    let tenant = start().await;
    let (cat, eve) = (mfa_token(&tenant, "auth0|cat").await, mfa_token(&tenant, "auth0|eve").await);
    let otp = tenant.otp("auth0|cat").unwrap();
    for (mfa, subject) in [(&eve, "auth0|eve"), (&cat, "auth0|cat")] {
        let issued = token(&tenant, &of_grant(OTP, mfa, &[("otp", &otp)])).await;
        assert_eq!(claims(&tenant, &issued.text("access_token"))["sub"], subject);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_password_is_used_once() {
    let tenant = Arc::new(start().await);
    for _ in 0..5 {
        advance(&tenant, 60);
        let otp = tenant.otp("auth0|cat").unwrap();
        let mut uses = JoinSet::new();
        for index in 0..8 {
            // Of one login, and of another one.
            let mfa = mfa_token(&tenant, "auth0|cat").await;
            let form = of_grant(OTP, &mfa, &[("otp", &otp)]);
            for _ in 0..=index % 2 {
                let (tenant, form) = (Arc::clone(&tenant), form.clone());
                uses.spawn(async move { token(&tenant, &form).await.status });
            }
        }
        let good = uses.join_all().await.into_iter().filter(|status| *status == 200).count();
        assert_eq!(good, 1);
    }
}

#[tokio::test]
async fn factors_that_cannot_be_used() {
    for factor in
        [Factor::otp("short"), Factor::sms(""), Factor::email("ann"), Factor::recovery_code("")]
    {
        let user = User::new("auth0|a").factor(factor);
        assert!(acme().user(user).start().await.is_err());
    }
    let user =
        User::new("auth0|a").factor(Factor::otp(SECRET)).factor(Factor::recovery_code("R3COVERY"));
    let shown = format!("{user:?}");
    assert!(!shown.contains(SECRET) && !shown.contains("R3COVERY"), "{shown}");
}
