//! One application, its users' browsers, and their identity provider.
use crate::{
    browser::Browser,
    provider::{API, CLIENT, Form, Provider, parse},
    servers,
};
use auth0_axum::login::{InMemorySessionStore, Login, LoginBuilder};
use std::{net::SocketAddr, time::Duration};
use wire_tests::client::Answer;

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// One of the two servers, with a browser.
pub(crate) struct World {
    pub(crate) provider: Provider,
    pub(crate) login: Login,
    pub(crate) browser: Browser,
    pub(crate) server: SocketAddr,
    transcript: Vec<String>,
}

/// Changes the configuration of the login.
pub(crate) type Configure = fn(LoginBuilder) -> LoginBuilder;

pub(crate) fn builder(provider: &Provider) -> LoginBuilder {
    Login::builder()
        .issuer(provider.tenant().issuer())
        .client_id(CLIENT)
        .client_secret("the secret of the client")
        .secret(SECRET)
        .base_url("https://app.example")
        .audience(API)
        .http_client(provider.clone())
        .clock(provider.tenant().clock().clone())
}

/// Plays a scenario on both servers, with sessions in cookies and in a store.
pub(crate) async fn in_cookies_and_store(configure: Configure, scenario: impl AsyncFn(&mut World)) {
    on_both(configure, &scenario).await;
    play(configure, true, &scenario).await;
}

/// Plays a scenario on both servers, with sessions in a store.
pub(crate) async fn in_store(configure: Configure, scenario: impl AsyncFn(&mut World)) {
    play(configure, true, &scenario).await;
}

/// Plays a scenario on both servers. Their answers must be the same, but for what is random.
pub(crate) async fn on_both(configure: Configure, scenario: impl AsyncFn(&mut World)) {
    play(configure, false, &scenario).await;
}

async fn play(configure: Configure, has_store: bool, scenario: &impl AsyncFn(&mut World)) {
    let mut transcripts = Vec::new();
    for name in ["axum", "actix"] {
        let provider = Provider::new();
        let mut login = configure(builder(&provider));
        if has_store {
            let clock = provider.tenant().clock().clone();
            login = login.store(InMemorySessionStore::new().clock(clock));
        }
        let login = login.build().unwrap();
        let is_secure = login.callback_url().starts_with("https");
        let server = match name {
            "axum" => servers::axum(&login).await,
            _ => servers::actix(&login),
        };
        let browser = Browser::new(server, provider.tenant().clock(), is_secure);
        let mut world = World { provider, login, browser, server, transcript: Vec::new() };
        scenario(&mut world).await;
        transcripts.push(world.transcript);
    }
    let [axum, actix] = transcripts.try_into().unwrap();
    assert_eq!(axum.len(), actix.len());
    for (number, (axum, actix)) in axum.into_iter().zip(actix).enumerate() {
        assert_eq!(axum, actix, "answer {number}");
    }
}

impl World {
    pub(crate) async fn open(&mut self, path: &str) -> Answer {
        let answer = self.browser.open(path).await;
        self.note(&answer);
        answer
    }

    pub(crate) async fn fetch(&mut self, path: &str) -> Answer {
        let answer = self.browser.fetch(path).await;
        self.note(&answer);
        answer
    }

    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        lines: &[(&str, &str)],
    ) -> Answer {
        let answer = self.browser.send(method, path, lines).await;
        self.note(&answer);
        answer
    }

    /// Starts a login, and returns the URL of the provider.
    pub(crate) async fn start(&mut self, path: &str) -> String {
        let answer = self.open(path).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        location(&answer).to_owned()
    }

    /// Comes back from the provider.
    pub(crate) async fn come_back(&mut self, authorize: &str, user: &str) -> Answer {
        let query = self.provider.authorize(authorize, user);
        self.open(&format!("/auth/callback?{query}")).await
    }

    /// Logs a user in.
    pub(crate) async fn log_in(&mut self, user: &str) {
        let authorize = self.start("/auth/login").await;
        let answer = self.come_back(&authorize, user).await;
        assert_eq!((answer.status, location(&answer)), (303, "/"), "{answer:?}");
        assert_eq!(self.open("/").await.body, user);
    }

    pub(crate) async fn user(&mut self) -> String {
        self.open("/").await.body
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.provider.tenant().clock().advance(time);
    }

    /// Another browser at the same server.
    pub(crate) fn other_browser(&self) -> Browser {
        Browser::at(self.server, &self.browser)
    }

    /// Notes what must be the same on both servers.
    fn note(&mut self, answer: &Answer) {
        let mut lines = vec![answer.status.to_string()];
        for (name, value) in &answer.headers {
            let value = match name.as_str() {
                "set-cookie" => masked_cookie(value),
                "location" => masked_url(value),
                "content-length" | "transfer-encoding" => continue,
                _ => value.clone(),
            };
            lines.push(format!("{name}: {value}"));
        }
        lines.push(answer.body.clone());
        self.transcript.push(lines.join("\n"));
    }
}

fn masked_cookie(line: &str) -> String {
    let (pair, attributes) = line.split_once("; ").unwrap();
    let (name, value) = pair.split_once('=').unwrap();
    let name = name.split_once("_tx.").map_or(name, |(start, _)| start);
    format!("{name}={} {attributes}", value.len())
}

fn masked_url(url: &str) -> String {
    let Some((path, query)) = url.split_once('?') else { return url.to_owned() };
    let masked = query.split('&').map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let is_random = matches!(name, "state" | "nonce" | "code_challenge" | "logout_hint");
        if is_random { format!("{name}={}", value.len()) } else { pair.to_owned() }
    });
    format!("{path}?{}", masked.collect::<Vec<_>>().join("&"))
}

pub(crate) fn location(answer: &Answer) -> &str {
    let lines = answer.lines("location");
    assert_eq!(lines.len(), 1, "{answer:?}");
    lines[0]
}

/// Returns the parameters of a URL.
pub(crate) fn query(url: &str) -> Form {
    parse(url.split_once('?').unwrap_or_default().1)
}
