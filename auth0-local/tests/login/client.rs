//! Clients that are not registered, machines that are, and configurations that cannot start.
use crate::kit::{API, Browser, CALLBACK, Parameters, acme, claims, log_in, send, start, token};
use auth0_local::{Api, Client, LocalTenant, Membership, User};
use std::time::Duration;

#[tokio::test]
async fn an_open_tenant_accepts_unknown_public_clients() {
    let tenant = acme().open_clients().api(Api::new("https://strict.test")).start().await.unwrap();
    let login = || {
        let login = Parameters::of_login().with("client_id", "https://agent.test/client.json");
        login.with("audience", None).with("resource", "http://127.0.0.1:8000/mcp")
    };
    for redirect in ["http://127.0.0.1:49152/callback", "http://localhost/", "http://[::1]:1/?a=b"]
    {
        let login = login().with("redirect_uri", redirect).with("scope", "mcp:read offline_access");
        let answer = Browser::default().authorize(&tenant, &login).await;
        assert!(answer.header("location").starts_with(redirect), "{answer:?}");
        let form = Parameters::of_code(&answer.parameter("code")).with("redirect_uri", redirect);
        let form = form.with("client_id", "https://agent.test/client.json");
        let answer = token(&tenant, &form.with("resource", "http://127.0.0.1:8000/mcp")).await;
        let access = claims(&tenant, &answer.text("access_token"));
        assert_eq!(access["aud"], "http://127.0.0.1:8000/mcp");
        assert_eq!(access["azp"], "https://agent.test/client.json");
        let form = Parameters::of_refresh(&answer.text("refresh_token"));
        let form = form.with("client_id", "https://agent.test/client.json");
        assert_eq!(
            token(&tenant, &form.with("resource", "http://127.0.0.1:8000/mcp")).await.status,
            200
        );
    }
    for redirect in [
        "https://app.acme.com/",
        "http://10.0.0.7/",
        "http://localhost.evil.test/",
        "cursor://a/b",
        "javascript:alert(1)",
    ] {
        let answer =
            Browser::default().authorize(&tenant, &login().with("redirect_uri", redirect)).await;
        assert!(answer.status == 400 && answer.body.contains("loopback only"), "{redirect}");
    }
    let answer = Browser::default().authorize(&tenant, &login().with("code_challenge", None)).await;
    assert!(answer.parameter("error_description").contains("needs PKCE"));
    // Registered clients keep their rules.
    let other = Parameters::of_login().with("redirect_uri", "http://localhost:1/");
    assert_eq!(Browser::default().authorize(&tenant, &other).await.status, 400);
    let other = Parameters::of_login().with("audience", "https://unknown.test");
    assert_eq!(
        Browser::default().authorize(&tenant, &other).await.parameter("error"),
        "access_denied"
    );

    let logout = |target: &str| format!("v2/logout?client_id=agent&returnTo={target}");
    let answer = Browser::default().get(&tenant, &logout("http://127.0.0.1:1/bye")).await;
    assert_eq!(answer.header("location"), "http://127.0.0.1:1/bye");
    assert_eq!(Browser::default().get(&tenant, &logout("https://evil.test/")).await.status, 400);
}

#[tokio::test]
async fn a_registered_machine_has_a_secret() {
    let tenant = acme()
        .api(Api::new("https://other.test").token_lifetime(Duration::from_secs(60)))
        .start()
        .await
        .unwrap();
    let form = |client: &'static str, secret: &'static str| {
        Parameters::new(&[("grant_type", "client_credentials"), ("client_id", client)])
            .with("client_secret", secret)
            .with("audience", API)
    };
    for (form, status, error) in [
        (form("web", "other"), 401, "access_denied"),
        (form("spa", "any"), 403, "unauthorized_client"),
        (form("web", "s3cret").with("audience", "https://unknown.test"), 403, "access_denied"),
        (form("any", "any").with("audience", "https://unknown.test"), 403, "access_denied"),
    ] {
        let answer = token(&tenant, &form).await;
        assert_eq!((answer.status, answer.text("error")), (status, error.into()), "{form:?}");
    }
    assert_eq!(token(&tenant, &form("web", "s3cret")).await.json()["expires_in"], 86400);
    let other = form("web", "s3cret").with("audience", "https://other.test");
    assert_eq!(token(&tenant, &other).await.json()["expires_in"], 60);
    assert_eq!(token(&tenant, &form("any", "any")).await.status, 200, "not registered");
}

#[tokio::test]
async fn what_is_missing_is_named() {
    let tenant = start().await;
    let machine = Parameters::new(&[
        ("grant_type", "client_credentials"),
        ("client_id", "any"),
        ("client_secret", "any"),
        ("audience", API),
    ]);
    let public = Parameters::of_refresh("any").with("client_id", None);
    for (form, sentence) in [
        (public, "client_id is missing. Send it"),
        (machine.clone().with("client_id", None), "client_id is missing. Send it"),
        (machine.clone().with("client_secret", None), "client_secret is missing. Send it"),
        (
            machine.with("client_id", None).with("client_secret", None),
            "client_id and client_secret are missing. Send them",
        ),
    ] {
        let answer = token(&tenant, &form).await;
        assert_eq!((answer.status, answer.text("error")), (401, "invalid_client".into()));
        assert!(answer.text("error_description").starts_with(sentence), "{}", answer.body);
    }
}

