#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a kit"
)]
use auth0_local::LocalTenant;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use std::{
    env,
    process::{Command, Stdio},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const CHILD: &str = "AUTH0_LOCAL_TEST_CHILD";

/// This test again, in a process without a single variable of the environment: no proxy, no tenant
/// of whoever runs the tests. `None` in that process.
pub fn without_environment(test: &str) -> Option<Command> {
    if env::var_os(CHILD).is_some() {
        return None;
    }
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env_clear().env(CHILD, "1");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    Some(command)
}

/// Runs it to its end. Whether this is the process in which the test is to go on.
pub fn is_alone(test: &str) -> bool {
    let Some(mut command) = without_environment(test) else { return true };
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    false
}

/// A request to the tenant, past any proxy.
pub fn post(tenant: &LocalTenant, path: &str) -> RequestBuilder {
    client().post(url(tenant, path))
}

pub fn get(tenant: &LocalTenant, path: &str) -> RequestBuilder {
    client().get(url(tenant, path))
}

pub struct Answer {
    pub status: u16,
    pub cache: String,
    pub json: Value,
}

pub async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    Answer {
        status: response.status().as_u16(),
        cache: response.headers()["cache-control"].to_str().unwrap().to_owned(),
        json: serde_json::from_slice(&response.bytes().await.unwrap()).unwrap(),
    }
}

/// The payload of a token of this tenant, verified.
pub async fn claims(tenant: &LocalTenant, token: &str) -> Value {
    let auth = tenant.tenant().auth0();
    auth.verify(token).await.unwrap().with_claims::<Value>().unwrap().claims().clone()
}

/// What a tenant says to the bytes of a request that asks for the connection to be closed.
pub async fn raw(tenant: &LocalTenant, request: &str) -> String {
    let mut stream = TcpStream::connect(address(tenant)).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

pub fn address(tenant: &LocalTenant) -> &str {
    tenant.issuer().strip_prefix("http://").unwrap().strip_suffix('/').unwrap()
}

fn client() -> Client {
    Client::builder().no_proxy().build().unwrap()
}

fn url(tenant: &LocalTenant, path: &str) -> String {
    format!("{}{path}", tenant.issuer())
}
