//! What an application can set, and what it is told when it cannot work.
use crate::{
    browser::Browser,
    provider::{CLIENT, Provider},
    servers,
    world::{builder, location, on_both, query},
};
use auth0_axum::login::{Login, LoginBuilder, LoginOptions};
use wire_tests::client;

fn own_paths(login: LoginBuilder) -> LoginBuilder {
    login
        .login_path("/in")
        .callback_path("/back")
        .logout_path("/out")
        .backchannel_logout_path("/hooks/logout")
        .cookie_name("shop")
}

#[tokio::test]
async fn own_paths_and_cookies() {
    on_both(own_paths, async |world| {
        let answer = world.open("/me?a=b").await;
        assert_eq!((answer.status, location(&answer)), (303, "/in?returnTo=%2Fme%3Fa%3Db"));
        let url = world.start("/in?returnTo=/me").await;
        assert_eq!(query(&url)["redirect_uri"], "https://app.example/back");
        assert!(world.browser.names()[0].starts_with("__Host-shop_tx."));
        let back = world.provider.authorize(&url, "auth0|ann");
        let answer = world.open(&format!("/back?{back}")).await;
        assert_eq!((answer.status, location(&answer)), (303, "/me"));
        assert_eq!(world.browser.names(), ["__Host-shop_session"]);
        assert_eq!(world.user().await, "auth0|ann");
        assert_eq!(world.open("/auth/login").await.status, 404);
        // The page of a mistake leads to the login.
        let answer = world.open("/back").await;
        assert!(answer.body.contains("href=\"/in\""), "{}", answer.body);
        assert_eq!(world.open("/out").await.status, 303);
        assert!(world.browser.names().is_empty());
        let body =
            format!("logout_token={}", world.provider.logout_token().subject("auth0|ann").mint());
        let form: [(&str, &[u8]); 1] = [("content-type", b"application/x-www-form-urlencoded")];
        let answer =
            client::send_body(world.server, "POST /hooks/logout", &form, body.as_bytes(), false)
                .await;
        assert_eq!(answer.status, 200, "{answer:?}");
    })
    .await;
}

/// Two applications on one host, as on two ports of one machine: a browser sends the cookies of both to both.
#[tokio::test]
async fn two_applications_on_one_host() {
    let local = |name: &str, provider: &Provider| {
        builder(provider).base_url("http://localhost:3000").cookie_name(name).build().unwrap()
    };
    let provider = Provider::new();
    let (shop, blog) = (local("shop", &provider), local("blog", &provider));
    for [shop, blog] in [
        [servers::axum(&shop).await, servers::axum(&blog).await],
        [servers::actix(&shop), servers::actix(&blog)],
    ] {
        let mut browser = Browser::new(shop, provider.tenant().clock(), false);
        for (server, user) in [(shop, "auth0|ann"), (blog, "auth0|bob")] {
            browser.server = server;
            let begun = browser.open("/auth/login").await;
            let back = provider.authorize(location(&begun), user);
            assert_eq!(browser.open(&format!("/auth/callback?{back}")).await.status, 303);
        }
        assert_eq!(browser.names(), ["shop_session", "blog_session"]);
        assert_eq!(browser.open("/auth/logout").await.status, 303);
        browser.server = shop;
        assert_eq!(browser.open("/").await.body, "auth0|ann", "only the blog was left");
    }
}

/// A proxy that serves the application at a path, and removes it or not.
#[tokio::test]
async fn below_a_path() {
    on_both(
        |login| login.base_url("https://app.example/shop"),
        async |world| {
            for (path, expected) in [
                ("/me?a=b", "/shop/auth/login?returnTo=%2Fshop%2Fme%3Fa%3Db"),
                ("/shopping", "/shop/auth/login?returnTo=%2Fshop%2Fshopping"),
                ("/shop/me", "/shop/auth/login?returnTo=%2Fshop%2Fme"),
            ] {
                let answer = world.open(path).await;
                if path == "/me?a=b" {
                    assert_eq!((answer.status, location(&answer)), (303, expected));
                } else {
                    assert_eq!(answer.status, 404, "{path}");
                }
            }
            let url = world.start("/auth/login?returnTo=%2Fshop%2Fme").await;
            assert_eq!(query(&url)["redirect_uri"], "https://app.example/shop/auth/callback");
            let answer = world.come_back(&url, "auth0|ann").await;
            assert_eq!((answer.status, location(&answer)), (303, "/shop/me"));
            assert_eq!(world.user().await, "auth0|ann");
        },
    )
    .await;
}

