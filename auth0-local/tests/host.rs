//! A request with a host other than loopback comes from a web page whose name resolves to this
//! machine.
#![allow(clippy::unwrap_used, clippy::string_slice, reason = "helpers of tests are tests")]
mod common;

use auth0_local::LocalTenant;
use common::raw;

#[tokio::test]
async fn only_loopback_names_are_accepted() {
    let tenant = LocalTenant::start().await.unwrap();
    let path = "/.well-known/jwks.json";
    for (target, version, hosts, status) in [
        (path, "1.1", vec!["localhost:4400"], 200),
        (path, "1.1", vec!["127.0.0.1"], 200),
        (path, "1.1", vec!["[::1]:4400"], 200),
        (path, "1.0", vec!["LocalHost"], 200),
        ("http://127.0.0.1/.well-known/jwks.json", "1.1", vec!["127.0.0.1"], 200),
        (path, "1.1", vec!["evil.test"], 403),
        (path, "1.1", vec!["evil.test:4400"], 403),
        (path, "1.1", vec!["localhost.evil.test"], 403),
        (path, "1.1", vec!["localhost@evil.test"], 403),
        (path, "1.1", vec!["evil.test@localhost"], 403),
        (path, "1.1", vec!["localhost evil.test"], 403),
        (path, "1.1", vec![""], 403),
        (path, "1.1", vec![], 403),
        (path, "1.0", vec![], 403),
        (path, "1.1", vec!["localhost", "evil.test"], 403),
        (path, "1.1", vec!["localhost", "localhost"], 403),
        ("http://evil.test/.well-known/jwks.json", "1.1", vec!["localhost"], 403),
        ("/nothing-here", "1.1", vec!["evil.test"], 403),
    ] {
        let hosts: String = hosts.iter().map(|host| format!("host: {host}\r\n")).collect();
        let request = format!("GET {target} HTTP/{version}\r\n{hosts}connection: close\r\n\r\n");
        let response = raw(&tenant, &request).await;
        let line = response.lines().next().unwrap_or_default();
        assert!(line.contains(&format!(" {status} ")), "{request}{response}");
        assert_eq!(response.contains("\"keys\""), status == 200, "{request}{response}");
    }
    let post = "POST /__local/token HTTP/1.1\r\nhost: evil.test\r\ncontent-length: 2\r\n\
                connection: close\r\n\r\n{}";
    let response = raw(&tenant, post).await;
    assert!(response.starts_with("HTTP/1.1 403 ") && !response.contains("eyJ"), "{response}");
}
