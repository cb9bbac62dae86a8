//! A request with a host other than loopback comes from a web page whose name resolves to this
//! machine, unless the tenant has an issuer with this host.
#![allow(clippy::unwrap_used, clippy::string_slice, reason = "helpers of tests are tests")]
mod common;

use auth0_core::Auth0;
use auth0_local::LocalTenant;
use common::{raw, raw_at};
use std::net::Ipv4Addr;

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
        ("/authorize", "1.1", vec!["evil.test"], 403),
        ("/oidc/logout", "1.1", vec!["evil.test"], 403),
        ("/userinfo", "1.1", vec!["evil.test"], 403),
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

/// The name of a container, on all interfaces. The test itself connects over loopback.
#[tokio::test]
async fn the_host_of_the_issuer_is_accepted_and_no_other() {
    let builder = LocalTenant::builder().issuer("http://auth0.localtest:4400/");
    let tenant = builder.host(Ipv4Addr::LOCALHOST.into()).start().await.unwrap();
    assert_eq!(tenant.issuer(), "http://auth0.localtest:4400/");
    let at = tenant.address().to_string();
    for (host, status) in [
        ("auth0.localtest:4400", 200),
        ("auth0.localtest", 200),
        ("127.0.0.1", 200),
        ("localhost:1", 200),
        ("evil.test", 403),
        ("sub.auth0.localtest", 403),
        ("localtest", 403),
        ("10.0.0.7:4400", 403),
        ("evil@auth0.localtest", 403),
    ] {
        let request = |line: &str| {
            format!(
                "{line} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
        };
        for line in ["GET /.well-known/jwks.json", "GET /__local/stats", "POST /__local/rotate"] {
            let response = raw_at(&at, &request(line)).await;
            assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{host}: {response}");
            let names_itself = response.contains("and to auth0.localtest, only");
            assert_eq!(names_itself, status == 403, "{response}");
        }
    }
    let foreign = "POST /__local/rotate HTTP/1.1\r\nhost: auth0.localtest\r\norigin: http://evil.test\r\n\
                   content-length: 0\r\nconnection: close\r\n\r\n";
    assert!(raw_at(&at, foreign).await.starts_with("HTTP/1.1 403 "));

    // A service trusts it only if it allows the host.
    let builder = || Auth0::builder().issuer(tenant.issuer()).audience(tenant.audience());
    builder().build().unwrap_err();
    builder().allow_http_hosts(["auth0.localtest"]).build().unwrap();
    let token = tenant.token().mint();
    let auth = tenant.tenant().auth0();
    assert_eq!(auth.verify(&token).await.unwrap().issuer(), "http://auth0.localtest:4400/");
}

#[tokio::test]
async fn an_issuer_that_cannot_be_one_of_a_local_tenant_is_refused() {
    for issuer in [
        "https://acme.eu.auth0.com/",
        "https://auth0:4400/",
        "http://auth0:4400",
        "http://auth0:4400/tenant",
        "http://ann:secret@auth0:4400/",
        "http://auth0:4400/?a",
        "http://10.0.0.7:4400/",
        "auth0:4400",
        "",
    ] {
        let error = LocalTenant::builder().issuer(issuer).start().await.unwrap_err().to_string();
        assert!(error.contains("for example http://"), "{issuer}: {error}");
    }
    // A port of this machine, with another name for it.
    let tenant = LocalTenant::builder().issuer("http://localhost:4400/").start().await.unwrap();
    assert_eq!(tenant.issuer(), "http://localhost:4400/");
}
