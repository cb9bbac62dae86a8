//! What a token costs that is in memory: `cargo bench -p auth0-client --bench tokens`. Compare within one run only.
#![allow(clippy::unwrap_used, missing_docs)]

use auth0_client::{Client, ProofKey, TokenSource};
use auth0_core::{
    BoxFuture,
    transport::{HttpClient, HttpError, HttpRequest, HttpResponse},
};
use divan::{AllocProfiler, Bencher, black_box};
use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

const ISSUER: &str = "https://acme.eu.auth0.com/";
const API: &str = "https://orders.acme.com";

/// A tenant that issues tokens of the usual size.
#[derive(Debug)]
struct Tenant {
    token_type: &'static str,
}

impl HttpClient for Tenant {
    fn send<'a>(
        &'a self,
        request: HttpRequest<'a>,
    ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
        let body = match request.method {
            "GET" => format!(r#"{{"issuer":"{ISSUER}","token_endpoint":"{ISSUER}oauth/token"}}"#),
            _ => format!(
                r#"{{"access_token":"{}","token_type":"{}","expires_in":86400}}"#,
                "x".repeat(900),
                self.token_type
            ),
        };
        Box::pin(async move { Ok(HttpResponse::json(body)) })
    }
}

fn client(token_type: &'static str) -> Client {
    let builder = Client::builder()
        .issuer(ISSUER)
        .client_id("app")
        .client_secret("secret")
        .http_client(Tenant { token_type });
    match token_type {
        "DPoP" => builder.dpop(ProofKey::generate().unwrap()).build().unwrap(),
        _ => builder.build().unwrap(),
    }
}

/// Polls a future that is ready at once, where it is created, as `await` does.
macro_rules! now {
    ($future:expr) => {
        match pin!($future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => output,
            Poll::Pending => unreachable!("the token is in memory"),
        }
    };
}

fn warm(source: &TokenSource) {
    tokio::runtime::Runtime::new().unwrap().block_on(source.token()).unwrap();
}

/// Reading the clock, which is a part of what follows.
#[divan::bench(sample_count = 200, sample_size = 1000)]
fn clock(bencher: Bencher<'_, '_>) {
    bencher.bench_local(std::time::SystemTime::now);
}

/// The token of the service itself.
#[divan::bench(sample_count = 200, sample_size = 1000)]
fn machine(bencher: Bencher<'_, '_>) {
    let source = client("Bearer").machine(API).build().unwrap();
    warm(&source);
    bencher.bench_local(|| now!(source.token()).unwrap());
}

/// The same from two threads.
#[divan::bench(threads = 2, sample_count = 200, sample_size = 1000)]
fn machine_shared(bencher: Bencher<'_, '_>) {
    let source = client("Bearer").machine(API).build().unwrap();
    warm(&source);
    bencher.bench(|| now!(source.token()).unwrap());
}

/// The token of a caller, of a new source for each request.
#[divan::bench(sample_count = 200, sample_size = 1000)]
fn on_behalf_of(bencher: Bencher<'_, '_>) {
    let delegation = client("Bearer").delegation(API).build().unwrap();
    let caller = "y".repeat(900);
    warm(&delegation.on_behalf_of(&caller));
    bencher.bench_local(|| now!(delegation.on_behalf_of(black_box(&caller)).token()).unwrap());
}

#[divan::bench(sample_count = 200, sample_size = 1000)]
fn bearer_headers(bencher: Bencher<'_, '_>) {
    let source = client("Bearer").machine(API).build().unwrap();
    warm(&source);
    let token = now!(source.token()).unwrap();
    bencher.bench_local(|| token.headers_for("GET", "https://orders.acme.com/orders?x").unwrap());
}

#[divan::bench(sample_count = 200, sample_size = 1000)]
fn dpop_headers(bencher: Bencher<'_, '_>) {
    let source = client("DPoP").machine(API).build().unwrap();
    warm(&source);
    let token = now!(source.token()).unwrap();
    bencher.bench_local(|| token.headers_for("GET", "https://orders.acme.com/orders?x").unwrap());
}
