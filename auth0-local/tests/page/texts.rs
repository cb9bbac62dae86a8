//! What the page shows of others, and what it does not show.
use crate::{
    common::{ask, get, post, raw},
    kit::{EVIL, between, body, send},
};
use auth0_local::{Api, Client, Fault, LocalTenant, LoginAnswer, User};

#[tokio::test]
async fn text_of_others_is_no_markup() {
    let tenant = LocalTenant::builder()
        .user(User::new(format!("auth0|{EVIL}")).name(EVIL).permissions([EVIL]))
        .client(Client::public(EVIL).callback("http://localhost/%3Cscript%3E"))
        .api(Api::new(EVIL).scopes([EVIL]))
        .start()
        .await
        .unwrap();
    let token = tenant.token().subject(EVIL).scope(EVIL).audience(EVIL).claim(EVIL, EVIL);
    let token = token.header("kid", EVIL).header(EVIL, EVIL).mint();
    let request = format!("/{}", "%3Cscript%3Ealert(1)");
    get(&tenant, &request).send().await.unwrap();
    raw(&tenant, "GET /<script>alert(1) HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await;
    get(&tenant, &format!("authorize?client_id={}", "%3Cscript%3E")).send().await.unwrap();
    let filled = |action| {
        let names = [
            "audience",
            "scope",
            "permissions",
            "subject",
            "client",
            "organization",
            "profile",
            "expires_in",
            "url",
            "claims",
            "method",
            "token",
            "nonce",
            "requirement",
            "client_id",
            "kind",
            "proof",
            "endpoint",
            "fault",
            "user",
            "machine",
            "bound",
            "expired",
        ];
        let mut fields = vec![("action", action), ("pasted", EVIL)];
        fields.extend(names.map(|name| (name, EVIL)));
        fields
    };
    let mut pages = vec![body(get(&tenant, "").send().await.unwrap()).await];
    for action in ["token", "proof", "inspect", "fault", "block", "logout", EVIL] {
        pages.push(send(&tenant, &filled(action)).await.1);
    }
    pages.push(
        send(&tenant, &[("action", "inspect"), ("pasted", &token), ("audience", EVIL)]).await.1,
    );
    pages.push(send(&tenant, &[("action", "inspect"), ("pasted", &token)]).await.1);
    let url = "http://127.0.0.1/";
    pages.push(
        send(&tenant, &[("action", "token"), ("scope", EVIL), ("subject", EVIL), ("url", url)])
            .await
            .1,
    );
    for page in pages {
        assert_eq!(page.matches("<script").count(), 1, "{page}");
        assert_eq!(page.matches("<img").count(), 0, "{page}");
        // Only in the fields, where it must stay as it was entered.
        for outside in page.split("</textarea>").map(|part| part.split("<textarea").next().unwrap())
        {
            let shown: String = outside
                .split(" value=\"")
                .map(|it| it.split_once('"').map_or(it, |it| it.1))
                .collect();
            assert!(!shown.contains('\u{202e}'), "{outside}");
        }
    }
}

#[tokio::test]
async fn the_last_requests_have_no_secrets() {
    let web = || Client::confidential("web", "s3cret").callback("http://localhost/cb");
    let tenant =
        LocalTenant::builder().user(User::new("auth0|ann").email("ann@acme.com")).client(web());
    let tenant = tenant.start().await.unwrap();
    let form = |text: &str| {
        let request = post(&tenant, "oauth/token")
            .header("content-type", "application/x-www-form-urlencoded");
        request.body(text.to_owned())
    };
    let token = tenant.token().mint();
    for request in [
        form(
            "grant_type=client_credentials&client_id=web&client_secret=s3cret&audience=https://a.test",
        ),
        form("grant_type=client_credentials&audience=https://a.test")
            .basic_auth("web", Some("s3cret")),
        form("grant_type=refresh_token&client_id=web&client_secret=s3cret&refresh_token=r3fresh"),
        form(
            "grant_type=password&client_id=web&client_secret=s3cret&username=ann@acme.com&password=pa55",
        ),
        form(&format!(
            "grant_type=x&client_id=web&client_assertion={token}&code=c0de&code_verifier=v3rifier"
        )),
        get(
            &tenant,
            "authorize?client_id=web&response_type=code&redirect_uri=http://localhost/cb&state=st4te&nonce=n0nce&login_hint=ann@acme.com",
        ),
        get(
            &tenant,
            "authorize?client_id=web&response_type=token&redirect_uri=http://localhost/cb",
        ),
        get(&tenant, "userinfo").bearer_auth(&token),
        get(&tenant, &format!("callback/{token}?access_token={token}")),
    ] {
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build();
        client.unwrap().execute(request.build().unwrap()).await.unwrap();
    }
    tenant.answer_next_login(LoginAnswer::denied()).unwrap();
    tenant.set_fault(auth0_local::Endpoint::UserInfo, Fault::reset());
    get(&tenant, "userinfo").send().await.unwrap_err();
    tenant.set_fault(auth0_local::Endpoint::UserInfo, Fault::hang());
    let hangs = ask(&tenant, "GET /userinfo HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    while tenant.stats().user_info.faulted < 2 {
        tokio::task::yield_now().await;
    }

    let page = body(get(&tenant, "").send().await.unwrap()).await;
    let requests = between(&page, "<section id=\"requests\"", "</section>");
    for shown in [
        "grant_type=client_credentials client_id=web authentication=client_secret_post audience=https://a.test",
        "authentication=client_secret_basic",
        "authentication=private_key_jwt",
        "client_id=web response_type=code",
        "<td>302 unsupported_response_type</td>",
        "<td>403 invalid_grant</td>",
        "GET /callback/…",
        "<td>404 not_found</td>",
        "<td>connection reset</td>",
        "<td>no answer yet</td>",
    ] {
        assert!(requests.contains(shown), "{shown}: {requests}");
    }
    for secret in
        ["s3cret", "r3fresh", "pa55", "c0de", "v3rifier", "st4te", "n0nce", "ann@acme.com", "eyJ"]
    {
        assert!(!requests.contains(secret), "{secret}: {requests}");
    }
    assert!(!requests.contains("<code>GET /</code>"), "the page is not in its own list");
    drop(hangs);
    for _ in 0..60 {
        raw(&tenant, "GET /nothing HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await;
    }
    let page = body(get(&tenant, "").send().await.unwrap()).await;
    let requests = between(&page, "<section id=\"requests\"", "</section>");
    assert_eq!((requests.matches("<tr ").count(), requests.matches("/nothing").count()), (50, 50));
}
