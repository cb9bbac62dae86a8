use crate::kit::{
    API, Browser, CALLBACK, Parameters, acme, claims, client, log_in, send, token, url, user_info,
};
use auth0_local::{
    Builder, Client, ConnectedAccount, LocalTenant, Membership, TokenExchangeProfile, User,
};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const VAULT: &str =
    "urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A tenant with clients of all grants of a user.
fn builder() -> Builder {
    acme()
        .user(
            User::new("auth0|eve")
                .email("eve@acme.com")
                .password("pa55")
                .account(ConnectedAccount::new("google-oauth2", "eve@work.test")),
        )
        .client(Client::confidential("api", "s3cret").resource_server(API))
        .client(Client::confidential("trusted", "s3cret").grant_types(["password"]))
        .client(Client::public("tv").grant_types([DEVICE]))
        .token_exchange_profile(
            TokenExchangeProfile::new("urn:acme:legacy").subject_token("cookie", "auth0|eve"),
        )
}

async fn login(tenant: &LocalTenant, browser: &mut Browser, with: &Parameters) -> (String, String) {
    let answer = browser.authorize(tenant, with).await;
    (answer.parameter("error"), answer.parameter("error_description"))
}

fn of_eve() -> Parameters {
    Parameters::of_login().with("login_hint", "auth0|eve")
}

fn secret(client: &str, grant: &str) -> Parameters {
    Parameters::new(&[("grant_type", grant), ("client_secret", "s3cret")]).and("client_id", client)
}