#[test]
fn what_cannot_work_is_said_at_the_start() {
    let provider = Provider::new();
    type Change = fn(LoginBuilder) -> LoginBuilder;
    let cases: [(Change, &str); 16] = [
        (|login| login.signed_requests(), "AUTH0_CLIENT_ASSERTION_SIGNING_KEY"),
        (|login| login.parameter("state", "mine"), "state"),
        (|login| login.parameter("nonce", "mine"), "nonce"),
        (|login| login.parameter("code_challenge", "mine"), "code_challenge"),
        (|login| login.parameter("response_mode", "form_post"), "response_mode"),
        (|login| login.parameter("scope", "openid"), ".scopes("),
        (|login| login.parameter("audience", "https://a.test"), ".audience("),
        (|login| login.parameter("organization", "acme"), ".organization("),
        (|login| login.parameter("max_age", "1"), ".max_age("),
        (|login| login.parameter("acr_values", "x"), ".acr_values("),
        (|login| login.login_path("login"), "\"login\""),
        (|login| login.login_path("/{any}"), "\"/{any}\""),
        (|login| login.callback_path("/auth/login"), "two routes"),
        (|login| login.logout_path("/"), "\"/\""),
        (|login| login.cookie_name("my shop"), "\"my shop\""),
        (|login| login.cookie_name(""), "cookies"),
    ];
    for (change, expected) in cases {
        let error = change(builder(&provider)).build().unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[tokio::test]
async fn a_tenant_without_pushed_requests_is_noticed_at_the_start() {
    let provider = Provider::new();
    let login = |provider: &Provider| builder(provider).pushed_requests().build().unwrap();
    login(&provider).warm_up().await.unwrap();
    provider.without_push_endpoint();
    let error = login(&provider).warm_up().await.unwrap_err().to_string();
    assert!(error.contains("pushed_authorization_request_endpoint"), "{error}");
    assert!(error.contains("Allow Pushed Authorization Requests"), "{error}");
    // A tenant that does not answer is another thing.
    let provider = Provider::new();
    provider.down(true);
    for login in [login(&provider), builder(&provider).build().unwrap()] {
        let error = login.warm_up().await.unwrap_err();
        assert_eq!(error.kind(), auth0_axum::client::ErrorKind::Unavailable, "{error}");
    }
}

/// A parameter that would leave out a check does not start a login.
#[tokio::test]
async fn reserved_parameters_of_one_login() {
    let provider = Provider::new();
    let login: Login = builder(&provider).build().unwrap();
    let request = || auth0_login::Request::new("GET", "/").header("accept", b"text/html");
    for name in ["state", "nonce", "code_challenge", "organization", "max_age", "audience"] {
        let options = LoginOptions::new().parameter(name, "mine");
        let reply = login.start_with(&request(), options).await;
        assert_eq!(reply.status(), 500, "{name}");
    }
    let options = LoginOptions::new().parameter("prompt", "login");
    let reply = login.start_with(&request(), options).await;
    assert_eq!(reply.status(), 303);
    assert_eq!(login.client().client_id(), CLIENT);
}

/// A browser drops a cookie of more than 4096 bytes: the way back is shorter then.
#[tokio::test]
async fn a_login_fits_into_its_cookie() {
    on_both(
        |login| login,
        async |world| {
            for (target, organization) in [(2000, 900), (2040, 1000), (10, 1000), (2040, 0)] {
                let target = format!("/{}", "a".repeat(target));
                let organization = "o".repeat(organization);
                let path = format!("/auth/login?returnTo={target}&organization={organization}");
                // The browser of the test refuses a cookie that is too large.
                let url = world.start(&path).await;
                world.provider.id_tokens(move |token| match organization.as_str() {
                    "" => token,
                    name => token.organization(name, name),
                });
                let answer = world.come_back(&url, "auth0|ann").await;
                assert_eq!(answer.status, 303, "{answer:?}");
                let expected = if path.len() > 2500 { "/" } else { target.as_str() };
                assert_eq!(location(&answer), expected);
            }
        },
    )
    .await;
}

/// What is made for one user, a cache does not give to another.
#[tokio::test]
async fn pages_that_depend_on_the_user_are_private() {
    on_both(
        |login| login,
        async |world| {
            for _ in 0..2 {
                for (path, cached) in
                    [("/", vec!["private"]), ("/plain", vec![]), ("/session", vec!["private"])]
                {
                    let answer = world.open(path).await;
                    assert_eq!(answer.lines("cache-control"), cached, "{path}");
                    assert_eq!(answer.lines("vary").len(), cached.len(), "{path}");
                    assert!(answer.lines("set-cookie").is_empty(), "{path}");
                }
                world.log_in("auth0|ann").await;
            }
            // The application has said otherwise.
            assert_eq!(world.open("/cached").await.lines("cache-control"), ["public, max-age=60"]);
        },
    )
    .await;
}
