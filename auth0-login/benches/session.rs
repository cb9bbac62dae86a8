//! What a request of a user who is logged in costs: `cargo bench -p auth0-login`.
//!
//! The session has about 2 KiB in a sealed cookie.
#![allow(missing_docs, clippy::panic, clippy::unwrap_used, reason = "a benchmark")]
use auth0_local::{Client, LocalTenant, User};
use auth0_login::{Login, Reply, Request};
use divan::{Bencher, black_box};
use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

const BASE: &str = "http://localhost:3000";

fn main() {
    divan::main();
}

/// Returns a login, and the cookie of a session.
fn signed_in() -> (Login, String) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let outcome = runtime.block_on(async {
        let tenant = LocalTenant::builder()
            .user(User::new("auth0|ann").name("Ann").claim("about", "x".repeat(1500)))
            .client(Client::confidential("web", "secret").callback(format!("{BASE}/auth/callback")))
            .start()
            .await
            .unwrap();
        let login = Login::builder()
            .issuer(tenant.issuer())
            .client_id("web")
            .client_secret("secret")
            .secret("0123456789abcdef0123456789abcdef")
            .base_url(BASE)
            .build()
            .unwrap();
        let begun = login.start(&Request::new("GET", "/auth/login")).await;
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        let answer = http.build().unwrap().get(header(&begun, "location")).send().await.unwrap();
        let back = answer.headers()["location"].to_str().unwrap().strip_prefix(BASE).unwrap();
        let request = Request::new("GET", back).header("cookie", cookie(&begun).as_bytes());
        let ended = login.callback(&request).await;
        let cookies = ended.headers().filter(|(name, _)| *name == "set-cookie");
        let session = cookies.map(|(_, line)| line).find(|line| line.starts_with("a0_session="));
        (login, session.unwrap().split(';').next().unwrap().to_owned())
    });
    runtime.shutdown_background();
    outcome
}

fn header(reply: &Reply, name: &str) -> String {
    reply.headers().find(|(known, _)| *known == name).unwrap().1.to_owned()
}

fn cookie(reply: &Reply) -> String {
    header(reply, "set-cookie").split(';').next().unwrap().to_owned()
}

fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits"),
    }
}

/// Reads the session, and returns the user.
#[divan::bench]
fn user_of_a_request(bencher: Bencher<'_, '_>) {
    let (login, cookie) = signed_in();
    assert!((2000..3800).contains(&cookie.len()), "{}", cookie.len());
    bencher.bench_local(|| {
        let request = Request::new("GET", "/").header("cookie", black_box(cookie.as_bytes()));
        let session = login.session(request);
        let user = ready(session.user()).unwrap().unwrap();
        let headers = ready(session.finish()).unwrap();
        assert!(headers.iter().map(|(name, _)| *name).eq(["cache-control", "vary"]));
        user
    });
}

/// A request that does not need the session.
#[divan::bench]
fn session_that_is_not_read(bencher: Bencher<'_, '_>) {
    let (login, cookie) = signed_in();
    bencher.bench_local(|| {
        let request = Request::new("GET", "/").header("cookie", black_box(cookie.as_bytes()));
        let session = login.session(request);
        assert!(ready(session.finish()).unwrap().is_empty());
    });
}
