//! A browser: it keeps cookies as browsers do, and follows no redirect by itself.
use auth0_axum::{auth0_core::time::Clock, testing::ManualClock};
use std::{net::SocketAddr, time::Duration};
use wire_tests::client::{self, Answer};

#[derive(Clone)]
pub(crate) struct Browser {
    pub(crate) server: SocketAddr,
    clock: ManualClock,
    is_secure: bool,
    pub(crate) jar: Vec<Cookie>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cookie {
    pub(crate) name: String,
    pub(crate) value: String,
    ends_at: Option<Duration>,
}

impl Cookie {
    pub(crate) fn of(name: &str, value: &str) -> Self {
        Self { name: name.into(), value: value.into(), ends_at: None }
    }
}

impl Browser {
    /// A browser that speaks https with a proxy in front of the server, or http on this machine.
    pub(crate) fn new(server: SocketAddr, clock: &ManualClock, is_secure: bool) -> Self {
        Self { server, clock: clock.clone(), is_secure, jar: Vec::new() }
    }

    /// Another browser, with no cookies.
    pub(crate) fn at(server: SocketAddr, like: &Self) -> Self {
        Self { server, jar: Vec::new(), ..like.clone() }
    }

    /// Opens a page.
    pub(crate) async fn open(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[("accept", "text/html"), ("sec-fetch-mode", "navigate")]).await
    }

    /// Requests data, as a script does.
    pub(crate) async fn fetch(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[("accept", "*/*"), ("sec-fetch-mode", "cors")]).await
    }

    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        lines: &[(&str, &str)],
    ) -> Answer {
        let cookies = self.cookies();
        let mut all: Vec<(&str, &[u8])> =
            lines.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        if !cookies.is_empty() {
            all.push(("cookie", cookies.as_bytes()));
        }
        let target = format!("{method} {path}");
        let answer = client::send_body(self.server, &target, &all, b"", false).await;
        self.keep(&answer);
        answer
    }

    /// Returns the header `Cookie` of the next request.
    pub(crate) fn cookies(&self) -> String {
        let now = self.clock.unix_time();
        let alive = self.jar.iter().filter(|cookie| cookie.ends_at.is_none_or(|end| now < end));
        let pairs: Vec<String> =
            alive.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        pairs.join("; ")
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.jar.iter().map(|cookie| cookie.name.as_str()).collect()
    }

    pub(crate) fn keep(&mut self, answer: &Answer) {
        let lines = answer.lines("set-cookie");
        if !lines.is_empty() {
            let cached = answer.lines("cache-control");
            assert!(cached.len() == 1 && cached[0].contains("no-store"), "{answer:?}");
        }
        for line in lines {
            assert!(line.len() <= 4096, "a browser drops it: {} bytes", line.len());
            let mut parts = line.split("; ");
            let (name, value) = parts.next().unwrap().split_once('=').unwrap();
            let attributes: Vec<&str> = parts.collect();
            let has = |wanted: &str| attributes.contains(&wanted);
            assert!(has("HttpOnly") && has("SameSite=Lax") && has("Path=/"), "{line}");
            assert!(!attributes.iter().any(|attribute| attribute.starts_with("Domain")), "{line}");
            // A cookie of this prefix is for https only; one that is for https only is dropped over http.
            assert_eq!(has("Secure"), self.is_secure, "{line}");
            assert_eq!(name.starts_with("__Host-"), self.is_secure, "{line}");
            let age = attributes.iter().find_map(|attribute| attribute.strip_prefix("Max-Age="));
            let age: Option<u64> = age.map(|seconds| seconds.parse().unwrap());
            self.jar.retain(|cookie| cookie.name != name);
            if age != Some(0) {
                let ends_at = age.map(|age| self.clock.unix_time() + Duration::from_secs(age));
                self.jar.push(Cookie { name: name.into(), value: value.into(), ends_at });
            }
        }
    }
}
