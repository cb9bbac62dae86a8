//! The bytes that a client receives under each fault.
#![allow(clippy::unwrap_used, clippy::string_slice, reason = "helpers of tests are tests")]
mod common;

use auth0_local::{Document, Fault, LocalTenant, Requests};
use common::{ask, raw};
use std::{io, time::Duration};
use tokio::{
    io::AsyncReadExt,
    task,
    time::{self, Instant, timeout},
};

const DOCUMENTS: [(Document, &str); 2] = [
    (Document::Metadata, "/.well-known/openid-configuration"),
    (Document::KeySet, "/.well-known/jwks.json"),
];

fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
}

/// Waits until this many requests have met a fault.
async fn wait_for_faults(tenant: &LocalTenant, times: u64) {
    let faulted = || tenant.stats().metadata.faulted + tenant.stats().key_set.faulted;
    while faulted() < times {
        task::yield_now().await;
    }
}

#[tokio::test]
async fn responses() {
    let tenant = LocalTenant::start().await.unwrap();
    let issuer = tenant.issuer();
    for (fault, head, headers, body) in [
        ("500", "500 ", vec!["application/json"], "this is a drill"),
        ("404", "404 ", vec!["application/json"], "auth0-local fault {name}=none"),
        ("429:30", "429 ", vec!["retry-after: 30"], "local_fault"),
        ("429", "429 ", vec![], "local_fault"),
        ("garbage", "200 ", vec!["application/json"], "not JSON"),
        ("html", "200 ", vec!["text/html"], "<!doctype html>"),
        ("redirect", "302 ", vec!["location: {issuer}__local/redirected/{name}\r\n"], ""),
        ("empty", "200 ", vec!["application/json"], "{empty}"),
    ] {
        for (document, path) in DOCUMENTS {
            let (name, empty) = match document {
                Document::Metadata => ("metadata", "{}"),
                _ => ("jwks", "{\"keys\":[]}"),
            };
            let fill = |text: &str| {
                let text = text.replace("{issuer}", issuer).replace("{name}", name);
                text.replace("{empty}", empty)
            };
            tenant.set_fault(document, fault.parse().unwrap());
            let response = raw(&tenant, &request(path)).await;
            let (head_seen, body_seen) = response.split_once("\r\n\r\n").unwrap();
            let head_seen = format!("{head_seen}\r\n");
            assert!(head_seen.starts_with(&format!("HTTP/1.1 {head}")), "{fault}: {response}");
            for header in headers.iter().chain(&["cache-control: no-store"]) {
                assert!(head_seen.contains(&fill(header)), "{fault}: {response}");
            }
            assert_eq!(head_seen.contains("retry-after"), fault == "429:30", "{fault}: {response}");
            assert!(body_seen.contains(&fill(body)), "{fault}: {response}");
            if fault == "empty" {
                assert_eq!(body_seen, empty);
            }
            tenant.set_fault(document, Fault::none());
            assert!(raw(&tenant, &request(path)).await.contains("max-age=15"), "{fault}");
        }
    }
    let stats = tenant.stats();
    for requests in [stats.metadata, stats.key_set] {
        assert_eq!((requests.served, requests.faulted, requests.total()), (8, 8, 16));
    }
    assert_eq!(stats.redirect_target, 0);
}

#[tokio::test]
async fn reset() {
    let tenant = LocalTenant::start().await.unwrap();
    for (document, path) in DOCUMENTS {
        tenant.set_fault(document, Fault::reset());
        let mut stream = ask(&tenant, &request(path)).await;
        let error = stream.read(&mut [0; 64]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn hang() {
    let tenant = LocalTenant::start().await.unwrap();
    tenant.set_fault(Document::KeySet, Fault::hang());
    let mut stream = ask(&tenant, &request("/.well-known/jwks.json")).await;
    wait_for_faults(&tenant, 1).await;
    time::pause(); // skips time whenever no task can run
    let day = Duration::from_secs(24 * 60 * 60);
    assert!(timeout(day, stream.read(&mut [0; 64])).await.is_err(), "no byte is sent");
    time::resume();

    tenant.clear_faults();
    assert!(raw(&tenant, &request("/.well-known/jwks.json")).await.contains("\"keys\""));
    drop(tenant);
    let error = stream.read(&mut [0; 64]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "the connection ends with the tenant");
}

#[tokio::test]
async fn slow() {
    let tenant = LocalTenant::start().await.unwrap();
    for (number, (fault, seconds)) in
        (1..).zip([("slow", 10.0), ("slow:0.25", 0.25), ("slow:3600", 3600.0)])
    {
        tenant.set_fault(Document::KeySet, fault.parse().unwrap());
        let mut stream = ask(&tenant, &request("/.well-known/jwks.json")).await;
        time::pause();
        let began = Instant::now();
        wait_for_faults(&tenant, number).await;
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        let passed = began.elapsed().as_secs_f64();
        time::resume();
        assert!(response.contains("\"kid\""), "{fault}: {response}");
        assert!((seconds..seconds + 0.2).contains(&passed), "{fault}: {passed}");
    }
    assert_eq!(tenant.stats().key_set.faulted, 3);
}

#[tokio::test]
async fn huge() {
    /// Far more than the buffers of the two sockets, and more than any verifier accepts.
    const ENOUGH: usize = 64 * 1024 * 1024;
    let tenant = LocalTenant::start().await.unwrap();
    tenant.set_fault(Document::KeySet, Fault::huge());
    let mut stream = ask(&tenant, &request("/.well-known/jwks.json")).await;
    let mut buffer = vec![0; 64 * 1024];
    let read = stream.read(&mut buffer).await.unwrap();
    let beginning = String::from_utf8_lossy(&buffer[..read]).into_owned();
    assert!(beginning.contains("application/json") && beginning.contains("{\"keys\":["));
    let mut total = read;
    while total < ENOUGH {
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "the body ended after {total} bytes");
        total += read;
    }
    // A client that stops reading delays neither other requests nor the stop of the tenant.
    assert!(raw(&tenant, &request("/.well-known/openid-configuration")).await.contains("issuer"));
    drop(tenant);
    while stream.read(&mut buffer).await.unwrap() > 0 {}
}

#[tokio::test]
async fn probabilities() {
    let tenant = LocalTenant::start().await.unwrap();
    let asked = async |fault: &str| -> Requests {
        let before = tenant.stats().key_set;
        tenant.set_fault(Document::KeySet, fault.parse().unwrap());
        for _ in 0..200 {
            raw(&tenant, &request("/.well-known/jwks.json")).await;
        }
        let mut after = tenant.stats().key_set;
        after.served -= before.served;
        after.faulted -= before.faulted;
        after
    };
    // Outside of this range once in 10^15 runs.
    assert!((44..=156).contains(&asked("500@0.5").await.faulted));
    assert_eq!(asked("500@0").await.faulted, 0);
    assert_eq!(asked("500").await.served, 0);
}
