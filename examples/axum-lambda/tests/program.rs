//! The program, in a process of its own, with a runtime API of AWS Lambda that has one event.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]
use auth0_local::LocalTenant;
use axum::{
    Router,
    body::Bytes,
    http::{HeaderName, StatusCode},
    routing::{get, post},
};
use serde_json::{Value, json};
use std::{
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{
    net::TcpListener,
    process::{Child, Command},
    sync::mpsc,
};

/// A row of what happened, in order.
#[derive(Debug)]
enum Step {
    /// The function asked for its first event: the init phase is over.
    Initialised,
    Responded(Value),
}

/// Starts the runtime API. It has the event once, and then none.
async fn runtime_api(event: Value, steps: mpsc::UnboundedSender<Step>) -> String {
    let responded = steps.clone();
    let first = Arc::new(AtomicBool::new(true));
    let next = get(async move || {
        if !first.swap(false, Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let _ = steps.send(Step::Initialised);
        let headers = [
            ("lambda-runtime-aws-request-id", "one"),
            ("lambda-runtime-deadline-ms", "9999999999999"),
            ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:1:function:api"),
        ];
        (headers.map(|(name, value)| (HeaderName::from_static(name), value)), event.to_string())
    });
    let response = post(async move |body: Bytes| {
        let _ = responded.send(Step::Responded(serde_json::from_slice(&body).unwrap()));
        StatusCode::ACCEPTED
    });
    let api = Router::new()
        .route("/2018-06-01/runtime/invocation/next", next)
        .route("/2018-06-01/runtime/invocation/one/response", response);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, api).await });
    address
}

fn program(runtime_api: &str, variables: &[(&str, &str)]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_axum-lambda"));
    command.env_clear().env("AWS_LAMBDA_RUNTIME_API", runtime_api).envs(variables.iter().copied());
    for (name, value) in [("NAME", "api"), ("MEMORY_SIZE", "128"), ("VERSION", "1")] {
        command.env(format!("AWS_LAMBDA_FUNCTION_{name}"), value);
    }
    command.kill_on_drop(true).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[tokio::test]
async fn the_init_phase_fetches_the_keys() {
    let tenant = LocalTenant::start().await.unwrap();
    let token = tenant.token().scope("read:messages").mint();
    let event = json!({
        "version": "2.0", "rawPath": "/prod/api/private-scoped", "rawQueryString": "",
        "headers": { "host": "api.test", "authorization": format!("Bearer {token}") },
        "requestContext": {
            "http": { "method": "GET", "path": "/prod/api/private-scoped" }, "stage": "prod",
        },
        "isBase64Encoded": false,
    });
    let (sender, mut steps) = mpsc::unbounded_channel();
    let api = runtime_api(event, sender).await;
    let variables = [("AUTH0_ISSUER", tenant.issuer()), ("AUTH0_AUDIENCE", tenant.audience())];
    let _program = program(&api, &variables);
    assert!(matches!(steps.recv().await, Some(Step::Initialised)));
    assert_eq!(tenant.stats().key_set.served, 1, "before the first event");
    let Some(Step::Responded(response)) = steps.recv().await else { panic!("a response") };
    assert_eq!(response["statusCode"], 200, "{response}");
    assert!(response["body"].as_str().unwrap().starts_with("messages of "), "{response}");
}

#[tokio::test]
async fn a_function_without_its_configuration_does_not_start() {
    let output = program("127.0.0.1:1", &[]).wait_with_output().await.unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("AUTH0_DOMAIN"), "{error}");
}
