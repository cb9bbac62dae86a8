//! Logins at a tenant on this machine, over real sockets.
#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]
use auth0_local::{Api, Client, LocalTenant, User};
use auth0_login::{ErrorKind, Login, Reply, Request, Session};
use std::collections::BTreeMap;

const BASE: &str = "http://localhost:3000";
const API: &str = "https://billing.test";

async fn tenant() -> LocalTenant {
    let client = Client::confidential("web", "secret")
        .callback(format!("{BASE}/auth/callback"))
        .logout_url(format!("{BASE}/"))
        .multi_resource_refresh_tokens();
    LocalTenant::builder()
        .user(User::new("auth0|ann").name("Ann"))
        .api(Api::new(API).scopes(["read:invoices"]).allow_offline_access())
        .client(client)
        // Token Vault does not support rotation.
        .without_refresh_token_rotation()
        .start()
        .await
        .unwrap()
}

fn login(tenant: &LocalTenant) -> Login {
    Login::builder()
        .issuer(tenant.issuer())
        .client_id("web")
        .client_secret("secret")
        .secret("0123456789abcdef0123456789abcdef")
        .base_url(BASE)
        .audience(API)
        .clock(tenant.tenant().clock().clone())
        .accept_session_transfer()
        .build()
        .unwrap()
}

/// A browser: the cookies of the application.
#[derive(Default)]
struct Browser(BTreeMap<String, String>);

impl Browser {
    fn request(&self, target: &str) -> Request {
        let pairs: Vec<String> =
            self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Request::new("GET", target)
            .header("accept", b"text/html")
            .header("cookie", pairs.join("; ").as_bytes())
    }

    fn keep<'a>(&mut self, headers: impl Iterator<Item = (&'static str, &'a str)>) {
        for (_, line) in headers.filter(|(name, _)| *name == "set-cookie") {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            match line.ends_with("Max-Age=0") {
                true => self.0.remove(name),
                false => self.0.insert(name.to_owned(), value.to_owned()),
            };
        }
    }

    fn follow(&mut self, reply: &Reply) -> String {
        self.keep(reply.headers());
        assert_eq!(reply.status(), 303, "{}", reply.body());
        reply.headers().find(|(name, _)| *name == "location").unwrap().1.to_owned()
    }

    /// Opens a page of the tenant, which sends the browser back to the application.
    async fn at_tenant(url: &str) -> String {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let answer = http.build().unwrap().get(url).send().await.unwrap();
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        location.strip_prefix(BASE).unwrap_or(&location).to_owned()
    }

    async fn log_in(&mut self, login: &Login) {
        let begun = login.start(&self.request("/auth/login")).await;
        let back = Self::at_tenant(&self.follow(&begun)).await;
        let ended = login.callback(&self.request(&back)).await;
        assert_eq!(self.follow(&ended), "/");
    }

    async fn finish(&mut self, session: &Session) {
        let headers = session.finish().await.unwrap();
        self.keep(headers.iter().map(|(name, value)| (*name, value.as_str())));
    }
}

#[tokio::test]
async fn an_account_is_connected() {
    let tenant = tenant().await;
    let login = login(&tenant);
    let mut browser = Browser::default();
    browser.log_in(&login).await;
    let session = login.session(browser.request("/"));
    let none = session.connection_token("google-oauth2").await.unwrap_err();
    assert_eq!(none.kind(), ErrorKind::Forbidden, "{none}");
    assert!(session.connected_accounts().await.unwrap().is_empty());

    let request = session.connect_account("google-oauth2").scopes(["calendar.read"]);
    let begun =
        request.parameter("login_hint", "ann@work.test").return_to("/calendar").await.unwrap();
    browser.finish(&session).await;
    let back = Browser::at_tenant(&browser.follow(&begun)).await;
    assert!(back.starts_with("/auth/callback?connect_code="), "{back}");
    let ended = login.callback(&browser.request(&back)).await;
    assert_eq!(browser.follow(&ended), "/calendar");

    let session = login.session(browser.request("/calendar"));
    let accounts = session.connected_accounts().await.unwrap();
    assert_eq!(accounts.len(), 1);
    assert_eq!(
        (accounts[0].connection.as_str(), &accounts[0].scopes[..]),
        ("google-oauth2", &["calendar.read".to_owned()][..])
    );
    let token = session.connection_token("google-oauth2").await.unwrap();
    let account = tenant.vault_account_of(token.encoded()).unwrap();
    assert_eq!(
        (account.user.as_str(), account.login_hint.as_str()),
        ("auth0|ann", "ann@work.test")
    );
    // The token of the API is still there.
    assert!(session.access_token(API).await.is_ok());

    session.disconnect_account(&accounts[0]).await.unwrap();
    assert_eq!(
        session.connection_token("google-oauth2").await.unwrap_err().kind(),
        ErrorKind::Forbidden
    );
    session.disconnect_account(&accounts[0]).await.unwrap();
    browser.finish(&session).await;
    let session = login.session(browser.request("/"));
    assert!(session.connected_accounts().await.unwrap().is_empty());
}

/// A code of another connection, or used twice.
#[tokio::test]
async fn connections_that_the_tenant_refuses() {
    let tenant = tenant().await;
    let login = login(&tenant);
    let mut browser = Browser::default();
    browser.log_in(&login).await;
    let begin = async |browser: &mut Browser| {
        let session = login.session(browser.request("/"));
        let begun = session.connect_account("github").await.unwrap();
        browser.finish(&session).await;
        Browser::at_tenant(&browser.follow(&begun)).await
    };
    let back = begin(&mut browser).await;
    let (start, state) = back.split_once("&state=").unwrap();
    let (start, _) = start.split_once("connect_code=").unwrap();
    let forged = format!("{start}connect_code=x&state={state}");
    assert_eq!(login.callback(&browser.request(&forged)).await.status(), 403);
    let back = begin(&mut browser).await;
    assert_eq!(login.callback(&browser.request(&back)).await.status(), 303);
    let back = begin(&mut browser).await;
    let again = login.callback(&browser.request(&back)).await;
    assert_eq!(again.status(), 409, "it is connected already");
    assert!(again.body().contains("connected already"));
}

/// A native application has transferred the session of its user.
#[tokio::test]
async fn a_transferred_session() {
    let tenant = tenant().await;
    let login = login(&tenant);
    let mut browser = Browser::default();
    let begun = login.start(&browser.request("/auth/login?session_transfer_token=unknown")).await;
    let back = Browser::at_tenant(&browser.follow(&begun)).await;
    assert!(back.contains("error=access_denied"), "the tenant has read it: {back}");
    assert_eq!(login.callback(&browser.request(&back)).await.status(), 403);
}
