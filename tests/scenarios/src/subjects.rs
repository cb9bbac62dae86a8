//! Tokens of many callers in memory: how many requests they cause, and how many bytes they take.
use crate::connections::resident_bytes;
use auth0_client::Client;
use auth0_core::{
    BoxFuture,
    transport::{HttpClient, HttpError, HttpRequest, HttpResponse},
};
use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

const ISSUER: &str = "https://acme.eu.auth0.com/";

/// The length of a usual token, in bytes.
const TOKEN: usize = 1_000;

/// A tenant in the process.
#[derive(Clone, Debug, Default)]
struct Tenant(Arc<AtomicUsize>);

impl HttpClient for Tenant {
    fn send<'a>(
        &'a self,
        request: HttpRequest<'a>,
    ) -> BoxFuture<'a, Result<HttpResponse, HttpError>> {
        let body = if request.method == "GET" {
            format!(r#"{{"issuer":"{ISSUER}","token_endpoint":"{ISSUER}oauth/token"}}"#)
        } else {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            let token = format!("{number:0>TOKEN$}");
            format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":86400}}"#)
        };
        Box::pin(async move { Ok(HttpResponse::json(body)) })
    }
}

/// Requests a token for each caller, twice, and prints a row. Returns whether the limit holds.
pub(crate) async fn run(count: usize, cache_bytes: usize) -> Result<bool, Box<dyn Error>> {
    let tenant = Tenant::default();
    let client = Client::builder()
        .issuer(ISSUER)
        .client_id("app")
        .client_secret("secret")
        .http_client(tenant.clone())
        .cache_bytes(cache_bytes)
        .build()?;
    let delegation = client.delegation("https://billing.acme.com").build()?;
    let caller = |number: usize| format!("caller-{number:0>TOKEN$}");
    // The first starts the thread, and allocates what there is one of.
    delegation.on_behalf_of(&caller(count)).await?;
    let before = resident_bytes()?;
    let mut requests = Vec::new();
    for _ in 0..2 {
        let earlier = tenant.0.load(Ordering::Relaxed);
        for number in 0..count {
            delegation.on_behalf_of(&caller(number)).await?;
        }
        requests.push(tenant.0.load(Ordering::Relaxed) - earlier);
    }
    let bytes = resident_bytes()?.saturating_sub(before);
    println!("| callers | limit | requests, first | again | memory | each |");
    println!("|---:|---:|---:|---:|---:|---:|");
    println!(
        "| {count} | {} MiB | {} | {} | {:.1} MiB | {} bytes |",
        cache_bytes >> 20,
        requests[0],
        requests[1],
        bytes as f64 / f64::from(1 << 20),
        bytes / count as u64,
    );
    Ok(bytes < cache_bytes as u64 + (4 << 20))
}