/// The requests of a user for tokens, by their names.
fn requests(
    refresh: &str,
    code: &str,
    access: &str,
    device: &str,
) -> [(&'static str, Parameters); 7] {
    let exchange = secret("api", EXCHANGE).and("audience", "https://down.test");
    let exchange = exchange.and("requested_token_type", ACCESS);
    let of_connection = "http://auth0.com/oauth/token-type/federated-connection-access-token";
    let vault = secret("api", VAULT).and("requested_token_type", of_connection);
    let presented =
        |form: Parameters| form.and("subject_token_type", ACCESS).and("subject_token", access);
    [
        ("refresh", Parameters::of_refresh(refresh)),
        ("code", Parameters::of_code(code)),
        ("on behalf of", presented(exchange)),
        ("vault", presented(vault.and("connection", "google-oauth2"))),
        (
            "custom exchange",
            secret("web", EXCHANGE)
                .and("subject_token_type", "urn:acme:legacy")
                .and("subject_token", "cookie"),
        ),
        (
            "password",
            secret("trusted", "password").and("username", "auth0|eve").and("password", "pa55"),
        ),
        (
            "device",
            Parameters::new(&[("grant_type", DEVICE), ("client_id", "tv")])
                .and("device_code", device),
        ),
    ]
}

#[tokio::test]
async fn a_blocked_user() {
    let tenant = builder().start().await.unwrap();
    let mut browser = Browser::default();
    let code = browser.authorize(&tenant, &of_eve()).await.parameter("code");
    let tokens = token(&tenant, &Parameters::of_code(&code)).await;
    let code = crate::kit::code(&tenant, &of_eve()).await;
    let device = send(&tenant, "oauth/device/code", &Parameters::new(&[("client_id", "tv")])).await;
    tenant.approve_as(&device.text("user_code"), "auth0|eve").unwrap();
    tenant.block("auth0|eve").unwrap();

    let denied = || ("access_denied".to_owned(), "user is blocked".to_owned());
    for with in [of_eve(), of_eve().with("prompt", "none"), of_eve().with("prompt", "login")] {
        assert_eq!(login(&tenant, &mut browser, &with).await, denied(), "{with:?}");
    }
    assert_eq!(login(&tenant, &mut Browser::default(), &of_eve()).await, denied());
    let (refresh, access) = (tokens.text("refresh_token"), tokens.text("access_token"));
    let requests = requests(&refresh, &code, &access, &device.text("device_code"));
    let errors = [
        "invalid_grant",
        "invalid_grant",
        "invalid_grant",
        "invalid_grant",
        "access_denied",
        "access_denied",
        "access_denied",
    ];
    for ((name, form), error) in requests.iter().zip(errors) {
        let answer = token(&tenant, form).await;
        assert_eq!(answer.text("error"), error, "{name}: {answer:?}");
        assert!(answer.text("error_description").contains("user is blocked"), "{name}: {answer:?}");
    }
    let bearer = format!("Bearer {access}");
    assert_eq!(user_info(&tenant, &bearer).await.status, 200, "the access token stays valid");
    assert!(tenant.tenant().auth0().verify(&access).await.is_ok());
    let (error, _) = login(&tenant, &mut Browser::default(), &Parameters::of_login()).await;
    assert_eq!(error, "", "another user logs in");

    tenant.unblock("auth0|eve").unwrap();
    let silent = of_eve().with("prompt", "none");
    assert_eq!(login(&tenant, &mut browser, &silent).await.0, "", "the session stays");
    for (name, form) in requests.iter().filter(|(name, _)| *name != "device") {
        let answer = token(&tenant, form).await;
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn a_user_who_is_blocked_from_the_start() {
    let tenant = LocalTenant::builder()
        .user(User::new("auth0|ann").blocked())
        .client(Client::public("spa").callback(CALLBACK))
        .start()
        .await
        .unwrap();
    let answer = login(&tenant, &mut Browser::default(), &Parameters::of_login()).await;
    assert_eq!(answer, ("access_denied".into(), "user is blocked".into()));
    tenant.unblock("auth0|ann").unwrap();
    assert_eq!(log_in(&tenant, &Parameters::of_login()).await.status, 200);
}

#[tokio::test]
async fn a_deleted_user() {
    let tenant = builder().start().await.unwrap();
    let mut browser = Browser::default();
    let code = browser.authorize(&tenant, &of_eve()).await.parameter("code");
    let tokens = token(&tenant, &Parameters::of_code(&code)).await;
    let code = crate::kit::code(&tenant, &of_eve()).await;
    let device = send(&tenant, "oauth/device/code", &Parameters::new(&[("client_id", "tv")])).await;
    tenant.approve_as(&device.text("user_code"), "auth0|eve").unwrap();
    tenant.delete_user("auth0|eve").unwrap();

    let silent = of_eve().with("prompt", "none");
    assert_eq!(login(&tenant, &mut browser, &silent).await.0, "login_required");
    let (refresh, access) = (tokens.text("refresh_token"), tokens.text("access_token"));
    let requests = requests(&refresh, &code, &access, &device.text("device_code"));
    for (name, form) in &requests {
        let answer = token(&tenant, form).await;
        assert!((400..=403).contains(&answer.status), "{name}: {answer:?}");
    }
    assert_eq!(user_info(&tenant, &format!("Bearer {access}")).await.status, 401);
    assert!(tenant.tenant().auth0().verify(&access).await.is_ok(), "at APIs, it stays valid");
    for result in [
        tenant.delete_user("auth0|eve"),
        tenant.block("auth0|eve"),
        tenant.answer_logins_as("auth0|eve"),
        tenant.log_out("auth0|eve").await.map(drop),
    ] {
        assert!(result.unwrap_err().to_string().contains("no user \"auth0|eve\""));
    }
    tenant.add_user(User::new("auth0|eve")).unwrap();
    let (_, form) = &requests[0];
    assert_eq!(token(&tenant, form).await.text("error"), "invalid_grant", "not by an old token");
    assert_eq!(log_in(&tenant, &of_eve()).await.status, 200, "it is another one now");
}

#[tokio::test]
async fn a_tenant_without_users() {
    let open = || LocalTenant::builder().client(Client::public("spa").callback(CALLBACK));
    let tenant = open().start().await.unwrap();
    let own = "auth0|65f1c0ffee";
    let in_acme = Parameters::of_login().with("organization", "acme");
    tenant.remove_member("acme", own).unwrap();
    for name in ["acme", "ACME", "org_acme"] {
        let with = Parameters::of_login().and("organization", name);
        assert_eq!(
            login(&tenant, &mut Browser::default(), &with).await.0,
            "access_denied",
            "{name}"
        );
    }
    let other = Parameters::of_login().with("organization", "globex");
    assert_eq!(login(&tenant, &mut Browser::default(), &other).await.0, "");
    assert_eq!(tenant.delete_organization("globex").unwrap(), [own]);
    assert_eq!(login(&tenant, &mut Browser::default(), &other).await.0, "access_denied");
    tenant.delete_user(own).unwrap();
    let answer = login(&tenant, &mut Browser::default(), &Parameters::of_login()).await;
    assert_eq!(answer, ("access_denied".into(), "the tenant has no such user".into()));
    let chosen = client().post(url(&tenant, "__local/login")).body("{}").send().await.unwrap();
    assert_eq!(chosen.text().await.unwrap(), "{\"user\":null}");
    tenant.add_user(User::new("auth0|new").member_of(Membership::new("org_acme", "acme"))).unwrap();
    assert_eq!(login(&tenant, &mut Browser::default(), &in_acme).await.0, "");
    tenant.delete_user("auth0|new").unwrap();
    assert_eq!(login(&tenant, &mut Browser::default(), &in_acme).await.0, "access_denied");
}

#[tokio::test]
async fn a_member_leaves() {
    let tenant = builder().start().await.unwrap();
    let in_acme = Parameters::of_login().with("organization", "acme");
    let (inside, outside) =
        (log_in(&tenant, &in_acme).await, log_in(&tenant, &Parameters::of_login()).await);
    let access = claims(&tenant, &inside.text("access_token"));
    assert_eq!(access["org_id"], "org_acme");
    for (organization, user) in [("acme", "auth0|bob"), ("globex", "auth0|ann"), ("", "auth0|ann")]
    {
        let error = tenant.remove_member(organization, user).unwrap_err().to_string();
        assert!(error.contains("is not a member of"), "{error}");
    }
    tenant.remove_member("acme", "auth0|ann").unwrap();
    let (error, why) = login(&tenant, &mut Browser::default(), &in_acme).await;
    assert!(error == "access_denied" && why.contains("is not part of the acme"), "{error}: {why}");
    let refreshed = token(&tenant, &Parameters::of_refresh(&inside.text("refresh_token"))).await;
    assert_eq!(refreshed.text("error"), "invalid_grant", "{refreshed:?}");
    let refreshed = token(&tenant, &Parameters::of_refresh(&outside.text("refresh_token"))).await;
    assert_eq!(refreshed.status, 200, "a login without the organization goes on");
    for gone in ["acme", "org_acme", "globex"] {
        let error = tenant.delete_organization(gone).unwrap_err().to_string();
        assert!(error.contains(&format!("no organization {gone:?}")), "{error}");
    }
}

#[tokio::test]
async fn an_organization_is_deleted() {
    let tenant = builder().start().await.unwrap();
    let acme = Membership::new("org_acme", "acme");
    tenant.add_user(User::new("auth0|carl").member_of(acme)).unwrap();
    tenant.add_user(User::new("auth0|any").member_of_any_organization()).unwrap();
    assert_eq!(
        tenant.delete_organization("ACME").unwrap(),
        ["auth0|ann", "auth0|carl", "auth0|any"]
    );
    for user in ["auth0|ann", "auth0|carl", "auth0|any"] {
        let with = Parameters::of_login().with("organization", "acme").with("login_hint", user);
        assert_eq!(
            login(&tenant, &mut Browser::default(), &with).await.0,
            "access_denied",
            "{user}"
        );
    }
}
