#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "each test uses a part of this kit"
)]
use auth0_core::Auth0;
use auth0_local::LocalTenant;
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// Begins a request to the tenant, without a proxy.
pub fn post(tenant: &LocalTenant, path: &str) -> RequestBuilder {
    client().post(url(tenant, path))
}

pub fn get(tenant: &LocalTenant, path: &str) -> RequestBuilder {
    client().get(url(tenant, path))
}

pub fn delete(tenant: &LocalTenant, path: &str) -> RequestBuilder {
    client().delete(url(tenant, path))
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

/// Verifies a token of this tenant and returns its payload.
pub async fn claims(tenant: &LocalTenant, token: &str) -> Value {
    let auth = tenant.tenant().auth0();
    auth.verify(token).await.unwrap().with_claims::<Value>().unwrap().claims().clone()
}

/// Returns a verifier of the tenant with the transport of services and the tenant's clock, before its
/// first fetch.
pub fn verifier(tenant: &LocalTenant) -> Auth0 {
    let builder = Auth0::builder().issuer(tenant.issuer()).audience(tenant.audience());
    builder.clock(tenant.tenant().clock().clone()).build().unwrap()
}

/// Sends the bytes of a request with `connection: close`, and returns those of the response.
pub async fn raw(tenant: &LocalTenant, request: &str) -> String {
    raw_at(address(tenant), request).await
}

/// Does the same with the tenant at this address.
pub async fn raw_at(address: &str, request: &str) -> String {
    let mut stream = ask_at(address, request).await;
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

/// Sends bytes on a new connection, and returns it.
pub async fn ask(tenant: &LocalTenant, request: &str) -> TcpStream {
    ask_at(address(tenant), request).await
}

async fn ask_at(address: &str, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
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
