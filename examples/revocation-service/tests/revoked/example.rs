//! An example in a process of its own, and the requests to it.
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// The variables that an example reads.
const VARIABLES: [&str; 12] = [
    "AUTH0_DOMAIN",
    "AUTH0_ISSUER",
    "AUTH0_AUDIENCE",
    "AUTH0_RESOURCE",
    "AUTH0_LOGOUT_CLIENT_IDS",
    "AUTH0_SID_CLAIM",
    "AUTH0_EVENTS_URL",
    "AUTH0_EVENTS_TOKEN",
    "AUTH0_ALLOW_HTTP_HOSTS",
    "REDIS_URL",
    "HOST",
    "PORT",
];

/// A running example.
pub(super) struct Example {
    process: Child,
    pub(super) url: String,
    /// The tenant that it has started.
    issuer: String,
    /// What it has printed before it listened.
    pub(super) output: String,
    http: Client,
}

impl Example {
    pub(super) fn start(program: &str, variables: &[(&str, &str)]) -> Self {
        // A stream that does not end fails the test.
        let http = Client::builder().no_proxy().timeout(Duration::from_secs(120));
        let process = command(program, variables).stdout(Stdio::piped()).spawn().unwrap();
        let http = http.build().unwrap();
        let (url, issuer, output) = Default::default();
        let mut example = Self { process, url, issuer, output, http };
        let output = example.process.stdout.take().unwrap();
        for line in BufReader::new(output).lines() {
            let line = line.unwrap();
            if let Some((_, issuer)) = line.split_once("runs in this process: ") {
                issuer.clone_into(&mut example.issuer);
            }
            if let Some(url) = line.strip_prefix("listening on ") {
                url.clone_into(&mut example.url);
                break;
            }
            example.output.extend([&line, "\n"]);
        }
        assert!(!example.url.is_empty(), "the example says where it listens");
        example
    }

    /// Sends a request with a token; without one, if it is empty.
    fn request(&self, path: &str, token: &str) -> RequestBuilder {
        let request = self.http.get(format!("{}{path}", self.url));
        match token {
            "" => request,
            token => request.bearer_auth(token),
        }
    }

    pub(super) async fn get(&self, path: &str, token: &str) -> Answer {
        Answer::of(self.request(path, token).send().await.unwrap()).await
    }

    pub(super) async fn stream(&self, token: &str) -> EventStream {
        self.try_stream(token).await.unwrap()
    }

    pub(super) async fn try_stream(&self, token: &str) -> Result<EventStream, Answer> {
        let response = self.request("/api/stream", token).send().await.unwrap();
        if response.status() != 200 {
            return Err(Answer::of(response).await);
        }
        let content_type = response.headers()["content-type"].to_str().unwrap();
        assert!(content_type.starts_with("text/event-stream"), "{content_type}");
        Ok(EventStream { response, opened: Instant::now(), received: String::new() })
    }

    pub(super) async fn send_logout(&self, logout_token: &str) -> Answer {
        let request = self.http.post(format!("{}/backchannel-logout", self.url));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let request = request.body(format!("logout_token={logout_token}"));
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["cache-control"], "no-store");
        Answer::of(response).await
    }

    /// Returns a token of the tenant that the example has started.
    pub(super) async fn token(&self, user: &str) -> String {
        let answer = self.drill("token", serde_json::json!({ "subject": user })).await;
        answer.body["access_token"].as_str().unwrap().to_owned()
    }

    /// Controls the tenant that the example has started.
    pub(super) async fn drill(&self, name: &str, body: Value) -> Answer {
        let request = self.http.post(format!("{}__local/{name}", self.issuer));
        Answer::of(request.body(body.to_string()).send().await.unwrap()).await
    }

    /// Returns how many connections read the events of the tenant that the example has started.
    pub(super) async fn event_connections(&self) -> u64 {
        let request = self.http.get(format!("{}__local/events", self.issuer));
        let answer = Answer::of(request.send().await.unwrap()).await;
        answer.body["connections"].as_u64().unwrap()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub(super) fn command(program: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program);
    for name in VARIABLES {
        command.env_remove(name);
    }
    command.env("PORT", "0").env("RUST_LOG", "off").envs(variables.iter().copied());
    command
}

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Answer {
    async fn of(response: Response) -> Self {
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        Self { status, body: serde_json::from_str(&text).unwrap_or(Value::Null) }
    }

    #[track_caller]
    pub(super) fn is(&self, status: u16, error_code: &str) {
        assert_eq!(
            (self.status, &self.body["error_code"]),
            (status, &error_code.into()),
            "{self:?}"
        );
    }
}

/// An open stream of events, each of which is a number.
#[derive(Debug)]
pub(super) struct EventStream {
    response: Response,
    opened: Instant,
    received: String,
}

impl EventStream {
    /// Returns the next event, or none at the end of the stream.
    pub(super) async fn next(&mut self) -> Option<u64> {
        loop {
            if let Some((event, rest)) = self.received.split_once("\n\n") {
                let number = event.strip_prefix("data: ").unwrap().parse().unwrap();
                self.received = rest.to_owned();
                return Some(number);
            }
            let chunk = self.response.chunk().await.unwrap()?;
            self.received.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// Reads up to the end, which comes within a second after the token was revoked.
    pub(super) async fn ends(&mut self, revoked: Instant) {
        self.ends_within(1, revoked).await;
    }

    /// Reads up to the end, which comes this many seconds after the token was revoked at the latest. The numbers of the
    /// events count the seconds of the program, so that a slow test proves the same.
    pub(super) async fn ends_within(&mut self, seconds: u64, revoked: Instant) {
        let latest = revoked.duration_since(self.opened).as_secs() + 1 + seconds;
        while let Some(number) = self.next().await {
            assert!(number <= latest, "the stream goes on after {latest} s");
        }
    }
}