#[tokio::test]
async fn machines_and_resource() {
    let form = Parameters::new(&[
        ("grant_type", "client_credentials"),
        ("client_id", "any"),
        ("client_secret", "any"),
        ("resource", "https://mcp.test/mcp"),
    ]);
    let tenant = start().await;
    let answer = token(&tenant, &form).await;
    assert_eq!((answer.status, answer.text("error")), (403, "access_denied".into()));
    assert!(answer.text("error_description").contains("resource is ignored"), "{}", answer.body);
    let audience = form.clone().with("audience", API);
    let answer = token(&tenant, &audience).await;
    assert_eq!(claims(&tenant, &answer.text("access_token"))["aud"], API);

    let tenant = LocalTenant::builder().resource_for_machines().start().await.unwrap();
    let answer = token(&tenant, &form).await;
    assert_eq!(claims(&tenant, &answer.text("access_token"))["aud"], "https://mcp.test/mcp");
    let answer = token(&tenant, &audience).await;
    assert_eq!(claims(&tenant, &answer.text("access_token"))["aud"], API, "audience wins");
}

#[tokio::test]
async fn a_client_that_is_added_later() {
    let tenant = start().await;
    let late = "http://localhost:4567/callback";
    tenant.add_client(Client::public("spa").callback(late)).unwrap();
    let answer = Browser::default()
        .authorize(&tenant, &Parameters::of_login().with("redirect_uri", late))
        .await;
    assert!(answer.header("location").starts_with(late));
    let replaced = Browser::default().authorize(&tenant, &Parameters::of_login()).await;
    assert_eq!(replaced.status, 400, "the client was replaced");
    tenant.add_client(Client::public("spa").callback("javascript:alert(1)")).unwrap_err();
}

#[tokio::test]
async fn configurations_that_cannot_start() {
    for (builder, sentence) in [
        (acme().client(Client::public("")), "empty id or secret"),
        (acme().client(Client::confidential("a", "")), "empty id or secret"),
        (acme().client(Client::public("a").callback("/callback")), "Write an absolute URL"),
        (acme().client(Client::public("a").logout_url("data:a")), "Write an absolute URL"),
        (acme().client(Client::public("a").grant_types(["implicit"])), "cannot have the grant"),
        (acme().user(User::new("")), "empty user_id"),
        (
            acme().client(Client::public("web")),
            "two clients have the client_id \"web\". Remove one, or give it another client_id",
        ),
        (
            acme().user(User::new("auth0|bob")),
            "two users have the user_id \"auth0|bob\". Remove one, or give it another user_id",
        ),
        (
            acme().api(Api::new("a")).api(Api::new("a")),
            "two APIs have the identifier \"a\". Remove one, or give it another identifier",
        ),
        (
            acme().user(User::new("a").member_of(Membership::new("acme", "a"))),
            "does not begin with org_",
        ),
        (acme().api(Api::new(" ")), "empty identifier"),
        (acme().api(Api::new("a").token_lifetime(Duration::ZERO)), "cannot be valid for 0 s"),
        (acme().api(Api::new("a").token_lifetime(Duration::MAX)), "Write from 1 to"),
    ] {
        let error = builder.start().await.unwrap_err().to_string();
        assert!(error.contains(sentence), "{sentence}: {error}");
    }
}

#[tokio::test]
async fn secrets_do_not_print() {
    let client = Client::confidential("web", "s3cret").callback(CALLBACK);
    assert!(!format!("{client:?} {:?}", acme()).contains("s3cret"));
    let tenant = start().await;
    let login = log_in(&tenant, &Parameters::of_login()).await;
    let printed = format!("{tenant:?}");
    for name in ["access_token", "id_token", "refresh_token"] {
        assert!(!printed.contains(&login.text(name)), "{name}");
    }
    assert!(!printed.contains("s3cret"));
}

#[tokio::test]
async fn long_parameters_are_refused() {
    let tenant = acme().open_clients().start().await.unwrap();
    let login = |length: usize| {
        let login = Parameters::of_login().with("client_id", "agent").with("audience", None);
        login.and("resource", &format!("urn:{}", "a".repeat(length - 4)))
    };
    let answer = async |login| Browser::default().authorize(&tenant, &login).await;
    assert_eq!(answer(login(600)).await.parameter("code").len(), 43);
    assert_eq!(answer(login(601)).await.parameter("error"), "access_denied");
    assert_eq!(answer(login(8192)).await.status, 400);
}

#[tokio::test]
async fn large_requests_are_refused() {
    let tenant = acme().dynamic_registration().start().await.unwrap();
    let large = Parameters::new(&[("client_id", "spa")]).and("token", &"a".repeat(64 * 1024));
    for path in ["oauth/token", "oauth/revoke", "oidc/register", "oidc/logout", "u/login"] {
        assert_eq!(send(&tenant, path, &large).await.status, 413, "{path}");
    }
}
