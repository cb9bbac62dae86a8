//! What an example that calls this API does, as a client of it sees it.
use auth0_local::{Api, Client, ConnectedAccount, LocalTenant, User};
use axum::{
    Router,
    body::Body,
    http::{Response, Uri},
};
use reqwest::StatusCode;
use serde_json::Value;
use std::{
    collections::VecDeque,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

const API: &str = "https://api.local.test";
const DOWNSTREAM: &str = "https://downstream.local.test";

/// The variables that an example reads.
const VARIABLES: [&str; 11] = [
    "AUTH0_DOMAIN",
    "AUTH0_ISSUER",
    "AUTH0_AUDIENCE",
    "AUTH0_CLIENT_ID",
    "AUTH0_CLIENT_SECRET",
    "AUTH0_CLIENT_ASSERTION_SIGNING_KEY",
    "AUTH0_CLIENT_DPOP",
    "DOWNSTREAM_URL",
    "DOWNSTREAM_AUDIENCE",
    "HOST",
    "PORT",
];

/// A running example.
struct Example {
    process: Child,
    url: String,
    /// The tenant that it has started.
    issuer: String,
}

impl Example {
    fn start(program: &str, variables: &[(&str, &str)]) -> Self {
        let process = command(program, variables).stdout(Stdio::piped()).spawn().unwrap();
        let mut example = Self { url: String::new(), issuer: String::new(), process };
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
        }
        assert!(!example.url.is_empty(), "the example says where it listens");
        example
    }

    /// Returns a token of the tenant that the example has started.
    async fn token(&self, description: Value) -> String {
        let request = reqwest::Client::new().post(format!("{}__local/token", self.issuer));
        let request = request.header("accept", "text/plain").body(description.to_string());
        request.send().await.unwrap().text().await.unwrap().trim().to_owned()
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        let request = reqwest::Client::new().get(format!("{}{path}", self.url));
        Answer::of(request.bearer_auth(token).send().await.unwrap()).await
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn command(program: &str, variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(program);
    for name in VARIABLES {
        command.env_remove(name);
    }
    command.env("PORT", "0").env("RUST_LOG", "off").envs(variables.iter().copied());
    command
}

#[derive(Debug)]
struct Answer {
    status: StatusCode,
    challenge: Option<String>,
    retry_after: Option<String>,
    body: Value,
}

impl Answer {
    async fn of(response: reqwest::Response) -> Self {
        let header = |name: &str| {
            response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
        };
        Self {
            status: response.status(),
            challenge: header("www-authenticate"),
            retry_after: header("retry-after"),
            body: serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null),
        }
    }

    #[track_caller]
    fn is(&self, status: u16, error_code: &str) {
        assert_eq!(
            (self.status.as_u16(), &self.body["error_code"]),
            (status, &error_code.into()),
            "{self:?}"
        );
        assert_eq!(self.retry_after.is_some(), status == 503, "{self:?}");
        assert_eq!(self.challenge.is_some(), status == 401, "{self:?}");
    }
}

pub(crate) async fn on_behalf_of_each_caller(program: &str) {
    let example = Example::start(program, &[]);
    let ann = example.token(serde_json::json!({ "subject": "auth0|ann" })).await;
    let bob = example.token(serde_json::json!({ "subject": "auth0|bob" })).await;
    for _ in 0..2 {
        for (token, user) in [(&ann, "auth0|ann"), (&bob, "auth0|bob")] {
            let report = example.get("/report", token).await;
            assert_eq!(report.body["report_of"], user, "{report:?}");
            assert_eq!(report.body["called_by"], "api", "{report:?}");
        }
        let inventory = example.get("/inventory", &bob).await;
        assert_eq!(inventory.body["called_by"], "api@clients", "{inventory:?}");
        for (account, expected) in [
            ("?account=ann@acme.test", "ann@acme.test"),
            ("?account=ann@home.test", "ann@home.test"),
            ("", "ann@acme.test"),
        ] {
            let calendar = example.get(&format!("/calendar{account}"), &ann).await;
            assert_eq!(calendar.body["calendar_of"], expected, "{calendar:?}");
        }
        for path in ["/calendar?account=other@acme.test", "/calendar?account="] {
            example.get(path, &ann).await.is(403, "account_not_connected");
        }
        example.get("/calendar?account=ann@acme.test", &bob).await.is(403, "account_not_connected");
    }
    for path in ["/report", "/inventory", "/calendar"] {
        example.get(path, "x").await.is(401, "token_malformed");
        let other = example.token(serde_json::json!({ "audience": "https://other.test" })).await;
        example.get(path, &other).await.is(401, "audience_mismatch");
    }
    let twice = example.get("/calendar?account=a&account=b", &ann).await;
    assert_eq!(twice.status, 400, "{twice:?}");
}

pub(crate) async fn with_bound_tokens(program: &str) {
    let example = Example::start(program, &[("AUTH0_CLIENT_DPOP", "required")]);
    let ann = example.token(serde_json::json!({ "subject": "auth0|ann" })).await;
    for path in ["/report", "/inventory"] {
        assert_eq!(example.get(path, &ann).await.body["dpop"], true);
    }
    // Those of Token Vault are another provider's.
    let calendar = example.get("/calendar", &ann).await;
    assert_eq!(calendar.body["calendar_of"], "ann@acme.test", "{calendar:?}");
}

/// The example against a tenant of the test.
async fn with_tenant(program: &str, url: &str) -> (Example, LocalTenant) {
    let ann = User::new("auth0|ann").account(ConnectedAccount::new("google-oauth2", "a@acme.test"));
    let tenant = LocalTenant::builder()
        .audience(API)
        .api(Api::new(API))
        .api(Api::new(DOWNSTREAM))
        .user(ann)
        .client(Client::confidential("api", "a secret").resource_server(API))
        .start()
        .await
        .unwrap();
    let variables = [
        ("AUTH0_ISSUER", tenant.issuer()),
        ("AUTH0_AUDIENCE", API),
        ("AUTH0_CLIENT_ID", "api"),
        ("AUTH0_CLIENT_SECRET", "a secret"),
        ("DOWNSTREAM_URL", url),
        ("DOWNSTREAM_AUDIENCE", DOWNSTREAM),
    ];
    (Example::start(program, &variables), tenant)
}

pub(crate) async fn failures_of_the_tenant(program: &str) {
    let url = other_api(&Answers::default()).await;
    let (example, tenant) = with_tenant(program, &url).await;
    let token = |number: u32| {
        let builder = tenant.token().audience(API).subject("auth0|ann");
        builder.claim("number", number).mint()
    };
    let known = token(0);
    assert_eq!(example.get("/report", &known).await.status, 200);
    for (number, fault, status, error_code) in [
        (1, "503", 503, "upstream_unavailable"),
        (3, "html:502", 503, "upstream_unavailable"),
        (4, "empty:500", 503, "upstream_unavailable"),
        (5, "garbage", 502, "upstream_invalid"),
    ] {
        tenant.set_fault(auth0_local::Endpoint::Token, fault.parse().unwrap());
        example.get("/report", &token(number)).await.is(status, error_code);
        // A token in memory goes on.
        assert_eq!(example.get("/report", &known).await.status, 200);
        tenant.clear_faults();
    }
    // A caller whose token ends while its request is on the way, and one with too many before it.
    let actor = |inner: Value| serde_json::json!({ "sub": "x", "act": inner });
    let chain = actor(actor(actor(actor(Value::Null))));
    let deep = tenant.token().audience(API).subject("auth0|ann").claim("act", chain).mint();
    example.get("/report", &deep).await.is(403, "delegation_denied");
    // A limit of the tenant stops what is not in memory, and goes on after the fault.
    tenant.set_fault(auth0_local::Endpoint::Token, "throttled:60".parse().unwrap());
    example.get("/report", &token(7)).await.is(503, "upstream_throttled");
    tenant.clear_faults();
    example.get("/report", &token(8)).await.is(503, "upstream_throttled");
    assert_eq!(example.get("/report", &known).await.status, 200);
}

pub(crate) async fn a_mistake_of_the_operator(program: &str) {
    let url = other_api(&Answers::default()).await;
    let (example, tenant) = with_tenant(program, &url).await;
    tenant.add_client(Client::confidential("api", "another secret").resource_server(API)).unwrap();
    let ann = tenant.token().audience(API).subject("auth0|ann").mint();
    for path in ["/inventory", "/report", "/calendar"] {
        example.get(path, &ann).await.is(502, "client_misconfigured");
    }
}

/// A status, and `Retry-After`.
type Planned = (u16, Option<&'static str>);

/// The answers of the other API, in order, and 200 after them; and the requests that it has seen.
#[derive(Clone, Default)]
struct Answers(Arc<Mutex<VecDeque<Planned>>>, Arc<Mutex<Vec<Uri>>>);

async fn other_api(answers: &Answers) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answers = answers.clone();
    let app = Router::new().fallback(async move |uri: Uri| {
        answers.1.lock().unwrap().push(uri);
        let (status, retry_after) = answers.0.lock().unwrap().pop_front().unwrap_or((200, None));
        let mut response =
            Response::builder().status(status).header("content-type", "application/json");
        if let Some(seconds) = retry_after {
            response = response.header("retry-after", seconds);
        }
        response.body(Body::from(r#"{"other":"api"}"#)).unwrap()
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

pub(crate) async fn failures_of_the_other_api(program: &str) {
    let answers = Answers::default();
    let url = other_api(&answers).await;
    let (example, tenant) = with_tenant(program, &format!("{url}/v1/")).await;
    let ann = tenant.token().audience(API).subject("auth0|ann").mint();
    for path in ["/report", "/inventory", "/calendar"] {
        let answer = example.get(&format!("{path}?x=y"), &ann).await;
        assert_eq!((answer.status.as_u16(), &answer.body["other"]), (200, &"api".into()));
    }
    let seen: Vec<_> = answers.1.lock().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(seen, ["/v1/report", "/v1/inventory", "/v1/calendar"], "without a query");
    for (path, status, expected, error_code) in [
        ("/report", 403, 403, "delegation_denied"),
        ("/inventory", 403, 502, "client_misconfigured"),
        ("/report", 404, 502, "upstream_invalid"),
        ("/report", 302, 502, "upstream_invalid"),
        ("/report", 500, 503, "upstream_unavailable"),
        ("/inventory", 429, 503, "upstream_throttled"),
        ("/calendar", 503, 503, "upstream_unavailable"),
    ] {
        answers.0.lock().unwrap().push_back((status, Some("17")));
        let answer = example.get(path, &ann).await;
        answer.is(expected, error_code);
        if expected == 503 {
            assert_eq!(answer.retry_after.as_deref(), Some("17"));
        }
    }
    // One more token and one more request; the second time within ten seconds, neither.
    for (path, error_code, expected) in [
        ("/report", "subject_token_invalid", 401),
        ("/inventory", "client_misconfigured", 502),
        ("/calendar", "account_not_connected", 403),
    ] {
        let tokens = || tenant.stats().token.total();
        let before = tokens();
        answers.0.lock().unwrap().push_back((401, None));
        assert_eq!(example.get(path, &ann).await.status, 200, "{path}");
        assert_eq!(tokens() - before, 1);
        answers.0.lock().unwrap().push_back((401, None));
        example.get(path, &ann).await.is(expected, error_code);
        assert_eq!(tokens() - before, 1);
    }
}

pub(crate) fn settings_that_are_missing(program: &str) {
    let all = [
        ("AUTH0_ISSUER", "http://127.0.0.1:9/"),
        ("AUTH0_AUDIENCE", API),
        ("AUTH0_CLIENT_ID", "api"),
        ("AUTH0_CLIENT_SECRET", "a secret"),
        ("DOWNSTREAM_URL", "http://127.0.0.1:9"),
        ("DOWNSTREAM_AUDIENCE", DOWNSTREAM),
    ];
    let set = |name: &str, value: &'static str| -> Vec<(&str, &str)> {
        all.map(|(known, good)| (known, if known == name { value } else { good })).to_vec()
    };
    for (variables, sentence) in [
        (set("AUTH0_ISSUER", ""), "AUTH0_DOMAIN is not set"),
        (set("AUTH0_AUDIENCE", ""), "AUTH0_AUDIENCE is not set"),
        (set("AUTH0_CLIENT_ID", ""), "AUTH0_CLIENT_ID is not set"),
        (set("AUTH0_CLIENT_SECRET", ""), "no way to authenticate"),
        (set("DOWNSTREAM_URL", ""), "DOWNSTREAM_URL is not set"),
        (set("DOWNSTREAM_URL", "billing"), "DOWNSTREAM_URL is not a URL"),
        (set("DOWNSTREAM_AUDIENCE", ""), "DOWNSTREAM_AUDIENCE is not set"),
        (set("DOWNSTREAM_AUDIENCE", "YOUR_API"), "placeholder"),
        ([&set("", "")[..], &[("AUTH0_CLIENT_DPOP", "yes")]].concat(), "AUTH0_CLIENT_DPOP"),
        (
            [
                &set("AUTH0_CLIENT_SECRET", "")[..],
                &[("AUTH0_CLIENT_ASSERTION_SIGNING_KEY", "/nowhere.pem")],
            ]
            .concat(),
            "AUTH0_CLIENT_ASSERTION_SIGNING_KEY",
        ),
        (
            [&set("", "")[..], &[("AUTH0_CLIENT_ASSERTION_SIGNING_KEY", "-----BEGIN x")]].concat(),
            "signing key",
        ),
    ] {
        let output = command(program, &variables).output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && text.contains(sentence), "{sentence}: {text}");
        assert!(!text.contains("a secret"), "{text}");
    }
}
